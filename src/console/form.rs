//! What a page sends back, read by the same readers as the bodies of the admin API.

use actix_web::web;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::{SecretDigest, sha256};
use crate::http::admin::fields::{Members, Value};
use crate::http::admin::problem::Problem;

/// The field that proves a form to be of a page of this session.
pub(super) const PROOF: &str = "proof";

/// The fields of a form, in their order.
#[derive(Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body. Its length is bounded by whoever took it in.
    ///
    /// # Errors
    /// When it is no form.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Problem> {
        let fault = || Problem::Malformed("The body is not a form.".into());
        let text = str::from_utf8(body).map_err(|_| fault())?;
        let fields = web::Query::<Vec<(String, String)>>::from_query(text).map_err(|_| fault())?;
        Ok(Self(fields.into_inner()))
    }

    /// The value of a field, unless it is absent or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of a field that is not empty.
    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(field, value)| field == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// All of it but the proof, as it was sent, for telling two creations apart.
    pub(super) fn content(&self) -> Vec<u8> {
        let fields = self.0.iter().filter(|(name, _)| name != PROOF);
        let parts = fields.flat_map(|(name, value)| [name.as_str(), "\u{1}", value.as_str(), "\u{2}"]);
        parts.collect::<String>().into_bytes()
    }

    /// Makes as many values of a field as there are words in it: a box in which a line, or a word, is one of a list.
    pub(super) fn split(&mut self, name: &str) {
        let words: Vec<String> = self
            .all(name)
            .flat_map(str::split_whitespace)
            .map(str::to_owned)
            .collect();
        self.0.retain(|(field, _)| field != name);
        self.0.extend(words.into_iter().map(|word| (name.to_owned(), word)));
    }

    /// All values of a field, a line each, as such a box shows them.
    pub(super) fn lines(&self, name: &str) -> String {
        self.all(name).collect::<Vec<_>>().join("\n")
    }

    /// Whether a field has this value among others.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|found| found == value)
    }

    /// Makes a moment of a day: its beginning, in UTC. Anything else stays as it is, for whoever reads it to refuse.
    pub(super) fn begin_day(&mut self, name: &str) {
        for (_, value) in self
            .0
            .iter_mut()
            .filter(|(field, value)| field == name && value.len() == "2030-01-31".len())
        {
            value.push_str("T00:00:00Z");
        }
    }

    /// The day of a moment, as a box for days takes it.
    pub(super) fn day(&self, name: &str) -> &str {
        self.get(name)
            .map(|moment| moment.split('T').next().unwrap_or_default())
            .unwrap_or_default()
    }

    /// Puts a text in the place of what a field has.
    pub(super) fn put(&mut self, name: &str, value: String) {
        self.0.retain(|(field, _)| field != name);
        self.0.push((name.to_owned(), value));
    }

    /// The text of a field, the empty one too: whoever reads it refuses it where there must be one.
    pub(super) fn text(&self, name: &str) -> Value {
        Value::Text(self.get(name).unwrap_or_default().to_owned())
    }

    /// The number in a field; null where it is empty. What is none stays a text, for whoever reads it to refuse.
    pub(super) fn number(&self, name: &str) -> Value {
        match self.get(name).map(|text| (text, text.trim().parse())) {
            None => Value::Null,
            Some((_, Ok(number))) => Value::Whole(number),
            Some((text, Err(_))) => Value::Text(text.to_owned()),
        }
    }

    /// Every value of a field.
    pub(super) fn list(&self, name: &str) -> Value {
        Value::List(self.all(name).map(|value| Value::Text(value.to_owned())).collect())
    }

    /// These fields as members: an empty one is absent, and each of `lists` is a list.
    pub(super) fn members(&self, texts: &[&str], lists: &[&str]) -> Members {
        let texts = texts
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), Value::Text(self.get(name)?.to_owned()))));
        let lists = lists.iter().map(|name| ((*name).to_owned(), self.list(name)));
        Members::new(texts.chain(lists).collect())
    }
}

/// What a page of the session with this cookie puts into its forms. Another site can make a browser send the cookie; it cannot read this.
pub(super) fn proof(cookie: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(cookie).as_bytes())
}

/// Whether a form comes from a page of the session with this cookie.
pub(super) fn is_proven(form: &Form, cookie: &str) -> bool {
    let sent = form.get(PROOF).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let sent = sent.and_then(|octets| <[u8; 32]>::try_from(octets).ok());
    sent.is_some_and(|sent| SecretDigest::from_bytes(sent).matches(&digest(cookie)))
}

fn digest(cookie: &str) -> SecretDigest {
    SecretDigest::from_bytes(sha256(&[b"mintmark form\0", cookie.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_of_the_session_proves_a_form() {
        let proven = |body: &str| is_proven(&Form::parse(body.as_bytes()).unwrap(), "mmb_a");
        assert!(proven(&format!("proof={}", proof("mmb_a"))));
        for body in [
            String::new(),
            "proof=".to_owned(),
            format!("proof={}", proof("mmb_b")),
            format!("other={}", proof("mmb_a")),
            "proof=mmb_a".to_owned(),
        ] {
            assert!(!proven(&body), "{body}");
        }
    }

    #[test]
    fn an_empty_field_is_absent_and_a_repeated_one_a_list() {
        let form = Form::parse(b"name=&scope=a.b&scope=&scope=c%20d&note=x+y").unwrap();
        assert_eq!((form.get("name"), form.get("note")), (None, Some("x y")));
        assert_eq!(form.all("scope").collect::<Vec<_>>(), ["a.b", "c d"]);
    }

    #[test]
    fn what_is_no_form_is_refused() {
        assert!(Form::parse(b"a=\xff").is_err());
    }
}
