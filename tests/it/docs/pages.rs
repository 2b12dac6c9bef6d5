//! The documents, cut into fenced code blocks, each with what its info string says must become of it.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Reads a document, named from the root.
pub fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// README.md and every page directly under docs/, named from the root, in order.
pub fn documents() -> Vec<String> {
    let mut names = vec!["README.md".to_owned()];
    names.extend(markdown_in("docs"));
    names
}

/// The Markdown files of a folder, named from the root, in order. A folder that is not there has none.
pub fn markdown_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path: PathBuf| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// A fenced code block.
#[derive(Debug)]
pub struct Block {
    /// The line of its first fence.
    pub line: usize,
    /// What is between the fences.
    pub text: String,
    /// What must become of it.
    pub treatment: Treatment,
}

/// What must become of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It is run, in the order of the document, by this interpreter.
    Run(Interpreter),
    /// It is a settings file.
    Settings,
    /// It is JSON, and what the block before it prints looks like it (`answer`), or stands for itself.
    Json { answer: bool },
    /// It is for the eye: a diagram, a line of a log.
    Prose,
    /// It is not run, for this reason.
    NotRun(String),
}

/// Who runs a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpreter {
    Shell,
    /// The shell, of whose lines those after `$ ` are input.
    Console,
    Python,
    Go,
    Node,
    Java,
}

/// The blocks of a document, in order.
pub fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let (mut blocks, mut lines) = (Vec::new(), text.lines().enumerate());
    while let Some((index, line)) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let (line, indent) = (index + 1, line.len() - line.trim_start().len());
        let inside: Vec<&str> = lines
            .by_ref()
            .map(|(_, inner)| inner)
            .take_while(|inner| inner.trim() != "```")
            .map(|inner| inner.get(indent..).unwrap_or_default())
            .collect();
        blocks.push(Block {
            line,
            text: inside.join("\n") + "\n",
            treatment: treatment(info).map_err(|reason| format!("line {line}: {reason}"))?,
        });
    }
    Ok(blocks)
}

/// Reads an info string: a language, then nothing, `answer`, or `not-run="…"` with a reason.
fn treatment(info: &str) -> Result<Treatment, String> {
    let (language, marker) = info.trim().split_once(' ').unwrap_or((info.trim(), ""));
    let reason = marker
        .strip_prefix("not-run=\"")
        .and_then(|rest| rest.strip_suffix('"'));
    match (language, marker, reason) {
        ("", _, _) => Err("a block must name its language; `text` is one".to_owned()),
        (_, _, Some("")) => Err("not-run needs a reason".to_owned()),
        (_, _, Some(reason)) => Ok(Treatment::NotRun(reason.to_owned())),
        ("json", "answer", _) => Ok(Treatment::Json { answer: true }),
        (_, "", None) => unmarked(language),
        _ => Err(format!("`{marker}` says nothing to the tests")),
    }
}

fn unmarked(language: &str) -> Result<Treatment, String> {
    Ok(match language {
        "sh" | "bash" => Treatment::Run(Interpreter::Shell),
        "console" => Treatment::Run(Interpreter::Console),
        "python" => Treatment::Run(Interpreter::Python),
        "go" => Treatment::Run(Interpreter::Go),
        "javascript" => Treatment::Run(Interpreter::Node),
        "java" => Treatment::Run(Interpreter::Java),
        "toml" => Treatment::Settings,
        "json" => Treatment::Json { answer: false },
        "text" => Treatment::Prose,
        other => return Err(format!("nobody here runs {other}: mark the block not-run=\"why\"")),
    })
}

#[test]
fn a_block_that_nobody_would_run_is_found() {
    let first = |text: &str| blocks(text).map(|blocks| blocks[0].treatment.clone());
    assert_eq!(first("```sh\ntrue\n```\n"), Ok(Treatment::Run(Interpreter::Shell)));
    assert_eq!(
        first("```sh not-run=\"needs Docker\"\ntrue\n```\n"),
        Ok(Treatment::NotRun("needs Docker".to_owned()))
    );
    for bad in [
        "```",
        "```nginx",
        "```sh later",
        "```sh not-run=\"\"",
        "```sh not-run",
        "```json Answer",
    ] {
        assert!(
            first(&format!("x\n\n{bad}\n```\n")).is_err_and(|reason| reason.starts_with("line 3: ")),
            "{bad}"
        );
    }
}

#[test]
fn the_text_of_a_block_is_what_stands_between_its_fences() {
    let text = "a\n```sh\none\n  two\n```\nb\n  ```json\n  {}\n  ```\n";
    let found = blocks(text).unwrap();
    let read: Vec<_> = found.iter().map(|block| (block.line, block.text.as_str())).collect();
    assert_eq!(read, [(2, "one\n  two\n"), (7, "{}\n")]);
}
