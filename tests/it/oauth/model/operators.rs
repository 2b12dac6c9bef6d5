//! What operators do in a history, each at one of the replicas.

use mintmark::domain::Environment::Qa;
use mintmark::domain::{
    AccessLevel, Algorithm, Allowance, ClientStatus, Meter, MeterHolder, PartnerStatus, Period, Plan, QuotaMode, Scope,
    Seconds, Window,
};
use mintmark::office::{
    AccessChange, ApiChange, ClientChange, Created, Errand, NewSecret, OfficeError, PartnerChange, Retirement,
    SecretWithText,
};

use super::moves::{ApiShape, Deed, EVERYTHING, PARTNERS, day};
use super::world::{Replica, World};
use crate::support::installation::block_on;
use crate::support::registration::Credentials;

impl World<'_> {
    /// What an operator does. Where it cannot be done, both stores say so.
    pub fn administer(&mut self, at: usize, deed: &Deed) {
        match *deed {
            Deed::ToggleClient(client) => self.toggle_client(at, client),
            Deed::ReplaceClient(client) => {
                let Replica {
                    installation,
                    office,
                    operator,
                } = &self.replicas[at];
                let client_id = self.clients[client][0].client_id.parse().unwrap();
                block_on(office.revoke_client(operator, Errand::default(), client_id)).unwrap();
                self.clients[client] = vec![installation.client(PARTNERS[client]).register()];
            }
            Deed::TogglePartner(partner) => self.toggle_partner(at, partner),
            Deed::Mend(client) => self.mend(at, client),
            Deed::Access(client, list) => self.give_access(at, client, list),
            Deed::Ceiling(partner, ceiling) => self.change_ceiling(at, partner, ceiling),
            Deed::Plan(plan) => self.change_plan(at, plan),
            Deed::CutPlan => {
                let meter = Meter {
                    holder: MeterHolder::Partner(PARTNERS[0].parse().unwrap()),
                    environment: Qa,
                    window: Window::of(Period::Day, self.now()),
                };
                let plan = Plan {
                    quota_mode: QuotaMode::Enforce,
                    partner: day(self.truth.issued(&meter).max(1)),
                    client: Allowance::UNBOUNDED,
                };
                self.change_plan(at, Some(plan));
            }
            Deed::Api(shape) => self.change_api(at, shape),
            Deed::AddSecret(client, own, others) => self.add_secret(at, client, (own, others)),
            Deed::EndSecret(client, secret, seconds) => {
                let secret = self.credentials(client, secret);
                let retirement = Retirement {
                    client_id: secret.client_id.parse().unwrap(),
                    secret_id: secret.secret_id,
                    at: Some(self.now() + Seconds(seconds)),
                };
                let Replica { office, operator, .. } = &self.replicas[at];
                may_be_refused(block_on(office.retire_secret(operator, Errand::default(), retirement)));
            }
            Deed::RotateKey => self.replicas[at].installation.rotate_key(Qa, Algorithm::Es256),
            Deed::RevokeKey => {
                self.replicas[at].installation.revoke_key(Qa);
                self.replicas[at].installation.rotate_key(Qa, Algorithm::Es256);
            }
        }
    }

    fn toggle_client(&self, at: usize, client: usize) {
        let Replica { office, operator, .. } = &self.replicas[at];
        let client = self.truth.client(&self.clients[client][0].client_id);
        let (errand, client_id) = (Errand::default(), client.client_id);
        block_on(async {
            match client.status {
                ClientStatus::Active => office.suspend_client(operator, errand, client_id).await,
                _ => office.reinstate_client(operator, errand, client_id).await,
            }
        })
        .unwrap();
    }

    fn toggle_partner(&self, at: usize, partner: usize) {
        let Replica { office, operator, .. } = &self.replicas[at];
        let partner = self.truth.partner(PARTNERS[partner]);
        let (errand, partner_id) = (Errand::default(), partner.partner_id);
        block_on(async {
            match partner.status {
                PartnerStatus::Active => office.suspend_partner(operator, errand, partner_id).await,
                PartnerStatus::Suspended => office.reinstate_partner(operator, errand, partner_id).await,
            }
        })
        .unwrap();
    }

    fn mend(&mut self, at: usize, client: usize) {
        let of = PARTNERS[client];
        let above = PARTNERS
            .iter()
            .position(|partner| *partner == of || of.starts_with(&format!("{partner}-")));
        for partner in [above.expect("it is there"), client] {
            self.change_ceiling(at, partner, EVERYTHING);
            if self.truth.partner(PARTNERS[partner]).status == PartnerStatus::Suspended {
                self.toggle_partner(at, partner);
            }
        }
        if self.truth.client(&self.clients[client][0].client_id).status == ClientStatus::Suspended {
            self.toggle_client(at, client);
        }
        self.give_access(at, client, None);
        self.add_secret(at, client, (None, Some(60)));
    }

    fn change_ceiling(&self, at: usize, partner: usize, ceiling: &str) {
        self.change_partner(
            at,
            PartnerChange {
                scope_ceiling: Some(ceiling.parse().unwrap()),
                ..no_change(PARTNERS[partner])
            },
        );
    }

    fn change_plan(&self, at: usize, plan: Option<Plan>) {
        self.tell_what_was_observed();
        self.change_partner(
            at,
            PartnerChange {
                plan: Some(plan.map(Box::new)),
                ..no_change(PARTNERS[0])
            },
        );
    }

    fn give_access(&self, at: usize, client: usize, list: Option<&str>) {
        let Replica { office, operator, .. } = &self.replicas[at];
        let level = list.map_or(AccessLevel::Full, |list| {
            AccessLevel::FineGrained(list.parse().unwrap())
        });
        let change = ClientChange {
            client_id: self.clients[client][0].client_id.parse().unwrap(),
            name: None,
            contact: None,
            access: Some(AccessChange::To(level)),
            allowed_apis: None,
            token_endpoint_auth_method: None,
            token_lifetime: None,
            limits: None,
            allowed_sources: None,
            expires_at: None,
        };
        may_be_refused(block_on(office.change_client(operator, Errand::default(), change)));
    }

    fn change_partner(&self, at: usize, change: PartnerChange) {
        let Replica { office, operator, .. } = &self.replicas[at];
        block_on(office.change_partner(operator, Errand::default(), change)).unwrap();
    }

    fn change_api(&self, at: usize, shape: ApiShape) {
        let Replica { office, operator, .. } = &self.replicas[at];
        let change = ApiChange {
            environment: Qa,
            api_id: shape.api_id.parse().unwrap(),
            name: None,
            audience: Some(shape.audience.parse().unwrap()),
            scopes: Some(shape.scopes.parse::<Scope>().unwrap()),
        };
        may_be_refused(block_on(office.change_api(operator, Errand::default(), change)));
    }

    fn add_secret(&mut self, at: usize, client: usize, (own, others): (Option<u32>, Option<u32>)) {
        let Replica { office, operator, .. } = &self.replicas[at];
        let (before, now) = (&self.clients[client][0], self.now());
        let new = NewSecret {
            client_id: before.client_id.parse().unwrap(),
            note: None,
            not_before: None,
            expires_at: own.map(|seconds| now + Seconds(seconds)),
            retire_others_at: others.map(|seconds| now + Seconds(seconds)),
        };
        let added = may_be_refused(block_on(office.add_secret(operator, Errand::default(), new)));
        let credentials = |added| {
            let (Created::Now(added) | Created::Before(added)): Created<SecretWithText> = added;
            Credentials {
                secret: added.secret.expect("it was made now").expose().to_owned(),
                secret_id: added.kept.secret_id,
                ..before.clone()
            }
        };
        let added = added.map(credentials);
        self.clients[client].extend(added);
    }
}

fn no_change(partner_id: &str) -> PartnerChange {
    PartnerChange {
        partner_id: partner_id.parse().unwrap(),
        name: None,
        scope_ceiling: None,
        plan: None,
    }
}

/// What was done, where it could be. Whether it could, both stores agree about.
fn may_be_refused<T>(outcome: Result<T, OfficeError>) -> Option<T> {
    match outcome {
        Ok(done) => Some(done),
        Err(OfficeError::Refused(_)) => None,
        Err(error) => panic!("{error}"),
    }
}
