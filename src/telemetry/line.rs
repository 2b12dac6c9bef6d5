//! One log record, one line. Control characters, line separators and marks that turn the direction of text are escaped in
//! both formats, so that no value can begin a line of its own or disguise what stands on it.

use std::fmt::Write as _;
use std::io::{self, Write};

use env_logger::fmt::style::Style;
use log::Record;
use log::kv::{self, Key, Value, VisitSource, VisitValue};

use crate::domain::{Milliseconds, is_invisible};

/// Writes `record` as one JSON object (RFC 8259) and a line feed: `time` (RFC 3339, UTC, milliseconds), `level`, `target`,
/// `message`, then the record's own key-values. A key that is taken already gets underscores at its end.
///
/// # Errors
/// What `out` reports.
pub fn write_json(out: &mut dyn Write, record: &Record<'_>, time: Milliseconds) -> io::Result<()> {
    let mut fields = Fields(vec![
        ("time".to_owned(), Plain::Text(time.to_string())),
        ("level".to_owned(), Plain::Text(record.level().to_string())),
        ("target".to_owned(), Plain::Text(record.target().to_owned())),
        ("message".to_owned(), Plain::Text(record.args().to_string())),
    ]);
    fields.collect(record);
    let members: Vec<_> = fields
        .0
        .iter()
        .map(|(key, value)| format!("{}:{}", json_string(key), value.json()))
        .collect();
    writeln!(out, "{{{}}}", members.join(","))
}

/// Writes `record` as a line for people: time, level in `style`, target, message, then `key=value` pairs.
///
/// # Errors
/// What `out` reports.
pub fn write_text(out: &mut dyn Write, record: &Record<'_>, time: Milliseconds, style: Style) -> io::Result<()> {
    let mut line = format!("{time} {style}{:<5}{style:#} ", record.level());
    escape_into(&mut line, record.target());
    line.push_str("  ");
    escape_into(&mut line, &record.args().to_string());
    let mut fields = Fields(Vec::new());
    fields.collect(record);
    for (key, value) in &fields.0 {
        line.push_str("  ");
        escape_into(&mut line, key);
        line.push('=');
        line.push_str(&value.text());
    }
    line.push('\n');
    out.write_all(line.as_bytes())
}

/// A value of a key-value pair, as far as JSON tells them apart.
enum Plain {
    /// Something with a form of its own in JSON: a number, a truth value, null.
    Bare(String),
    Text(String),
}

impl Plain {
    fn json(&self) -> String {
        match self {
            Self::Bare(literal) => literal.clone(),
            Self::Text(text) => json_string(text),
        }
    }

    fn text(&self) -> String {
        let (Self::Bare(text) | Self::Text(text)) = self;
        let simple = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/@+,".contains(&byte);
        if !text.is_empty() && text.bytes().all(simple) {
            return text.clone();
        }
        let mut quoted = String::from('"');
        escape_into(&mut quoted, &text.replace('\\', "\\\\").replace('"', "\\\""));
        quoted.push('"');
        quoted
    }
}

/// The fields of a line in their order.
struct Fields(Vec<(String, Plain)>);

impl Fields {
    fn collect(&mut self, record: &Record<'_>) {
        // The visitor never fails; a source that does gives up its remaining fields, and the line is still written.
        if record.key_values().visit(self).is_err() {
            self.push("fields", Plain::Text("unreadable".to_owned()));
        }
    }

    fn push(&mut self, key: &str, value: Plain) {
        let mut key = key.to_owned();
        while self.0.iter().any(|(taken, _)| *taken == key) {
            key.push('_');
        }
        self.0.push((key, value));
    }
}

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let mut reader = PlainReader(Plain::Bare("null".to_owned()));
        value.visit(&mut reader)?;
        self.push(key.as_str(), reader.0);
        Ok(())
    }
}

struct PlainReader(Plain);

impl VisitValue<'_> for PlainReader {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), kv::Error> {
        self.0 = Plain::Text(value.to_string());
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        self.0 = Plain::Bare("null".to_owned());
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.0 = Plain::Bare(value.to_string());
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        self.0 = Plain::Bare(value.to_string());
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        self.0 = Plain::Bare(value.to_string());
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        // JSON has no infinities and no NaN (RFC 8259 §6).
        self.0 = serde_json::Number::from_f64(value).map_or_else(
            || Plain::Text(value.to_string()),
            |number| Plain::Bare(number.to_string()),
        );
        Ok(())
    }
}

