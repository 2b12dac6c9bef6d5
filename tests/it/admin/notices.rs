//! `/admin/v1/notices`.

use mintmark::ambient::SystemEntropy;
use mintmark::domain::{
    Delivery, Ending, Environment, KeptNotice, Milliseconds, Notice, NoticeSubject, Role, Seconds, Threshold, Timestamp,
};
use serde_json::{Value, json};

use crate::support::admin_harness::Harness;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Raises a notice of each kind, the first of which waits to be sent.
fn raise(harness: &Harness) {
    let subjects = [
        NoticeSubject::Secret {
            secret_id: "0123456789abcdef".parse().unwrap(),
        },
        NoticeSubject::Client,
    ];
    let notices = subjects.into_iter().zip(1..).map(|(subject, number)| {
        let ending = Ending {
            subject,
            client_id: format!("qa-acme-{number}").parse().unwrap(),
            partner_id: (number == 1).then(|| "acme".parse().unwrap()),
            environment: Environment::ALL[number - 1],
            expires_at: NOW,
        };
        let at = Milliseconds(NOW.seconds() * 1000 + i64::try_from(number).unwrap());
        KeptNotice {
            notice: Notice::raise(ending, Threshold::OneDay, (at, &SystemEntropy::new())),
            delivery: match number {
                1 => Delivery::Waiting {
                    attempts: 2,
                    next_attempt_at: NOW + Seconds(60),
                },
                _ => Delivery::None,
            },
        }
    });
    let notices: Vec<_> = notices.collect();
    let raised = harness.office.registry().raise_notices(notices.clone());
    assert_eq!(actix_web::rt::System::new().block_on(raised).unwrap(), notices);
}

fn items(harness: &Harness, query: &str) -> Vec<Value> {
    let listed = harness.ask("GET", &format!("/notices{query}")).by(Role::Viewer).send();
    listed.expect(200)["items"].as_array().unwrap().clone()
}

#[test]
fn a_viewer_reads_what_was_said_and_whether_it_arrived() {
    let harness = Harness::start();
    assert_eq!(items(&harness, ""), [Value::Null; 0]);
    raise(&harness);
    let mut listed = items(&harness, "");
    for item in &mut listed {
        let id = item.as_object_mut().unwrap().remove("notice_id").unwrap();
        assert_eq!(id.as_str().unwrap().len(), 26);
    }
    let first = json!({
        "kind": "secret.expiring", "secret_id": "0123456789abcdef", "environment": "qa", "partner_id": "acme",
        "client_id": "qa-acme-1", "days": 1, "expires_at": "2027-01-15T08:00:00Z", "raised_at": "2027-01-15T08:00:00Z",
        "delivery": "waiting", "attempts": 2, "next_attempt_at": "2027-01-15T08:01:00Z",
    });
    let second = json!({
        "kind": "client.expiring", "environment": "production", "partner_id": null, "client_id": "qa-acme-2", "days": 1,
        "expires_at": "2027-01-15T08:00:00Z", "raised_at": "2027-01-15T08:00:00Z", "delivery": "none",
    });
    assert_eq!(listed, [first, second]);
    assert_eq!(
        harness.epoch().get(),
        3,
        "the operators of the test; a notice is no change"
    );
}

#[test]
fn notices_are_filtered_and_paged() {
    let harness = Harness::start();
    raise(&harness);
    let clients = |query: &str| {
        let client = |item: &Value| item["client_id"].as_str().unwrap().to_owned();
        items(&harness, query).iter().map(client).collect::<Vec<_>>()
    };
    for query in [
        "kind=secret.expiring",
        "environment=qa",
        "partner_id=acme",
        "client_id=qa-acme-1",
        "delivery=waiting",
    ] {
        assert_eq!(clients(&format!("?{query}")), ["qa-acme-1"], "{query}");
    }
    assert_eq!(clients("?order=newest_first"), ["qa-acme-2", "qa-acme-1"]);
    assert_eq!(clients("?delivery=given_up"), [""; 0]);
    let page = harness.get("/notices?limit=1").expect(200);
    let next = page["next"].as_str().unwrap();
    assert_eq!(clients(&format!("?limit=1&cursor={next}")), ["qa-acme-2"]);
    for (query, field) in [
        ("kind=expired", "kind"),
        ("delivery=lost", "delivery"),
        ("environment=staging", "environment"),
        ("client_id=%27", "client_id"),
        ("cursor=x", "cursor"),
        ("colour=red", "colour"),
    ] {
        assert_eq!(
            harness.get(&format!("/notices?{query}")).faults(400),
            [field],
            "{query}"
        );
    }
}
