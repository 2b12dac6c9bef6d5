//! The two streams a verb writes to. Whatever goes through here cannot steer a terminal: control characters, and marks that
//! turn the direction of text, are written as escapes.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use crate::domain::is_invisible;

/// For whom the output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Tables and sentences.
    People,
    /// One JSON object, or one a line for a list.
    Json,
}

/// Standard output and standard error, or what stands for them in a test.
pub struct Output<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

impl<'a> Output<'a> {
    /// Results go to `out`, everything else to `err`.
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self { out, err }
    }

    /// One line of the result.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", visible(text))
    }

    /// Several lines of the result; each value in them must have been through [`visible`].
    pub(super) fn block(&mut self, text: &str) -> io::Result<()> {
        text.lines().try_for_each(|line| self.line(line))
    }

    /// One JSON value on one line of the result.
    pub(super) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value)?;
        writeln!(self.out, "{}", visible_json(&text))
    }

    /// Bytes that are the result as they are, such as a script.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// A sentence beside the result.
    pub(super) fn note(&mut self, sentence: &str) -> io::Result<()> {
        writeln!(self.err, "{}", visible(sentence))
    }

    /// Lets go of everything that was written.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.err.flush()
    }
}

/// `text` with every character that is not seen, or changes how others are seen, written as an escape.
pub(super) fn visible(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_invisible(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// The same for a JSON text, which stays the same JSON.
fn visible_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        if is_invisible(character) {
            // All of them lie in the basic plane, where an escape is four digits (RFC 8259 §7).
            write!(safe, "\\u{:04x}", u32::from(character)).expect("a String takes every text");
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A clear-screen sequence in both spellings, a bell, a line break, and a mark that turns the text around.
    const HOSTILE: &str = "a\u{1b}[2J\u{9b}2J\u{7}\r\nb\u{202e}c\u{7f}";

    fn written(write: impl FnOnce(&mut Output<'_>) -> io::Result<()>) -> (String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        write(&mut Output::new(&mut out, &mut err)).unwrap();
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn control_characters_reach_no_terminal() {
        let shown = "a\\u{1b}[2J\\u{9b}2J\\u{7}\\r\\nb\\u{202e}c\\u{7f}\n".to_owned();
        assert_eq!(written(|output| output.line(HOSTILE)), (shown.clone(), String::new()));
        assert_eq!(written(|output| output.note(HOSTILE)), (String::new(), shown));
    }

    #[test]
    fn json_is_one_safe_line_and_means_the_same() {
        let value = json!({ HOSTILE: [HOSTILE, "é"] });
        let (line, _) = written(|output| output.json(&value));
        let text = line.strip_suffix('\n').unwrap();
        assert!(!text.chars().any(is_invisible), "{text:?}");
        assert!(text.contains('é'));
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), value);
    }
}
