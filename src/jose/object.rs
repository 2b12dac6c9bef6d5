//! JSON objects written in one pass, for what every token says.
//!
//! `serde_json` asks of one character after the other whether it must be escaped, which takes longer than anything else in a token
//! but its signature. Here a whole text is asked at once, and copied when the answer is no.

use std::io::Write as _;

/// A JSON object (RFC 8259 §4) under construction: texts and whole numbers, in the order in which they come.
pub struct JsonObject(Vec<u8>);

impl JsonObject {
    /// An empty one, with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        let mut json = Vec::with_capacity(bytes);
        json.push(b'{');
        Self(json)
    }

    /// With one more text.
    #[must_use]
    pub fn text(mut self, name: &'static str, value: &str) -> Self {
        self.name(name);
        self.string(value);
        self
    }

    /// With one more member, which is `true`.
    #[must_use]
    pub fn affirmed(mut self, name: &'static str) -> Self {
        self.name(name);
        self.0.extend_from_slice(b"true");
        self
    }

    /// With one more list of texts.
    #[must_use]
    pub fn texts<'a>(mut self, name: &'static str, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.name(name);
        self.0.push(b'[');
        for (position, value) in values.into_iter().enumerate() {
            if position > 0 {
                self.0.push(b',');
            }
            self.string(value);
        }
        self.0.push(b']');
        self
    }

    /// With one more number.
    ///
    /// # Panics
    /// Never: memory takes all that is written to it.
    #[must_use]
    pub fn number(mut self, name: &'static str, value: i64) -> Self {
        self.name(name);
        write!(self.0, "{value}").expect("memory takes all that is written to it");
        self
    }

    /// The text, whole.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }

    fn name(&mut self, name: &'static str) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        self.string(name);
        self.0.push(b':');
    }

    fn string(&mut self, text: &str) {
        if needs_escaping(text) {
            serde_json::to_writer(&mut self.0, text).expect("a text is JSON, and memory takes it");
        } else {
            self.0.push(b'"');
            self.0.extend_from_slice(text.as_bytes());
            self.0.push(b'"');
        }
    }
}

/// Whether `text` holds a character that no JSON string may hold as it is (RFC 8259 §7). It looks at all of it, whatever it finds:
/// a loop that never ends early is one that the compiler does many bytes at a time.
fn needs_escaping(text: &str) -> bool {
    let bad = |byte: u8| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\');
    text.bytes().fold(0, |found, byte| found | bad(byte)) != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn members_stand_in_their_order() {
        let object = JsonObject::with_capacity(0)
            .text("a", "x")
            .number("b", -5)
            .texts("c", ["y", "z"])
            .affirmed("d");
        assert_eq!(object.finish(), br#"{"a":"x","b":-5,"c":["y","z"],"d":true}"#);
        assert_eq!(JsonObject::with_capacity(9).finish(), b"{}");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>(), number in any::<i64>()) {
            let object = JsonObject::with_capacity(16).text("text", &text).number("number", number).texts("texts", [&*text, ""]);
            let read: Value = serde_json::from_slice(&object.finish()).unwrap();
            prop_assert_eq!(read, json!({ "text": text, "number": number, "texts": [text, ""] }));
        }
    }
}
