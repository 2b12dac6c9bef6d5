//! One document, run from its first block to its last in one shell, so that what one block sets the next one finds.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::pages::{Block, Interpreter, Treatment};
use super::stage::Stage;

/// How long a whole document may take, in seconds: a compiler and several servers start.
const DEADLINE: &str = "300";

/// What the blocks of a document stand between. The shell stops at the first failure; what it left running is ended with it.
const OPENING: &str = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n";

/// Plays `blocks` on `stage`. Fails with the place, the block and everything that was printed.
pub fn play(name: &str, blocks: &[Block], stage: &Stage) {
    let mut script = OPENING.to_owned();
    for block in blocks {
        if let Treatment::Run(interpreter) = block.treatment {
            let text = stage.localised(&block.text);
            let body = body(interpreter, block.line, (&text, stage));
            let line = block.line;
            writeln!(script, "echo {line} >current\n{{\n{body}\n}} >out/{line}").unwrap();
        }
    }
    let file = stage.folder().join("session.sh");
    fs::write(&file, script).unwrap();
    let ran = stage
        .command("timeout")
        .args([DEADLINE, "bash"])
        .arg(&file)
        .output()
        .unwrap();
    if !ran.status.success() {
        let line = fs::read_to_string(stage.folder().join("current")).unwrap_or_default();
        let printed = printed(stage, line.trim());
        let errors = String::from_utf8_lossy(&ran.stderr).into_owned();
        panic!(
            "{name}:{} failed ({}):\n{printed}\n{errors}\n{}",
            line.trim(),
            ran.status,
            stage.log()
        );
    }
}

/// What the block at `line` printed on its standard output.
fn printed(stage: &Stage, line: &str) -> String {
    fs::read_to_string(stage.folder().join("out").join(line)).unwrap_or_default()
}

/// What the shell is told to do for a block: the block itself, or to have another program read it.
fn body(interpreter: Interpreter, line: usize, (text, stage): (&str, &Stage)) -> String {
    let kept = |extension: &str| {
        let file = format!("block_{line}.{extension}");
        fs::write(stage.folder().join(&file), text).unwrap();
        file
    };
    match interpreter {
        Interpreter::Shell => text.to_owned(),
        Interpreter::Console => text
            .lines()
            .filter_map(|line| line.strip_prefix("$ "))
            .collect::<Vec<_>>()
            .join("\n"),
        Interpreter::Python => format!("'{}' {}", given("MINTMARK_TEST_PYTHON").display(), kept("py")),
        Interpreter::Node => {
            require("node");
            let client = given("MINTMARK_TEST_NODE_CLIENT");
            let libraries = client.parent().unwrap().join("node_modules");
            format!("ln -sfn '{}' node_modules\nnode {}", libraries.display(), kept("mjs"))
        }
        Interpreter::Go => {
            require("go");
            let cache = given("MINTMARK_TEST_GO_CLIENT").parent().unwrap().join("cache");
            let surroundings = "GO111MODULE=off GOFLAGS= GOPATH=/usr/share/gocode";
            format!("{surroundings} GOCACHE='{}' go run {}", cache.display(), kept("go"))
        }
        Interpreter::Java => {
            require("java");
            format!("java {}", kept("java"))
        }
    }
}

/// What scripts/test.sh says about an interpreter or library. Without it there is nothing to run: that is a failure.
fn given(variable: &str) -> PathBuf {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.exists())
        .unwrap_or_else(|| panic!("{variable} names nothing that is there: run scripts/test.sh, which installs it"))
}

/// Holds each `answer` of a document against what the block before it printed.
pub fn compare(name: &str, blocks: &[Block], stage: &Stage) {
    for pair in blocks.windows(2) {
        if pair[1].treatment == (Treatment::Json { answer: true }) {
            let printed = printed(stage, &pair[0].line.to_string());
            let last = printed.trim().lines().last().unwrap_or_default();
            let given = serde_json::from_str(&printed).or_else(|_| serde_json::from_str(last));
            let given: Value = given.unwrap_or_else(|error| panic!("{name}:{}: {error}: {printed}", pair[0].line));
            let shown: Value = serde_json::from_str(&stage.localised(&pair[1].text)).unwrap();
            if let Err(difference) = alike(&shown, &given) {
                panic!("{name}:{}: {difference}\nprinted: {given}", pair[1].line);
            }
        }
    }
}

/// Numbers from here on are moments, in seconds since 1970.
const MOMENTS: f64 = 1e9;

/// Whether `given` is what `shown` promises: the same members, the same values. A text that is cut short by `…` promises how
/// the text begins, and a moment promises a moment.
fn alike(shown: &Value, given: &Value) -> Result<(), String> {
    let unlike = || Err(format!("{shown} is shown, {given} is given"));
    match (shown, given) {
        (Value::Object(shown), Value::Object(given)) => {
            let names = |members: &serde_json::Map<String, Value>| members.keys().cloned().collect::<HashSet<_>>();
            if names(shown) != names(given) {
                return unlike();
            }
            shown.iter().try_for_each(|(name, value)| alike(value, &given[name]))
        }
        (Value::Array(shown), Value::Array(given)) if shown.len() == given.len() => shown
            .iter()
            .zip(given)
            .try_for_each(|(shown, given)| alike(shown, given)),
        (Value::String(shown), Value::String(given)) => match shown.split_once('…') {
            Some((beginning, _)) if given.starts_with(beginning) => Ok(()),
            None if shown == given => Ok(()),
            _ => unlike(),
        },
        (Value::Number(shown), Value::Number(given)) if [shown, given].iter().all(|it| it.as_f64() > Some(MOMENTS)) => {
            Ok(())
        }
        _ if shown == given => Ok(()),
        _ => unlike(),
    }
}

fn require(program: &str) {
    let is_there = ["/usr/local/bin", "/usr/bin", "/bin"]
        .iter()
        .any(|folder| Path::new(folder).join(program).exists());
    assert!(
        is_there,
        "there is no {program}: run scripts/test.sh, which installs it"
    );
}

#[test]
fn an_answer_is_told_from_another() {
    let shown = r#"{"a":"eyJ…","b":300,"c":["x"],"exp":1700000000}"#;
    let like = |given: &str| {
        alike(
            &serde_json::from_str(shown).unwrap(),
            &serde_json::from_str(given).unwrap(),
        )
        .is_ok()
    };
    assert!(like(r#"{"a":"eyJhbGci","b":300,"c":["x"],"exp":1800000000}"#));
    for other in [
        r#"{"a":"xyz","b":300,"c":["x"],"exp":1800000000}"#,
        r#"{"a":"eyJ","b":301,"c":["x"],"exp":1800000000}"#,
        r#"{"a":"eyJ","b":300,"c":["y"],"exp":1800000000}"#,
        r#"{"a":"eyJ","b":300,"c":["x"],"exp":18}"#,
        r#"{"a":"eyJ","b":300,"c":["x","x"],"exp":1800000000}"#,
        r#"{"a":"eyJ","b":300,"c":["x"]}"#,
        r#"{"a":"eyJ","b":300,"c":["x"],"exp":1800000000,"d":1}"#,
    ] {
        assert!(!like(other), "{other}");
    }
}
