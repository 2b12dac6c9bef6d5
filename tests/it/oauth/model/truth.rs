//! What must be answered, reckoned anew each time from the records of the store in memory by the plainest rules, with nothing
//! remembered from one question to the next.

use std::collections::BTreeSet;
use std::sync::Arc;

use mintmark::domain::Environment::Qa;
use mintmark::domain::{
    AccessLevel, Api, Client, ClientId, ClientRole, ClientSecret, ClientStatus, KeyState, Meter, MeterHolder, Partner,
    PartnerStatus, QuotaMode, Scope, Seconds, SecretId, SecretStatus, Timestamp, TokenId, Window,
};

use crate::support::beside::Oracle;
use crate::support::registration::Credentials;

/// The tokens of a scope, as texts.
pub type Scopes = BTreeSet<String>;

/// Why the answer is no, or less than it was. A good set of histories meets each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    ClientStandsStill,
    ClientRevoked,
    PartnerStandsStill,
    ParentStandsStill,
    SecretRetired,
    SecretExpired,
    NothingLeft,
    NothingToBeHad,
    NotToBeHad,
    ClientQuota,
    PartnerQuota,
    TokenExpired,
    TokenRevoked,
    KeyRevoked,
    AnotherAudience,
    LessThanItSays,
}

impl Why {
    pub const ALL: [Self; 16] = [
        Self::ClientStandsStill,
        Self::ClientRevoked,
        Self::PartnerStandsStill,
        Self::ParentStandsStill,
        Self::SecretRetired,
        Self::SecretExpired,
        Self::NothingLeft,
        Self::NothingToBeHad,
        Self::NotToBeHad,
        Self::ClientQuota,
        Self::PartnerQuota,
        Self::TokenExpired,
        Self::TokenRevoked,
        Self::KeyRevoked,
        Self::AnotherAudience,
        Self::LessThanItSays,
    ];
}

/// What a token request comes to.
pub enum Verdict {
    /// `invalid_client`.
    Stranger(Why),
    /// `invalid_scope`.
    NoScope(Why),
    /// The quota that is used up.
    Spent(Why, Quota),
    Granted(Grant),
}

/// What a token says.
pub struct Grant {
    pub scope: Scopes,
    pub audiences: Vec<String>,
    pub expires_at: Timestamp,
    pub kid: String,
}

/// A quota that a client's tokens count in.
pub struct Quota {
    pub meter: Meter,
    pub limit: u64,
    pub is_enforced: bool,
}

impl Quota {
    /// As the `RateLimit-Policy` field names it.
    pub fn name(&self) -> String {
        format!("{}-{}", self.meter.holder.kind(), self.meter.window.period().as_str())
    }

    fn why(&self) -> Why {
        match self.meter.holder {
            MeterHolder::Client(_) => Why::ClientQuota,
            MeterHolder::Partner(_) => Why::PartnerQuota,
        }
    }
}

/// A token that was issued.
pub struct Token {
    pub text: String,
    pub client_id: String,
    pub secret_id: SecretId,
    pub jti: TokenId,
    pub granted: Grant,
}

/// The plain rules over what the oracle knows.
pub struct Truth(pub Arc<Oracle>);

impl Truth {
    pub fn client(&self, client_id: &str) -> Client {
        let client_id: ClientId = client_id.parse().unwrap();
        self.0
            .read(|records| records.client(&client_id))
            .expect("it was registered")
    }

    pub fn secrets(&self, client: &Client) -> Vec<ClientSecret> {
        self.0.read(|records| records.secrets(&client.client_id))
    }

    pub fn partner(&self, partner_id: &str) -> Partner {
        let partner_id = partner_id.parse().unwrap();
        self.0
            .read(|records| records.partner(&partner_id))
            .expect("it was registered")
    }

    pub fn api(&self, api_id: &str) -> Api {
        let api_id = api_id.parse().unwrap();
        self.0
            .read(|records| records.api(Qa, &api_id))
            .expect("it was registered")
    }

    /// The partner of a client, and that one's parent.
    fn partners(&self, client: &Client) -> Vec<Partner> {
        let own = self.partner(client.partner_id().expect("it is a partner's").as_str());
        let parent = own.parent.as_ref().map(|parent| self.partner(parent.as_str()));
        [own].into_iter().chain(parent).collect()
    }

    /// Why nothing is to be had with a secret of a client.
    fn obstacle(&self, client: &Client, secret_id: &SecretId, now: Timestamp) -> Option<Why> {
        let secrets = self.secrets(client);
        let secret = secrets.iter().find(|secret| secret.secret_id == *secret_id);
        let secret = secret.expect("it was registered");
        let stands_still = |partner: &Partner| partner.status == PartnerStatus::Suspended;
        let partners = self.partners(client);
        let obstacles = [
            (client.status == ClientStatus::Suspended, Why::ClientStandsStill),
            (client.status == ClientStatus::Revoked, Why::ClientRevoked),
            (stands_still(&partners[0]), Why::PartnerStandsStill),
            (partners.get(1).is_some_and(stands_still), Why::ParentStandsStill),
            (secret.status == SecretStatus::Retired, Why::SecretRetired),
            (secret.expires_at.is_some_and(|end| end <= now), Why::SecretExpired),
        ];
        obstacles
            .into_iter()
            .find_map(|(is_there, why)| is_there.then_some(why))
    }

