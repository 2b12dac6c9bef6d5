//! Mistakes that others have made, each tried here: one module for each class, numbered as in the register of such mistakes.

mod row_01_wrong_typed_times;
mod row_02_missing_claims;
mod row_03_algorithm_confusion;
mod row_04_header_injection;
mod row_09_audience;
mod row_10_other_kinds_of_token;
mod row_11_leaks_of_inactive_answers;
mod row_12_side_doors_of_the_disabled;
mod row_14_revocation_without_a_store;
mod row_15_mutated_values;
mod row_16_timing;
mod row_17_injection;
mod row_18_exhaustion;
mod row_19_keys_leaving_early;

use mintmark::domain::Environment::Qa;
use mintmark::jose::KeyPair;

use crate::support::installation::{Installation, Plan};
use crate::support::oauth::INACTIVE;
use crate::support::registration::Credentials;

/// A resource server with a good token before it, and the very key that signed it.
struct Bench {
    installation: Installation,
    asking: Credentials,
    token: String,
    key: KeyPair,
}

impl Bench {
    fn new() -> Self {
        Self::of(Plan::default())
    }

    fn of(plan: Plan) -> Self {
        let installation = plan.start();
        let client = installation.client("acme").register();
        let asking = installation.resource_server("orders").register();
        let token = installation.issue(&client);
        let key = installation.key_pair(Qa);
        assert!(installation.is_active(&asking, &token), "the good token is good");
        Self {
            installation,
            asking,
            token,
            key,
        }
    }

    /// Whether introspection confirms `token`.
    fn confirms(&self, token: &str) -> bool {
        self.installation.is_active(&self.asking, token)
    }

    /// Holds introspection to the one answer a forged token gets, to the byte.
    #[track_caller]
    fn rejects(&self, what: &str, token: &str) {
        let answer = self.installation.introspect(&self.asking, token);
        assert_eq!((answer.status, answer.text()), (200, INACTIVE), "{what}: {token:.200}");
    }
}
