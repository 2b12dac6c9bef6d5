//! Mutations: the closed set of changes. Each is one transaction, one epoch, one journal row.

use serde::Serialize;

use super::action::Action;
use super::api::Api;
use super::client::Client;
use super::client_secret::ClientSecret;
use super::environment::Environment;
use super::idempotency::IdempotencyRecord;
use super::journal::{Attribution, ChainHash, Epoch, JournalEntry};
use super::operator::Operator;
use super::partner::Partner;
use super::signing_key::SigningKeyRecord;
use super::text::PartnerId;
use super::token::RevokedToken;

/// A change, decided and ready to be written. What it holds is the state after it.
#[derive(Clone, Debug)]
pub enum Mutation {
    /// A partner came.
    PartnerRegistered(Partner),
    /// A partner's name, ceiling or plan changed.
    PartnerChanged(Partner),
    /// A partner's clients all stand still.
    PartnerSuspended(Partner),
    /// They work again.
    PartnerReinstated(Partner),
    /// An API came.
    ApiRegistered(Api),
    /// An API's name, audience or scopes changed.
    ApiChanged(Api),
    /// A client came, with its first secret.
    ClientRegistered(Client, ClientSecret),
    /// A client was widened, narrowed or otherwise changed.
    ClientChanged(Client),
    /// A client stands still.
    ClientSuspended(Client),
    /// It works again.
    ClientReinstated(Client),
    /// A client ended.
    ClientRevoked(Client),
    /// A client got one more secret; `retiring` are older ones with the end they got at the same time.
    SecretAdded {
        /// The new one.
        secret: ClientSecret,
        /// The ones it replaces.
        retiring: Vec<ClientSecret>,
        /// The client's partner, for the journal.
        partner_id: Option<PartnerId>,
        /// The client's environment, for the journal.
        environment: Environment,
    },
    /// A secret got an end, now or later.
    SecretRetired {
        /// The secret with its end.
        secret: ClientSecret,
        /// The client's partner, for the journal.
        partner_id: Option<PartnerId>,
        /// The client's environment, for the journal.
        environment: Environment,
    },
    /// An operator came.
    OperatorCreated(Operator),
    /// An operator's role changed.
    OperatorChanged(Operator),
    /// An operator got a new token in place of the old.
    OperatorTokenRotated(Operator),
    /// An operator ended.
    OperatorRevoked(Operator),
    /// A key stands in the JWKS and will sign next; or it does already, and the `max-age` of the JWKS was made longer.
    KeyAnnounced(SigningKeyRecord),
    /// A key made elsewhere stands in the JWKS and will sign next, in place of the one announced before.
    KeyImported {
        /// The one announced before, which never signed and never will.
        withdrawn: Option<SigningKeyRecord>,
        /// The one made elsewhere.
        announced: SigningKeyRecord,
    },
    /// A key signs where none did.
    KeyActivated(SigningKeyRecord),
    /// One key follows another.
    KeyRotated {
        /// The one that no longer signs.
        retiring: SigningKeyRecord,
        /// The one that signs from now on.
        active: SigningKeyRecord,
    },
    /// A key left the JWKS in its time.
    KeyRetired(SigningKeyRecord),
    /// A key was taken out at once. Where it was the one that signed, a successor signs from now on: the one that was
    /// announced, or one made for the occasion, which no store has seen before.
    KeyRevoked {
        /// The one taken out.
        revoked: SigningKeyRecord,
        /// The one in its place.
        successor: Option<SigningKeyRecord>,
    },
    /// A client revoked one of its tokens (RFC 7009).
    TokenRevoked(RevokedToken),
}

/// A mutation and the idempotency key under which it is made, written together or not at all.
#[derive(Clone, Debug)]
pub struct Change {
    /// What changes.
    pub mutation: Mutation,
    /// Under which key, for a creation that named one.
    pub idempotency: Option<IdempotencyRecord>,
}

impl From<Mutation> for Change {
    fn from(mutation: Mutation) -> Self {
        Self {
            mutation,
            idempotency: None,
        }
    }
}

impl Mutation {
    /// Puts `epoch` down as the last change of everything it holds.
    pub fn stamp(&mut self, epoch: Epoch) {
        match self {
            Self::PartnerRegistered(partner)
            | Self::PartnerChanged(partner)
            | Self::PartnerSuspended(partner)
            | Self::PartnerReinstated(partner) => partner.version = epoch,
            Self::ApiRegistered(api) | Self::ApiChanged(api) => api.version = epoch,
            Self::ClientRegistered(client, secret) => {
                client.version = epoch;
                secret.version = epoch;
            }
            Self::ClientChanged(client)
            | Self::ClientSuspended(client)
            | Self::ClientReinstated(client)
            | Self::ClientRevoked(client) => client.version = epoch,
            Self::SecretAdded { secret, retiring, .. } => {
                secret.version = epoch;
                for retiring in retiring {
                    retiring.version = epoch;
                }
            }
            Self::SecretRetired { secret, .. } => secret.version = epoch,
            Self::OperatorCreated(operator)
            | Self::OperatorChanged(operator)
            | Self::OperatorTokenRotated(operator)
            | Self::OperatorRevoked(operator) => operator.version = epoch,
            Self::KeyAnnounced(key) | Self::KeyActivated(key) | Self::KeyRetired(key) => key.version = epoch,
            Self::KeyImported { withdrawn, announced } => {
                announced.version = epoch;
                if let Some(withdrawn) = withdrawn {
                    withdrawn.version = epoch;
                }
            }
            Self::KeyRotated { retiring, active } => {
                retiring.version = epoch;
                active.version = epoch;
            }
            Self::KeyRevoked { revoked, successor } => {
                revoked.version = epoch;
                if let Some(successor) = successor {
                    successor.version = epoch;
                }
            }
            Self::TokenRevoked(_) => {}
        }
    }

