//! `/admin/v1/notices`.

use actix_web::HttpResponse;

use super::call::Call;
use super::fields::{Members, text};
use super::paging::Asked;
use super::problem::Problem;
use super::words::{delivery_state, notice_kind, order};
use crate::domain::KeptNotice;
use crate::store::NoticeFilter;

pub(super) async fn list_all(call: Call) -> Result<HttpResponse, Problem> {
    let (asked, filter) = call.query(|query| {
        let (asked, filter) = (Asked::read(query), filter(query));
        asked.zip(filter)
    })?;
    let notices = call.office.notices(&call.who, filter, asked.page()).await?;
    Ok(asked.answer(notices, |kept: &KeptNotice| kept.notice.notice_id.clone()))
}

fn filter(query: &mut Members) -> Option<NoticeFilter> {
    let kind = query.optional("kind", notice_kind);
    let environment = query.optional("environment", text);
    let partner_id = query.optional("partner_id", text);
    let client_id = query.optional("client_id", text);
    let delivery = query.optional("delivery", delivery_state);
    let order = query.optional("order", order);
    Some(NoticeFilter {
        kind: kind?,
        environment: environment?,
        partner_id: partner_id?,
        client_id: client_id?,
        delivery: delivery?,
        order: order?.unwrap_or_default(),
    })
}
