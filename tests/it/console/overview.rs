//! The overview: numbers, graphs, and what needs attention.

use std::sync::Arc;

use mintmark::ambient::SystemEntropy;
use mintmark::domain::{
    ClientId, Environment, Meter, MeterHolder, Outcome, PartnerId, Period, Role, Seconds, SecretUse, TokenRefusal,
    UsageBatch, UsageCount, UsageWriter, Window,
};
use mintmark::store::{Draw, MemoryStore, Store};
use serde_json::json;

use super::browser::Browser;
use crate::support::admin_harness::{Harness, furnish, register, warehouse};

/// Counts so many requests of a client, so many hours ago.
fn count(store: &dyn Store, harness: &Harness, (client_id, hours, outcome, requests): (&str, u32, Outcome, u64)) {
    let client_id: ClientId = client_id.parse().unwrap();
    let environment = if client_id.as_str().starts_with("qa-") {
        Environment::Qa
    } else {
        Environment::Production
    };
    let at = harness.now();
    let batch = UsageBatch {
        writer: UsageWriter::mint(&SystemEntropy::new()),
        sequence: 1,
        at,
        counts: vec![UsageCount {
            hour: at - Seconds(3600 * hours),
            environment,
            partner_id: Some("acme".parse::<PartnerId>().unwrap()),
            client_id,
            scope: None,
            outcome,
            requests,
        }],
        uses: Vec::new(),
    };
    store.record_usage(&batch).unwrap();
}

fn in_production() -> serde_json::Value {
    let mut client = warehouse();
    client["environment"] = json!("production");
    client
}

#[test]
fn tokens_refusals_and_clients_stand_under_their_environment() {
    let store = MemoryStore::default();
    let harness = Harness::on(Arc::new(store.clone()));
    harness.tend_keys();
    furnish(&harness);
    let (qa, ..) = register(&harness, &warehouse());
    let (live, ..) = register(&harness, &in_production());
    let (other, ..) = register(&harness, &in_production());
    harness.act(&format!("/clients/{other}/suspend")).expect(200);
    let refused = Outcome::Refused(TokenRefusal::Limited);
    for counted in [
        (live.as_str(), 0, Outcome::Issued, 1_200),
        (&live, 23, Outcome::Issued, 34),
        (&live, 24, Outcome::Issued, 7),
        (&live, 3, refused, 56),
        (&qa, 3, Outcome::Issued, 9),
    ] {
        count(&store, &harness, counted);
    }
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get("/console").expect(200);
    let (qa_part, live_part) = page.text.split_once("<h2>Production</h2>").unwrap();
    for (part, clients, suspended, tokens, refusals) in [(qa_part, 1, 0, "9", "0"), (live_part, 1, 1, "1,234", "56")] {
        for fact in [
            format!("<dt>Active clients</dt><dd class=\"figure\">{clients}</dd>"),
            format!("<dt>Suspended clients</dt><dd>{suspended}</dd>"),
            format!("<dt>Tokens in the last 24 hours</dt><dd>{tokens}</dd>"),
            format!("<dt>Refusals in the last 24 hours</dt><dd>{refusals}</dd>"),
        ] {
            assert!(part.contains(&fact), "{fact} is not in {part}");
        }
    }
    page.says("<title>Tokens and refusals in Production in the last 24 hours</title>");
    page.says("Tokens, filled: 1,234.");
    page.says("Tokens, filled: 1,241.");
    page.says("Refusals, outlined: 56.");
    assert_eq!(page.text.matches("<svg").count(), 2);
    let page = browser.get("/console?environment=qa").expect(200);
    page.says("<title>Tokens and refusals in QA in the last 30 days</title>");
    page.says("Tokens, filled: 9.");
    browser.get("/console?environment=moon").expect(400);
}

#[test]
fn where_nothing_needs_attention_it_says_so() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get("/console").expect(200);
    page.says("No key signs in QA");
    page.says("No key signs in Production");
    assert!(!page.text.contains("Nothing needs attention"));
    harness.tend_keys();
    let page = browser.get("/console").expect(200);
    page.says("Nothing needs attention.");
    assert!(!page.text.contains("No key signs"));
    Browser::signed_in(&harness, Role::Owner)
        .get("/console")
        .says("You are the only owner whose token works");
}

