//! The same story on the stores that survive a restart: obtained, confirmed, revoked, disabled.

use mintmark::domain::Algorithm;
use mintmark::domain::Environment::Qa;

use crate::support::installation::{Installation, Plan, START, sqlite, two_replicas};
use crate::support::postgresql::fresh_url;
use crate::support::registration::ALWAYS;

/// What one side does, the other must know at once.
fn story(here: &Installation, there: &Installation) {
    let client = here.client("acme-north").register();
    let asking = here.resource_server("orders").register();
    let (first, second) = (there.issue(&client), here.issue(&client));
    assert!(here.is_active(&asking, &first) && there.is_active(&asking, &second));
    assert_eq!(here.revoke(&client, &first).status, 200);
    assert!(!there.is_active(&asking, &first) && there.is_active(&asking, &second));
    assert_eq!(there.revoke(&client, &first).status, 200, "revoked already");
    let other = here.add_secret(&client, ALWAYS);
    let third = there.issue(&other);
    here.end_secret(&client, START);
    there.token(&client).send().refused(401, "invalid_client");
    assert!(!there.is_active(&asking, &second) && there.is_active(&asking, &third));
    here.narrow(&client, "stock:read");
    assert_eq!(there.token(&other).send().json()["scope"], "stock:read");
    assert!(
        !there.is_active(&asking, &third),
        "nothing of it is left at this resource server"
    );
    here.rotate_key(Qa, Algorithm::EdDsa);
    assert_eq!(there.get("/qa/jwks").text(), here.get("/qa/jwks").text());
    here.suspend_partner("acme");
    there.token(&other).send().refused(401, "invalid_client");
}

mod sqlite {
    use super::*;

    #[test]
    fn what_is_done_counts_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = sqlite(&folder);
        let installation = Plan {
            store,
            ..Plan::default()
        }
        .start();
        story(&installation, &installation);
    }
}

mod postgresql {
    use super::*;

    #[test]
    fn what_one_replica_does_counts_at_once_on_the_other() {
        let database = fresh_url();
        let (here, there) = two_replicas(&database);
        story(&here, &there);
    }
}