/// A JSON string whose invisible characters are all escaped, not only those that RFC 8259 §7 demands.
fn json_string(text: &str) -> String {
    let minimal = serde_json::Value::from(text).to_string();
    let mut escaped = String::with_capacity(minimal.len());
    for character in minimal.chars() {
        if is_invisible(character) {
            // All of them lie in the basic multilingual plane, so one escape suffices.
            write!(escaped, "\\u{:04x}", u32::from(character)).expect("a String takes every text");
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn escape_into(line: &mut String, text: &str) {
    for character in text.chars() {
        if is_invisible(character) {
            line.extend(character.escape_unicode());
        } else {
            line.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use log::Level;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;

    /// 1 000 000 000.5 seconds after 1970: "2001-09-09T01:46:40.500Z" in every calendar table.
    const TIME: Milliseconds = Milliseconds(1_000_000_000_500);

    fn lines(message: &str, pairs: &dyn kv::Source) -> (String, String) {
        let mut json = Vec::new();
        let mut text = Vec::new();
        let arguments = format_args!("{message}");
        let record = Record::builder()
            .level(Level::Info)
            .target("mintmark::http")
            .args(arguments)
            .key_values(&pairs)
            .build();
        write_json(&mut json, &record, TIME).unwrap();
        write_text(&mut text, &record, TIME, Style::new()).unwrap();
        (String::from_utf8(json).unwrap(), String::from_utf8(text).unwrap())
    }

    #[test]
    fn a_line_for_machines_is_an_object_with_typed_members() {
        let pairs: [(&str, Value<'_>); 6] = [
            ("client_id", Value::from("acme")),
            ("status", Value::from(200_u16)),
            ("change", Value::from(-1)),
            ("cached", Value::from(true)),
            ("share", Value::from(0.5)),
            ("nothing", Value::null()),
        ];
        let (line, _) = lines("issued", &pairs.as_slice());
        assert!(
            line.starts_with("{\"time\":\"2001-09-09T01:46:40.500Z\",\"level\":\"INFO\","),
            "{line}"
        );
        assert_eq!(
            serde_json::from_str::<Json>(&line).unwrap(),
            json!({
                "time": "2001-09-09T01:46:40.500Z",
                "level": "INFO",
                "target": "mintmark::http",
                "message": "issued",
                "client_id": "acme",
                "status": 200,
                "change": -1,
                "cached": true,
                "share": 0.5,
                "nothing": null,
            })
        );
    }

    #[test]
    fn a_line_for_people_reads_from_left_to_right() {
        let pairs: [(&str, Value<'_>); 4] = [
            ("client_id", Value::from("acme")),
            ("status", Value::from(200)),
            ("note", Value::from("say \"hi\" \\")),
            ("empty", Value::from("")),
        ];
        let (_, line) = lines("token issued", &pairs.as_slice());
        assert_eq!(
            line,
            "2001-09-09T01:46:40.500Z INFO  mintmark::http  token issued  client_id=acme  status=200  \
             note=\"say \\\"hi\\\" \\\\\"  empty=\"\"\n"
        );
    }

    #[test]
    fn the_level_carries_its_style() {
        let mut line = Vec::new();
        let record = Record::builder().level(Level::Warn).args(format_args!("x")).build();
        write_text(&mut line, &record, TIME, Style::new().bold()).unwrap();
        assert!(String::from_utf8(line).unwrap().contains("\u{1b}[1mWARN \u{1b}[0m"));
    }

    #[test]
    fn an_injected_line_stays_in_its_line() {
        let attack = "x\n{\"level\":\"ERROR\"}\r\u{1b}[2J\u{2028}\u{202e}\u{9b}\u{7f}\u{0}";
        let pairs: [(&str, Value<'_>); 2] = [("agent", Value::from(attack)), ("a\nb", Value::from(1))];
        let (json, text) = lines(attack, &pairs.as_slice());
        let parsed: Json = serde_json::from_str(&json).unwrap();
        assert_eq!(parsed["message"], attack);
        assert_eq!(parsed["agent"], attack);
        assert_eq!(parsed["a\nb"], 1);
        assert_eq!(parsed["level"], "INFO");
        for line in [json, text] {
            assert!(
                line.strip_suffix('\n')
                    .unwrap()
                    .chars()
                    .all(|character| !is_invisible(character))
            );
            assert!(line.contains("\\u"));
        }
    }

    #[test]
    fn a_field_cannot_take_the_place_of_another() {
        let pairs: [(&str, Value<'_>); 3] = [
            ("level", Value::from("ERROR")),
            ("n", Value::from(1)),
            ("n", Value::from(2)),
        ];
        let (line, _) = lines("m", &pairs.as_slice());
        let parsed: HashMap<String, Json> = serde_json::from_str(&line).unwrap();
        assert_eq!(parsed["level"], "INFO");
        assert_eq!(parsed["level_"], "ERROR");
        assert_eq!((&parsed["n"], &parsed["n_"]), (&json!(1), &json!(2)));
    }

    #[test]
    fn numbers_that_json_lacks_are_texts() {
        let pairs: [(&str, Value<'_>); 2] = [("ratio", Value::from(f64::NAN)), ("large", Value::from(f64::INFINITY))];
        let (line, _) = lines("m", &pairs.as_slice());
        let parsed: Json = serde_json::from_str(&line).unwrap();
        assert_eq!((&parsed["ratio"], &parsed["large"]), (&json!("NaN"), &json!("inf")));
    }

    /// Any characters, the troublesome ones often.
    fn texts() -> impl Strategy<Value = String> {
        let character = prop_oneof![
            any::<char>(),
            prop::char::range('\u{0}', '\u{ff}'),
            prop::sample::select(vec![
                '\n', '\r', '\u{1b}', '"', '\\', '\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}'
            ]),
        ];
        prop::collection::vec(character, 0..40).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn every_line_parses_holds_its_text_and_no_raw_control_character(
            message in texts(),
            pairs in prop::collection::vec((texts(), texts()), 0..4),
        ) {
            let values: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let (json, text) = lines(&message, &values.as_slice());
            let parsed: HashMap<String, Json> = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(&parsed["message"], &Json::from(message));
            prop_assert_eq!(parsed.len(), 4 + pairs.len());
            for (key, value) in &pairs {
                let key_begins = parsed.iter().any(|(taken, held)| taken.trim_end_matches('_') == key.trim_end_matches('_') && held == value);
                prop_assert!(key_begins);
            }
            for line in [json, text] {
                let body = line.strip_suffix('\n').unwrap();
                prop_assert!(!body.chars().any(char::is_control));
                let marks = ['\u{2028}', '\u{2029}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}'];
                prop_assert!(!body.contains(marks));
            }
        }
    }
}
