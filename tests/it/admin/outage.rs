//! A store that does not answer.

use mintmark::http::admin::{ROUTES, Verb};
use serde_json::json;

use crate::support::admin_harness::{Harness, furnish};

#[test]
fn a_silent_store_is_503_at_every_guarded_route_and_never_a_success() {
    let harness = Harness::start();
    furnish(&harness);
    harness.silence();
    for route in ROUTES.iter().filter(|route| route.least_role().is_some()) {
        let path = route.path.replace(['{', '}'], "");
        let ask = harness.ask(route.verb.as_str(), &path).header("If-Match", "*");
        let answer = if route.verb == Verb::Get {
            ask.send()
        } else {
            ask.json(&json!({})).send()
        };
        assert_eq!(answer.problem(503), "unavailable", "{path}");
        assert_eq!(answer.header("Retry-After"), "1", "{path}");
        assert!(
            !answer.text.contains("silent"),
            "the cause is the operator's to read in the log"
        );
    }
    harness.end_silence();
    harness.get("/partners/acme").expect(200);
}
