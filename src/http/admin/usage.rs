//! `/admin/v1/usage`: pages of JSON as every list has them, or CSV for spreadsheets.

use std::collections::BTreeMap;

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use url::form_urlencoded;

use super::call::Call;
use super::fields::{Members, text};
use super::paging::Asked;
use super::problem::Problem;
use super::words::{Format, format, granularity, usage_group};
use crate::domain::{ClientId, CountedScope, Environment, Granularity, PartnerId, Timestamp, TokenRefusal};
use crate::office::{UsageQuestion, usage_spreadsheet};
use crate::store::{UsageGroup, UsagePlace, UsageRow};

/// How many rows one answer in CSV has at the most.
const MOST_CSV_ROWS: u16 = 10_000;

/// A row of usage as it is shown.
#[derive(Serialize)]
struct View {
    begins: Timestamp,
    environment: Environment,
    partner_id: Option<PartnerId>,
    client_id: Option<ClientId>,
    scope: Option<CountedScope>,
    issued: u64,
    refused: u64,
    /// Those that happened.
    refusals: BTreeMap<&'static str, u64>,
}

impl From<UsageRow> for View {
    fn from(row: UsageRow) -> Self {
        let happened = |refusal: TokenRefusal| (refusal.as_str(), row.refused[refusal as usize]);
        let refusals = TokenRefusal::ALL.into_iter().map(happened);
        Self {
            refused: row.refused_in_all(),
            refusals: refusals.filter(|(_, requests)| *requests > 0).collect(),
            begins: row.place.begins,
            environment: row.place.environment,
            partner_id: row.place.partner_id,
            client_id: row.place.client_id,
            scope: row.place.scope,
            issued: row.issued,
        }
    }
}

impl View {
    fn place(&self) -> UsagePlace {
        UsagePlace {
            begins: self.begins,
            environment: self.environment,
            partner_id: self.partner_id.clone(),
            client_id: self.client_id.clone(),
            scope: self.scope.clone(),
        }
    }
}

pub(super) async fn list_all(call: Call) -> Result<HttpResponse, Problem> {
    let accepts_csv = accepts_csv(call.request.headers());
    let (question, asked, format) = call.query(|query| {
        let format = query.optional("format", format);
        let negotiated = if accepts_csv { Format::Csv } else { Format::Json };
        let format = format.map(|named| named.unwrap_or(negotiated));
        if format == Some(Format::Csv) {
            query.refuse_all(
                &["limit"],
                "is for pages of JSON: an answer in CSV has up to 10000 rows",
            );
        }
        let (question, asked) = (question(query), Asked::read(query));
        Some((question?, asked?, format?))
    })?;
    let asked = match format {
        Format::Json => asked,
        Format::Csv => asked.of(MOST_CSV_ROWS),
    };
    let rows = call.office.usage(&call.who, question, asked.page()).await?;
    match format {
        Format::Json => {
            let rows = rows.into_iter().map(View::from).collect();
            Ok(asked.answer(rows, View::place))
        }
        Format::Csv => {
            let (rows, next) = asked.piece(rows, |row| row.place.clone());
            Ok(spreadsheet(&call.request, &rows, next))
        }
    }
}

fn question(query: &mut Members) -> Option<UsageQuestion> {
    let granularity = query.optional("granularity", granularity);
    let group = query.optional("group_by", usage_group);
    let from = query.optional("from", text);
    let until = query.optional("to", text);
    let environment = query.optional("environment", text);
    let partner_id = query.optional("partner_id", text);
    let client_id = query.optional("client_id", text);
    Some(UsageQuestion {
        granularity: granularity?.unwrap_or(Granularity::Day),
        group: group?.unwrap_or(UsageGroup::Client),
        from: from?,
        until: until?,
        environment: environment?,
        partner_id: partner_id?,
        client_id: client_id?,
    })
}

/// Whether CSV is among what the caller reads (RFC 9110 §12.5.1). Who reads both says which by `format`.
fn accepts_csv(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let essence = range.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("text/csv")
    })
}

/// An answer in CSV (RFC 4180). Where there are more rows, `Link` leads to them (RFC 8288).
fn spreadsheet(request: &HttpRequest, rows: &[UsageRow], next: Option<String>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\""))
        .content_type("text/csv; charset=utf-8; header=present");
    if let Some(cursor) = next {
        answer.insert_header((header::LINK, link(request, &cursor)));
    }
    answer.body(usage_spreadsheet(rows))
}

/// The same request from `cursor` on, in CSV however this one asked for it.
fn link(request: &HttpRequest, cursor: &str) -> HeaderValue {
    let given = form_urlencoded::parse(request.query_string().as_bytes());
    let others = given.filter(|(name, _)| name != "cursor" && name != "format");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(others)
        .append_pair("format", "csv")
        .append_pair("cursor", cursor)
        .finish();
    let link = format!("<{}?{query}>; rel=\"next\"", request.path());
    HeaderValue::from_str(&link).expect("a form-encoded query is visible ASCII")
}
