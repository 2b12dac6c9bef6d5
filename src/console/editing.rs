//! Editing what others edit too: a form filled with what is there, and where somebody was quicker, what they changed beside what was
//! sent.
//!
//! A field of such a form has the name of a member of the thing, with dots between a member and those below it. So the form, the thing
//! and the journal, which holds the thing as it was after each change, can be laid beside each other.

use serde::Serialize;
use serde_json::Value as Json;

use super::form::Form;
use super::list;
use super::trouble::Trouble;
use super::visit::{VERSION, Visit};
use crate::domain::{Epoch, JournalEntry};
use crate::http::admin::fields::Value;
use crate::store::{JournalFilter, Order};

/// One field.
#[derive(Clone, Copy)]
pub(super) struct Field {
    name: &'static str,
    label: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A text or a number.
    Plain,
    /// Texts whose order means nothing.
    List,
    /// A moment, of which the form has the day.
    Day,
    /// What is changed elsewhere, and told where it was.
    Elsewhere,
}

impl Field {
    const fn new(name: &'static str, label: &'static str, kind: Kind) -> Self {
        Self { name, label, kind }
    }

    /// With a text or a number.
    pub(super) const fn plain(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Kind::Plain)
    }

    /// With texts whose order means nothing.
    pub(super) const fn list(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Kind::List)
    }

    /// With the day of a moment.
    pub(super) const fn day(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Kind::Day)
    }

    /// That the form does not have, though it matters to whoever fills it in.
    pub(super) const fn elsewhere(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Kind::Elsewhere)
    }

    /// What `thing` has here.
    fn of_thing(&self, thing: &Json) -> Vec<String> {
        let member = self.name.split('.').try_fold(thing, |value, part| value.get(part));
        match member {
            Some(Json::String(text)) => vec![text.clone()],
            Some(Json::Number(number)) => vec![number.to_string()],
            Some(Json::Array(elements)) => elements.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    /// The same as people read it and as two of them are compared.
    fn told(&self, mut values: Vec<String>) -> String {
        if self.kind == Kind::Day {
            for moment in &mut values {
                moment.truncate("2030-01-31".len());
            }
        }
        values.sort_unstable();
        values.dedup();
        values.join(", ").trim().to_owned()
    }

    fn of_form(&self, form: &Form) -> String {
        self.told(form.all(self.name).map(str::to_owned).collect())
    }

    fn fill(&self, form: &mut Form, thing: &Json) {
        form.put(self.name, self.of_thing(thing).join(" "));
        if self.kind == Kind::List {
            form.split(self.name);
        }
    }
}

fn json(thing: &impl Serialize) -> Json {
    serde_json::to_value(thing).expect("the nouns have text keys and no failing serializer")
}

/// A form with what `thing` has in these fields.
pub(super) fn filled(fields: &[Field], thing: &impl Serialize) -> Form {
    let (mut form, thing) = (Form::default(), json(thing));
    for field in fields {
        field.fill(&mut form, &thing);
    }
    form
}

/// An allowance, from four boxes whose names begin alike; null where all of them are empty.
pub(super) fn allowance(form: &Form, beginning: &str) -> Value {
    let bounds = ["tokens_per_second", "burst", "tokens_per_day", "tokens_per_month"];
    let bounds = bounds.map(|bound| (bound.to_owned(), form.number(&format!("{beginning}.{bound}"))));
    if bounds.iter().all(|(_, number)| matches!(number, Value::Null)) {
        Value::Null
    } else {
        Value::Object(bounds.into())
    }
}

/// What others changed while a form was open.
pub(super) struct Conflict {
    /// Where the thing, as it was and as it is, and the form are not all alike.
    pub(super) differences: Vec<Difference>,
    /// Their changes, the oldest first.
    pub(super) changes: Vec<JournalEntry>,
}

/// A field that is not alike everywhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// What people call it.
    pub(super) label: &'static str,
    /// What it was when the form was opened, where the journal still says so.
    pub(super) then: Option<String>,
    /// What it is.
    pub(super) now: String,
    /// What was sent, where the form has it.
    pub(super) sent: Option<String>,
    /// What becomes of it.
    pub(super) outcome: Outcome,
}

/// What becomes of a field that is not alike everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// They changed it, and whoever sent the form did not: theirs stands in the form.
    Theirs,
    /// Whoever sent the form changed it, and they did not: it stands in the form as it was sent.
    Own,
    /// Both did, each in another way: it stands in the form as it was sent.
    Both,
    /// Both did, in the same way.
    Alike,
    /// They changed it, and the form does not have it.
    Elsewhere,
}

impl Outcome {
    /// As it stands in the table.
    pub(super) const fn says(self) -> &'static str {
        match self {
            Self::Theirs => "as they changed it",
            Self::Own => "as you sent it",
            Self::Both => "as you sent it, though they changed it too",
            Self::Alike => "the same from both",
            Self::Elsewhere => "not in this form",
        }
    }
}

