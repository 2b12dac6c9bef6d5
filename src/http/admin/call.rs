//! One request to the admin API: who asks, what was sent, under which conditions.

use std::str::FromStr;

use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpMessage as _, HttpRequest, web};

use super::fields::Members;
use super::problem::{Fault, Problem};
use crate::domain::{Epoch, Invalid, Refusal, RequestId, sha256};
use crate::office::{Administrator, Errand, Idempotency, IfMatch, Office};

/// The header under which a creation may be repeated.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The header that makes a change conditional (RFC 9110 §13.1.1).
const IF_MATCH: &str = "If-Match";

/// The most parameters of one query string that are looked at.
const MOST_PARAMETERS: usize = 32;

/// One request of an administrator.
pub(super) struct Call {
    /// Where it is served.
    pub(super) office: web::Data<Office>,
    /// Who asks.
    pub(super) who: Administrator,
    /// The request without its body.
    pub(super) request: HttpRequest,
    /// The body.
    pub(super) body: web::Bytes,
}

impl Call {
    /// A part of the path, read into its type.
    ///
    /// # Errors
    /// When it cannot be one of its type.
    pub(super) fn path<T: FromStr<Err = Invalid>>(&self, name: &'static str) -> Result<T, Problem> {
        let part = self.request.match_info().get(name).unwrap_or_default();
        part.parse()
            .map_err(|invalid: Invalid| Fault::new(name, invalid.reason()).into())
    }

    /// The parameters of the query string, read with `read`.
    ///
    /// # Errors
    /// With every fault there is.
    pub(super) fn query<T>(&self, read: impl FnOnce(&mut Members) -> Option<T>) -> Result<T, Problem> {
        let parameters: Vec<(String, String)> = web::Query::from_query(self.request.query_string())
            .map(web::Query::into_inner)
            .map_err(|_| Problem::Malformed("The query string is not one.".into()))?;
        if parameters.len() > MOST_PARAMETERS {
            return Err(Problem::Malformed("The query string has too many parameters.".into()));
        }
        Members::of_query(parameters).read(read)
    }

    /// The members of the body, read with `read`.
    ///
    /// # Errors
    /// When there is no body or it is not JSON; with every fault there is.
    pub(super) fn body<T>(&self, read: impl FnOnce(&mut Members) -> Option<T>) -> Result<T, Problem> {
        if self.body.is_empty() {
            return Err(Problem::Malformed("The body is empty.".into()));
        }
        self.body_if_any(read)
    }

    /// As [`Call::body`], where no body means an empty object.
    ///
    /// # Errors
    /// When the body is not JSON; with every fault there is.
    pub(super) fn body_if_any<T>(&self, read: impl FnOnce(&mut Members) -> Option<T>) -> Result<T, Problem> {
        if self.body.is_empty() {
            return Members::none().read(read);
        }
        if !is_json(self.request.headers()) {
            return Err(Problem::NotJson);
        }
        Members::of_json(&self.body)?.read(read)
    }

    /// For a request that takes no parameter.
    ///
    /// # Errors
    /// With every parameter there is.
    pub(super) fn no_query(&self) -> Result<(), Problem> {
        self.query(|_| Some(()))
    }

    /// What comes with a creation.
    ///
    /// # Errors
    /// When the idempotency key is not one.
    pub(super) fn creation(&self) -> Result<Errand, Problem> {
        let key = single(self.request.headers(), IDEMPOTENCY_KEY)?
            .map(str::parse)
            .transpose()
            .map_err(|invalid: Invalid| Fault::new(IDEMPOTENCY_KEY, invalid.reason()))?;
        let fingerprint = || sha256(&[self.request.path().as_bytes(), &[0], &self.body]);
        Ok(Errand {
            idempotency: key.map(|key| Idempotency {
                key,
                fingerprint: fingerprint(),
            }),
            ..self.errand()
        })
    }

    /// What comes with a change of something that was read before.
    ///
    /// # Errors
    /// When `If-Match` is missing or not one.
    pub(super) fn change(&self) -> Result<Errand, Problem> {
        let if_match = self.if_match()?.ok_or(Problem::NoPrecondition)?;
        Ok(Errand {
            if_match,
            ..self.errand()
        })
    }

