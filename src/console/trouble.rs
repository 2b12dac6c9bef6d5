//! What a page cannot do, and how it says so: the problems of the admin API, in its words, and the few a browser has beside them.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use askama::Template;
use log::Level;

use super::chrome::Chrome;
use super::{page, sign_in};
use crate::domain::RequestId;
use crate::http::admin::problem::Problem;

/// Why a page is not served.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What the admin API would say too.
    Problem(Problem),
    /// The request was not begun by one of our pages.
    Foreign,
    /// The page it was begun by is of another session.
    Outdated,
    /// Whoever wants to sign in is not let in, and has somewhere to go.
    NotAdmitted(Problem, String),
}

impl<E: Into<Problem>> From<E> for Trouble {
    fn from(cause: E) -> Self {
        Self::Problem(cause.into())
    }
}

/// What is told.
struct Told<'a> {
    title: &'static str,
    detail: Cow<'a, str>,
    request_id: Option<&'a RequestId>,
}

#[derive(Template)]
#[template(path = "trouble_within.html")]
struct Within<'a> {
    chrome: &'a Chrome,
    told: Told<'a>,
}

#[derive(Template)]
#[template(path = "trouble_alone.html")]
struct Alone<'a> {
    told: Told<'a>,
}

impl Trouble {
    /// The page that says so, within `chrome` where somebody is signed in.
    pub(super) fn answer(&self, chrome: Option<&Chrome>, request_id: Option<&RequestId>) -> HttpResponse {
        if let Self::NotAdmitted(problem, next) = self {
            return self.with_header(sign_in::again(problem, next));
        }
        let (status, title) = self.kind();
        let told = Told {
            title,
            detail: self.detail(),
            request_id,
        };
        let answer = match chrome {
            Some(chrome) => page::with_status(status, &Within { chrome, told }),
            None => page::with_status(status, &Alone { told }),
        };
        self.with_header(answer)
    }

    /// The answer with what the problem says in a header, but for the challenge, which is for those who bring a token in one.
    fn with_header(&self, mut answer: HttpResponse) -> HttpResponse {
        if let Self::Problem(problem) | Self::NotAdmitted(problem, _) = self
            && let Some((name, value)) = problem.header()
            && name != header::WWW_AUTHENTICATE
        {
            let value = header::HeaderValue::from_str(&value).expect("headers of problems are visible ASCII");
            answer.headers_mut().insert(name, value);
        }
        answer
    }

    /// How urgent it is that somebody reads of it in the log, and what; none where only the browser needs to know.
    pub(super) fn for_the_log(&self) -> Option<(Level, Cow<'_, str>)> {
        match self {
            Self::Problem(problem) | Self::NotAdmitted(problem, _) => problem.for_the_log(),
            Self::Foreign => Some((
                Level::Warn,
                "a request to the console did not come from one of its pages".into(),
            )),
            Self::Outdated => None,
        }
    }

    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Problem(problem) | Self::NotAdmitted(problem, _) => problem.kind_of_answer(),
            Self::Foreign => (StatusCode::FORBIDDEN, "Not from here"),
            Self::Outdated => (StatusCode::FORBIDDEN, "Outdated page"),
        }
    }

    fn detail(&self) -> Cow<'_, str> {
        match self {
            Self::Problem(problem) | Self::NotAdmitted(problem, _) => problem.detail(),
            Self::Foreign => {
                "Another site sent this request, or the browser does not say who did. Nothing was changed.".into()
            }
            Self::Outdated => {
                "The page that sent this request is not of the session you are in. Nothing was changed. Open it again."
                    .into()
            }
        }
    }
}
