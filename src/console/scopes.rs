//! The scopes that can be chosen for a client, and those it has that can no longer be.

use std::collections::{BTreeMap, BTreeSet};

use super::form::Form;
use crate::domain::{Api, Partner, ScopeToken};

/// A scope to tick.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// Which.
    pub(super) token: String,
    /// Why ticking it does nothing, where that is so.
    pub(super) remark: Option<&'static str>,
}

/// The scopes of `apis` that the ceiling of `partner` lets through, and all that are ticked in `form`, by name.
pub(super) fn choices(partner: &Partner, apis: &[Api], form: &Form) -> Vec<Choice> {
    let tokens = apis.iter().flat_map(|api| api.scopes.iter());
    let owned: BTreeSet<&str> = tokens.map(ScopeToken::as_str).collect();
    let ceiling: BTreeSet<&str> = partner.scope_ceiling.iter().map(ScopeToken::as_str).collect();
    let ticked = form.all("scope").map(|token| {
        let remark = match (owned.contains(token), ceiling.contains(token)) {
            (false, _) => Some("no API owns it"),
            (true, false) => Some("beyond the ceiling"),
            (true, true) => None,
        };
        (token, remark)
    });
    let open = owned.intersection(&ceiling).map(|token| (*token, None));
    let all: BTreeMap<&str, Option<&'static str>> = open.chain(ticked).collect();
    all.into_iter()
        .map(|(token, remark)| Choice {
            token: token.to_owned(),
            remark,
        })
        .collect()
}
