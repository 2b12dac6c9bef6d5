//! Client secrets: adding one beside the others, ending one, and both at once.

use super::commit::{Creation, found};
use super::{Administrator, Created, Errand, Office, OfficeError};
use crate::domain::{
    ClientId, ClientSecret, Environment, Epoch, Invalid, MOST_LIVE_SECRETS, Mutation, Name, Noun, Refusal, Role,
    Secret, SecretId, SecretKind, SecretStatus, Timestamp,
};
use crate::store::{CommitError, Records, StoreError};

/// A further secret of a client.
#[derive(Clone, Debug)]
pub struct NewSecret {
    /// Whose.
    pub client_id: ClientId,
    /// What people will call it.
    pub note: Option<Name>,
    /// From when it works; `None`, or a time gone by: at once.
    pub not_before: Option<Timestamp>,
    /// Until when it works.
    pub expires_at: Option<Timestamp>,
    /// When the client's other secrets end; `None`: they go on. A time gone by ends them at once.
    pub retire_others_at: Option<Timestamp>,
}

/// The end of a secret.
#[derive(Clone, Debug)]
pub struct Retirement {
    /// Whose.
    pub client_id: ClientId,
    /// Which.
    pub secret_id: SecretId,
    /// When; `None`, or a time gone by: at once.
    pub at: Option<Timestamp>,
}

/// A secret as it stands among the others of its client.
#[derive(Debug)]
pub struct SecretStanding {
    /// The secret.
    pub secret: ClientSecret,
    /// Whether nobody is likely to miss it.
    pub safe_to_retire: bool,
}

/// A secret with its text.
#[derive(Debug)]
pub struct SecretWithText {
    /// What is kept of it.
    pub kept: ClientSecret,
    /// The secret itself, when it was made now.
    pub secret: Option<Secret>,
}

struct Addition {
    new: NewSecret,
    kept: ClientSecret,
    environment: Environment,
    now: Timestamp,
}

impl Creation for Addition {
    type Thing = ClientSecret;

    fn make(&self, records: &mut dyn Records) -> Result<(Mutation, ClientSecret), CommitError> {
        let client = found(records.client(&self.new.client_id)?, Noun::Client)?.changeable()?;
        let kept = self.kept.clone();
        if kept
            .expires_at
            .is_some_and(|end| end <= self.now || end <= kept.not_before)
        {
            return Err(Refusal::Invalid {
                field: "expires_at",
                reason: Invalid::new("does not lie ahead, or not after not_before"),
            }
            .into());
        }
        let others = records.secrets(&client.client_id)?;
        let retiring = self.retiring(&others)?;
        let ends_now = |secret: &ClientSecret| {
            let ended = |other: &ClientSecret| other.secret_id == secret.secret_id && other.has_ended(self.now);
            secret.has_ended(self.now) || retiring.iter().any(ended)
        };
        if others.iter().filter(|secret| !ends_now(secret)).count() >= MOST_LIVE_SECRETS {
            return Err(Refusal::State("the client has five secrets that have not ended: retire one first").into());
        }
        let mutation = Mutation::SecretAdded {
            secret: kept.clone(),
            retiring,
            partner_id: client.partner_id().cloned(),
            environment: self.environment,
        };
        Ok((mutation, kept))
    }

    fn subject(kept: &ClientSecret) -> String {
        kept.secret_id.to_string()
    }

    fn find(&self, records: &mut dyn Records, subject: &str) -> Result<Option<ClientSecret>, StoreError> {
        let secrets = records.secrets(&self.new.client_id)?;
        Ok(secrets.into_iter().find(|secret| secret.secret_id.as_str() == subject))
    }
}

impl Addition {
    /// The others with the end they get; those that end sooner anyway are left alone.
    fn retiring(&self, others: &[ClientSecret]) -> Result<Vec<ClientSecret>, Refusal> {
        let Some(at) = self.new.retire_others_at else {
            return Ok(Vec::new());
        };
        let at = at.max(self.now);
        others
            .iter()
            .filter(|secret| secret.expires_at.is_none_or(|end| end > at))
            .map(|secret| secret.clone().ending(at, self.now))
            .collect()
    }
}