    /// The audiences for which a client may have tokens, with the scopes.
    fn entitled(&self, client: &Client) -> Vec<(String, Scopes)> {
        let ClientRole::Partner { access, .. } = &client.role else {
            return Vec::new();
        };
        let mut bounds: Vec<Scopes> = self
            .partners(client)
            .iter()
            .map(|partner| texts(&partner.scope_ceiling))
            .collect();
        if let AccessLevel::FineGrained(list) = access {
            bounds.push(texts(list));
        }
        let apis = self.0.read(|records| records.apis(Qa));
        let may_have = |api: &Api| {
            let mut scopes = texts(&api.scopes);
            scopes.retain(|scope| bounds.iter().all(|bound| bound.contains(scope)));
            (api.audience.as_str().to_owned(), scopes)
        };
        apis.iter()
            .map(may_have)
            .filter(|(_, scopes)| !scopes.is_empty())
            .collect()
    }

    /// The quotas of a client: its own before its partner's, a day's before a month's.
    pub fn quotas(&self, client: &Client, now: Timestamp) -> Vec<Quota> {
        let payer = self.partners(client).pop().expect("it has a partner");
        let Some(plan) = payer.plan.filter(|plan| plan.quota_mode != QuotaMode::Off) else {
            return Vec::new();
        };
        let holders = [
            (MeterHolder::Client(client.client_id.clone()), plan.client),
            (MeterHolder::Partner(payer.partner_id), plan.partner),
        ];
        let mut quotas = Vec::new();
        for (holder, allowance) in holders {
            for (period, limit) in allowance.quotas() {
                let meter = Meter {
                    holder: holder.clone(),
                    environment: client.environment,
                    window: Window::of(period, now),
                };
                let is_enforced = plan.quota_mode == QuotaMode::Enforce;
                quotas.push(Quota {
                    meter,
                    limit,
                    is_enforced,
                });
            }
        }
        quotas
    }

    /// How many tokens were issued within a window.
    pub fn issued(&self, meter: &Meter) -> u64 {
        self.0.read(|records| records.drawn(meter))
    }

    /// What a token request comes to when every token of a quota can be had here.
    pub fn verdict(&self, asking: &Credentials, scope: Option<&str>, now: Timestamp) -> Verdict {
        let client = self.client(&asking.client_id);
        if let Some(why) = self.obstacle(&client, &asking.secret_id, now) {
            return Verdict::Stranger(why);
        }
        let mut entitled = self.entitled(&client);
        let nothing = if let Some(scope) = scope {
            entitled.retain(|(_, scopes)| scopes.contains(scope));
            Why::NotToBeHad
        } else {
            Why::NothingToBeHad
        };
        if entitled.is_empty() {
            return Verdict::NoScope(nothing);
        }
        let is_spent = |quota: &Quota| quota.is_enforced && self.issued(&quota.meter) >= quota.limit;
        if let Some(quota) = self.quotas(&client, now).into_iter().find(is_spent) {
            return Verdict::Spent(quota.why(), quota);
        }
        let secrets = self.secrets(&client);
        let secret = secrets.iter().find(|secret| secret.secret_id == asking.secret_id);
        let (end, secret_ends) = (now + Seconds(300), secret.and_then(|secret| secret.expires_at));
        Verdict::Granted(Grant {
            scope: match scope {
                Some(scope) => Scopes::from([scope.to_owned()]),
                None => entitled.iter().flat_map(|(_, scopes)| scopes.clone()).collect(),
            },
            audiences: entitled.into_iter().map(|(audience, _)| audience).collect(),
            expires_at: secret_ends.map_or(end, |ends| ends.min(end)),
            kid: self.signing_key(),
        })
    }

    fn signing_key(&self) -> String {
        let keys = self.0.read(|records| records.signing_keys(Qa));
        let active = keys.iter().find(|key| key.state == KeyState::Active);
        active.expect("a key signs").kid.to_string()
    }

    /// Whether a key still stands in the JWK set.
    pub fn is_published(&self, kid: &str) -> bool {
        let keys = self.0.read(|records| records.signing_keys(Qa));
        let key = keys.iter().find(|key| key.kid.to_string() == kid);
        key.is_some_and(|key| matches!(key.state, KeyState::Active | KeyState::Retiring))
    }

    pub fn is_revoked(&self, token: &Token) -> bool {
        self.0.read(|records| records.revoked_token(&token.jti)).is_some()
    }

    /// What is left of a token for an API, or why nothing is.
    pub fn worth(&self, token: &Token, api_id: &str, now: Timestamp) -> Result<Scopes, Why> {
        let (client, api) = (self.client(&token.client_id), self.api(api_id));
        let refusals = [
            (token.granted.expires_at <= now, Why::TokenExpired),
            (!self.is_published(&token.granted.kid), Why::KeyRevoked),
            (self.is_revoked(token), Why::TokenRevoked),
        ];
        if let Some((_, why)) = refusals.into_iter().find(|(is_there, _)| *is_there) {
            return Err(why);
        }
        if let Some(why) = self.obstacle(&client, &token.secret_id, now) {
            return Err(why);
        }
        let entitled = self.entitled(&client);
        let here = entitled.iter().find(|(audience, _)| audience == api.audience.as_str());
        let left: Scopes = here.map_or_else(Scopes::new, |(_, scopes)| scopes & &token.granted.scope);
        if left.is_empty() {
            return Err(Why::NothingLeft);
        }
        // Asked last, so that some history meets a token with nothing else in its way.
        let is_for_it = token
            .granted
            .audiences
            .iter()
            .any(|audience| audience == api.audience.as_str());
        is_for_it.then_some(left).ok_or(Why::AnotherAudience)
    }
}

/// The tokens of a scope.
fn texts(scope: &Scope) -> Scopes {
    scope.iter().map(ToString::to_string).collect()
}