#[test]
fn what_ends_soon_is_there_the_soonest_first_with_the_way_to_it() {
    let harness = Harness::start();
    harness.tend_keys();
    furnish(&harness);
    let mut ids = Vec::new();
    for day in [20, 16, 17] {
        let mut client = warehouse();
        client["expires_at"] = json!(format!("2027-01-{day}T00:00:00Z"));
        ids.push(register(&harness, &client).0);
    }
    let (spoken_for, _, path) = register(&harness, &warehouse());
    let end = json!({ "retire_others_at": "2027-02-10T00:00:00Z" });
    harness.post(&format!("{path}/secrets"), &end).expect(201);
    let mut far = warehouse();
    far["expires_at"] = json!("2027-02-15T00:00:00Z");
    let far = register(&harness, &far).0;
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get("/console").expect(200);
    page.says("Ending within 30 days");
    for (id, day) in ids.iter().zip([20, 16, 17]) {
        page.says(&format!(
            "<span class=\"badge bad\">now</span> <a href=\"/console/clients/{id}\">{id} ends on 2027-01-{day} 00:00 UTC</a>"
        ));
    }
    page.says(&format!(
        "<span class=\"badge warn\">soon</span> <a href=\"/console/clients/{spoken_for}\">A secret of {spoken_for} ends on 2027-02-10"
    ));
    assert!(!page.text.contains(&far));
    let place = |id: &str| page.text.find(id).unwrap();
    assert!(place(&ids[1]) < place(&ids[2]) && place(&ids[2]) < place(&ids[0]) && place(&ids[0]) < place(&spoken_for));
    assert!(!page.text.contains("There are more"));
    for _ in 0..8 {
        let mut client = warehouse();
        client["expires_at"] = json!("2027-01-18T00:00:00Z");
        register(&harness, &client);
    }
    let page = browser.get("/console").expect(200);
    page.says("The soonest ten of a kind are shown. There are more.");
    assert_eq!(page.text.matches(" ends on 2027-01-").count(), 10);
    assert!(!page.text.contains(&ids[0]), "it is the eleventh");
}

#[test]
fn a_secret_that_is_safe_to_retire_is_named_by_its_last_letters() {
    let store = MemoryStore::default();
    let harness = Harness::on(Arc::new(store.clone()));
    furnish(&harness);
    let (client_id, first, path) = register(&harness, &warehouse());
    let second = harness.post(&format!("{path}/secrets"), &json!({})).expect(201);
    let second = second["secret"]["secret_id"].as_str().unwrap().to_owned();
    let hint = harness.get(&format!("{path}/secrets/{first}")).expect(200)["hint"]
        .as_str()
        .unwrap()
        .to_owned();
    harness.pass(15 * 86_400);
    harness.tend_keys();
    let told = format!("The secret …{hint} of {client_id} is silent while another is in use");
    let overview = || Browser::signed_in(&harness, Role::Viewer).get("/console").expect(200);
    assert!(!overview().text.contains("is silent"), "neither is in use");
    let at = harness.now();
    let used = UsageBatch {
        writer: UsageWriter::mint(&SystemEntropy::new()),
        sequence: 1,
        at,
        counts: Vec::new(),
        uses: vec![SecretUse {
            secret_id: second.parse().unwrap(),
            at,
            source: [192, 0, 2, 1].into(),
        }],
    };
    store.record_usage(&used).unwrap();
    let page = overview();
    page.says("Secrets safe to retire");
    page.says(&told);
    harness.act(&format!("{path}/suspend")).expect(200);
    assert!(
        !overview().text.contains("is silent"),
        "of a client that is not active nothing is said"
    );
}

#[test]
fn a_key_and_a_token_that_are_due_are_there_in_time() {
    let harness = Harness::start();
    harness.tend_keys();
    harness.pass(23 * 86_400 - 1);
    let overview = |role| Browser::signed_in(&harness, role).get("/console").expect(200);
    assert!(!overview(Role::Viewer).text.contains("follows by itself"));
    harness.pass(1);
    overview(Role::Viewer).says("The next key of QA follows by itself on 2027-02-14 08:00 UTC");
    harness.pass(7 * 86_400 + 3_600);
    overview(Role::Viewer).says("follows by itself");
    harness.pass(1);
    overview(Role::Viewer).says("The next key of Production was due on 2027-02-14 08:00 UTC and does not sign yet");
    harness.tend_keys();
    assert!(!overview(Role::Viewer).text.contains("was due"));
    // A token works for ninety days, until 2027-04-15: two weeks before that begin on the 1st.
    harness.pass(46 * 86_400);
    let page = overview(Role::Viewer);
    page.says("The token of viewer@example.com ends on 2027-04-15 08:00 UTC");
    assert!(
        !page.text.contains("owner@example.com"),
        "others' are the owner's to see"
    );
    overview(Role::Owner).says("The token of viewer@example.com ends on 2027-04-15 08:00 UTC");
}

