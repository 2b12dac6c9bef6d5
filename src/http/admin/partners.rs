//! `/admin/v1/partners`.

use actix_web::HttpResponse;

use super::answer::{created, shown};
use super::call::Call;
use super::fields::{Members, list, text};
use super::limits::plan;
use super::paging::Asked;
use super::problem::Problem;
use super::words::partner_status;
use crate::domain::{MOST_SCOPE_TOKENS, Partner, PartnerId, ScopeToken};
use crate::office::{NewPartner, PartnerChange};
use crate::store::PartnerFilter;

pub(super) async fn list_all(call: Call) -> Result<HttpResponse, Problem> {
    let (filter, asked) = call.query(|query| {
        let asked = Asked::read(query);
        let status = query.optional("status", partner_status);
        let parent = query.optional("parent", text);
        let search = query.optional("search", text);
        let filter = PartnerFilter {
            status: status?,
            parent: parent?,
            search: search?,
        };
        Some((filter, asked?))
    })?;
    let partners = call.office.partners(&call.who, filter, asked.page()).await?;
    Ok(asked.answer(partners, |partner: &Partner| partner.partner_id.clone()))
}

pub(super) async fn register(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let errand = call.creation()?;
    let new = call.body(new_partner)?;
    let partner = call.office.register_partner(&call.who, errand, new).await?;
    let (version, location) = (
        partner.thing().version,
        format!("/partners/{}", partner.thing().partner_id),
    );
    Ok(created(&partner, version, &location))
}

/// The members of a partner to register.
pub(crate) fn new_partner(body: &mut Members) -> Option<NewPartner> {
    let partner_id = body.required("partner_id", text);
    let name = body.required("name", text);
    let scope_ceiling = body.optional("scope_ceiling", list::<MOST_SCOPE_TOKENS, ScopeToken, _>);
    let parent = body.nullable("parent", text);
    let plan = body.nullable("plan", plan);
    Some(NewPartner {
        partner_id: partner_id?,
        name: name?,
        scope_ceiling: scope_ceiling?.unwrap_or_default(),
        parent: parent?,
        plan: plan?,
    })
}

pub(super) async fn show(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let partner = call.office.partner(&call.who, call.path("partner_id")?).await?;
    Ok(shown(&partner, partner.version))
}

pub(super) async fn change(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let partner_id: PartnerId = call.path("partner_id")?;
    let errand = call.change()?;
    let change = call.body(|body| partner_change(body, partner_id))?;
    let partner = call.office.change_partner(&call.who, errand, change).await?;
    Ok(shown(&partner, partner.version))
}

/// The members of a change of a partner.
pub(crate) fn partner_change(body: &mut Members, partner_id: PartnerId) -> Option<PartnerChange> {
    let name = body.optional("name", text);
    let scope_ceiling = body.optional("scope_ceiling", list::<MOST_SCOPE_TOKENS, ScopeToken, _>);
    let plan = body.change("plan", plan);
    Some(PartnerChange {
        partner_id,
        name: name?,
        scope_ceiling: scope_ceiling?,
        plan: plan?,
    })
}

pub(super) async fn suspend(call: Call) -> Result<HttpResponse, Problem> {
    let (errand, partner_id) = (call.bare_action()?, call.path("partner_id")?);
    let partner = call.office.suspend_partner(&call.who, errand, partner_id).await?;
    Ok(shown(&partner, partner.version))
}

pub(super) async fn reinstate(call: Call) -> Result<HttpResponse, Problem> {
    let (errand, partner_id) = (call.bare_action()?, call.path("partner_id")?);
    let partner = call.office.reinstate_partner(&call.who, errand, partner_id).await?;
    Ok(shown(&partner, partner.version))
}
