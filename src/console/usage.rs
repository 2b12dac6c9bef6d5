//! The usage of one client, or of one partner: a part of their pages.

use askama::Template;
use askama::filters::HtmlSafe;

use super::graph::{Graph, Reach};
use super::trouble::Trouble;
use super::visit::Visit;
use super::words;
use crate::domain::{Client, Environment, PartnerId, Seconds, TokenRefusal};
use crate::office::UsageQuestion;
use crate::store::{Page, UsageGroup, UsageRow};

/// What happened in the last thirty days.
#[derive(Template)]
#[template(path = "usage.html")]
pub(super) struct Usage {
    /// For each environment there is one of, those where something happened.
    graphs: Vec<(&'static str, Graph)>,
    /// Refusals by reason, the most frequent first; of a client only.
    reasons: Vec<(&'static str, String)>,
}

/// It escapes what it is made of.
impl HtmlSafe for Usage {}

/// Rows of `reach` summed by environment: two for each of its columns at the most.
pub(super) async fn rows(visit: &Visit, reach: Reach, question: UsageQuestion) -> Result<Vec<UsageRow>, Trouble> {
    let now = visit.now();
    let question = UsageQuestion {
        granularity: reach.granularity(),
        group: UsageGroup::Environment,
        from: Some(reach.from(now)),
        // What begins now belongs to it too.
        until: Some(now + Seconds(1)),
        ..question
    };
    let columns = u16::try_from(reach.columns()).unwrap_or(u16::MAX);
    Ok(visit
        .office()
        .usage(visit.who(), question, Page::first(2 * columns))
        .await?)
}

/// Everything, everywhere.
pub(super) fn whole() -> UsageQuestion {
    let reach = Reach::LastMonth;
    UsageQuestion {
        granularity: reach.granularity(),
        group: UsageGroup::Environment,
        from: None,
        until: None,
        environment: None,
        partner_id: None,
        client_id: None,
    }
}

/// That of a client.
pub(super) async fn of_client(visit: &Visit, client: &Client) -> Result<Usage, Trouble> {
    let question = UsageQuestion {
        client_id: Some(client.client_id.clone()),
        ..whole()
    };
    let rows = rows(visit, Reach::LastMonth, question).await?;
    Ok(Usage {
        graphs: graphs(&rows, visit, client.name.as_str()),
        reasons: reasons(&rows),
    })
}

/// That of a partner's clients, without its sub-accounts'.
pub(super) async fn of_partner(visit: &Visit, partner_id: &PartnerId) -> Result<Usage, Trouble> {
    let question = UsageQuestion {
        partner_id: Some(partner_id.clone()),
        ..whole()
    };
    let rows = rows(visit, Reach::LastMonth, question).await?;
    Ok(Usage {
        graphs: graphs(&rows, visit, partner_id.as_str()),
        reasons: Vec::new(),
    })
}

fn graphs(rows: &[UsageRow], visit: &Visit, whose: &str) -> Vec<(&'static str, Graph)> {
    let graph = |environment: Environment| {
        let title = words::title(&environment);
        let of = format!("of {whose} in {title}");
        let graph = Graph::of(&of_environment(rows, environment), (Reach::LastMonth, visit.now()), &of);
        (!graph.is_empty()).then_some((title, graph))
    };
    Environment::ALL.into_iter().filter_map(graph).collect()
}

/// Those of one environment.
pub(super) fn of_environment(rows: &[UsageRow], environment: Environment) -> Vec<UsageRow> {
    let there = rows.iter().filter(|row| row.place.environment == environment);
    there.cloned().collect()
}

fn reasons(rows: &[UsageRow]) -> Vec<(&'static str, String)> {
    let count = |refusal: TokenRefusal| {
        let counts = rows.iter().map(|row| row.refused[refusal as usize]);
        (refusal.as_str(), counts.fold(0, u64::saturating_add))
    };
    let mut counts: Vec<(&str, u64)> = TokenRefusal::ALL
        .into_iter()
        .map(count)
        .filter(|(_, number)| *number > 0)
        .collect();
    counts.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    counts
        .into_iter()
        .map(|(word, number)| (word, words::number(number)))
        .collect()
}
