//! The ledger `docs/RFC.md` is true: every test it names exists, every file it names is there, and no requirement of the OAuth
//! endpoints stands in it without a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How many requirements there are in each group that binds the OAuth endpoints in full.
const GROUPS: [(&str, usize); 7] = [
    ("TOK", 28),
    ("REV", 8),
    ("INT", 10),
    ("JWK", 5),
    ("ATJ", 12),
    ("RES", 4),
    ("MET", 11),
];

/// One line of the ledger.
struct Row {
    id: String,
    files: Vec<String>,
    tests: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The texts between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The rows of every table with five columns, without their heads.
fn rows(ledger: &str) -> Vec<Row> {
    let lines = ledger.lines().filter(|line| line.starts_with("| "));
    let cells = lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    cells
        .filter(|cells| cells.len() == 5 && cells[0] != "id" && !cells[0].starts_with("---"))
        .map(|cells| Row {
            id: cells[0].to_owned(),
            files: quoted(cells[3]),
            tests: quoted(cells[4]),
        })
        .collect()
}

fn ledger() -> Vec<Row> {
    rows(&fs::read_to_string(root().join("docs/RFC.md")).expect("there is a ledger"))
}

/// The names of all functions marked as tests in `text`, those of property tests among them.
fn tests_in(text: &str) -> Vec<String> {
    let mut marked = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        match line.strip_prefix("fn ").and_then(|rest| rest.split_once('(')) {
            Some((name, _)) if marked => found.push(name.to_owned()),
            _ => {}
        }
        marked = line == "#[test]" || (marked && line.starts_with("#["));
    }
    found
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("its entries can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all_tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    sources(&root().join("tests"), &mut files);
    let texts = files
        .iter()
        .map(|path| fs::read_to_string(path).expect("sources are text"));
    texts.flat_map(|text| tests_in(&text)).collect()
}

#[test]
fn every_test_and_file_the_ledger_names_is_there() {
    let known = all_tests();
    let ledger = ledger();
    assert!(ledger.len() > 100, "the ledger has its rows: {}", ledger.len());
    for row in &ledger {
        for test in &row.tests {
            assert!(known.contains(test), "{}: there is no test {test}", row.id);
        }
        for file in &row.files {
            assert!(
                root().join("src").join(file).is_file(),
                "{}: there is no src/{file}",
                row.id
            );
        }
    }
}

#[test]
fn every_requirement_of_the_oauth_endpoints_has_a_test() {
    let ledger = ledger();
    for (group, count) in GROUPS {
        for number in 1..=count {
            let id = format!("{group}-{number}");
            let mut of_this_id = ledger.iter().filter(|row| row.id == id);
            let row = of_this_id.next().unwrap_or_else(|| panic!("{id} is not in the ledger"));
            assert!(of_this_id.next().is_none(), "{id} stands twice");
            assert!(!row.tests.is_empty(), "{id} has no test");
            let named = format!("{}_{number:02}_", group.to_lowercase());
            assert!(
                row.tests.iter().any(|test| test.contains(&named)),
                "{id}: no test begins with {named}"
            );
        }
    }
    assert!(ledger.iter().all(|row| !row.tests.is_empty()), "every row has a test");
}

#[test]
fn every_test_named_after_a_requirement_stands_in_its_row() {
    let ledger = ledger();
    let listed: BTreeSet<&String> = ledger.iter().flat_map(|row| &row.tests).collect();
    for test in all_tests() {
        let named_after_one = GROUPS.iter().any(|(group, _)| {
            let rest = test.strip_prefix(&format!("{}_", group.to_lowercase()));
            rest.is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
        });
        assert!(
            !named_after_one || listed.contains(&test),
            "{test} is missing from the ledger"
        );
    }
}

#[test]
fn the_reader_of_the_ledger_finds_what_is_missing() {
    let read = rows(
        "| id | level | what | where | tests |\n| --- | --- | --- | --- | --- |\n| X-1 | M | a | `b.rs`, `c.rs` | `d` |\n",
    );
    assert_eq!(read.len(), 1);
    assert_eq!(
        (read[0].id.as_str(), &read[0].files[1], &read[0].tests[0]),
        ("X-1", &"c.rs".to_owned(), &"d".to_owned())
    );
    assert_eq!(tests_in("#[test]\n#[expect(x)]\nfn a() {\n}\nfn b() {\n}\n"), ["a"]);
}
