//! Pages of lists: a limit, and a cursor that is opaque to the caller and a typed key to us. A forged one is a bad parameter.

use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::answer;
use super::fields::{Members, text};
use super::problem::{Fault, Problem};
use crate::domain::{ApiId, ClientId, Environment, Epoch, Invalid, KeyId, NoticeId, OperatorId, PartnerId, SecretId};
use crate::store::{Page, UsagePlace};

/// How many rows a page has unless the caller says otherwise.
const DEFAULT_LIMIT: u16 = 50;
/// How many rows a page has at the most.
const MOST: u16 = 200;
/// The longest cursor of most lists, in characters.
const LONGEST_CURSOR: usize = 256;

const NO_CURSOR: Invalid = Invalid::new("is not a cursor of this list");

/// The key by which a list is paged. Each kind has its own word, so that a cursor of one list is none of another.
pub(super) trait Key: Sized {
    /// The word.
    const KIND: &'static str;
    /// The longest cursor, in characters.
    const LONGEST: usize = LONGEST_CURSOR;
    /// As text.
    fn write(&self) -> String;
    /// From text.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! keys {
    ($($key:ty: $kind:literal),*) => { $(
        impl Key for $key {
            const KIND: &'static str = $kind;
            fn write(&self) -> String {
                self.to_string()
            }
            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )* };
}
keys!(PartnerId: "partner", ClientId: "client", OperatorId: "operator", KeyId: "key", SecretId: "secret", NoticeId: "notice", Epoch: "epoch");

impl Key for (Environment, ApiId) {
    const KIND: &'static str = "api";
    fn write(&self) -> String {
        format!("{}/{}", self.0, self.1)
    }
    fn parse(text: &str) -> Option<Self> {
        let (environment, api_id) = text.split_once('/')?;
        environment.parse().ok().zip(api_id.parse().ok())
    }
}

/// All that decides about the place of a row, one after the other; no identifier holds a slash, and what was granted comes last.
impl Key for UsagePlace {
    const KIND: &'static str = "usage";
    const LONGEST: usize = 2048;
    fn write(&self) -> String {
        let partner_id = self.partner_id.as_ref().map_or("", |partner_id| partner_id.as_str());
        let client_id = self.client_id.as_ref().map_or("", |client_id| client_id.as_str());
        let scope = self.scope.as_ref().map_or("", |scope| scope.as_str());
        format!("{}/{}/{partner_id}/{client_id}/{scope}", self.begins, self.environment)
    }
    fn parse(text: &str) -> Option<Self> {
        fn given<T: FromStr>(text: &str) -> Result<Option<T>, T::Err> {
            (!text.is_empty()).then(|| text.parse()).transpose()
        }
        let mut parts = text.splitn(5, '/');
        let mut part = || parts.next();
        Some(Self {
            begins: part()?.parse().ok()?,
            environment: part()?.parse().ok()?,
            partner_id: given(part()?).ok()?,
            client_id: given(part()?).ok()?,
            scope: given(part()?).ok()?,
        })
    }
}

struct Cursor<K>(K);

impl<K: Key> Cursor<K> {
    fn write(key: &K) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}", K::KIND, key.write()))
    }
}

impl<K: Key> FromStr for Cursor<K> {
    type Err = Invalid;

    fn from_str(cursor: &str) -> Result<Self, Invalid> {
        if cursor.len() > K::LONGEST {
            return Err(NO_CURSOR);
        }
        URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| K::parse(text.strip_prefix(K::KIND)?.strip_prefix(':')?))
            .map(Self)
            .ok_or(NO_CURSOR)
    }
}

struct Limit(u16);

impl FromStr for Limit {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.parse()
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .map(Self)
            .ok_or_else(|| Invalid::new("must be a whole number from 1 to 200"))
    }
}

/// The piece of a list that a caller asks for.
#[derive(Debug)]
pub(super) struct Asked<K> {
    limit: u16,
    after: Option<K>,
}

impl<K: Key> Asked<K> {
    /// Reads `limit` and `cursor`. `None` is a fault already put down.
    pub(super) fn read(members: &mut Members) -> Option<Self> {
        let limit = members.optional("limit", text::<Limit>);
        let after = members.optional("cursor", text::<Cursor<K>>);
        Some(Self {
            limit: limit?.map_or(DEFAULT_LIMIT, |limit| limit.0),
            after: after?.map(|cursor| cursor.0),
        })
    }

