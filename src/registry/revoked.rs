//! The tokens their clients revoked (RFC 7009 §2), as a replica remembers them, so that introspection asks no store.
//!
//! Memory may lack some: those there was no room for, and, where the end of a commit is unknown, any. It never says of a token
//! that it was not revoked unless it would know if it had been; it says then that the store has to be asked.

use std::collections::{BTreeMap, HashSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde::Deserialize;

use crate::domain::{CLOCK_SKEW, JournalEntry, Noun, Timestamp, TokenId, sha256};

/// What memory says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recollection {
    /// Its client revoked it.
    Revoked,
    /// Its client did not.
    NotRevoked,
    /// It may be one of those that are not remembered: only the store knows.
    Uncertain,
}

/// The revoked tokens remembered.
pub(super) struct RevokedTokens {
    room: usize,
    known: RwLock<Known>,
}

/// Half of the SHA-256 of a `jti`. Should two ever agree, the second token ends with the first: never the other way.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct TokenDigest([u8; 16]);

impl TokenDigest {
    fn of(jti: &TokenId) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&sha256(&[jti.as_str().as_bytes()])[..16]);
        Self(half)
    }
}

#[derive(Default)]
struct Known {
    /// By their `exp`: what ends together is looked up together and forgotten together.
    by_end: BTreeMap<Timestamp, HashSet<TokenDigest>>,
    count: usize,
    /// The latest `exp` of those there was no room for. No token that ends later is one of them.
    unfit_until: Option<Timestamp>,
    /// How often it became possible that any token is missing here; at the start nothing has been read.
    doubts: Doubts,
    /// The doubts before the last complete reading of the store.
    settled: Doubts,
}

/// A count of doubts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Doubts(u64);

impl RevokedTokens {
    /// Room for so many, and nothing read yet.
    pub(super) fn new(room: usize) -> Self {
        let nothing_read = Known {
            doubts: Doubts(1),
            ..Known::default()
        };
        Self {
            room,
            known: RwLock::new(nothing_read),
        }
    }

    /// Whether the token `jti`, which ends at `end`, was revoked, as far as memory can tell.
    pub(super) fn recall(&self, jti: &TokenId, end: Timestamp) -> Recollection {
        let known = self.read();
        let at_its_end = known.by_end.get(&end);
        if at_its_end.is_some_and(|tokens| tokens.contains(&TokenDigest::of(jti))) {
            return Recollection::Revoked;
        }
        let may_be_missing = known.doubts != known.settled || known.unfit_until.is_some_and(|unfit| end <= unfit);
        if may_be_missing {
            Recollection::Uncertain
        } else {
            Recollection::NotRevoked
        }
    }

    /// Remembers these, as far as there is room. To remember one twice does no harm.
    pub(super) fn remember(&self, tokens: &[(TokenId, Timestamp)]) {
        let mut known = self.write();
        for (jti, end) in tokens {
            known.remember(TokenDigest::of(jti), *end, self.room);
        }
    }

    /// Makes what is remembered agree with `entry`. One that names no token and end leaves a doubt: the store holds both.
    pub(super) fn apply(&self, entry: &JournalEntry) {
        if entry.noun != Noun::Token {
            return;
        }
        let end = serde_json::from_str::<Detail>(&entry.detail).map(|detail| detail.expires_at);
        match (entry.subject.parse::<TokenId>(), end) {
            (Ok(jti), Ok(end)) => self.remember(&[(jti, end)]),
            _ => self.doubt(),
        }
    }

    /// From now on any token may be missing, until the store has been read again.
    pub(super) fn doubt(&self) {
        self.write().doubts.0 += 1;
    }

    /// The doubts there are; none when the last complete reading settled all.
    pub(super) fn doubts(&self) -> Option<Doubts> {
        let known = self.read();
        (known.doubts != known.settled).then_some(known.doubts)
    }

    /// Everything the store held after these `doubts` came up has been [remembered](Self::remember). Later ones stay.
    pub(super) fn settle(&self, doubts: Doubts) {
        let mut known = self.write();
        known.settled = known.settled.max(doubts);
    }

    /// Forgets what has expired by every clock, as [`Store::forget`](crate::store::Store::forget) does.
    pub(super) fn forget(&self, now: Timestamp) {
        let mut known = self.write();
        while let Some(first) = known.by_end.first_entry() {
            if *first.key() + CLOCK_SKEW > now {
                break;
            }
            let gone = first.remove().len();
            known.count -= gone;
        }
    }