    /// The journal row of this mutation as number `epoch`, after a row with the hash `previous_hash`.
    #[must_use]
    pub fn entry(&self, epoch: Epoch, attribution: &Attribution, previous_hash: ChainHash) -> JournalEntry {
        let about = self.about();
        JournalEntry {
            epoch,
            at: attribution.at,
            actor: attribution.actor.to_string(),
            action: about.action,
            noun: about.action.noun(),
            subject: about.subject,
            partner_id: about.partner_id,
            environment: about.environment,
            detail: about.detail,
            request_id: attribution.request_id.clone(),
            previous_hash,
            hash: ChainHash::GENESIS,
        }
        .sealed()
    }

    fn about(&self) -> About {
        match self {
            Self::PartnerRegistered(partner) => About::partner(Action::PartnerRegistered, partner),
            Self::PartnerChanged(partner) => About::partner(Action::PartnerChanged, partner),
            Self::PartnerSuspended(partner) => About::partner(Action::PartnerSuspended, partner),
            Self::PartnerReinstated(partner) => About::partner(Action::PartnerReinstated, partner),
            Self::ApiRegistered(api) => About::api(Action::ApiRegistered, api),
            Self::ApiChanged(api) => About::api(Action::ApiChanged, api),
            Self::ClientRegistered(client, secret) => About::client(Action::ClientRegistered, client)
                .with_detail(&serde_json::json!({ "client": client, "secret": secret })),
            Self::ClientChanged(client) => About::client(Action::ClientChanged, client),
            Self::ClientSuspended(client) => About::client(Action::ClientSuspended, client),
            Self::ClientReinstated(client) => About::client(Action::ClientReinstated, client),
            Self::ClientRevoked(client) => About::client(Action::ClientRevoked, client),
            Self::SecretAdded {
                secret,
                retiring,
                partner_id,
                environment,
            } => About {
                action: Action::SecretAdded,
                subject: secret.secret_id.to_string(),
                partner_id: partner_id.clone(),
                environment: Some(*environment),
                detail: json(&serde_json::json!({ "secret": secret, "retiring": retiring })),
            },
            Self::SecretRetired {
                secret,
                partner_id,
                environment,
            } => About {
                action: Action::SecretRetired,
                subject: secret.secret_id.to_string(),
                partner_id: partner_id.clone(),
                environment: Some(*environment),
                detail: json(secret),
            },
            Self::OperatorCreated(operator) => About::operator(Action::OperatorCreated, operator),
            Self::OperatorChanged(operator) => About::operator(Action::OperatorChanged, operator),
            Self::OperatorTokenRotated(operator) => About::operator(Action::OperatorTokenRotated, operator),
            Self::OperatorRevoked(operator) => About::operator(Action::OperatorRevoked, operator),
            Self::KeyAnnounced(key) => About::key(Action::KeyAnnounced, key),
            Self::KeyImported { withdrawn, announced } => About::key(Action::KeyImported, announced)
                .with_detail(&serde_json::json!({ "withdrawn": withdrawn, "announced": announced })),
            Self::KeyActivated(key) => About::key(Action::KeyActivated, key),
            Self::KeyRotated { retiring, active } => About::key(Action::KeyRotated, active)
                .with_detail(&serde_json::json!({ "retiring": retiring, "active": active })),
            Self::KeyRetired(key) => About::key(Action::KeyRetired, key),
            Self::KeyRevoked { revoked, successor } => About::key(Action::KeyRevoked, revoked)
                .with_detail(&serde_json::json!({ "revoked": revoked, "successor": successor })),
            Self::TokenRevoked(token) => About {
                action: Action::TokenRevoked,
                subject: token.jti.to_string(),
                partner_id: Some(token.partner_id.clone()),
                environment: Some(token.environment),
                detail: json(token),
            },
        }
    }
}

/// What the journal says of a mutation.
struct About {
    action: Action,
    subject: String,
    partner_id: Option<PartnerId>,
    environment: Option<Environment>,
    detail: String,
}

impl About {
    fn with_detail(self, detail: &serde_json::Value) -> Self {
        Self {
            detail: json(detail),
            ..self
        }
    }

    fn partner(action: Action, partner: &Partner) -> Self {
        let partner_id = Some(partner.partner_id.clone());
        Self {
            action,
            subject: partner.partner_id.to_string(),
            partner_id,
            environment: None,
            detail: json(partner),
        }
    }

    fn api(action: Action, api: &Api) -> Self {
        let environment = Some(api.environment);
        Self {
            action,
            subject: api.api_id.to_string(),
            partner_id: None,
            environment,
            detail: json(api),
        }
    }

    fn client(action: Action, client: &Client) -> Self {
        Self {
            action,
            subject: client.client_id.to_string(),
            partner_id: client.partner_id().cloned(),
            environment: Some(client.environment),
            detail: json(client),
        }
    }

    fn operator(action: Action, operator: &Operator) -> Self {
        let subject = operator.operator_id.to_string();
        Self {
            action,
            subject,
            partner_id: None,
            environment: None,
            detail: json(operator),
        }
    }

    fn key(action: Action, key: &SigningKeyRecord) -> Self {
        let environment = Some(key.environment);
        Self {
            action,
            subject: key.kid.to_string(),
            partner_id: None,
            environment,
            detail: json(key),
        }
    }
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("the nouns have text keys and no failing serializer")
}
