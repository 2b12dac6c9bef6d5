//! `/console/partners`: the companies that integrate.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::chrome::{Chrome, Section};
use super::faults::Faults;
use super::form::Form;
use super::list::{self, Leaf, Way};
use super::standing::Standing;
use super::trouble::Trouble;
use super::usage::Usage;
use super::visit::Visit;
use super::{page, usage};
use crate::domain::{
    Client, ClientStatus, Environment, JournalEntry, Partner, PartnerId, PartnerStatus, QuotaMode, Role, Search,
};
use crate::http::admin::fields::text;
use crate::http::admin::{new_partner, partner_status};
use crate::office::Created;
use crate::store::{ClientFilter, JournalFilter, Order, Page as Piece, PartnerFilter};

/// How many rows of the journal the page of a partner shows.
const RECENT: u16 = 10;

#[derive(Template)]
#[template(path = "partners.html")]
struct List {
    chrome: Chrome,
    leaf: Leaf<Partner>,
    filter: PartnerFilter,
}

/// All of them, page by page.
pub(super) async fn list_all(visit: Visit) -> Result<HttpResponse, Trouble> {
    let (filter, after) = visit.query(&["status", "search", "parent", "after"], |query| {
        let parent = query.optional("parent", text);
        let status = query.optional("status", partner_status);
        let search = query.optional("search", text);
        let after = query.optional("after", text::<PartnerId>);
        let filter = PartnerFilter {
            status: status?,
            search: search?,
            parent: parent?,
        };
        Some((filter, after?))
    })?;
    let is_first = after.is_none();
    let partners = visit
        .office()
        .partners(visit.who(), filter.clone(), list::piece(after))
        .await?;
    let filters = [
        ("status", filter.status.map(PartnerStatus::as_str)),
        ("search", filter.search.as_ref().map(Search::as_str)),
        ("parent", filter.parent.as_ref().map(PartnerId::as_str)),
    ];
    let way = Way::new(Section::Partners.path(), &filters);
    Ok(page::shown(&List {
        chrome: Chrome::new(&visit, Some(Section::Partners)),
        leaf: Leaf::new(partners, is_first, &way, |partner| partner.partner_id.to_string()),
        filter,
    }))
}

#[derive(Template)]
#[template(path = "partner_new.html")]
struct New<'a> {
    chrome: Chrome,
    form: &'a Form,
    faults: Faults,
    once: String,
}

/// The form for a new one.
pub(super) async fn new(visit: Visit) -> Result<HttpResponse, Trouble> {
    Ok(page::shown(&form_of(&visit, Faults::default())))
}

fn form_of(visit: &Visit, faults: Faults) -> New<'_> {
    New {
        chrome: Chrome::new(visit, Some(Section::Partners)),
        form: &visit.form,
        faults,
        once: visit.once(),
    }
}

/// Registers one.
pub(super) async fn register(mut visit: Visit) -> Result<HttpResponse, Trouble> {
    visit.form.split("scope_ceiling");
    let members = visit
        .form
        .members(&["partner_id", "name", "parent"], &["scope_ceiling"]);
    let registered = match members.read(new_partner) {
        Ok(new) => {
            let registered = visit.office().register_partner(visit.who(), visit.creation()?, new);
            registered.await.map_err(Into::into)
        }
        Err(problem) => Err(problem),
    };
    match registered {
        Ok(Created::Now(partner) | Created::Before(partner)) => Ok(page::see(&path_of(&partner.partner_id))),
        Err(problem) => {
            let again = form_of(&visit, Faults::of(problem)?);
            Ok(page::with_status(StatusCode::BAD_REQUEST, &again))
        }
    }
}

/// Where the page of a partner is.
pub(super) fn path_of(partner_id: &PartnerId) -> String {
    format!("/console/partners/{partner_id}")
}

#[derive(Template)]
#[template(path = "partner.html")]
struct Shown {
    chrome: Chrome,
    partner: Partner,
    sub_accounts: Leaf<Partner>,
    clients: Vec<(Environment, Leaf<Client>)>,
    usage: Usage,
    journal: Vec<JournalEntry>,
    standing: Standing,
}

/// The first clients of a partner in an environment.
async fn clients_in(visit: &Visit, partner_id: &PartnerId, environment: Environment) -> Result<Leaf<Client>, Trouble> {
    let own = ClientFilter {
        environment: Some(environment),
        partner_id: Some(partner_id.clone()),
        ..ClientFilter::default()
    };
    let filters = [
        ("environment", Some(environment.as_str())),
        ("partner_id", Some(partner_id.as_str())),
    ];
    let clients = visit.office().clients(visit.who(), own, list::some()).await?;
    Ok(Leaf::beginning(clients, &Way::new(Section::Clients.path(), &filters)))
}

/// The first sub-accounts of a partner.
async fn sub_accounts_of(visit: &Visit, partner_id: &PartnerId) -> Result<Leaf<Partner>, Trouble> {
    let below = PartnerFilter {
        parent: Some(partner_id.clone()),
        ..PartnerFilter::default()
    };
    let way = Way::new(Section::Partners.path(), &[("parent", Some(partner_id.as_str()))]);
    let partners = visit.office().partners(visit.who(), below, list::some()).await?;
    Ok(Leaf::beginning(partners, &way))
}

/// One of them.
pub(super) async fn show(visit: Visit) -> Result<HttpResponse, Trouble> {
    let partner_id: PartnerId = visit.path("partner_id")?;
    let (office, who) = (visit.office(), visit.who());
    let partner = office.partner(who, partner_id.clone()).await?;
    let mut clients = Vec::new();
    for environment in Environment::ALL {
        clients.push((environment, clients_in(&visit, &partner_id, environment).await?));
    }
    let sub_accounts = sub_accounts_of(&visit, &partner_id).await?;
    let about = JournalFilter {
        partner_id: Some(partner_id),
        order: Order::NewestFirst,
        ..JournalFilter::default()
    };
    Ok(page::shown(&Shown {
        chrome: Chrome::new(&visit, Some(Section::Partners)),
        standing: Standing::of_partner(&visit, &partner).await?,
        usage: usage::of_partner(&visit, &partner.partner_id).await?,
        partner,
        sub_accounts,
        clients,
        journal: office.journal(who, about, Piece::first(RECENT)).await?,
    }))
}

/// Stops all clients of one.
pub(super) async fn suspend(visit: Visit) -> Result<HttpResponse, Trouble> {
    let partner_id: PartnerId = visit.path("partner_id")?;
    visit.confirmed(partner_id.as_str())?;
    let errand = visit.change()?;
    visit
        .office()
        .suspend_partner(visit.who(), errand, partner_id.clone())
        .await?;
    Ok(page::see(&path_of(&partner_id)))
}

/// Lets them go on.
pub(super) async fn reinstate(visit: Visit) -> Result<HttpResponse, Trouble> {
    let partner_id: PartnerId = visit.path("partner_id")?;
    let errand = visit.change()?;
    visit
        .office()
        .reinstate_partner(visit.who(), errand, partner_id.clone())
        .await?;
    Ok(page::see(&path_of(&partner_id)))
}
