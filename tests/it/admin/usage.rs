//! `/admin/v1/usage`, and what secrets say of their use.

use mintmark::ambient::SystemEntropy;
use mintmark::domain::{
    CountedScope, Environment, Outcome, Role, SecretUse, Timestamp, TokenRefusal, UsageBatch, UsageCount, UsageWriter,
};
use serde_json::{Value, json};

use crate::store::places::{self, Fresh, on_every_fresh_store};
use crate::support::admin_harness::{Harness, furnish, register, warehouse};

/// The clock of the harness: 2027-01-15T08:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const DAY: u32 = 86_400;

fn record(fresh: &Fresh, counts: Vec<UsageCount>, uses: Vec<SecretUse>) {
    let batch = UsageBatch {
        writer: UsageWriter::mint(&SystemEntropy::new()),
        sequence: 1,
        at: NOW,
        counts,
        uses,
    };
    fresh.store.record_usage(&batch).unwrap();
}

fn count(client_id: &str, hour: &str, (scope, outcome): (Option<&str>, Outcome), requests: u64) -> UsageCount {
    UsageCount {
        hour: hour.parse().unwrap(),
        environment: Environment::Qa,
        partner_id: client_id.starts_with("qa-acme").then(|| "acme".parse().unwrap()),
        client_id: client_id.parse().unwrap(),
        scope: scope.map(CountedScope::of),
        outcome,
        requests,
    }
}

/// Two clients of a partner and one of an API, over two days.
fn counted(fresh: &Fresh) {
    let issued = |scope| (Some(scope), Outcome::Issued);
    let wrong = (None, Outcome::Refused(TokenRefusal::WrongSecret));
    let counts = vec![
        count("qa-acme-1", "2027-01-14T23:00:00Z", issued("orders:read"), 3),
        count("qa-acme-1", "2027-01-15T06:00:00Z", issued("orders:read"), 5),
        count("qa-acme-1", "2027-01-15T07:00:00Z", issued("=cmd orders:read"), 7),
        count("qa-acme-1", "2027-01-15T07:00:00Z", wrong, 2),
        count("qa-acme-2", "2027-01-15T07:00:00Z", issued("orders:read"), 11),
        count("qa-orders-1", "2027-01-15T07:00:00Z", wrong, 13),
    ];
    record(fresh, counts, Vec::new());
}

fn items(harness: &Harness, query: &str) -> Vec<Value> {
    let listed = harness
        .ask("GET", &format!("/usage?{query}"))
        .by(Role::Viewer)
        .send()
        .expect(200);
    listed["items"].as_array().unwrap().clone()
}

fn usage_is_counted_and_shown_alike(fresh: &Fresh) {
    counted(fresh);
    let harness = Harness::on(fresh.store.clone());
    by_day_and_client(&harness);
    by_hour_and_scope(&harness);
    everything_together(&harness);
    page_by_page(&harness);
    for_a_spreadsheet(&harness);
    secrets_say_where_they_were_used(fresh, &harness);
}

on_every_fresh_store!(usage_is_counted_and_shown_alike);

fn by_day_and_client(harness: &Harness) {
    let rows = items(harness, "");
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["begins"].as_str().unwrap(),
                row["client_id"].as_str().unwrap(),
                row["issued"].as_u64().unwrap(),
                row["refused"].as_u64().unwrap(),
            )
        })
        .collect();
    let (yesterday, today) = ("2027-01-14T00:00:00Z", "2027-01-15T00:00:00Z");
    // What has no partner comes first.
    let expected = [
        (yesterday, "qa-acme-1", 3, 0),
        (today, "qa-orders-1", 0, 13),
        (today, "qa-acme-1", 12, 2),
        (today, "qa-acme-2", 11, 0),
    ];
    assert_eq!(shown, expected);
    assert_eq!(rows[2]["refusals"], json!({ "wrong_secret": 2 }));
    assert_eq!(
        (&rows[1]["partner_id"], &rows[1]["scope"]),
        (&Value::Null, &Value::Null)
    );
}

fn by_hour_and_scope(harness: &Harness) {
    let query = "granularity=hour&group_by=scope&client_id=qa-acme-1&from=2027-01-15T06:30:00Z&to=2027-01-15T07:00:01Z";
    let rows = items(harness, query);
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["begins"].as_str().unwrap(),
                row["scope"].as_str(),
                row["issued"].as_u64().unwrap(),
            )
        })
        .collect();
    let (six, seven) = ("2027-01-15T06:00:00Z", "2027-01-15T07:00:00Z");
    let expected = [
        (six, Some("orders:read"), 5),
        (seven, None, 0),
        (seven, Some("=cmd orders:read"), 7),
    ];
    assert_eq!(shown, expected, "from the hour of the beginning, up to before the end");
}

fn everything_together(harness: &Harness) {
    let rows = items(harness, "granularity=month&group_by=environment");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["begins"], "2027-01-01T00:00:00Z");
    assert_eq!((&rows[0]["issued"], &rows[0]["refused"]), (&json!(26), &json!(15)));
    let of_acme = items(
        harness,
        "granularity=month&group_by=partner&partner_id=acme&environment=qa",
    );
    assert_eq!((&of_acme[0]["issued"], &of_acme[0]["refused"]), (&json!(26), &json!(2)));
    assert_eq!(of_acme[0]["client_id"], Value::Null);
    assert!(items(harness, "environment=production").is_empty());
}