#[test]
fn the_pages_of_a_client_and_of_its_partner_have_their_usage() {
    let store = MemoryStore::default();
    let harness = Harness::on(Arc::new(store.clone()));
    furnish(&harness);
    let mut client = warehouse();
    client["name"] = json!("<b>Shop</b>");
    let (client_id, ..) = register(&harness, &client);
    let (silent, ..) = register(&harness, &warehouse());
    for counted in [
        (client_id.as_str(), 25, Outcome::Issued, 40),
        (&client_id, 49, Outcome::Refused(TokenRefusal::WrongSecret), 3),
        (&client_id, 50, Outcome::Refused(TokenRefusal::Limited), 5),
        (&client_id, 31 * 24, Outcome::Issued, 1_000),
    ] {
        count(&store, &harness, counted);
    }
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get(&format!("/console/clients/{client_id}")).expect(200);
    page.says("<title>Tokens and refusals of &#60;b&#62;Shop&#60;/b&#62; in QA in the last 30 days</title>");
    page.says("Tokens, filled: 40.");
    page.says("<tr><th scope=\"row\">2027-01-14</th><td class=\"number\">40</td><td class=\"number\">0</td></tr>");
    let reason = |word: &str, number: u64| {
        let row = format!("<tr><th scope=\"row\"><code>{word}</code></th><td class=\"number\">{number}</td></tr>");
        page.text.find(&row).unwrap_or_else(|| panic!("no {row}"))
    };
    assert!(reason("limited", 5) < reason("wrong_secret", 3));
    assert!(!page.text.contains("unavailable"));
    browser
        .get(&format!("/console/clients/{silent}"))
        .expect(200)
        .says("No request in that time.");
    let page = browser.get("/console/partners/acme").expect(200);
    page.says("<title>Tokens and refusals of acme in QA in the last 30 days</title>");
    page.says("Refusals, outlined: 8.");
    assert_eq!(page.text.matches("<svg").count(), 1, "nothing happened in Production");
}

#[test]
fn a_quota_of_which_four_fifths_are_drawn_is_there_with_its_numbers() {
    let store = MemoryStore::default();
    let harness = Harness::on(Arc::new(store.clone()));
    harness.tend_keys();
    furnish(&harness);
    let plan = json!({ "quota_mode": "enforce", "partner": { "tokens_per_day": 1000 }, "client": {} });
    harness.patch("/partners/acme", &json!({ "plan": plan })).expect(200);
    let (client_id, ..) = register(&harness, &warehouse());
    let issue = async {
        let registry = harness.office.registry();
        let client = registry
            .fresh()
            .await
            .unwrap()
            .client(&client_id.parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        registry.spend(&client, harness.now()).await.unwrap().keep();
        registry.give_back_all().await.unwrap();
    };
    actix_web::rt::System::new().block_on(issue);
    let meter = Meter {
        holder: MeterHolder::Partner("acme".parse().unwrap()),
        environment: Environment::Qa,
        window: Window::of(Period::Day, harness.now()),
    };
    let draw = |tokens| store.draw(&meter, Draw::counting(tokens)).unwrap().total;
    let browser = Browser::signed_in(&harness, Role::Viewer);
    assert_eq!(draw(798), 799, "one was issued");
    assert!(
        !browser
            .get("/console")
            .expect(200)
            .text
            .contains("Quotas near their limit")
    );
    assert_eq!(draw(1), 800);
    let page = browser.get("/console").expect(200);
    page.says("Quotas near their limit");
    page.says(
        "<span class=\"badge warn\">soon</span> <a href=\"/console/partners/acme\">partner-day of acme in QA: 800 of 1,000 drawn, until \
         2027-01-16 00:00 UTC</a>",
    );
    draw(200);
    browser
        .get("/console")
        .says("<span class=\"badge bad\">now</span> <a href=\"/console/partners/acme\">partner-day of acme");
}
