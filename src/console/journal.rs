//! `/console/journal`: who changed what, and whether it stands as it was written.

use actix_web::HttpResponse;
use askama::Template;
use url::form_urlencoded::Serializer;

use super::chrome::{Chrome, Section};
use super::trouble::Trouble;
use super::visit::Visit;
use super::{file, page};
use crate::domain::{Action, BrokenChain, Environment, Epoch, Noun, PartnerId};
use crate::http::admin::fields::text;
use crate::http::admin::journal_filter;
use crate::http::admin::problem::Problem;
use crate::office::{CheckedRow, journal_spreadsheet};
use crate::store::{JournalFilter, Order, Page as Piece};

/// How many lines a page has.
const LINES: u16 = 50;
/// How many rows a file has at the most.
const MOST_FILED: u16 = 10_000;

/// Which rows somebody asks for, the newest first.
struct Asked {
    filter: JournalFilter,
    /// Older than this one.
    before: Option<Epoch>,
}

impl Asked {
    fn read(visit: &Visit) -> Result<Self, Problem> {
        const NAMES: [&str; 6] = ["action", "noun", "subject", "partner_id", "environment", "before"];
        visit.query(&NAMES, |query| {
            let filter = journal_filter(query);
            let before = query.optional("before", text::<Epoch>);
            Some(Self {
                filter: JournalFilter {
                    order: Order::NewestFirst,
                    ..filter?
                },
                before: before?,
            })
        })
    }

    fn piece(&self, limit: u16) -> Piece<Epoch> {
        Piece {
            after: self.before,
            limit,
        }
    }

    /// The query string that asks for the same from `before` on.
    fn query(&self, before: Option<Epoch>) -> String {
        let filter = &self.filter;
        let pairs = [
            ("action", filter.action.map(|action| action.as_str().to_owned())),
            ("noun", filter.noun.map(|noun| noun.as_str().to_owned())),
            ("subject", filter.subject.clone()),
            ("partner_id", filter.partner_id.as_ref().map(ToString::to_string)),
            (
                "environment",
                filter.environment.map(|environment| environment.to_string()),
            ),
            ("before", before.map(|epoch| epoch.to_string())),
        ];
        let given = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Serializer::new(String::new()).extend_pairs(given).finish()
    }
}

#[derive(Template)]
#[template(path = "journal.html")]
struct List {
    chrome: Chrome,
    asked: Asked,
    rows: Vec<CheckedRow>,
    /// How many of them are not as they were written.
    broken: usize,
    cut_off: Option<BrokenChain>,
    /// The query string of the next page, where there is one.
    next: Option<String>,
    /// The query string of what is shown and what is older.
    file: String,
}

impl List {
    fn is_action(&self, word: &str) -> bool {
        self.asked.filter.action.is_some_and(|action| action.as_str() == word)
    }

    fn is_noun(&self, word: &str) -> bool {
        self.asked.filter.noun.is_some_and(|noun| noun.as_str() == word)
    }

    fn is_environment(&self, word: &str) -> bool {
        let environment = self.asked.filter.environment;
        environment.is_some_and(|environment| environment.as_str() == word)
    }

    fn subject(&self) -> &str {
        self.asked.filter.subject.as_deref().unwrap_or_default()
    }

    fn partner_id(&self) -> &str {
        let partner_id = self.asked.filter.partner_id.as_ref();
        partner_id.map_or("", PartnerId::as_str)
    }
}

/// Its rows, the newest first, each held against the one before it.
pub(super) async fn list_all(visit: Visit) -> Result<HttpResponse, Trouble> {
    let asked = Asked::read(&visit)?;
    let piece = asked.piece(LINES + 1);
    let checked = visit
        .office()
        .checked_journal(visit.who(), asked.filter.clone(), piece)
        .await?;
    let mut rows = checked.rows;
    let is_more = rows.len() > usize::from(LINES);
    rows.truncate(LINES.into());
    let last = rows.last().filter(|_| is_more).map(|row| row.entry.epoch);
    Ok(page::shown(&List {
        chrome: Chrome::new(&visit, Some(Section::Journal)),
        broken: rows.iter().filter(|row| row.broken.is_some()).count(),
        rows,
        cut_off: checked.cut_off,
        next: last.map(|epoch| asked.query(Some(epoch))),
        file: asked.query(asked.before),
        asked,
    }))
}

#[derive(Template)]
#[template(path = "journal_row.html")]
struct Shown {
    chrome: Chrome,
    row: CheckedRow,
    /// What it became, a member on each line.
    detail: String,
    /// The query string of all rows about the same thing.
    history: String,
    next: Option<Epoch>,
}

/// One row.
pub(super) async fn show(visit: Visit) -> Result<HttpResponse, Trouble> {
    let epoch: Epoch = visit.path("epoch")?;
    let row = visit.office().checked_row(visit.who(), epoch).await?;
    let row = row.ok_or(Problem::NoSuchPath)?;
    let head = visit.office().journal_head(visit.who()).await?;
    Ok(page::shown(&Shown {
        chrome: Chrome::new(&visit, Some(Section::Journal)),
        detail: spread(&row.entry.detail),
        history: history_of(row.entry.noun, &row.entry.subject),
        next: (epoch < head.epoch).then(|| epoch.next()),
        row,
    }))
}

/// The query string of all rows about one thing.
fn history_of(noun: Noun, subject: &str) -> String {
    let mut query = Serializer::new(String::new());
    query
        .append_pair("noun", noun.as_str())
        .append_pair("subject", subject)
        .finish()
}

impl Shown {
    /// The row before it, if there can be one.
    fn previous(&self) -> Option<i64> {
        Some(self.row.entry.epoch.get() - 1).filter(|number| *number > 0)
    }
}

/// JSON with a member on each line; what is none stays as it is.
fn spread(detail: &str) -> String {
    let read: Result<serde_json::Value, _> = serde_json::from_str(detail);
    let spread = read.and_then(|value| serde_json::to_string_pretty(&value));
    spread.unwrap_or_else(|_| detail.to_owned())
}

/// Its rows as a file, the newest first.
pub(super) async fn save(visit: Visit) -> Result<HttpResponse, Trouble> {
    let asked = Asked::read(&visit)?;
    let piece = asked.piece(MOST_FILED);
    let rows = visit.office().journal(visit.who(), asked.filter, piece).await?;
    let name = match (rows.last(), rows.first()) {
        (Some(oldest), Some(newest)) => format!("journal-{}-{}.csv", oldest.epoch, newest.epoch),
        _ => "journal.csv".to_owned(),
    };
    Ok(file::spreadsheet(&name, journal_spreadsheet(&rows)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_shown_as_it_is() {
        assert_eq!(spread("{\"a\":[1]}"), "{\n  \"a\": [\n    1\n  ]\n}");
        assert_eq!(spread("somebody else"), "somebody else");
    }
}
