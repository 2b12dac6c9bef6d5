//! Partners: registering, changing, suspending, reinstating.

use super::commit::{Creation, found, unless_alike};
use super::{Administrator, Created, Errand, Office, OfficeError};
use crate::domain::{
    Epoch, Invalid, Mutation, Name, Noun, Partner, PartnerId, PartnerStatus, Plan, Refusal, Role, Scope, Timestamp,
};
use crate::store::{CommitError, Page, PartnerFilter, Records, StoreError};

/// A partner to register.
#[derive(Clone, Debug)]
pub struct NewPartner {
    /// Its slug, chosen once.
    pub partner_id: PartnerId,
    /// What people call it.
    pub name: Name,
    /// The scopes its clients can have at the most.
    pub scope_ceiling: Scope,
    /// The partner it is a sub-account of.
    pub parent: Option<PartnerId>,
    /// What its clients may obtain; not for a sub-account.
    pub plan: Option<Box<Plan>>,
}

/// What to change of a partner; what is `None` stays. An inner `None` takes the value away.
#[derive(Clone, Debug)]
pub struct PartnerChange {
    /// Of which.
    pub partner_id: PartnerId,
    /// What people call it.
    pub name: Option<Name>,
    /// The scopes its clients can have at the most.
    pub scope_ceiling: Option<Scope>,
    /// What its clients may obtain; not for a sub-account.
    pub plan: Option<Option<Box<Plan>>>,
}

struct Registration {
    new: NewPartner,
    now: Timestamp,
}

impl Creation for Registration {
    type Thing = Partner;

    fn make(&self, records: &mut dyn Records) -> Result<(Mutation, Partner), CommitError> {
        let new = self.new.clone();
        if records.partner(&new.partner_id)?.is_some() {
            return Err(taken("partner_id"));
        }
        if let Some(parent) = &new.parent {
            let reason = match records.partner(parent)? {
                None => Some("names no partner"),
                Some(parent) if parent.parent.is_some() => Some("names a sub-account, which has none of its own"),
                Some(_) => None,
            };
            if let Some(reason) = reason {
                let (field, reason) = ("parent", Invalid::new(reason));
                return Err(Refusal::Invalid { field, reason }.into());
            }
        }
        let partner = Partner {
            partner_id: new.partner_id,
            name: new.name,
            scope_ceiling: new.scope_ceiling,
            status: PartnerStatus::Active,
            parent: new.parent,
            plan: new.plan,
            created_at: self.now,
            version: Epoch::ZERO,
        }
        .planned()?;
        Ok((Mutation::PartnerRegistered(partner.clone()), partner))
    }

    fn subject(partner: &Partner) -> String {
        partner.partner_id.to_string()
    }

    fn find(&self, records: &mut dyn Records, _: &str) -> Result<Option<Partner>, StoreError> {
        records.partner(&self.new.partner_id)
    }
}

fn taken(field: &'static str) -> CommitError {
    Refusal::Taken {
        noun: Noun::Partner,
        field,
    }
    .into()
}

impl Office {
    /// Partners by id.
    ///
    /// # Errors
    /// When the role does not allow it, or the store does not answer in time.
    pub async fn partners(
        &self,
        who: &Administrator,
        filter: PartnerFilter,
        page: Page<PartnerId>,
    ) -> Result<Vec<Partner>, OfficeError> {
        who.require(Role::Viewer)?;
        let registry = &self.parts.registry;
        Ok(registry.read(move |records| records.partners(&filter, &page)).await?)
    }

    /// One partner.
    ///
    /// # Errors
    /// When there is none, the role does not allow it, or the store does not answer in time.
    pub async fn partner(&self, who: &Administrator, partner_id: PartnerId) -> Result<Partner, OfficeError> {
        who.require(Role::Viewer)?;
        let partner = self
            .parts
            .registry
            .read(move |records| records.partner(&partner_id))
            .await?;
        Ok(found(partner, Noun::Partner)?)
    }

    /// Registers a partner.
    ///
    /// # Errors
    /// When the id is taken, the parent cannot be one, the role does not allow it, or the store does not answer in time.
    pub async fn register_partner(
        &self,
        who: &Administrator,
        errand: Errand,
        new: NewPartner,
    ) -> Result<Created<Partner>, OfficeError> {
        let now = self.parts.clock.now();
        self.create(who.require(Role::Operator)?, errand, Registration { new, now })
            .await
    }

    /// Changes a partner's name, ceiling or plan.
    ///
    /// # Errors
    /// When there is none, it is not what the sender knew, it is a sub-account that is to have a plan, the role does not allow it, or the store does not answer in time.
    pub async fn change_partner(
        &self,
        who: &Administrator,
        errand: Errand,
        change: PartnerChange,
    ) -> Result<Partner, OfficeError> {
        let if_match = errand.if_match.clone();
        self.change(who.require(Role::Operator)?, errand, move |records| {
            let before = found(records.partner(&change.partner_id)?, Noun::Partner)?;
            if_match.admit(before.version)?;
            let change = change.clone();
            let after = Partner {
                name: change.name.unwrap_or_else(|| before.name.clone()),
                scope_ceiling: change.scope_ceiling.unwrap_or_else(|| before.scope_ceiling.clone()),
                plan: change.plan.unwrap_or_else(|| before.plan.clone()),
                ..before.clone()
            }
            .planned()?;
            Ok(unless_alike(&before, after, Mutation::PartnerChanged))
        })
        .await
    }

    /// Suspends a partner: none of its clients, nor of its sub-accounts', may do anything from now on.
    ///
    /// # Errors
    /// When it is suspended already, and as [`Office::change_partner`].
    pub async fn suspend_partner(
        &self,
        who: &Administrator,
        errand: Errand,
        partner_id: PartnerId,
    ) -> Result<Partner, OfficeError> {
        let transition = (Partner::suspended as Transition, Mutation::PartnerSuspended as Put);
        self.move_partner(who, errand, (partner_id, transition)).await
    }

    /// Reinstates a partner.
    ///
    /// # Errors
    /// When it is active already, and as [`Office::change_partner`].
    pub async fn reinstate_partner(
        &self,
        who: &Administrator,
        errand: Errand,
        partner_id: PartnerId,
    ) -> Result<Partner, OfficeError> {
        let transition = (Partner::reinstated as Transition, Mutation::PartnerReinstated as Put);
        self.move_partner(who, errand, (partner_id, transition)).await
    }

    async fn move_partner(
        &self,
        who: &Administrator,
        errand: Errand,
        (partner_id, (transition, put)): (PartnerId, (Transition, Put)),
    ) -> Result<Partner, OfficeError> {
        let if_match = errand.if_match.clone();
        self.change(who.require(Role::Operator)?, errand, move |records| {
            let partner = found(records.partner(&partner_id)?, Noun::Partner)?;
            if_match.admit(partner.version)?;
            let partner = transition(partner)?;
            Ok((Some(put(partner.clone())), partner))
        })
        .await
    }
}

/// A rule of the domain that leads a partner from one status to the other.
type Transition = fn(Partner) -> Result<Partner, Refusal>;
/// The mutation that writes it.
type Put = fn(Partner) -> Mutation;
