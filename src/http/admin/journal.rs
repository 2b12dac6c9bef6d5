//! `/admin/v1/journal`.

use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::{Serialize, Serializer};

use super::answer::json;
use super::call::Call;
use super::fields::{Members, text};
use super::paging::Asked;
use super::problem::Problem;
use super::words::{noun, order};
use crate::domain::{
    Action, ChainHash, Environment, Epoch, Invalid, JournalEntry, Milliseconds, Noun, PartnerId, RequestId,
};
use crate::store::JournalFilter;

/// The longest id a journal row is about, in characters.
const LONGEST_SUBJECT: usize = 128;

/// A row of the journal as it is shown: the time in words, the detail letter by letter as the hash covers it.
#[derive(Serialize)]
struct View {
    epoch: Epoch,
    #[serde(serialize_with = "in_words")]
    at: Milliseconds,
    actor: String,
    action: Action,
    noun: Noun,
    subject: String,
    partner_id: Option<PartnerId>,
    environment: Option<Environment>,
    detail: String,
    request_id: Option<RequestId>,
    previous_hash: ChainHash,
    hash: ChainHash,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn in_words<S: Serializer>(at: &Milliseconds, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

impl From<JournalEntry> for View {
    fn from(entry: JournalEntry) -> Self {
        Self {
            epoch: entry.epoch,
            at: entry.at,
            actor: entry.actor,
            action: entry.action,
            noun: entry.noun,
            subject: entry.subject,
            partner_id: entry.partner_id,
            environment: entry.environment,
            detail: entry.detail,
            request_id: entry.request_id,
            previous_hash: entry.previous_hash,
            hash: entry.hash,
        }
    }
}

/// The id of whatever a row is about.
struct Subject(String);

impl FromStr for Subject {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if (1..=LONGEST_SUBJECT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("is not an identifier"))
        }
    }
}

pub(super) async fn list_all(call: Call) -> Result<HttpResponse, Problem> {
    let (asked, filter) = call.query(|query| {
        let (asked, filter) = (Asked::read(query), filter(query));
        asked.zip(filter)
    })?;
    let rows = call.office.journal(&call.who, filter, asked.page()).await?;
    let rows = rows.into_iter().map(View::from).collect();
    Ok(asked.answer(rows, |row: &View| row.epoch))
}

/// Which rows somebody asks for.
pub(crate) fn filter(query: &mut Members) -> Option<JournalFilter> {
    let action = query.optional("action", text);
    let noun = query.optional("noun", noun);
    let subject = query.optional("subject", text::<Subject>);
    let partner_id = query.optional("partner_id", text);
    let environment = query.optional("environment", text);
    let order = query.optional("order", order);
    Some(JournalFilter {
        action: action?,
        noun: noun?,
        subject: subject?.map(|subject| subject.0),
        partner_id: partner_id?,
        environment: environment?,
        order: order?.unwrap_or_default(),
    })
}

pub(super) async fn head(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let head = call.office.journal_head(&call.who).await?;
    Ok(json(StatusCode::OK, &head))
}

pub(super) async fn show(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let row = call.office.journal_row(&call.who, call.path("epoch")?).await?;
    let row = row.ok_or(Problem::NoSuchPath)?;
    Ok(json(StatusCode::OK, &View::from(row)))
}
