//! Operators: making, changing, revoking, and new tokens in place of old. There is always an owner left.

use super::commit::{Creation, found};
use super::{Administrator, Created, Errand, Office, OfficeError};
use crate::ambient::Entropy;
use crate::domain::{
    EmailAddress, Epoch, Mutation, Noun, Operator, OperatorId, OperatorStatus, Pepper, Refusal, Role, Seconds, Secret,
    SecretDigest, SecretKind, Timestamp,
};
use crate::store::{CommitError, Records, StoreError};

/// An operator to make.
#[derive(Clone, Debug)]
pub struct NewOperator {
    /// Who it is.
    pub email: EmailAddress,
    /// What it may do.
    pub role: Role,
}

/// What to change of an operator.
#[derive(Clone, Debug)]
pub struct RoleChange {
    /// Of which.
    pub operator_id: OperatorId,
    /// What it may do from now on.
    pub role: Role,
}

/// An operator with its token.
#[derive(Debug)]
pub struct OperatorWithToken {
    /// The operator.
    pub operator: Operator,
    /// The token itself, when it was made now.
    pub token: Option<Secret>,
}

/// An operator made in full, for whom there may be no room.
pub(super) struct Making(Operator);

impl Creation for Making {
    type Thing = Operator;

    fn make(&self, records: &mut dyn Records) -> Result<(Mutation, Operator), CommitError> {
        let operator = self.0.clone();
        let same_address = |other: &Operator| other.status == OperatorStatus::Active && other.email == operator.email;
        if records.operators()?.iter().any(same_address) {
            return Err(Refusal::Taken {
                noun: Noun::Operator,
                field: "email",
            }
            .into());
        }
        Ok((Mutation::OperatorCreated(operator.clone()), operator))
    }

    fn subject(operator: &Operator) -> String {
        operator.operator_id.to_string()
    }

    fn find(&self, records: &mut dyn Records, subject: &str) -> Result<Option<Operator>, StoreError> {
        subject
            .parse()
            .map_or(Ok(None), |operator_id| records.operator(&operator_id))
    }
}

/// Whether an owner other than `operator` is left whose token works.
fn another_owner(records: &mut dyn Records, operator: &Operator, now: Timestamp) -> Result<(), CommitError> {
    let operators = records.operators()?;
    let mut others = operators
        .iter()
        .filter(|other| other.operator_id != operator.operator_id);
    if operator.role != Role::Owner || others.any(|other| other.is_live_owner(now)) {
        Ok(())
    } else {
        Err(Refusal::State("this is the last owner whose token works: make another one first").into())
    }
}

/// What operators and their tokens are made with.
pub(super) struct Mint<'a> {
    pub(super) pepper: &'a Pepper,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) token_lifetime: Seconds,
    pub(super) now: Timestamp,
}

/// A token just made, with what is kept of it.
struct MintedToken {
    token: Secret,
    digest: SecretDigest,
    expires_at: Timestamp,
}

impl Mint<'_> {
    fn token(&self) -> MintedToken {
        let token = Secret::mint(SecretKind::Operator, self.entropy);
        MintedToken {
            digest: self.pepper.digest(token.expose()),
            expires_at: self.now + self.token_lifetime,
            token,
        }
    }

    /// An operator as it is kept, and its token.
    pub(super) fn operator(&self, new: NewOperator) -> (Making, Secret) {
        let minted = self.token();
        let operator = Operator {
            operator_id: OperatorId::mint(self.entropy),
            email: new.email,
            role: new.role,
            token_digest: minted.digest,
            token_hint: minted.token.hint(),
            token_expires_at: minted.expires_at,
            status: OperatorStatus::Active,
            created_at: self.now,
            version: Epoch::ZERO,
        };
        (Making(operator), minted.token)
    }
}

impl Office {
    /// Every operator, the revoked ones too.
    ///
    /// # Errors
    /// When the role does not allow it, or the store does not answer in time.
    pub async fn operators(&self, who: &Administrator) -> Result<Vec<Operator>, OfficeError> {
        who.require(Role::Owner)?;
        Ok(self.parts.registry.read(|records| records.operators()).await?)
    }

