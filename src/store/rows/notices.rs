//! Rows of notices, and of what they are about.

use diesel::prelude::*;

use super::Columns;
use crate::domain::{
    Delivery, DeliveryState, Ending, Environment, KeptNotice, Notice, NoticeKind, NoticeSubject, Threshold,
};
use crate::store::StoreError;
use crate::store::schema::notices;

const COLUMNS: Columns = Columns("notices");

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = notices, treat_none_as_default_value = false)]
pub(in crate::store) struct NoticeRow {
    pub(in crate::store) notice_id: String,
    kind: String,
    subject: String,
    environment: String,
    partner_id: Option<String>,
    client_id: String,
    days: i64,
    expires_at: i64,
    raised_at: i64,
    #[diesel(embed)]
    pub(in crate::store) delivery: DeliveryRow,
}

/// How far the sending has come: the part of a row that changes.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = notices, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(in crate::store) struct DeliveryRow {
    delivery: String,
    pub(in crate::store) attempts: i64,
    next_attempt_at: Option<i64>,
    settled_at: Option<i64>,
}

impl From<&KeptNotice> for NoticeRow {
    fn from(kept: &KeptNotice) -> Self {
        let notice = &kept.notice;
        Self {
            notice_id: notice.notice_id.to_string(),
            kind: notice.subject.kind().as_str().to_owned(),
            subject: notice.ending().subject_id().to_owned(),
            environment: notice.environment.as_str().to_owned(),
            partner_id: notice.partner_id.clone().map(String::from),
            client_id: notice.client_id.to_string(),
            days: notice.threshold.days().into(),
            expires_at: notice.expires_at.seconds(),
            raised_at: notice.raised_at.seconds(),
            delivery: kept.delivery.into(),
        }
    }
}

impl TryFrom<NoticeRow> for KeptNotice {
    type Error = StoreError;

    fn try_from(row: NoticeRow) -> Result<Self, StoreError> {
        let kind = COLUMNS.word("kind", &row.kind, (&NoticeKind::ALL, NoticeKind::as_str))?;
        let threshold = Threshold::ALL
            .into_iter()
            .find(|threshold| i64::from(threshold.days()) == row.days);
        Ok(Self {
            notice: Notice {
                notice_id: COLUMNS.text("notice_id", &row.notice_id)?,
                subject: subject(COLUMNS, kind, &row.subject)?,
                environment: COLUMNS.text("environment", &row.environment)?,
                partner_id: COLUMNS.optional_text("partner_id", row.partner_id.as_deref())?,
                client_id: COLUMNS.text("client_id", &row.client_id)?,
                threshold: threshold.ok_or_else(|| COLUMNS.corrupt("days"))?,
                expires_at: COLUMNS.moment("expires_at", row.expires_at)?,
                raised_at: COLUMNS.moment("raised_at", row.raised_at)?,
            },
            delivery: row.delivery.try_into()?,
        })
    }
}

impl From<Delivery> for DeliveryRow {
    fn from(delivery: Delivery) -> Self {
        let (attempts, next_attempt_at, settled_at) = match delivery {
            Delivery::None => (0, None, None),
            Delivery::Waiting {
                attempts,
                next_attempt_at,
            } => (attempts, Some(next_attempt_at), None),
            Delivery::Delivered { attempts, settled_at } | Delivery::GivenUp { attempts, settled_at } => {
                (attempts, None, Some(settled_at))
            }
        };
        Self {
            delivery: delivery.state().as_str().to_owned(),
            attempts: attempts.into(),
            next_attempt_at: super::seconds(next_attempt_at),
            settled_at: super::seconds(settled_at),
        }
    }
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let state = COLUMNS.word("delivery", &row.delivery, (&DeliveryState::ALL, DeliveryState::as_str))?;
        let attempts = u32::try_from(row.attempts).map_err(|_| COLUMNS.corrupt("attempts"))?;
        let settled_at = || {
            let moment = COLUMNS.optional_moment("settled_at", row.settled_at)?;
            moment.ok_or_else(|| COLUMNS.corrupt("settled_at"))
        };
        Ok(match state {
            DeliveryState::None => Self::None,
            DeliveryState::Waiting => Self::Waiting {
                attempts,
                next_attempt_at: COLUMNS
                    .optional_moment("next_attempt_at", row.next_attempt_at)?
                    .ok_or_else(|| COLUMNS.corrupt("next_attempt_at"))?,
            },
            DeliveryState::Delivered => Self::Delivered {
                attempts,
                settled_at: settled_at()?,
            },
            DeliveryState::GivenUp => Self::GivenUp {
                attempts,
                settled_at: settled_at()?,
            },
        })
    }
}

/// A secret or a client that ends.
#[derive(Queryable)]
pub(in crate::store) struct EndingRow {
    subject: String,
    client_id: String,
    partner_id: Option<String>,
    environment: String,
    expires_at: Option<i64>,
}

impl EndingRow {
    /// What ends.
    pub(in crate::store) fn read(self, kind: NoticeKind) -> Result<Ending, StoreError> {
        const COLUMNS: Columns = Columns("clients");
        let expires_at = COLUMNS.optional_moment("expires_at", self.expires_at)?;
        Ok(Ending {
            subject: subject(COLUMNS, kind, &self.subject)?,
            client_id: COLUMNS.text("client_id", &self.client_id)?,
            partner_id: COLUMNS.optional_text("partner_id", self.partner_id.as_deref())?,
            environment: COLUMNS.text::<Environment>("environment", &self.environment)?,
            expires_at: expires_at.ok_or_else(|| COLUMNS.corrupt("expires_at"))?,
        })
    }
}

fn subject(columns: Columns, kind: NoticeKind, id: &str) -> Result<NoticeSubject, StoreError> {
    Ok(match kind {
        NoticeKind::SecretExpiring => NoticeSubject::Secret {
            secret_id: columns.text("secret_id", id)?,
        },
        NoticeKind::ClientExpiring => NoticeSubject::Client,
    })
}