fn page_by_page(harness: &Harness) {
    let query = "granularity=hour&group_by=scope&from=2027-01-01T00:00:00Z";
    let whole = items(harness, query);
    assert_eq!(whole.len(), 6);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = harness.get(&format!("/usage?{query}&limit=1{cursor}")).expect(200);
        seen.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, whole);
}

fn for_a_spreadsheet(harness: &Harness) {
    let query = "/usage?granularity=hour&group_by=scope&client_id=qa-acme-1&from=2027-01-15T07:00:00Z";
    let refusals = TokenRefusal::ALL.map(TokenRefusal::as_str).join(",");
    let expected = [
        &format!("begins,environment,partner_id,client_id,scope,issued,refused,{refusals}"),
        "2027-01-15T07:00:00Z,qa,acme,qa-acme-1,,0,2,2,0,0,0,0,0,0,0,0,0,0,0",
        "2027-01-15T07:00:00Z,qa,acme,qa-acme-1,'=cmd orders:read,7,0,0,0,0,0,0,0,0,0,0,0,0,0",
        "",
    ]
    .join("\r\n");
    let named = harness.get(&format!("{query}&format=csv"));
    let accepted = harness
        .ask("GET", query)
        .header("Accept", "text/csv;q=0.9, */*;q=0.1")
        .send();
    for answer in [named, accepted] {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("Content-Type"), "text/csv; charset=utf-8; header=present");
        assert_eq!(answer.text, expected);
        assert_eq!(answer.header("Link"), "");
    }
    let json = harness
        .ask("GET", &format!("{query}&format=json"))
        .header("Accept", "text/csv");
    json.send().expect(200);
}

fn secrets_say_where_they_were_used(fresh: &Fresh, harness: &Harness) {
    furnish(harness);
    let (_, old, path) = register(harness, &warehouse());
    let list = format!("{path}/secrets");
    let added = harness.post(&list, &json!({})).expect(201);
    let new = added["secret"]["secret_id"].as_str().unwrap().to_owned();
    let used = |secret_id: &str, at, source: &str| SecretUse {
        secret_id: secret_id.parse().unwrap(),
        at,
        source: source.parse().unwrap(),
    };
    let uses = vec![used(&old, NOW, "2001:db8::7"), used(&new, harness.now(), "192.0.2.1")];
    record(fresh, Vec::new(), uses);
    let kept = |secret_id: &str| harness.get(&format!("{list}/{secret_id}")).expect(200);
    assert_eq!(kept(&old)["last_used_source"], "2001:db8::7");
    assert_eq!(kept(&old)["safe_to_retire"], false);
    harness.pass(14 * DAY);
    assert_eq!(kept(&old)["safe_to_retire"], false, "both are silent");
    record(fresh, Vec::new(), vec![used(&new, harness.now(), "192.0.2.1")]);
    let listed = harness.get(&list).expect(200);
    let safe: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|secret| &secret["safe_to_retire"])
        .collect();
    assert_eq!(safe, [true, false]);
    harness.act(&format!("{list}/{old}/retire")).expect(200);
    assert_eq!(kept(&old)["safe_to_retire"], false, "it is retired");
    let row = &harness.get("/journal?order=newest_first&limit=1").expect(200)["items"][0];
    assert_eq!(row["action"], "secret.retired");
    assert!(
        !row["detail"].as_str().unwrap().contains("2001:db8"),
        "the journal forgets nothing"
    );
}

#[test]
fn a_spreadsheet_that_is_too_long_leads_to_its_continuation() {
    let fresh = places::memory();
    let issued = (Some("orders:read"), Outcome::Issued);
    let client = |number| count(&format!("qa-acme-{number:05}"), "2027-01-15T07:00:00Z", issued, 1);
    record(&fresh, (0..10_001).map(client).collect(), Vec::new());
    let harness = Harness::on(fresh.store.clone());
    let first = harness.get("/usage?format=csv&granularity=hour&partner_id=acme");
    assert_eq!(first.text.lines().count(), 10_001);
    let link = first.header("Link");
    let next = link
        .strip_prefix("</admin/v1")
        .and_then(|link| link.strip_suffix(">; rel=\"next\""));
    let second = harness.get(next.unwrap_or_else(|| panic!("{link}")));
    let rows: Vec<_> = second.text.lines().skip(1).collect();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].contains("qa-acme-10000"), "{rows:?}");
    assert_eq!(second.header("Link"), "");
}

#[test]
fn what_is_no_question_is_refused_and_every_fault_named() {
    let harness = Harness::start();
    let faults = |query: &str| harness.get(&format!("/usage?{query}")).faults(400);
    assert_eq!(
        faults("granularity=week&group_by=everything&from=2027-01-15&client_id=A&colour=red"),
        ["granularity", "group_by", "from", "client_id", "colour"]
    );
    assert_eq!(faults("from=2027-01-15T00:00:01Z&to=2027-01-15T00:00:00Z"), ["from"]);
    assert_eq!(faults("format=xml"), ["format"]);
    assert_eq!(faults("format=csv&limit=10"), ["limit"]);
    assert_eq!(
        faults("cursor=cGFydG5lcjphY21l"),
        ["cursor"],
        "a cursor of another list"
    );
}