    /// How many are remembered.
    pub(super) fn count(&self) -> usize {
        self.read().count
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn remember(&mut self, token: TokenDigest, end: Timestamp, room: usize) {
        if self.count < room {
            let is_new = self.by_end.entry(end).or_default().insert(token);
            self.count += usize::from(is_new);
        } else if !self.by_end.get(&end).is_some_and(|tokens| tokens.contains(&token)) {
            self.unfit_until = self.unfit_until.max(Some(end));
        }
    }
}

/// What the journal says of a revoked token, beside its `jti`.
#[derive(Deserialize)]
struct Detail {
    expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;
    use crate::domain::{
        Actor, Attribution, ChainHash, ClientId, Environment, Epoch, Milliseconds, Mutation, RevokedToken, SecretId,
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn jti() -> TokenId {
        TokenId::mint(&SecretId::mint(&SystemEntropy::new()), &SystemEntropy::new())
    }

    /// All of the store has been read: it held nothing.
    fn settled(room: usize) -> RevokedTokens {
        let tokens = RevokedTokens::new(room);
        tokens.settle(tokens.doubts().unwrap());
        tokens
    }

    fn entry(token: &RevokedToken) -> JournalEntry {
        let attribution = Attribution {
            actor: Actor::Client(token.client_id.clone()),
            at: Milliseconds(1_000),
            request_id: None,
        };
        Mutation::TokenRevoked(token.clone()).entry(Epoch::new(1), &attribution, ChainHash::GENESIS)
    }

    fn revoked(expires_at: Timestamp) -> RevokedToken {
        RevokedToken {
            jti: jti(),
            client_id: ClientId::mint(Environment::Qa, "acme", &SystemEntropy::new()),
            partner_id: "acme".parse().unwrap(),
            environment: Environment::Qa,
            expires_at,
        }
    }

    #[test]
    fn before_the_store_has_been_read_nothing_is_certain_but_what_is_known() {
        let tokens = RevokedTokens::new(10);
        let known = jti();
        tokens.remember(&[(known.clone(), at(300))]);
        assert_eq!(tokens.recall(&known, at(300)), Recollection::Revoked);
        assert_eq!(tokens.recall(&jti(), at(300)), Recollection::Uncertain);
        tokens.settle(tokens.doubts().unwrap());
        assert_eq!(tokens.doubts(), None);
        assert_eq!(tokens.recall(&jti(), at(300)), Recollection::NotRevoked);
        assert_eq!(tokens.recall(&known, at(300)), Recollection::Revoked);
    }

    #[test]
    fn a_doubt_that_comes_up_during_a_reading_outlasts_it() {
        let tokens = RevokedTokens::new(10);
        let began = tokens.doubts().unwrap();
        tokens.doubt();
        tokens.settle(began);
        assert_eq!(tokens.recall(&jti(), at(300)), Recollection::Uncertain);
        tokens.settle(tokens.doubts().unwrap());
        assert_eq!(tokens.recall(&jti(), at(300)), Recollection::NotRevoked);
    }

    #[test]
    fn of_what_does_not_fit_it_never_says_that_it_was_not_revoked() {
        let tokens = settled(2);
        let all: Vec<_> = [300, 310, 400, 350].map(|end| (jti(), at(end))).into();
        tokens.remember(&all);
        tokens.remember(&all[..1]);
        assert_eq!(tokens.count(), 2);
        let said: Vec<_> = all.iter().map(|(jti, end)| tokens.recall(jti, *end)).collect();
        let (revoked, uncertain) = (Recollection::Revoked, Recollection::Uncertain);
        assert_eq!(said, [revoked, revoked, uncertain, uncertain]);
        // Whatever ends with or before the last that did not fit may be one of them; what ends later is none.
        assert_eq!(tokens.recall(&jti(), at(299)), uncertain);
        assert_eq!(tokens.recall(&jti(), at(400)), uncertain);
        assert_eq!(tokens.recall(&jti(), at(401)), Recollection::NotRevoked);
    }

    #[test]
    fn room_comes_back_with_what_is_forgotten() {
        let tokens = settled(1);
        tokens.remember(&[(jti(), at(300))]);
        tokens.forget(at(360));
        let next = (jti(), at(700));
        tokens.remember(std::slice::from_ref(&next));
        assert_eq!(tokens.recall(&next.0, next.1), Recollection::Revoked);
        assert_eq!(tokens.recall(&jti(), at(700)), Recollection::NotRevoked);
    }

    #[test]
    fn one_is_forgotten_a_minute_after_its_end_and_no_sooner() {
        let tokens = settled(10);
        let (first, second) = (jti(), jti());
        tokens.remember(&[(first.clone(), at(300)), (second.clone(), at(301))]);
        tokens.forget(at(359));
        assert_eq!(tokens.count(), 2);
        tokens.forget(at(360));
        assert_eq!(tokens.recall(&second, at(301)), Recollection::Revoked);
        assert_eq!(
            (tokens.count(), tokens.recall(&first, at(300))),
            (1, Recollection::NotRevoked)
        );
    }

    #[test]
    fn the_journal_tells_which_token_and_when_it_ends() {
        let tokens = settled(10);
        let token = revoked(at(4_000_000_300));
        tokens.apply(&entry(&token));
        tokens.apply(&entry(&token));
        assert_eq!(tokens.recall(&token.jti, token.expires_at), Recollection::Revoked);
        assert_eq!((tokens.count(), tokens.doubts()), (1, None));
    }

    #[test]
    fn an_entry_that_cannot_be_read_leaves_a_doubt() {
        for spoil in [
            |entry: &mut JournalEntry| entry.detail = "{}".to_owned(),
            |entry: &mut JournalEntry| entry.subject = "?".to_owned(),
        ] {
            let tokens = settled(10);
            let mut entry = entry(&revoked(at(300)));
            spoil(&mut entry);
            tokens.apply(&entry);
            assert_eq!(tokens.recall(&jti(), at(300)), Recollection::Uncertain);
        }
    }
}
