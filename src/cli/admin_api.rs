//! The admin API as the remote verbs use it: an answer is what was asked for, or a [`Failure`] in whole sentences.

use serde::Deserialize;
use serde_json::Value;
use ureq::http::Method;
use zeroize::Zeroizing;

use super::failure::{Exit, Failure};
use super::server_address::ServerAddress;
use super::wire::{Answer, Credentials, Request, Wire};

/// The most rows the server gives in a page.
pub(super) const LARGEST_PAGE: u32 = 200;

/// A server's admin API, in the name of one operator.
pub(super) struct AdminApi {
    wire: Wire,
    server: ServerAddress,
    token: Zeroizing<String>,
}

impl AdminApi {
    pub(super) fn new(wire: Wire, server: ServerAddress, token: Zeroizing<String>) -> Self {
        Self { wire, server, token }
    }

    /// The request for `path` under `/admin/v1`, before anything is added to it.
    pub(super) fn request(&self, method: Method, path: &str, query: &[(String, String)]) -> Request {
        let mut request = Request::new(method, self.server.at(&format!("/admin/v1{path}"), query));
        request.credentials = Credentials::Bearer(self.token.clone());
        request
    }

    /// Sends `request`.
    ///
    /// # Errors
    /// When there is no answer, or it is not a success in JSON.
    pub(super) fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let answer = self.wire.send(request)?;
        if !(200..300).contains(&answer.status) {
            return Err(refusal(&answer));
        }
        if answer.body.is_null() {
            return Err(Failure::failed(
                "the answer is not JSON: is this the admin listener of a Mintmark server?",
            ));
        }
        Ok(answer)
    }

    /// One thing.
    ///
    /// # Errors
    /// As [`AdminApi::send`].
    pub(super) fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.send(&self.request(Method::GET, path, &[]))
    }

    /// The items of a list, page after page, at most `most` of them.
    pub(super) fn pages(&self, path: &str, filter: Vec<(String, String)>, most: Option<u32>) -> Pages<'_> {
        Pages {
            api: self,
            path: path.to_owned(),
            filter,
            left: most,
            next: Next::First,
        }
    }
}

/// The pages of a list. Ends after the first failure.
pub(super) struct Pages<'a> {
    api: &'a AdminApi,
    path: String,
    filter: Vec<(String, String)>,
    left: Option<u32>,
    next: Next,
}

enum Next {
    First,
    Cursor(String),
    End,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    next: Option<String>,
}

impl Pages<'_> {
    fn read(&mut self) -> Result<Vec<Value>, Failure> {
        let size = self.left.map_or(LARGEST_PAGE, |left| left.min(LARGEST_PAGE));
        let mut query = self.filter.clone();
        query.push(("limit".to_owned(), size.to_string()));
        if let Next::Cursor(cursor) = std::mem::replace(&mut self.next, Next::End) {
            query.push(("cursor".to_owned(), cursor));
        }
        let answer = self.api.send(&self.api.request(Method::GET, &self.path, &query))?;
        let Page { mut items, next } = serde_json::from_value(answer.body)
            .map_err(|_| Failure::failed("the answer is not a page of a list: is the server of this version?"))?;
        items.truncate(size as usize);
        let read = u32::try_from(items.len()).unwrap_or(u32::MAX);
        self.left = self.left.map(|left| left.saturating_sub(read));
        if let Some(cursor) = next
            && self.left != Some(0)
        {
            self.next = Next::Cursor(cursor);
        }
        Ok(items)
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Vec<Value>, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next {
            Next::End => None,
            Next::First | Next::Cursor(_) => Some(self.read()),
        }
    }
}

/// A problem document (RFC 9457), as far as people read it.
#[derive(Deserialize)]
struct Problem {
    detail: String,
    instance: Option<String>,
    #[serde(default)]
    errors: Vec<FieldError>,
}

#[derive(Deserialize)]
struct FieldError {
    field: String,
    reason: String,
}

/// The sentences of an answer that is no success.
fn refusal(answer: &Answer) -> Failure {
    let exit = match answer.status {
        401 | 403 => Exit::NotAuthorised,
        404 => Exit::NotFound,
        429 | 502..=504 => Exit::Unavailable,
        _ => Exit::Failed,
    };
    let Ok(problem) = Problem::deserialize(&answer.body) else {
        return Failure::new(exit, format!("the server answered with the status {}", answer.status));
    };
    let mut failure = Failure::new(exit, problem.detail);
    for FieldError { field, reason } in problem.errors {
        failure = failure.and(format!("{field} {reason}"));
    }
    match problem.instance {
        Some(instance) if answer.status >= 500 => failure.and(format!("the request is {instance} in the server's log")),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(status: u16, body: Value) -> Failure {
        refusal(&Answer {
            status,
            etag: None,
            is_repeated: false,
            body,
        })
    }

    #[test]
    fn a_problem_is_told_in_sentences_a_line_for_each_field() {
        let body = json!({
            "type": "urn:mintmark:problem:invalid-fields", "title": "Invalid fields", "status": 400,
            "detail": "Two fields are wrong.", "instance": "req-12345",
            "errors": [{ "field": "name", "reason": "must not be empty" }, { "field": "scope", "reason": "is unknown" }],
        });
        let failure = refused(400, body);
        assert_eq!(failure.exit, Exit::Failed);
        assert_eq!(
            failure.sentences,
            ["Two fields are wrong.", "name must not be empty", "scope is unknown"]
        );
    }

    #[test]
    fn a_server_error_names_the_request() {
        let body = json!({ "detail": "It failed.", "instance": "req-12345" });
        assert_eq!(
            refused(500, body).sentences,
            ["It failed.", "the request is req-12345 in the server's log"]
        );
    }

    #[test]
    fn each_status_has_its_exit_code() {
        for (status, exit) in [
            (302, Exit::Failed),
            (400, Exit::Failed),
            (401, Exit::NotAuthorised),
            (403, Exit::NotAuthorised),
            (404, Exit::NotFound),
            (409, Exit::Failed),
            (412, Exit::Failed),
            (429, Exit::Unavailable),
            (500, Exit::Failed),
            (502, Exit::Unavailable),
            (503, Exit::Unavailable),
        ] {
            let failure = refused(status, Value::Null);
            assert_eq!(failure.exit, exit, "{status}");
            assert_eq!(
                failure.sentences,
                [format!("the server answered with the status {status}")]
            );
        }
    }
}
