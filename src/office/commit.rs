//! How every change of this room is written: leave asked again, condition checked, version put in, repetition recognised.

use super::administrator::{Permit, Standing};
use super::{Created, Errand, Idempotency, Office, OfficeError};
use crate::domain::{
    Api, Attribution, Change, Client, ClientSecret, Epoch, IdempotencyRecord, Mutation, Noun, Operator, OperatorId,
    Partner, Refusal, Timestamp,
};
use crate::store::{CommitError, Records, StoreError};

/// What carries the epoch of its last change.
pub(super) trait Versioned: Send + 'static {
    /// The same, last changed at `epoch`.
    fn at(self, epoch: Epoch) -> Self;
}

macro_rules! versioned {
    ($($noun:ty),*) => { $(
        impl Versioned for $noun {
            fn at(self, epoch: Epoch) -> Self {
                Self { version: epoch, ..self }
            }
        }
    )* };
}
versioned!(Partner, Api, Client, ClientSecret, Operator);

impl Versioned for () {
    fn at(self, _: Epoch) {}
}

impl Versioned for (Client, ClientSecret) {
    fn at(self, epoch: Epoch) -> Self {
        (self.0.at(epoch), self.1.at(epoch))
    }
}

/// A decision behind the epoch: the mutation, or none when nothing would change, and what to answer.
pub(super) type Decision<T> = Result<(Option<Mutation>, T), CommitError>;

/// Something to be created, once under each idempotency key.
pub(super) trait Creation: Send + 'static {
    /// What is created.
    type Thing: Versioned;

    /// Decides whether it can be, behind the epoch.
    ///
    /// # Errors
    /// With the refusal.
    fn make(&self, records: &mut dyn Records) -> Result<(Mutation, Self::Thing), CommitError>;

    /// The text by which [`Creation::find`] finds it again.
    fn subject(thing: &Self::Thing) -> String;

    /// Finds what was created before.
    ///
    /// # Errors
    /// When the store does not answer.
    fn find(&self, records: &mut dyn Records, subject: &str) -> Result<Option<Self::Thing>, StoreError>;
}

impl Office {
    /// Changes something.
    pub(super) async fn change<T: Versioned>(
        &self,
        permit: Permit<'_>,
        errand: Errand,
        mut decide: impl FnMut(&mut dyn Records) -> Decision<T> + Send + 'static,
    ) -> Result<T, OfficeError> {
        let (standing, attribution) = self.about(permit, &errand);
        let decide = move |records: &mut dyn Records| {
            standing.hold(records)?;
            let (mutation, thing) = decide(records)?;
            Ok((mutation.map(Change::from), thing))
        };
        let (entry, thing) = self.parts.registry.commit_entry(attribution, decide).await?;
        Ok(match entry {
            Some(entry) => thing.at(entry.epoch),
            None => thing,
        })
    }

    /// Creates something, or finds what was created before under the same key.
    pub(super) async fn create<C: Creation>(
        &self,
        permit: Permit<'_>,
        errand: Errand,
        creation: C,
    ) -> Result<Created<C::Thing>, OfficeError> {
        let (standing, attribution) = self.about(permit, &errand);
        let now = attribution.at.second();
        let operator_id = permit.administrator().operator_id().clone();
        let repeatable = errand.idempotency.map(|idempotency| (operator_id, idempotency));
        let decide = move |records: &mut dyn Records| {
            standing.hold(records)?;
            if let Some((operator_id, idempotency)) = &repeatable
                && let Some(record) = records.idempotency(operator_id, &idempotency.key)?
            {
                return Ok((
                    None,
                    Created::Before(found_again(&creation, records, (idempotency, &record))?),
                ));
            }
            let (mutation, thing) = creation.make(records)?;
            let idempotency = repeatable.as_ref().map(|key| record_of(key, C::subject(&thing), now));
            Ok((Some(Change { mutation, idempotency }), Created::Now(thing)))
        };
        let (entry, created) = self.parts.registry.commit_entry(attribution, decide).await?;
        Ok(match entry {
            Some(entry) => created.map(|thing| thing.at(entry.epoch)),
            None => created,
        })
    }

    fn about(&self, permit: Permit<'_>, errand: &Errand) -> (Standing, Attribution) {
        let at = self.parts.clock.now_milliseconds();
        let attribution = Attribution {
            actor: permit.administrator().actor(),
            at,
            request_id: errand.request_id.clone(),
        };
        (permit.standing(at.second()), attribution)
    }
}

fn found_again<C: Creation>(
    creation: &C,
    records: &mut dyn Records,
    (asked, record): (&Idempotency, &IdempotencyRecord),
) -> Result<C::Thing, CommitError> {
    if asked.fingerprint != record.fingerprint {
        return Err(Refusal::KeyReused.into());
    }
    let found = creation.find(records, &record.subject)?;
    found.ok_or_else(|| StoreError::Corrupt("an idempotency key names something that is not there".to_owned()).into())
}

fn record_of((operator_id, asked): &(OperatorId, Idempotency), subject: String, now: Timestamp) -> IdempotencyRecord {
    IdempotencyRecord {
        operator_id: operator_id.clone(),
        key: asked.key.clone(),
        fingerprint: asked.fingerprint,
        subject,
        created_at: now,
    }
}

/// What was looked up, or the refusal that says what is not there.
pub(super) fn found<T>(looked_up: Option<T>, noun: Noun) -> Result<T, Refusal> {
    looked_up.ok_or(Refusal::NotFound(noun))
}

/// The mutation from `before` to `after`, or none where they are alike: asking for what is already so writes nothing.
pub(super) fn unless_alike<T: PartialEq + Clone>(
    before: &T,
    after: T,
    mutation: fn(T) -> Mutation,
) -> (Option<Mutation>, T) {
    ((*before != after).then(|| mutation(after.clone())), after)
}