    /// What to ask the store for: one row more than is shown, to know whether there is a further page.
    pub(super) fn page(&self) -> Page<K>
    where
        K: Clone,
    {
        Page {
            after: self.after.clone(),
            limit: self.limit + 1,
        }
    }

    /// The same from the same row on, of so many rows.
    pub(super) fn of(self, limit: u16) -> Self {
        Self { limit, ..self }
    }

    /// The rows to show of those read for [`Asked::page`], and the cursor to the further ones.
    pub(super) fn piece<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> (Vec<T>, Option<String>) {
        let limit = usize::from(self.limit);
        let further = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| further);
        let next = last.map(|row| Cursor::write(&key(row)));
        (rows, next)
    }

    /// Answers with the rows read for [`Asked::page`].
    pub(super) fn answer<T: Serialize>(&self, rows: Vec<T>, key: impl Fn(&T) -> K) -> HttpResponse {
        let (items, next) = self.piece(rows, key);
        answer::json(StatusCode::OK, &Piece { items, next })
    }

    /// Answers with the piece of a list that was read whole.
    ///
    /// # Errors
    /// When the cursor names nothing in the list.
    pub(super) fn answer_from<T: Serialize>(&self, all: Vec<T>, key: impl Fn(&T) -> K) -> Result<HttpResponse, Problem>
    where
        K: PartialEq,
    {
        let begin = match &self.after {
            None => 0,
            Some(after) => {
                let place = all.iter().position(|row| key(row) == *after);
                place.ok_or_else(|| Fault::new("cursor", NO_CURSOR.reason()))? + 1
            }
        };
        let rows = all.into_iter().skip(begin).take(usize::from(self.limit) + 1).collect();
        Ok(self.answer(rows, key))
    }
}

/// The form of every list.
#[derive(Serialize)]
struct Piece<T> {
    items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A list that is always shown whole.
pub(super) fn whole<T: Serialize>(items: Vec<T>) -> HttpResponse {
    answer::json(StatusCode::OK, &Piece { items, next: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_what_it_was_written_from() {
        let key: (Environment, ApiId) = (Environment::Qa, "orders".parse().unwrap());
        let read: Cursor<(Environment, ApiId)> = Cursor::write(&key).parse().unwrap();
        assert_eq!(read.0, key);
    }

    #[test]
    fn a_cursor_in_usage_holds_the_longest_scope_and_what_is_none() {
        let scope = ["x/y"; 256].join(" ");
        for scope in [None, Some(scope.parse().unwrap()), "\"other\"".parse().ok()] {
            let place = UsagePlace {
                begins: "2027-01-31T22:00:00Z".parse().unwrap(),
                environment: Environment::Production,
                partner_id: None,
                client_id: "live-acme-0000000000".parse().ok(),
                scope,
            };
            let read: Cursor<UsagePlace> = Cursor::write(&place).parse().unwrap();
            assert_eq!(read.0, place);
        }
        let forged = |text: &str| URL_SAFE_NO_PAD.encode(text).parse::<Cursor<UsagePlace>>();
        for text in [
            "usage:",
            "usage:2027-01-31T22:00:00Z/qa/acme/qa-acme-1",
            "usage:2027-01-31/qa///",
            "usage:2027-01-31T22:00:00Z/qa/A'/x/",
            "usage:2027-01-31T22:00:00Z/qa///a\u{0}",
        ] {
            assert!(forged(text).is_err(), "{text}");
        }
    }

    #[test]
    fn forged_and_foreign_cursors_are_none() {
        let forged = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for cursor in [
            String::new(),
            "%%%".to_owned(),
            forged("partner"),
            forged("partner:"),
            forged("partner:' OR 1=1 --"),
            forged("client:acme"),
            forged("partner:acme:x"),
            forged("partner:") + "=",
            "A".repeat(LONGEST_CURSOR + 1),
        ] {
            assert!(cursor.parse::<Cursor<PartnerId>>().is_err(), "{cursor}");
        }
        for cursor in [
            forged("epoch:-1"),
            forged("epoch:0"),
            forged("epoch:9223372036854775808"),
        ] {
            assert!(cursor.parse::<Cursor<Epoch>>().is_err(), "{cursor}");
        }
    }
}
