//! One request of somebody who is signed in: what it names, what it sends, under which conditions.

use std::str::FromStr;
use std::sync::Arc;

use actix_web::HttpRequest;

use super::ConsoleParts;
use super::form::Form;
use crate::domain::{Epoch, IdempotencyKey, Invalid, Timestamp, sha256};
use crate::http::admin::fields::Members;
use crate::http::admin::problem::{Fault, Problem};
use crate::http::admin::request_id;
use crate::office::{Administrator, Errand, Idempotency, IfMatch, Office, SignedIn};

/// The field that says which version of a thing a page has shown.
pub(super) const VERSION: &str = "version";
/// The field under which a creation is made once, however often its form is sent.
pub(super) const ONCE: &str = "once";

/// One request of somebody who is signed in.
pub(super) struct Visit {
    /// What it is served with.
    pub(super) console: Arc<ConsoleParts>,
    /// Who asks.
    pub(super) signed_in: SignedIn,
    /// What the page's forms prove themselves with.
    pub(super) proof: String,
    /// The request without its body.
    pub(super) request: HttpRequest,
    /// What a page sent back; empty for a request that reads.
    pub(super) form: Form,
}

impl Visit {
    /// Where administrators are served.
    pub(super) fn office(&self) -> &Office {
        &self.console.office
    }

    /// Who asks.
    pub(super) const fn who(&self) -> &Administrator {
        &self.signed_in.administrator
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        self.console.clock.now()
    }

    /// A part of the path, read into its type.
    ///
    /// # Errors
    /// When it cannot be one of its type: then there is no such page.
    pub(super) fn path<T: FromStr<Err = Invalid>>(&self, name: &'static str) -> Result<T, Problem> {
        let part = self.request.match_info().get(name).unwrap_or_default();
        part.parse().map_err(|_: Invalid| Problem::NoSuchPath)
    }

    /// These parameters of the query string, read with `read`. Others are passed over: a page is asked for by people.
    ///
    /// # Errors
    /// With every fault there is.
    pub(super) fn query<T>(&self, names: &[&str], read: impl FnOnce(&mut Members) -> Option<T>) -> Result<T, Problem> {
        Form::parse(self.request.query_string().as_bytes())?
            .members(names, &[])
            .read(read)
    }

    /// What comes with an action.
    pub(super) fn errand(&self) -> Errand {
        Errand {
            request_id: request_id(&self.request),
            ..Errand::default()
        }
    }

    /// What comes with a change of what a page has shown.
    ///
    /// # Errors
    /// When the form does not say which version that was.
    pub(super) fn change(&self) -> Result<Errand, Problem> {
        let version = self.form.get(VERSION).and_then(|text| text.parse().ok());
        let version = version.ok_or_else(|| Fault::new(VERSION, "is missing"))?;
        Ok(Errand {
            if_match: IfMatch::Versions(vec![Epoch::new(version)]),
            ..self.errand()
        })
    }

    /// The version a form is of, as it was sent.
    pub(super) fn version(&self) -> String {
        self.form.get(VERSION).unwrap_or_default().to_owned()
    }

    /// What comes with a creation: its form, sent twice, creates one thing.
    ///
    /// # Errors
    /// When the form does not say which creation it is.
    pub(super) fn creation(&self) -> Result<Errand, Problem> {
        let key: Option<IdempotencyKey> = self.form.get(ONCE).and_then(|text| text.parse().ok());
        let key = key.ok_or_else(|| Fault::new(ONCE, "is missing"))?;
        let fingerprint = sha256(&[self.request.path().as_bytes(), &[0], &self.form.content()]);
        Ok(Errand {
            idempotency: Some(Idempotency { key, fingerprint }),
            ..self.errand()
        })
    }

    /// That whoever sends the form has typed the name of what it ends.
    ///
    /// # Errors
    /// When it is another, or nothing.
    pub(super) fn confirmed(&self, name: &str) -> Result<(), Problem> {
        if self.form.get("confirm").map(str::trim) == Some(name) {
            Ok(())
        } else {
            Err(Fault::new("confirm", "is not the name of what this ends: type it as it is shown").into())
        }
    }

    /// What makes the form of a page that is shown now one that creates once.
    pub(super) fn once(&self) -> String {
        IdempotencyKey::mint(&*self.console.entropy).to_string()
    }
}
