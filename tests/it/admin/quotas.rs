//! How quotas stand, as operators see them.

use serde_json::{Value, json};

use crate::support::admin_harness::Harness;

/// `acme`, with `plan`, its sub-account, and a client of that in QA.
fn furnished(plan: &Value) -> (Harness, String) {
    let harness = Harness::start();
    let acme = json!({ "partner_id": "acme", "name": "Acme", "scope_ceiling": ["orders:read"], "plan": plan });
    harness.post("/partners", &acme).expect(201);
    let north =
        json!({ "partner_id": "acme-north", "name": "North", "scope_ceiling": ["orders:read"], "parent": "acme" });
    harness.post("/partners", &north).expect(201);
    let client = json!({
        "environment": "qa", "kind": "partner", "partner_id": "acme-north", "access_level": "full", "name": "Shop",
        "contact": "shop@acme.example",
    });
    let made = harness.post("/clients", &client).expect(201);
    let client_id = made["client"]["client_id"].as_str().unwrap().to_owned();
    (harness, client_id)
}

#[test]
fn every_quota_is_shown_with_its_window() {
    let (harness, client_id) = furnished(&json!({
        "quota_mode": "observe",
        "partner": { "tokens_per_day": 100, "tokens_per_month": 1000 },
        "client": { "tokens_per_day": 40 },
    }));
    // The harness stands at 1,800,000,000 seconds after 1970: 2027-01-15, 08:00 UTC.
    let standing = |quota: &str, environment: &str, (holder, limit): (&str, u64)| {
        let (start, end) = match quota.split_once('-').unwrap().1 {
            "day" => ("2027-01-15T00:00:00Z", "2027-01-16T00:00:00Z"),
            _ => ("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"),
        };
        json!({
            "quota": quota, "holder": holder, "environment": environment, "quota_mode": "observe", "limit": limit,
            "drawn": 0, "remaining": limit, "window_start": start, "window_end": end,
        })
    };
    let of_acme = |environment| {
        [
            standing("partner-day", environment, ("acme", 100)),
            standing("partner-month", environment, ("acme", 1000)),
        ]
    };
    let both = [of_acme("qa"), of_acme("production")].concat();
    for partner in ["acme", "acme-north"] {
        let shown = harness.get(&format!("/partners/{partner}/quota")).expect(200);
        assert_eq!(shown, json!({ "items": both }), "{partner}");
    }
    let own = [
        vec![standing("client-day", "qa", (client_id.as_str(), 40))],
        of_acme("qa").to_vec(),
    ]
    .concat();
    let shown = harness.get(&format!("/clients/{client_id}/quota")).expect(200);
    assert_eq!(shown, json!({ "items": own }));
}

#[test]
fn who_has_none_has_an_empty_list_and_who_is_not_there_is_not_found() {
    let (harness, client_id) = furnished(&Value::Null);
    for path in ["/partners/acme/quota".to_owned(), format!("/clients/{client_id}/quota")] {
        assert_eq!(harness.get(&path).expect(200), json!({ "items": [] }));
    }
    harness.get("/partners/nobody/quota").expect(404);
    harness.get("/clients/qa-nobody-0000000000/quota").expect(404);
}
