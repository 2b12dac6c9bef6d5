//! How clients and partners stand, as their pages say it.

use std::sync::Arc;

use mintmark::ambient::SystemEntropy;
use mintmark::domain::{
    CountedScope, Environment, Meter, MeterHolder, Outcome, Period, Role, SecretUse, Timestamp, UsageBatch, UsageCount,
    UsageWriter, Window,
};
use mintmark::store::{Draw, MemoryStore, Store};
use serde_json::json;

use super::browser::Browser;
use crate::support::admin_harness::{Harness, furnish, register, warehouse};

/// The clock of the harness: 2027-01-15T08:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn issued(client_id: &str, hour: &str, requests: u64) -> UsageCount {
    UsageCount {
        hour: hour.parse().unwrap(),
        environment: Environment::Qa,
        partner_id: "acme".parse().ok(),
        client_id: client_id.parse().unwrap(),
        scope: Some(CountedScope::of("orders:read")),
        outcome: Outcome::Issued,
        requests,
    }
}

#[test]
fn a_page_says_what_is_left_of_each_quota() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let harness = Harness::on(Arc::clone(&store));
    furnish(&harness);
    let plan = json!({
        "quota_mode": "enforce", "partner": { "tokens_per_month": 1000 }, "client": { "tokens_per_day": 40 },
    });
    harness.patch("/partners/acme", &json!({ "plan": plan })).expect(200);
    let (client_id, _, _) = register(&harness, &warehouse());
    let meter = |holder, period| Meter {
        holder,
        environment: Environment::Qa,
        window: Window::of(period, NOW),
    };
    let of_partner = meter(MeterHolder::Partner("acme".parse().unwrap()), Period::Month);
    let of_client = meter(MeterHolder::Client(client_id.parse().unwrap()), Period::Day);
    for (meter, tokens) in [(of_partner, 250), (of_client, 7)] {
        store.draw(&meter, Draw::counting(tokens)).unwrap();
    }
    let viewer = Browser::signed_in(&harness, Role::Viewer);
    let row = |path: &str, quota: &str, environment: &str| {
        let page = viewer.get(path).expect(200);
        let (_, table) = page.text.split_once("<h2>Quotas</h2>").unwrap();
        let mut rows = table.split("</table>").next().unwrap().split("<tr>");
        let is_it = |row: &&str| row.contains(&format!(">{quota}<")) && row.contains(&format!(">{environment}<"));
        rows.find(is_it)
            .unwrap_or_else(|| panic!("{quota} {environment}: {table}"))
            .to_owned()
    };
    let own = row(&format!("/console/clients/{client_id}"), "client-day", "QA");
    for told in [">40<", ">7<", ">33<", "2027-01-16 00:00 UTC", "refused until then"] {
        assert!(own.contains(told), "{told}: {own}");
    }
    for path in [
        format!("/console/clients/{client_id}"),
        "/console/partners/acme".to_owned(),
    ] {
        let shared = row(&path, "partner-month", "QA");
        for told in [">1000<", ">250<", ">750<", "2027-02-01 00:00 UTC", ">acme<"] {
            assert!(shared.contains(told), "{told}: {shared}");
        }
    }
    assert!(row("/console/partners/acme", "partner-month", "Production").contains(">0<"));
    harness.patch("/partners/acme", &json!({ "plan": null })).expect(200);
    let page = viewer.get("/console/partners/acme").expect(200);
    assert!(!page.text.contains("<h2>Quotas</h2>"));
}

#[test]
fn before_one_stops_it_one_sees_what_runs_with_it_and_afterwards_since_when_it_does_not() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let harness = Harness::on(Arc::clone(&store));
    furnish(&harness);
    let (client_id, secret_id, path) = register(&harness, &warehouse());
    let other = harness.act(&format!("{path}/secrets")).expect(201);
    let batch = UsageBatch {
        writer: UsageWriter::mint(&SystemEntropy::new()),
        sequence: 1,
        at: NOW,
        counts: vec![
            // The first is a day and a quarter old.
            issued(&client_id, "2027-01-14T02:00:00Z", 1000),
            issued(&client_id, "2027-01-14T09:00:00Z", 30),
            issued(&client_id, "2027-01-15T07:00:00Z", 12),
        ],
        uses: vec![SecretUse {
            secret_id: secret_id.parse().unwrap(),
            at: "2027-01-15T07:30:00Z".parse().unwrap(),
            source: "192.0.2.7".parse().unwrap(),
        }],
    };
    store.record_usage(&batch).unwrap();
    let browser = Browser::signed_in(&harness, Role::Operator);
    let console = format!("/console/clients/{client_id}");
    let page = browser.get(&console).expect(200);
    let (_, told) = page.text.split_once("<h2>Suspend or revoke</h2>").unwrap();
    assert!(told.contains("in the last day: <strong>42</strong>"), "{told}");
    assert!(
        told.contains("2027-01-15 07:30 UTC</time> from <code>192.0.2.7</code>"),
        "{told}"
    );
    let hint = other["secret"]["hint"].as_str().unwrap();
    assert!(told.contains(&format!("<code>{hint}</code>: never used")), "{told}");
    assert!(!page.text.contains("It stands still"));
    browser
        .get("/console/partners/acme")
        .expect(200)
        .says("in the last day: <strong>42</strong>");
    // Suspended by one, revoked by another a while later.
    harness.act(&format!("{path}/suspend")).expect(200);
    let page = browser.get(&console).expect(200);
    page.says("It stands still since <time datetime=\"2027-01-15T08:00:00Z\">2027-01-15 08:00 UTC</time>");
    page.says("(owner@example.com) made that change");
    page.says("<strong>42</strong>");
    harness.pass(600);
    let version = harness.get(&path).expect(200)["version"].to_string();
    let fields = [("version", version.as_str()), ("confirm", client_id.as_str())];
    browser.post(&format!("{console}/revoke"), &fields).location();
    let page = browser.get(&console).expect(200);
    page.says("It stands still since <time datetime=\"2027-01-15T08:10:00Z\">");
    page.says("(operator@example.com) made that change");
    assert!(!page.text.contains("What runs with it"));
    harness.act("/partners/acme/suspend").expect(200);
    browser
        .get("/console/partners/acme")
        .expect(200)
        .says("(owner@example.com) made that change");
    harness.act("/partners/acme/reinstate").expect(200);
    assert!(
        !browser
            .get("/console/partners/acme")
            .expect(200)
            .text
            .contains("It stands still")
    );
}

#[test]
fn of_many_secrets_that_have_ended_the_newest_are_shown() {
    let harness = Harness::start();
    furnish(&harness);
    let (client_id, _, path) = register(&harness, &warehouse());
    let first = harness.get(&format!("{path}/secrets")).expect(200)["items"][0]["hint"].clone();
    let rotation = json!({ "retire_others_at": "2027-01-15T08:00:00Z" });
    let hints: Vec<String> = std::iter::once(first)
        .chain(
            (0..14).map(|_| harness.post(&format!("{path}/secrets"), &rotation).expect(201)["secret"]["hint"].clone()),
        )
        .map(|hint| format!("…{}</code>", hint.as_str().unwrap()))
        .collect();
    let viewer = Browser::signed_in(&harness, Role::Viewer);
    let page = viewer.get(&format!("/console/clients/{client_id}")).expect(200);
    page.says("4 older ones have ended and are not shown.");
    let shown: Vec<bool> = hints.iter().map(|hint| page.text.contains(hint)).collect();
    // Ten that have ended, and the one that works.
    assert_eq!(shown, [vec![false; 4], vec![true; 11]].concat());
}
