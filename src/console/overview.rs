//! `/console`: what happens, and what needs attention.

use actix_web::HttpResponse;
use askama::Template;

use super::attention::{self, Group};
use super::chrome::{Chrome, Section};
use super::graph::{Graph, Reach};
use super::trouble::Trouble;
use super::usage;
use super::visit::Visit;
use super::{page, words};
use crate::domain::{ClientStatus, Environment};
use crate::http::admin::fields::text;
use crate::store::{ClientCount, UsageRow};

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    chrome: Chrome,
    figures: Vec<Figures>,
    groups: Vec<Group>,
    /// Of which environment the graphs are.
    environment: Environment,
    day: Graph,
    month: Graph,
}

/// One environment in numbers.
struct Figures {
    environment: Environment,
    clients: String,
    suspended: String,
    tokens: String,
    refusals: String,
}

impl Figures {
    fn of(environment: Environment, counts: &[ClientCount], rows: &[UsageRow]) -> Self {
        let clients = |status| {
            let alike = |count: &&ClientCount| (count.environment, count.status) == (environment, status);
            words::number(counts.iter().filter(alike).map(|count| count.clients).sum())
        };
        let there = || rows.iter().filter(|row| row.place.environment == environment);
        Self {
            environment,
            clients: clients(ClientStatus::Active),
            suspended: clients(ClientStatus::Suspended),
            tokens: words::number(there().map(|row| row.issued).fold(0, u64::saturating_add)),
            refusals: words::number(there().map(UsageRow::refused_in_all).fold(0, u64::saturating_add)),
        }
    }
}

impl Page {
    fn is_drawn(&self, word: &str) -> bool {
        self.environment.as_str() == word
    }
}

/// The page.
pub(super) async fn show(visit: Visit) -> Result<HttpResponse, Trouble> {
    let environment = visit.query(&["environment"], |query| {
        query.optional("environment", text::<Environment>)
    })?;
    let environment = environment.unwrap_or(Environment::Production);
    let by_hour = usage::rows(&visit, Reach::LastDay, usage::whole()).await?;
    let by_day = usage::rows(&visit, Reach::LastMonth, usage::whole()).await?;
    let counts = visit.office().client_counts(visit.who()).await?;
    let of = format!("in {}", words::title(&environment));
    let graph = |rows: &[UsageRow], reach| {
        let rows = usage::of_environment(rows, environment);
        Graph::of(&rows, (reach, visit.now()), &of)
    };
    Ok(page::shown(&Page {
        figures: Environment::ALL.map(|each| Figures::of(each, &counts, &by_hour)).into(),
        groups: attention::groups(&visit).await?,
        environment,
        day: graph(&by_hour, Reach::LastDay),
        month: graph(&by_day, Reach::LastMonth),
        chrome: Chrome::new(&visit, Some(Section::Overview)),
    }))
}
