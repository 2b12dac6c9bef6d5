//! `/admin/v1/partners/{partner_id}/quota` and `/admin/v1/clients/{client_id}/quota`.

use actix_web::HttpResponse;

use super::call::Call;
use super::paging::whole;
use super::problem::Problem;

pub(super) async fn of_partner(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let standings = call.office.partner_quotas(&call.who, call.path("partner_id")?).await?;
    Ok(whole(standings))
}

pub(super) async fn of_client(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let standings = call.office.client_quotas(&call.who, call.path("client_id")?).await?;
    Ok(whole(standings))
}
