//! `/console/clients`: every client there is, whoever it belongs to.

use actix_web::HttpResponse;
use askama::Template;

use super::chrome::{Chrome, Section};
use super::list::{self, Leaf, Way};
use super::page;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::domain::{Client, ClientId, ClientStatus, Environment, PartnerId, Search};
use crate::http::admin::client_status;
use crate::http::admin::fields::text;
use crate::store::ClientFilter;

#[derive(Template)]
#[template(path = "clients.html")]
struct List {
    chrome: Chrome,
    leaf: Leaf<Client>,
    filter: ClientFilter,
}

/// All of them, page by page.
pub(super) async fn show(visit: Visit) -> Result<HttpResponse, Trouble> {
    let (filter, after) = visit.query(&["environment", "status", "search", "partner_id", "after"], |query| {
        let partner_id = query.optional("partner_id", text);
        let environment = query.optional("environment", text);
        let status = query.optional("status", client_status);
        let search = query.optional("search", text);
        let after = query.optional("after", text::<ClientId>);
        let filter = ClientFilter {
            environment: environment?,
            status: status?,
            search: search?,
            partner_id: partner_id?,
            ..ClientFilter::default()
        };
        Some((filter, after?))
    })?;
    let is_first = after.is_none();
    let clients = visit
        .office()
        .clients(visit.who(), filter.clone(), list::piece(after))
        .await?;
    let filters = [
        ("environment", filter.environment.map(Environment::as_str)),
        ("status", filter.status.map(ClientStatus::as_str)),
        ("search", filter.search.as_ref().map(Search::as_str)),
        ("partner_id", filter.partner_id.as_ref().map(PartnerId::as_str)),
    ];
    let way = Way::new(Section::Clients.path(), &filters);
    Ok(page::shown(&List {
        chrome: Chrome::new(&visit, Some(Section::Clients)),
        leaf: Leaf::new(clients, is_first, &way, |client| client.client_id.to_string()),
        filter,
    }))
}
