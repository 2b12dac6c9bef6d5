//! The documents keep their word: every block in them is run or parsed, or says why not; every link leads somewhere; what
//! they quote of the program stands in the program.

mod claims;
mod links;
mod pages;
mod session;
mod stage;

use std::io::Write as _;

use mintmark::config::Settings;
use pages::{Block, Treatment};
use stage::{Scene, Stage};

/// The documents with blocks that are run, and what they find when they are.
const PLAYED: &[(&str, Scene)] = &[
    ("README.md", Scene::Empty),
    ("docs/CLI.md", Scene::Administered),
    ("docs/OPERATIONS.md", Scene::WithPostgresql),
    ("docs/PARTNERS.md", Scene::Served),
    ("docs/RESOURCE_SERVERS.md", Scene::Served),
];

/// Does with every block of a document what its info string says.
fn hold(name: &str) {
    let blocks = pages::blocks(&pages::read(name)).unwrap_or_else(|fault| panic!("{name}, {fault}"));
    for block in &blocks {
        parse(name, block);
    }
    if let Some((_, scene)) = PLAYED.iter().find(|(played, _)| *played == name) {
        let stage = Stage::set(*scene);
        session::play(name, &blocks, &stage);
        session::compare(name, &blocks, &stage);
        let log = stage.log();
        assert!(
            stage.secrets().all(|secret| !log.contains(secret)),
            "{name}: a secret is in the log"
        );
    } else {
        let runs = blocks.iter().find(|block| matches!(block.treatment, Treatment::Run(_)));
        assert!(
            runs.is_none(),
            "{name}: {runs:?} would have to be run: add the document to PLAYED, and a test"
        );
    }
    say_what_is_not_run(name, &blocks);
}

fn parse(name: &str, block: &Block) {
    match block.treatment {
        Treatment::Settings => {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &block.text).unwrap();
            if let Err(refused) = Settings::load(Some(file.path()), []) {
                panic!("{name}:{}: {:?}", block.line, refused.problems);
            }
        }
        Treatment::Json { .. } => {
            let read = serde_json::from_str::<serde_json::Value>(&block.text);
            assert!(read.is_ok(), "{name}:{}: {}", block.line, read.unwrap_err());
        }
        Treatment::Run(_) | Treatment::Prose | Treatment::NotRun(_) => {}
    }
}

/// On the stream itself, past the test harness, which would keep it to itself.
fn say_what_is_not_run(name: &str, blocks: &[Block]) {
    let reasons: Vec<_> = blocks
        .iter()
        .filter_map(|block| match &block.treatment {
            Treatment::NotRun(reason) => Some(format!("  line {}: {reason}\n", block.line)),
            _ => None,
        })
        .collect();
    let mut all = format!("{name}: {} blocks, {} of them not run\n", blocks.len(), reasons.len());
    all.extend(reasons);
    std::io::stderr().write_all(all.as_bytes()).unwrap();
}

#[test]
#[should_panic(expected = "a document:5 failed")]
fn a_block_that_fails_is_found() {
    let blocks = pages::blocks("```sh\ntrue\n```\n\n```sh\nfalse\ntrue\n```\n").unwrap();

    session::play("a document", &blocks, &Stage::set(Scene::Empty));
}

#[test]
fn the_readme_holds() {
    hold("README.md");
}

#[test]
fn the_command_line_reference_holds() {
    hold("docs/CLI.md");
}

#[test]
fn the_operators_guide_holds() {
    hold("docs/OPERATIONS.md");
}

#[test]
fn the_partners_guide_holds() {
    hold("docs/PARTNERS.md");
}

#[test]
fn the_resource_servers_guide_holds() {
    hold("docs/RESOURCE_SERVERS.md");
}

#[test]
fn the_other_documents_hold() {
    let documents = pages::documents();
    let others = documents
        .iter()
        .filter(|name| !PLAYED.iter().any(|(played, _)| played == name));
    others.for_each(|name| hold(name));
}
