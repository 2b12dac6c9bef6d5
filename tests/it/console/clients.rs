//! Credentials: made, shown once, rotated, ended.

use mintmark::domain::Role;
use serde_json::{Value, json};

use super::browser::{Browser, Page, field};
use crate::support::admin_harness::{Harness, furnish};

fn create(browser: &Browser<'_>, more: &[(&str, &str)]) -> Page {
    let once = field(&browser.get("/console/partners/acme/clients/new").expect(200), "once");
    let fields = [&[("once", once.as_str())], more].concat();
    browser.post("/console/partners/acme/clients", &fields)
}

const WHOLE: [(&str, &str); 4] = [
    ("environment", "qa"),
    ("name", "Shop"),
    ("contact", "dev@acme.example"),
    ("access_level", "full"),
];

/// The text of the element with this id.
fn told(page: &Page, id: &str) -> String {
    let (_, rest) = page.text.split_once(&format!("id=\"{id}\"")).unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split('<').next().unwrap().to_owned()
}

fn only_client(harness: &Harness) -> Value {
    let list = harness.get("/clients").expect(200);
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{list}");
    items[0].clone()
}

#[test]
fn the_secret_is_shown_once_and_nowhere_again() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let once = field(&browser.get("/console/partners/acme/clients/new").expect(200), "once");
    let fields = [&[("once", once.as_str())], &WHOLE[..]].concat();
    let page = browser.post("/console/partners/acme/clients", &fields).expect(200);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let (client_id, secret) = (told(&page, "client-id"), told(&page, "client-secret"));
    assert_eq!(told(&page, "token-endpoint"), "https://auth.example.com/qa/token");
    assert!(
        client_id.starts_with("qa-acme-") && secret.starts_with("mms_qa_"),
        "{client_id} {secret}"
    );
    page.says(&format!(
        "CLIENT_ID={client_id}\nCLIENT_SECRET={secret}\nTOKEN_ENDPOINT=https://auth.example.com/qa/token\n"
    ));
    assert_eq!(only_client(&harness)["client_id"], client_id);
    let secrets = harness.get(&format!("/clients/{client_id}/secrets")).expect(200);
    assert_eq!(secrets["items"][0]["hint"], secret[secret.len() - 4..]);
    // A reload sends the same form.
    let again = browser.post("/console/partners/acme/clients", &fields).expect(200);
    again.says("It cannot be shown again");
    assert_eq!(only_client(&harness)["client_id"], client_id, "nothing was made twice");
    for path in [
        format!("/console/clients/{client_id}"),
        "/console/partners/acme".to_owned(),
        "/console".to_owned(),
    ] {
        let page = browser.get(&path).expect(200);
        assert!(!page.text.contains("mms_"), "{path}");
    }
}

#[test]
fn credentials_are_as_they_were_chosen() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let chosen = [
        ("environment", "production"),
        ("name", "Shop"),
        ("contact", "dev@acme.example"),
        ("access_level", "fine_grained"),
        ("scope", "orders:read"),
        ("scope", "orders:write"),
        ("expires_at", "2028-01-31"),
        ("allowed_sources", "192.0.2.0/24\r\n2001:db8::/32"),
    ];
    create(&browser, &chosen).expect(200);
    let client = only_client(&harness);
    for (member, value) in [
        ("environment", json!("production")),
        ("access_level", json!("fine_grained")),
        ("scope", json!(["orders:read", "orders:write"])),
        ("expires_at", json!("2028-01-31T00:00:00Z")),
        ("allowed_sources", json!(["192.0.2.0/24", "2001:db8::/32"])),
        ("partner_id", json!("acme")),
        ("contact", json!("dev@acme.example")),
    ] {
        assert_eq!(client[member], value, "{member}");
    }
    let page = browser.get(&format!("/console/clients/{}", client["client_id"].as_str().unwrap()));
    page.says("192.0.2.0/24, 2001:db8::/32");
    page.says("2028-01-31 00:00 UTC");
}

