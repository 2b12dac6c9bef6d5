//! What was sent, member by member: each read into a type once, and every fault found, not only the first.
//!
//! JSON bodies and query strings are read alike. A member that nobody knows, a member that stands twice and a value of the
//! wrong type are faults like any other, named by their path and never quoted.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::problem::{Fault, Problem};
use crate::domain::Invalid;

/// The longest name of an unknown member that is worth repeating, in bytes.
const LONGEST_NAME: usize = 64;

/// A JSON value in which an object keeps every member, the repeated ones too.
#[derive(Clone)]
pub(crate) enum Value {
    Null,
    Boolean,
    /// A whole number that is not negative.
    Whole(u64),
    /// Any other number.
    Number,
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Ok(Value::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element()? {
            elements.push(element);
        }
        Ok(Value::List(elements))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Boolean)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Whole(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }
}

/// What is wrong with a value: the path below the member, empty for the member itself, and the reason.
pub(crate) type Faulty = Vec<(String, Invalid)>;

/// Reads a value into a type.
pub(crate) type Read<T> = fn(&Value) -> Result<T, Faulty>;

fn faulty(reason: &'static str) -> Faulty {
    vec![(String::new(), Invalid::new(reason))]
}

/// A text of any type that has a grammar.
pub(crate) fn text<T: FromStr<Err = Invalid>>(value: &Value) -> Result<T, Faulty> {
    match value {
        Value::Text(text) => text.parse().map_err(|invalid| vec![(String::new(), invalid)]),
        _ => Err(faulty("must be a text")),
    }
}

/// A whole number of any type that has bounds.
pub(crate) fn whole<T: TryFrom<u32, Error = Invalid>>(value: &Value) -> Result<T, Faulty> {
    let Value::Whole(number) = value else {
        return Err(faulty("must be a whole number"));
    };
    u32::try_from(*number)
        .map_err(|_| Invalid::new("is too large"))
        .and_then(T::try_from)
        .map_err(|invalid| vec![(String::new(), invalid)])
}

/// A whole number of any type that has wide bounds.
pub(super) fn count<T: TryFrom<u64, Error = Invalid>>(value: &Value) -> Result<T, Faulty> {
    let Value::Whole(number) = value else {
        return Err(faulty("must be a whole number"));
    };
    T::try_from(*number).map_err(|invalid| vec![(String::new(), invalid)])
}

/// An object, whose members `read` takes by their names.
pub(super) fn object<T>(value: &Value, read: impl FnOnce(&mut Members) -> Option<T>) -> Result<T, Faulty> {
    let Value::Object(members) = value else {
        return Err(faulty("must be an object"));
    };
    let below = |fault: Fault| (format!(".{}", fault.field), Invalid::new(fault.reason));
    let read = Members::new(members.clone()).settle(read);
    read.map_err(|faults| faults.into_iter().map(below).collect())
}

/// A list of texts, of `MOST` at the most; every element that is wrong is named by its place.
pub(crate) fn list<const MOST: usize, T, L>(value: &Value) -> Result<L, Faulty>
where
    T: FromStr<Err = Invalid>,
    L: FromIterator<T>,
{
    let Value::List(elements) = value else {
        return Err(faulty("must be a list of texts"));
    };
    if elements.len() > MOST {
        return Err(faulty("holds too many"));
    }
    let mut faults = Faulty::new();
    let read = elements
        .iter()
        .enumerate()
        .filter_map(|(place, element)| match text(element) {
            Ok(read) => Some(read),
            Err(wrong) => {
                faults.extend(wrong.into_iter().map(|(_, invalid)| (format!("[{place}]"), invalid)));
                None
            }
        });
    let list = read.collect();
    if faults.is_empty() { Ok(list) } else { Err(faults) }
}

/// The members of a body or the parameters of a query, taken one by one.
pub(crate) struct Members {
    left: Vec<(String, Value)>,
    faults: Vec<Fault>,
}