impl Field {
    /// Lays beside each other what was there `then`, what is there `now` and what was sent; puts theirs into the form where only they
    /// changed it.
    fn meet(&self, (then, now): (Option<&Json>, &Json), form: &mut Form) -> Option<Difference> {
        let told = |thing: &Json| self.told(self.of_thing(thing));
        let (was, is, sent) = (then.map(told), told(now), self.of_form(form));
        let they_changed_it = was.as_ref().is_some_and(|was| *was != is);
        let outcome = match self.kind {
            Kind::Elsewhere if they_changed_it => Outcome::Elsewhere,
            Kind::Elsewhere => return None,
            _ if sent == is && they_changed_it => Outcome::Alike,
            _ if sent == is => return None,
            _ if was.as_ref() == Some(&sent) => Outcome::Theirs,
            _ if they_changed_it => Outcome::Both,
            _ => Outcome::Own,
        };
        if outcome == Outcome::Theirs {
            self.fill(form, now);
        }
        Some(Difference {
            label: self.label,
            then: was,
            now: is,
            sent: (self.kind != Kind::Elsewhere).then_some(sent),
            outcome,
        })
    }
}

/// What others changed of `thing` since the form that was sent was opened; what only they changed is put into the form.
///
/// # Errors
/// When the journal cannot be read.
pub(super) async fn meet(
    visit: &mut Visit,
    fields: &[Field],
    (about, thing): (JournalFilter, &impl Serialize),
) -> Result<Conflict, Trouble> {
    let version: Option<Epoch> = visit.form.get(VERSION).and_then(|text| text.parse().ok());
    let newest_first = JournalFilter {
        order: Order::NewestFirst,
        ..about
    };
    let mut changes = visit
        .office()
        .journal(visit.who(), newest_first, list::piece(None))
        .await?;
    let opened = changes.iter().position(|row| Some(row.epoch) == version);
    let then = opened.and_then(|place| as_it_was(&changes[place]));
    // Where the form names no change of it that is remembered here, the last one is all there is to tell.
    changes.truncate(opened.unwrap_or(1));
    let now = json(thing);
    let differences = fields
        .iter()
        .filter_map(|field| field.meet((then.as_ref(), &now), &mut visit.form));
    Ok(Conflict {
        differences: differences.collect(),
        changes,
    })
}

/// The thing as it was after a change: the detail of the row, or that part of it which has its name.
fn as_it_was(row: &JournalEntry) -> Option<Json> {
    let mut detail: Json = serde_json::from_str(&row.detail).ok()?;
    match detail.get_mut(row.noun.as_str()) {
        Some(part) if part.is_object() => Some(part.take()),
        _ => Some(detail),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: [Field; 5] = [
        Field::plain("name", "Name"),
        Field::list("scope", "Scopes"),
        Field::day("expires_at", "Expires on"),
        Field::plain("limits.burst", "At once"),
        Field::elsewhere("status", "Status"),
    ];

    fn thing(name: &str, scope: &[&str], burst: Option<u32>) -> Json {
        json!({
            "name": name, "scope": scope, "expires_at": "2030-01-31T12:00:00Z", "limits": { "burst": burst }, "status": "active",
        })
    }

    fn meet_all(then: Option<&Json>, now: &Json, form: &mut Form) -> Vec<(&'static str, Outcome)> {
        let met = FIELDS.iter().filter_map(|field| field.meet((then, now), form));
        met.map(|difference| (difference.label, difference.outcome)).collect()
    }

    #[test]
    fn a_form_is_filled_with_what_is_there() {
        let form = filled(&FIELDS, &thing("Acme GmbH", &["b", "a"], Some(7)));
        assert_eq!(
            (form.get("name"), form.get("limits.burst")),
            (Some("Acme GmbH"), Some("7"))
        );
        assert_eq!(form.all("scope").collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(form.day("expires_at"), "2030-01-31");
        assert_eq!(
            filled(&FIELDS, &json!({ "limits": null, "scope": [] })).get("limits.burst"),
            None
        );
    }

    #[test]
    fn what_was_left_alone_takes_their_value_and_what_was_changed_keeps_ones_own() {
        let (then, now) = (thing("A", &["a"], Some(1)), thing("B", &["a", "b"], Some(2)));
        let mut form = filled(&FIELDS, &then);
        form.put("scope", "c".to_owned());
        form.put("expires_at", "2031-01-31".to_owned());
        form.put("limits.burst", "2".to_owned());
        assert_eq!(
            meet_all(Some(&then), &now, &mut form),
            [
                ("Name", Outcome::Theirs),
                ("Scopes", Outcome::Both),
                ("Expires on", Outcome::Own),
                ("At once", Outcome::Alike),
            ]
        );
        assert_eq!((form.get("name"), form.get("scope")), (Some("B"), Some("c")));
        assert_eq!(form.day("expires_at"), "2031-01-31");
    }

    #[test]
    fn without_what_was_there_nothing_of_the_form_is_replaced() {
        let now = thing("B", &["b", "a"], None);
        let mut form = filled(&FIELDS, &thing("A", &["a", "b"], None));
        assert_eq!(meet_all(None, &now, &mut form), [("Name", Outcome::Own)]);
        assert_eq!(form.get("name"), Some("A"));
    }

    #[test]
    fn what_the_form_does_not_have_is_told_where_it_changed() {
        let then = thing("A", &[], None);
        let mut now = then.clone();
        now["status"] = json!("suspended");
        let mut form = filled(&FIELDS, &then);
        assert_eq!(meet_all(Some(&then), &now, &mut form), [("Status", Outcome::Elsewhere)]);
    }
}
