//! The words of the admin API that are closed sets, each read with a sentence that names them all.

use super::fields::{Faulty, Value};
use crate::domain::{
    AuthMethod, ClientStatus, DeliveryState, Granularity, Invalid, NoticeKind, Noun, PartnerStatus, QuotaMode,
};
use crate::store::{Order, UsageGroup};

/// Finds the word among `all`.
fn one_of<T: Copy>(
    value: &Value,
    all: &[T],
    word: impl Fn(T) -> &'static str,
    reason: &'static str,
) -> Result<T, Faulty> {
    let found = match value {
        Value::Text(text) => all.iter().copied().find(|each| word(*each) == text),
        _ => None,
    };
    found.ok_or_else(|| vec![(String::new(), Invalid::new(reason))])
}

/// Of a partner.
pub(crate) fn partner_status(value: &Value) -> Result<PartnerStatus, Faulty> {
    let reason = "is none of active, suspended";
    one_of(value, &PartnerStatus::ALL, PartnerStatus::as_str, reason)
}

pub(crate) fn client_status(value: &Value) -> Result<ClientStatus, Faulty> {
    let reason = "is none of active, suspended, revoked";
    one_of(value, &ClientStatus::ALL, ClientStatus::as_str, reason)
}

pub(super) fn auth_method(value: &Value) -> Result<AuthMethod, Faulty> {
    let reason = "is none of client_secret_basic, client_secret_post, any";
    one_of(value, &AuthMethod::ALL, AuthMethod::as_str, reason)
}

pub(super) fn quota_mode(value: &Value) -> Result<QuotaMode, Faulty> {
    let reason = "is none of off, observe, enforce";
    one_of(value, &QuotaMode::ALL, QuotaMode::as_str, reason)
}

pub(super) fn noun(value: &Value) -> Result<Noun, Faulty> {
    let reason = "is none of partner, api, client, secret, operator, key, token";
    one_of(value, &Noun::ALL, Noun::as_str, reason)
}

pub(super) fn notice_kind(value: &Value) -> Result<NoticeKind, Faulty> {
    let reason = "is none of secret.expiring, client.expiring";
    one_of(value, &NoticeKind::ALL, NoticeKind::as_str, reason)
}

pub(super) fn delivery_state(value: &Value) -> Result<DeliveryState, Faulty> {
    let reason = "is none of none, waiting, delivered, given_up";
    one_of(value, &DeliveryState::ALL, DeliveryState::as_str, reason)
}

/// Which kind of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A partner's.
    Partner,
    /// An API's.
    ResourceServer,
}

pub(super) fn kind(value: &Value) -> Result<Kind, Faulty> {
    let word = |kind| match kind {
        Kind::Partner => "partner",
        Kind::ResourceServer => "resource_server",
    };
    one_of(
        value,
        &[Kind::Partner, Kind::ResourceServer],
        word,
        "is none of partner, resource_server",
    )
}

/// Which access level, without its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// All under the ceiling.
    Full,
    /// A list.
    FineGrained,
}

pub(super) fn level(value: &Value) -> Result<Level, Faulty> {
    let word = |level| match level {
        Level::Full => "full",
        Level::FineGrained => "fine_grained",
    };
    one_of(
        value,
        &[Level::Full, Level::FineGrained],
        word,
        "is none of full, fine_grained",
    )
}

pub(super) fn order(value: &Value) -> Result<Order, Faulty> {
    let word = |order| match order {
        Order::OldestFirst => "oldest_first",
        Order::NewestFirst => "newest_first",
    };
    one_of(
        value,
        &[Order::OldestFirst, Order::NewestFirst],
        word,
        "is none of oldest_first, newest_first",
    )
}

pub(super) fn granularity(value: &Value) -> Result<Granularity, Faulty> {
    let reason = "is none of hour, day, month";
    one_of(value, &Granularity::ALL, Granularity::as_str, reason)
}

pub(super) fn usage_group(value: &Value) -> Result<UsageGroup, Faulty> {
    let reason = "is none of environment, partner, client, scope";
    one_of(value, &UsageGroup::ALL, UsageGroup::as_str, reason)
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Pages of JSON.
    Json,
    /// For spreadsheets.
    Csv,
}

pub(super) fn format(value: &Value) -> Result<Format, Faulty> {
    let word = |format| match format {
        Format::Json => "json",
        Format::Csv => "csv",
    };
    one_of(value, &[Format::Json, Format::Csv], word, "is none of json, csv")
}
