//! Values that are one of a few words, so that `--help` and the completions can list them.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::domain::{
    AuthMethod, ClientStatus, DeliveryState, Environment, NoticeKind, Noun, PartnerStatus, QuotaMode, Role,
};

/// `qa` or `production`.
pub(super) fn environment() -> impl TypedValueParser<Value = Environment> {
    one_of(Environment::ALL.map(Environment::as_str)).try_map(|word| word.parse())
}

/// What an operator may do.
pub(super) fn role() -> impl TypedValueParser<Value = Role> {
    one_of(Role::ALL.map(Role::as_str)).try_map(|word| word.parse())
}

/// What becomes of a quota that is used up.
pub(super) fn quota_mode() -> impl TypedValueParser<Value = QuotaMode> {
    let mode = |word: String| QuotaMode::ALL.into_iter().find(|mode| mode.as_str() == word);
    one_of(QuotaMode::ALL.map(QuotaMode::as_str)).try_map(move |word| mode(word).ok_or("is no such mode"))
}

/// How a client authenticates, as the admin API spells it.
pub(super) fn auth_method() -> PossibleValuesParser {
    one_of(AuthMethod::ALL.map(AuthMethod::as_str))
}

/// Whether a client works.
pub(super) fn client_status() -> PossibleValuesParser {
    one_of(ClientStatus::ALL.map(ClientStatus::as_str))
}

/// Whether a partner's clients work.
pub(super) fn partner_status() -> PossibleValuesParser {
    one_of(PartnerStatus::ALL.map(PartnerStatus::as_str))
}

/// What a journal row is about.
pub(super) fn noun() -> PossibleValuesParser {
    one_of(Noun::ALL.map(Noun::as_str))
}

/// What a notice says.
pub(super) fn notice_kind() -> PossibleValuesParser {
    one_of(NoticeKind::ALL.map(NoticeKind::as_str))
}

/// How far the sending of a notice has come.
pub(super) fn delivery_state() -> PossibleValuesParser {
    one_of(DeliveryState::ALL.map(DeliveryState::as_str))
}

fn one_of<const N: usize>(words: [&'static str; N]) -> PossibleValuesParser {
    PossibleValuesParser::new(words)
}
