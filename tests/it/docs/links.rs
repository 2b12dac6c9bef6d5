//! Links lead somewhere, and files that are named are there.

use std::path::Path;

use super::pages::{documents, markdown_in, read, root};

/// A span that begins like this names a file or folder of the repository.
const FOLDERS: [&str; 11] = [
    ".ci/",
    "assets/",
    "benches/",
    "deploy/",
    "docs/",
    "fuzz/",
    "migrations/",
    "scripts/",
    "src/",
    "templates/",
    "tests/",
];

/// Everything that is written for people.
fn all() -> Vec<String> {
    let mut names = documents();
    names.extend(["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned));
    names.extend(
        ["docs/adr", "fuzz", "keys", "tests/clients"]
            .iter()
            .flat_map(|folder| markdown_in(folder)),
    );
    names
}

/// The document without what stands in fenced blocks.
fn prose(text: &str) -> String {
    let mut fenced = false;
    text.lines()
        .filter(|line| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// What stands between each `open` and the next `close`.
fn between<'a>(text: &'a str, open: &'a str, close: char) -> impl Iterator<Item = &'a str> {
    text.split(open)
        .skip(1)
        .filter_map(move |rest| rest.split_once(close).map(|(inside, _)| inside))
}

/// The anchor of a heading, as forges make it.
fn anchor(heading: &str) -> String {
    let kept = |character: &char| character.is_alphanumeric() || [' ', '-', '_'].contains(character);
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

fn leads_somewhere(from: &str, target: &str) -> bool {
    let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
    let here = root().join(from);
    let there = if file.is_empty() {
        here
    } else {
        here.parent().unwrap().join(file)
    };
    let headings = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        prose(&text)
            .lines()
            .any(|line| line.starts_with('#') && anchor(line) == fragment)
    };
    there.exists() && (fragment.is_empty() || headings(&there))
}

#[test]
fn links_lead_somewhere() {
    let mut lost = Vec::new();
    for name in all() {
        let text = prose(&read(&name));
        let targets =
            between(&text, "](", ')').filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
        lost.extend(
            targets
                .filter(|target| !leads_somewhere(&name, target))
                .map(|target| format!("{name}: {target}")),
        );
    }
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn files_that_are_named_are_there() {
    let ignored = read(".gitignore");
    let generated: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('/')).collect();
    let mut lost = Vec::new();
    for name in all() {
        let text = prose(&read(&name));
        let spans = text.split('`').skip(1).step_by(2);
        let paths = spans.filter(|span| FOLDERS.iter().any(|folder| span.starts_with(folder)));
        // What follows a place-holder is for the reader to fill in; a colon goes before a line or a test.
        let plain = paths.map(|path| path.split(['<', '{', '*', ' ', ':']).next().unwrap_or_default());
        let kept = plain.filter(|path| !generated.iter().any(|folder| path.starts_with(folder)));
        let gone = kept.filter(|path| !root().join(path).exists());
        lost.extend(gone.map(|path| format!("{name}: {path}")));
    }
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn a_lost_link_is_found() {
    assert!(leads_somewhere("docs/SETTINGS.md", "../CONTRIBUTING.md#a-migration"));
    assert!(leads_somewhere("CONTRIBUTING.md", "#the-house"));
    assert!(!leads_somewhere("docs/SETTINGS.md", "CONTRIBUTING.md"));
    assert!(!leads_somewhere("CONTRIBUTING.md", "docs/SETTINGS.md#nothing"));
    assert_eq!(prose("a\n```sh\n](gone)\n```\nb"), "a\nb");
}
