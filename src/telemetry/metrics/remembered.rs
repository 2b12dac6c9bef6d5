//! What is counted of the tokens a replica remembers.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use super::{CacheResult, Metrics, registered};

#[derive(Debug)]
pub(super) struct RememberedTokens {
    verified: [IntCounter; CacheResult::ALL.len()],
    revoked: IntGauge,
    reads: IntCounter,
    coalesced: IntCounter,
}

impl RememberedTokens {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            verified: verified(registry),
            revoked: revoked_tokens(registry),
            reads: revoked_token_reads(registry),
            coalesced: coalesced(registry),
        }
    }
}

impl Metrics {
    /// Counts a token whose signature was asked about: known to be right, or not.
    pub fn count_verified(&self, result: CacheResult) {
        self.remembered.verified[result as usize].inc();
    }

    /// Sets how many revoked tokens are remembered.
    pub fn set_revoked_tokens(&self, count: usize) {
        self.remembered.revoked.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Counts a token that was handed again.
    pub fn count_coalesced(&self) {
        self.remembered.coalesced.inc();
    }

    /// Counts a question to the store whether a token is revoked.
    pub fn count_revoked_token_read(&self) {
        self.remembered.reads.inc();
    }
}

fn coalesced(registry: &Registry) -> IntCounter {
    let help = "Token requests answered with a token signed before, as tokens.coalesce allows";
    registered(registry, IntCounter::new("mintmark_tokens_coalesced_total", help))
}

fn verified(registry: &Registry) -> [IntCounter; CacheResult::ALL.len()] {
    let options = Opts::new(
        "mintmark_verified_tokens_total",
        "Tokens shown to introspection and revocation, by whether their signature was known to be right",
    );
    let family = registered(registry, IntCounterVec::new(options, &["result"]));
    CacheResult::ALL.map(|result| family.with_label_values(&[result.as_str()]))
}

fn revoked_tokens(registry: &Registry) -> IntGauge {
    let help = "Revoked tokens this replica remembers";
    registered(registry, IntGauge::new("mintmark_revoked_tokens", help))
}

fn revoked_token_reads(registry: &Registry) -> IntCounter {
    let help = "Questions to the store whether a token is revoked, for want of memory";
    registered(registry, IntCounter::new("mintmark_revoked_token_reads_total", help))
}