impl Office {
    /// Every secret of a client, the oldest first, the ended ones too.
    ///
    /// # Errors
    /// When there is no such client, the role does not allow it, or the store does not answer in time.
    pub async fn secrets(&self, who: &Administrator, client_id: ClientId) -> Result<Vec<SecretStanding>, OfficeError> {
        who.require(Role::Viewer)?;
        let read = move |records: &mut dyn Records| match records.client(&client_id)? {
            Some(_) => records.secrets(&client_id).map(Some),
            None => Ok(None),
        };
        let all = found(self.parts.registry.read(read).await?, Noun::Client)?;
        let (silence, now) = (self.parts.policy.silence, self.parts.clock.now());
        let standing = |secret: &ClientSecret| SecretStanding {
            safe_to_retire: secret.is_safe_to_retire(&all, silence, now),
            secret: secret.clone(),
        };
        Ok(all.iter().map(standing).collect())
    }

    /// One secret of a client.
    ///
    /// # Errors
    /// When there is no such client or secret, the role does not allow it, or the store does not answer in time.
    pub async fn secret(
        &self,
        who: &Administrator,
        client_id: ClientId,
        secret_id: SecretId,
    ) -> Result<SecretStanding, OfficeError> {
        let mut secrets = self.secrets(who, client_id).await?.into_iter();
        let named = secrets.find(|standing| standing.secret.secret_id == secret_id);
        Ok(found(named, Noun::Secret)?)
    }

    /// Makes a further secret and, where that is asked, gives the others an end.
    ///
    /// # Errors
    /// When there is no such client, it is revoked or has too many secrets, the window is empty, the role does not allow it, or
    /// the store does not answer in time.
    pub async fn add_secret(
        &self,
        who: &Administrator,
        errand: Errand,
        new: NewSecret,
    ) -> Result<Created<SecretWithText>, OfficeError> {
        let permit = who.require(Role::Operator)?;
        // A client never moves to another environment, so this reading cannot grow old.
        let environment = self.client(who, new.client_id.clone()).await?.environment;
        let now = self.parts.clock.now();
        let (secret, minted) = self.mint_client_secret((new.client_id.clone(), environment), who);
        let kept = ClientSecret {
            note: new.note.clone(),
            not_before: new.not_before.map_or(now, |from| from.max(now)),
            expires_at: new.expires_at,
            ..minted
        };
        let addition = Addition {
            new,
            kept,
            environment,
            now,
        };
        Ok(match self.create(permit, errand, addition).await? {
            Created::Now(kept) => Created::Now(SecretWithText {
                kept,
                secret: Some(secret),
            }),
            Created::Before(kept) => Created::Before(SecretWithText { kept, secret: None }),
        })
    }

    /// Ends a secret, now or later.
    ///
    /// # Errors
    /// When there is no such secret, it is not what the sender knew, it has ended, it would live longer by it, the role does not
    /// allow it, or the store does not answer in time.
    pub async fn retire_secret(
        &self,
        who: &Administrator,
        errand: Errand,
        retirement: Retirement,
    ) -> Result<ClientSecret, OfficeError> {
        let (if_match, now) = (errand.if_match.clone(), self.parts.clock.now());
        self.change(who.require(Role::Operator)?, errand, move |records| {
            let client = found(records.client(&retirement.client_id)?, Noun::Client)?;
            let mut secrets = records.secrets(&client.client_id)?.into_iter();
            let named = secrets.find(|secret| secret.secret_id == retirement.secret_id);
            let secret = found(named, Noun::Secret)?;
            if_match.admit(secret.version)?;
            let end = retirement.at.map_or(now, |at| at.max(now));
            let secret = secret.ending(end, now)?;
            let mutation = Mutation::SecretRetired {
                secret: secret.clone(),
                partner_id: client.partner_id().cloned(),
                environment: client.environment,
            };
            Ok((Some(mutation), secret))
        })
        .await
    }

    /// A new secret for a client, working from now on without end, and what is kept of it.
    pub(super) fn mint_client_secret(
        &self,
        (client_id, environment): (ClientId, Environment),
        who: &Administrator,
    ) -> (Secret, ClientSecret) {
        let now = self.parts.clock.now();
        let secret = Secret::mint(SecretKind::Client(environment), &*self.parts.entropy);
        let kept = ClientSecret {
            secret_id: SecretId::mint(&*self.parts.entropy),
            client_id,
            digest: self.parts.pepper.digest(secret.expose()),
            note: None,
            hint: secret.hint(),
            created_by: who.actor().to_string(),
            created_at: now,
            not_before: now,
            expires_at: None,
            status: SecretStatus::Active,
            last_used_at: None,
            last_used_source: None,
            version: Epoch::ZERO,
        };
        (secret, kept)
    }
}