impl Members {
    /// The members of a JSON object.
    ///
    /// # Errors
    /// When the text is not JSON or not an object.
    pub(super) fn of_json(json: &[u8]) -> Result<Self, Problem> {
        match serde_json::from_slice(json) {
            Ok(Value::Object(members)) => Ok(Self::new(members)),
            Ok(_) => Err(Problem::Malformed("The body is not a JSON object.".into())),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                Err(Problem::Malformed(
                    format!("The body is not JSON: line {line}, column {column}.").into(),
                ))
            }
        }
    }

    /// The parameters of a query string, each a text.
    pub(crate) fn of_query(parameters: Vec<(String, String)>) -> Self {
        let texts = parameters.into_iter().map(|(name, text)| (name, Value::Text(text)));
        Self::new(texts.collect())
    }

    /// Nothing.
    pub(super) const fn none() -> Self {
        Self::new(Vec::new())
    }

    /// These, each read from what came by whatever way.
    pub(crate) const fn new(left: Vec<(String, Value)>) -> Self {
        Self {
            left,
            faults: Vec::new(),
        }
    }

    /// Reads all members with `read`, which takes each by its name.
    ///
    /// # Errors
    /// With every fault there is: those `read` found, members that stand twice, members nobody took.
    pub(crate) fn read<T>(self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Problem> {
        self.settle(read).map_err(Problem::Fields)
    }

    fn settle<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Vec<Fault>> {
        let value = read(&mut self);
        let mut unknown: Vec<&str> = self.left.iter().map(|(name, _)| name.as_str()).collect();
        unknown.sort_unstable();
        unknown.dedup();
        let unknown: Vec<Fault> = unknown.into_iter().map(unknown_member).collect();
        self.faults.extend(unknown);
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(self.faults),
        }
    }

    /// A member that must be there. `None` is a fault already put down.
    pub(crate) fn required<T>(&mut self, name: &'static str, read: Read<T>) -> Option<T> {
        match self.take(name) {
            Taken::Once(value) => self.value(name, &value, read),
            Taken::Never => {
                self.refuse(name, "is missing");
                None
            }
            Taken::Again => None,
        }
    }

    /// A member that may be absent, but not null. The outer `None` is a fault already put down.
    #[expect(
        clippy::option_option,
        reason = "outside: whether it could be read; inside: whether it was there"
    )]
    pub(crate) fn optional<T>(&mut self, name: &'static str, read: Read<T>) -> Option<Option<T>> {
        match self.take(name) {
            Taken::Once(value) => self.value(name, &value, read).map(Some),
            Taken::Never => Some(None),
            Taken::Again => None,
        }
    }

    /// A member that may be absent or null, and means the same either way.
    #[expect(
        clippy::option_option,
        reason = "outside: whether it could be read; inside: whether there is a value"
    )]
    pub(crate) fn nullable<T>(&mut self, name: &'static str, read: Read<T>) -> Option<Option<T>> {
        self.change(name, read).map(Option::flatten)
    }

    /// A member of a change: absent leaves what is there, null takes it away.
    #[expect(clippy::option_option, reason = "could it be read, was it there, is there a value")]
    pub(super) fn change<T>(&mut self, name: &'static str, read: Read<T>) -> Option<Option<Option<T>>> {
        match self.take(name) {
            Taken::Once(Value::Null) => Some(Some(None)),
            Taken::Once(value) => self.value(name, &value, read).map(|value| Some(Some(value))),
            Taken::Never => Some(None),
            Taken::Again => None,
        }
    }

    /// Puts a fault down that lies between members.
    pub(crate) fn refuse(&mut self, field: &'static str, reason: &'static str) {
        self.faults.push(Fault::new(field, reason));
    }

    /// Refuses each of these members that is there.
    pub(super) fn refuse_all(&mut self, names: &[&'static str], reason: &'static str) {
        for name in names {
            if !matches!(self.take(name), Taken::Never) {
                self.refuse(name, reason);
            }
        }
    }

    /// Takes no notice of these members: whether they belong cannot be told, since another one is wrong.
    pub(super) fn pass_over(&mut self, names: &[&'static str]) {
        self.left.retain(|(name, _)| !names.contains(&name.as_str()));
    }

    fn value<T>(&mut self, name: &'static str, value: &Value, read: Read<T>) -> Option<T> {
        match read(value) {
            Ok(value) => Some(value),
            Err(wrong) => {
                let faults = wrong
                    .into_iter()
                    .map(|(below, invalid)| Fault::new(format!("{name}{below}"), invalid.reason()));
                self.faults.extend(faults);
                None
            }
        }
    }

    fn take(&mut self, name: &'static str) -> Taken {
        let mut found = self
            .left
            .extract_if(.., |(member, _)| member == name)
            .map(|(_, value)| value);
        match (found.next(), found.next()) {
            (None, _) => Taken::Never,
            (Some(value), None) => Taken::Once(value),
            (Some(_), Some(_)) => {
                drop(found);
                self.left.retain(|(member, _)| member != name);
                self.refuse(name, "stands more than once");
                Taken::Again
            }
        }
    }
}

/// How often a member stands.
enum Taken {
    Never,
    Once(Value),
    /// More than once: a fault already put down.
    Again,
}

/// The name is repeated where it can be one of ours misspelt, and only there.
fn unknown_member(name: &str) -> Fault {
    let sane = (1..=LONGEST_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    Fault::new(if sane { name } else { "(unnamed)" }, "is not known here")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Name, PartnerId, Scope, ScopeToken, TokenLifetime};

    fn faults<T: fmt::Debug>(json: &str, read: impl FnOnce(&mut Members) -> Option<T>) -> Vec<(String, String)> {
        match Members::of_json(json.as_bytes()).and_then(|members| members.read(read)) {
            Err(Problem::Fields(faults)) => faults
                .into_iter()
                .map(|fault| (fault.field, fault.reason.to_owned()))
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    fn partner(members: &mut Members) -> Option<(PartnerId, Option<Scope>, Option<TokenLifetime>)> {
        let partner_id = members.required("partner_id", text);
        let scope = members.optional("scope", list::<3, ScopeToken, Scope>);
        let lifetime = members.nullable("lifetime", whole);
        Some((partner_id?, scope?, lifetime?))
    }

    #[test]
    fn every_fault_is_named_at_once_and_none_quotes_what_was_sent() {
        let found = faults(
            r#"{"scope":["a","b c",1],"lifetime":1.5,"colour":"red","name":1,"colour":2}"#,
            partner,
        );
        let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(
            fields,
            ["partner_id", "scope[1]", "scope[2]", "lifetime", "colour", "name"]
        );
        assert!(
            found
                .iter()
                .all(|(_, reason)| !reason.contains("red") && !reason.contains("b c"))
        );
    }

    #[test]
    fn a_member_that_stands_twice_has_no_value() {
        let found = faults(r#"{"partner_id":"acme","partner_id":"acme"}"#, partner);
        assert_eq!(found, [("partner_id".to_owned(), "stands more than once".to_owned())]);
    }

    #[test]
    fn a_fault_within_an_object_is_named_by_its_path() {
        let read = |members: &mut Members| {
            members.required("plan", |value| {
                object(value, |plan| plan.required("mode", text::<Name>))
            })
        };
        for (json, field, reason) in [
            (r#"{"plan":{}}"#, "plan.mode", "is missing"),
            (r#"{"plan":{"mode":1}}"#, "plan.mode", "must be a text"),
            (
                r#"{"plan":{"mode":"a","mode":"a"}}"#,
                "plan.mode",
                "stands more than once",
            ),
            (
                r#"{"plan":{"mode":"a","<b>":1}}"#,
                "plan.(unnamed)",
                "is not known here",
            ),
            (r#"{"plan":[]}"#, "plan", "must be an object"),
        ] {
            assert_eq!(faults(json, read), [(field.to_owned(), reason.to_owned())], "{json}");
        }
    }

    #[test]
    fn null_is_a_value_only_where_it_means_something() {
        let read = |members: &mut Members| members.optional("name", text::<Name>);
        assert_eq!(faults(r#"{"name":null}"#, read)[0].1, "must be a text");
        let members = Members::of_json(br#"{"partner_id":"acme","lifetime":null}"#).unwrap();
        assert_eq!(members.read(partner).unwrap().2, None);
    }

    #[test]
    fn a_name_that_cannot_be_one_of_ours_is_not_repeated() {
        for name in ["<script>", "a b", "", "é", &"x".repeat(65)] {
            let json = format!(r#"{{"{name}":1}}"#);
            assert_eq!(faults(&json, |_| Some(()))[0].0, "(unnamed)", "{name}");
        }
    }

    #[test]
    fn what_is_no_object_is_no_body() {
        let deep = "[".repeat(200);
        for json in ["", "{", "[]", "1", "null", "{} {}", "{'a':1}", &deep] {
            let refused = Members::of_json(json.as_bytes());
            assert!(matches!(refused, Err(Problem::Malformed(_))), "{json}");
        }
    }
}
