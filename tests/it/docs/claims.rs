//! What the documents quote of the program stands in the program, and what they list is the whole list.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mintmark::telemetry::Metrics;

use super::pages::{read, root};

/// The most lines of README.md.
const README_LINES: usize = 150;

/// The text of every source below `folder`.
fn gathered(folder: &str) -> String {
    fn gather(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    gather(&root().join(folder), &mut text);
    text
}

/// The text of every source, with the line breaks inside string literals taken out.
fn sources() -> String {
    let text = gathered("src");
    let mut pieces = text.split("\\\n");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |joined, piece| joined + piece.trim_start())
}

/// The section of a document under this heading, up to the next heading.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, after) = text
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("there is no {heading}"));
    after.split("\n## ").next().unwrap_or(after)
}

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= README_LINES, "README.md has {lines} lines");
}

#[test]
fn every_metric_is_explained_and_no_other() {
    let rendered = Metrics::new().render();
    let there: BTreeSet<&str> = rendered
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next())
        .collect();
    let text = read("docs/OPERATIONS.md");
    let rows = section(&text, "## Metrics")
        .lines()
        .filter_map(|line| line.strip_prefix("| `mintmark_"));
    let named: Vec<String> = rows
        .filter_map(|row| row.split(['`', '{']).next())
        .map(|name| format!("mintmark_{name}"))
        .collect();
    assert_eq!(there, named.iter().map(String::as_str).collect());
}

/// The first cell of each row quotes a line of the log or of the terminal; `…` stands for what differs.
#[test]
fn the_symptoms_are_quoted_from_the_program() {
    let (text, sources) = (read("docs/OPERATIONS.md"), sources());
    let rows = section(&text, "## Troubleshooting")
        .lines()
        .filter(|line| line.starts_with("| `"));
    let mut pieces = 0;
    for row in rows {
        let quoted = row.split('`').nth(1).unwrap();
        for piece in quoted.split('…').map(str::trim).filter(|piece| !piece.is_empty()) {
            pieces += 1;
            assert!(sources.contains(piece), "nothing in src/ says: {piece}");
        }
    }
    assert!(pieces > 20, "the table is read: {pieces}");
}

/// Every key that a document names in the table of SETTINGS.md is one, and so is every variable.
#[test]
fn settings_are_called_by_their_names() {
    let known = mintmark::config::reference();
    let sections = [
        "database.",
        "environments.",
        "jwks.",
        "keys.",
        "limits.",
        "listen.",
        "log.",
        "notices.",
        "registry.",
        "tokens.",
        "webhook.",
    ];
    for name in [
        "README.md",
        "SECURITY.md",
        "docs/ARCHITECTURE.md",
        "docs/OPERATIONS.md",
        "docs/RESOURCE_SERVERS.md",
    ] {
        let text = read(name);
        let spans = text
            .split('`')
            .filter(|span| sections.iter().any(|section| span.starts_with(section)));
        for span in spans.filter(|span| !span.contains(['/', '(', '\n'])) {
            let key = span.split([' ', '=']).next().unwrap_or_default();
            assert!(known.contains(&format!("`{key}`")), "{name}: {key} is not a setting");
        }
    }
}

/// A row of the surfaces names its tests: files that have some.
#[test]
fn the_tests_of_the_threat_model_are_tests() {
    let text = read("SECURITY.md");
    let rows: Vec<_> = section(&text, "## Surfaces")
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(2)
        .collect();
    assert!(rows.len() > 20, "the table is read: {}", rows.len());
    for row in rows {
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let files: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!files.is_empty(), "no test is named: {row}");
        for file in files.iter().filter(|file| file.ends_with(".rs")) {
            assert!(read(file).contains("test]\n"), "{file} has no test");
        }
    }
}

/// What RELIABILITY.md calls `room::name` is a test.
#[test]
fn the_faults_name_their_tests() {
    let text = read("docs/RELIABILITY.md");
    let named: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| "))
        .filter_map(|row| row.trim_end_matches("` |").rsplit_once('`'))
        .filter_map(|(_, name)| name.rsplit_once("::").map(|(_, test)| test))
        .filter(|test| *test != "…")
        .collect();
    assert!(named.len() > 5, "the table is read: {named:?}");
    let tests = gathered("tests/it");
    for name in named {
        assert!(tests.contains(&format!("fn {name}(")), "{name} is no test");
    }
}

/// The names of the fields of a log call, given what stands behind its opening parenthesis.
fn fields(call: &str) -> Vec<&str> {
    let before = call.split_once(r#"; ""#).map(|(before, _)| before).unwrap_or_default();
    if before.contains('"') {
        return Vec::new();
    }
    let names = before
        .split(',')
        .filter_map(|field| field.trim().split([' ', ':']).next());
    names.filter(|name| !name.is_empty()).collect()
}

/// The fields of log lines are an interface: each has a row.
#[test]
fn every_field_of_the_log_is_explained() {
    let (text, sources) = (read("docs/OPERATIONS.md"), sources());
    let rows = section(&text, "## Logs").lines().filter(|line| line.starts_with("| `"));
    let explained: BTreeSet<&str> = rows
        .flat_map(|row| {
            row.split(" | ")
                .next()
                .unwrap_or_default()
                .split('`')
                .skip(1)
                .step_by(2)
        })
        .collect();
    let calls = ["log::error!(", "log::warn!(", "log::info!("].map(|call| sources.split(call).skip(1));
    let written: BTreeSet<&str> = calls.into_iter().flatten().flat_map(fields).collect();
    assert_eq!(explained, written);
}