#[test]
fn what_is_missing_or_wrong_makes_nothing() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    for (more, fault) in [
        (&[][..], "environment-fault"),
        (
            &[("environment", "qa"), ("name", "A"), ("access_level", "full")],
            "contact-fault",
        ),
        (&[("contact", "nonsense")], "contact-fault"),
        (&[("access_level", "fine_grained")], "scope-fault"),
        (
            &[("access_level", "fine_grained"), ("scope", "nobody:has")],
            "scope-fault",
        ),
        (&[("expires_at", "1999-12-31")], "expires_at-fault"),
        (&[("expires_at", "soon")], "expires_at-fault"),
        (&[("allowed_sources", "192.0.2.1/24")], "allowed_sources-fault"),
    ] {
        let mut fields: Vec<(&str, &str)> = if more.len() == 1 || more.len() == 2 {
            WHOLE.to_vec()
        } else {
            Vec::new()
        };
        fields.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
        fields.extend(more);
        let page = create(&browser, &fields).expect(400);
        page.says(&format!("id=\"{fault}\""));
    }
    assert_eq!(harness.get("/clients").expect(200)["items"], json!([]));
}

#[test]
fn what_an_attacker_typed_is_text_on_every_page() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let name = "<script>alert(1)</script>\"'";
    let fields = [&WHOLE[..1], &WHOLE[2..], &[("name", name)]].concat();
    let page = create(&browser, &fields).expect(200);
    assert!(!page.text.contains("<script>"));
    let client_id = told(&page, "client-id");
    for path in [
        format!("/console/clients/{client_id}"),
        "/console/partners/acme".to_owned(),
    ] {
        let page = browser.get(&path).expect(200);
        assert!(!page.text.contains("<script>"), "{path}");
        page.says("&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;");
    }
}

#[test]
fn a_rotation_overlaps_and_a_retirement_is_at_once() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let first = told(&create(&browser, &WHOLE).expect(200), "client-secret");
    let client_id = only_client(&harness)["client_id"].as_str().unwrap().to_owned();
    let path = format!("/console/clients/{client_id}");
    let page = browser.get(&path).expect(200);
    // The harness's clock stands at 2027-01-15.
    assert_eq!(field(&page, "retire_others_at"), "2027-01-22");
    let fields = [
        ("once", field(&page, "once")),
        ("note", "spring".to_owned()),
        ("retire_others_at", "2027-01-22".to_owned()),
    ];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let page = browser.post(&format!("{path}/secrets"), &fields).expect(200);
    let second = told(&page, "client-secret");
    assert_ne!(first, second);
    let list = harness.get(&format!("/clients/{client_id}/secrets")).expect(200);
    let of = |secret: &str| {
        let hint = &secret[secret.len() - 4..];
        let items = list["items"].as_array().unwrap();
        items.iter().find(|each| each["hint"] == *hint).unwrap().clone()
    };
    assert_eq!(of(&first)["expires_at"], "2027-01-22T00:00:00Z");
    assert_eq!(
        (&of(&second)["note"], &of(&second)["expires_at"]),
        (&json!("spring"), &json!(null))
    );
    let kept = of(&first);
    let version = kept["version"].to_string();
    let retire = format!("{path}/secrets/{}/retire", kept["secret_id"].as_str().unwrap());
    assert_eq!(browser.post(&retire, &[("version", &version)]).location(), path);
    let ended = harness.get(&format!(
        "/clients/{client_id}/secrets/{}",
        kept["secret_id"].as_str().unwrap()
    ));
    assert_eq!(ended.expect(200)["status"], "retired");
}

#[test]
fn to_revoke_one_types_the_client_id() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    create(&browser, &WHOLE).expect(200);
    let client_id = only_client(&harness)["client_id"].as_str().unwrap().to_owned();
    let path = format!("/console/clients/{client_id}");
    let version = field(&browser.get(&path).expect(200), "version");
    let send = |action: &str, confirm: &str| {
        let fields = [("version", version.as_str()), ("confirm", confirm)];
        browser.post(&format!("{path}/{action}"), &fields)
    };
    send("revoke", "Shop").expect(400);
    send("suspend", "").expect(400);
    assert_eq!(only_client(&harness)["status"], "active");
    assert_eq!(send("revoke", &client_id).location(), path);
    assert_eq!(only_client(&harness)["status"], "revoked");
    let page = browser.get(&path).expect(200);
    page.says("revoked");
    assert!(!page.text.contains("Make another secret"));
}