    /// What comes with an action, which may be an emergency and so need no reading before.
    ///
    /// # Errors
    /// When `If-Match` is there and not one.
    pub(super) fn action(&self) -> Result<Errand, Problem> {
        Ok(Errand {
            if_match: self.if_match()?.unwrap_or_default(),
            ..self.errand()
        })
    }

    /// As [`Call::action`], for an action that takes neither parameters nor members.
    ///
    /// # Errors
    /// When it is sent with some all the same.
    pub(super) fn bare_action(&self) -> Result<Errand, Problem> {
        self.no_query()?;
        self.body_if_any(|_| Some(()))?;
        self.action()
    }

    /// What comes with an action on all the keys of an environment together, which have no version.
    ///
    /// # Errors
    /// [`Refusal::Stale`] when `If-Match` names one all the same: it can match nothing (RFC 9110 §13.1.1).
    pub(super) fn action_on_a_ring(&self) -> Result<Errand, Problem> {
        match self.if_match()? {
            None | Some(IfMatch::Anything) => Ok(self.errand()),
            Some(IfMatch::Versions(_)) => Err(Refusal::Stale.into()),
        }
    }

    /// What comes with every request.
    fn errand(&self) -> Errand {
        Errand {
            request_id: request_id(&self.request),
            ..Errand::default()
        }
    }

    fn if_match(&self) -> Result<Option<IfMatch>, Problem> {
        let Some(text) = single(self.request.headers(), IF_MATCH)? else {
            return Ok(None);
        };
        let read = if_match(text).ok_or_else(|| Fault::new(IF_MATCH, "is neither * nor a list of entity tags"))?;
        Ok(Some(read))
    }
}

/// The id of a request, where the server gave it one.
pub(crate) fn request_id(request: &HttpRequest) -> Option<RequestId> {
    request.extensions().get::<RequestId>().cloned()
}

/// The value of a header that may stand once.
fn single<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Fault> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text.trim())),
            Err(_) => Err(Fault::new(name, "holds a character that is not visible ASCII")),
        },
        (Some(_), Some(_)) => Err(Fault::new(name, "stands more than once")),
    }
}

/// `application/json`, or a merge patch (RFC 7396 §4), which our changes are.
fn is_json(headers: &HeaderMap) -> bool {
    let essence = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split(';').next())
        .map(str::trim);
    essence.is_some_and(|essence| {
        essence.eq_ignore_ascii_case("application/json") || essence.eq_ignore_ascii_case("application/merge-patch+json")
    })
}

/// RFC 9110 §13.1.1. A weak tag, and a tag that is no version, are legal and match nothing (§8.8.3.2).
fn if_match(text: &str) -> Option<IfMatch> {
    if text == "*" {
        return Some(IfMatch::Anything);
    }
    let (mut versions, mut rest) = (Vec::new(), text);
    loop {
        let strong = rest.strip_prefix("W/").is_none();
        let (tag, after) = rest.trim_start_matches("W/").strip_prefix('"')?.split_once('"')?;
        let version = tag
            .parse::<i64>()
            .ok()
            .filter(|version| strong && version.to_string() == tag);
        versions.extend(version.map(Epoch::new));
        rest = match after.trim_start() {
            "" => return Some(IfMatch::Versions(versions)),
            more => more.strip_prefix(',')?.trim_start(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_are_read_as_rfc_9110_writes_them() {
        let versions = |numbers: &[i64]| Some(IfMatch::Versions(numbers.iter().copied().map(Epoch::new).collect()));
        assert_eq!(if_match("*"), Some(IfMatch::Anything));
        assert_eq!(if_match(r#""7""#), versions(&[7]));
        assert_eq!(if_match(r#""7" , "9""#), versions(&[7, 9]));
        // The first is weak, the second is no version, the third not as we write one: none of them can match.
        assert_eq!(if_match(r#"W/"7", "x,y", "07""#), versions(&[]));
        for bad in ["", "7", "\"7", "\"7\" \"8\"", "\"7\",", "*, \"7\"", "'7'"] {
            assert_eq!(if_match(bad), None, "{bad}");
        }
    }
}