    /// One operator.
    ///
    /// # Errors
    /// When there is none, the role does not allow it, or the store does not answer in time.
    pub async fn operator(&self, who: &Administrator, operator_id: OperatorId) -> Result<Operator, OfficeError> {
        who.require(Role::Owner)?;
        let registry = &self.parts.registry;
        let operator = registry.read(move |records| records.operator(&operator_id)).await?;
        Ok(found(operator, Noun::Operator)?)
    }

    /// Makes an operator and its token.
    ///
    /// # Errors
    /// When the address is taken, the role does not allow it, or the store does not answer in time.
    pub async fn create_operator(
        &self,
        who: &Administrator,
        errand: Errand,
        new: NewOperator,
    ) -> Result<Created<OperatorWithToken>, OfficeError> {
        let permit = who.require(Role::Owner)?;
        let (making, token) = self.mint().operator(new);
        Ok(match self.create(permit, errand, making).await? {
            Created::Now(operator) => Created::Now(OperatorWithToken {
                operator,
                token: Some(token),
            }),
            Created::Before(operator) => Created::Before(OperatorWithToken { operator, token: None }),
        })
    }

    /// Changes what an operator may do.
    ///
    /// # Errors
    /// When there is none, it is not what the sender knew, it is revoked or the last owner, the role does not allow it, or the
    /// store does not answer in time.
    pub async fn change_operator(
        &self,
        who: &Administrator,
        errand: Errand,
        change: RoleChange,
    ) -> Result<Operator, OfficeError> {
        let (if_match, now) = (errand.if_match.clone(), self.parts.clock.now());
        self.change(who.require(Role::Owner)?, errand, move |records| {
            let before = found(records.operator(&change.operator_id)?, Noun::Operator)?;
            if_match.admit(before.version)?;
            let before = before.changeable()?;
            if before.role == change.role {
                return Ok((None, before));
            }
            another_owner(records, &before, now)?;
            let after = Operator {
                role: change.role,
                ..before
            };
            Ok((Some(Mutation::OperatorChanged(after.clone())), after))
        })
        .await
    }

    /// Revokes an operator for ever.
    ///
    /// # Errors
    /// As [`Office::change_operator`].
    pub async fn revoke_operator(
        &self,
        who: &Administrator,
        errand: Errand,
        operator_id: OperatorId,
    ) -> Result<Operator, OfficeError> {
        let (if_match, now) = (errand.if_match.clone(), self.parts.clock.now());
        self.change(who.require(Role::Owner)?, errand, move |records| {
            let operator = found(records.operator(&operator_id)?, Noun::Operator)?;
            if_match.admit(operator.version)?;
            let revoked = operator.clone().revoked()?;
            another_owner(records, &operator, now)?;
            Ok((Some(Mutation::OperatorRevoked(revoked.clone())), revoked))
        })
        .await
    }

    /// Makes a new token in place of the old, which stops working.
    ///
    /// # Errors
    /// When there is no such operator, it is not what the sender knew, it is revoked, the role does not allow it, or the store
    /// does not answer in time.
    pub async fn rotate_token(
        &self,
        who: &Administrator,
        errand: Errand,
        operator_id: OperatorId,
    ) -> Result<OperatorWithToken, OfficeError> {
        let (if_match, permit) = (errand.if_match.clone(), who.require(Role::Owner)?);
        let minted = self.mint().token();
        let (digest, hint, expires_at) = (minted.digest, minted.token.hint(), minted.expires_at);
        let changed = self.change(permit, errand, move |records| {
            let operator = found(records.operator(&operator_id)?, Noun::Operator)?;
            if_match.admit(operator.version)?;
            let operator = Operator {
                token_digest: digest,
                token_hint: hint.clone(),
                token_expires_at: expires_at,
                ..operator.changeable()?
            };
            Ok((Some(Mutation::OperatorTokenRotated(operator.clone())), operator))
        });
        Ok(OperatorWithToken {
            operator: changed.await?,
            token: Some(minted.token),
        })
    }

    fn mint(&self) -> Mint<'_> {
        let parts = &self.parts;
        Mint {
            pepper: &parts.pepper,
            entropy: &*parts.entropy,
            token_lifetime: parts.policy.operator_token_lifetime,
            now: parts.clock.now(),
        }
    }
}
