//! Partners and clients, edited, by one and by two at once.

use mintmark::domain::Role;
use serde_json::{Value, json};

use super::browser::{Browser, Page, field};
use crate::support::admin_harness::{Harness, furnish, register, warehouse};

/// What a browser sends for `fields`, with those of `more` in their place.
fn with<'a>(fields: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = fields.to_vec();
    all.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    all.extend(more);
    all
}

fn version(page: &Page) -> String {
    field(page, "version")
}

/// The cells of the row of the table of differences that begins with `label`.
#[track_caller]
fn difference(page: &Page, label: &str) -> Vec<String> {
    let (_, row) = page
        .text
        .split_once(&format!("<th scope=\"row\">{label}</th>"))
        .expect(label);
    let row = row.split("</tr>").next().unwrap();
    let cell = |cell: &str| cell.split("</td>").next().unwrap().trim().to_owned();
    row.split("<td>").skip(1).map(cell).collect()
}

const NOTHING: &str = "<span class=\"hint\">nothing</span>";

#[test]
fn a_partner_is_renamed_narrowed_and_given_a_plan() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    browser
        .get("/console/partners/acme")
        .expect(200)
        .says("href=\"/console/partners/acme/edit\"");
    let page = browser.get("/console/partners/acme/edit").expect(200);
    assert_eq!(field(&page, "name"), "Acme GmbH");
    page.says(">orders:read\norders:write\nstock:read</textarea>");
    let version = version(&page);
    let fields = [
        ("version", version.as_str()),
        ("name", " Acme & Söhne "),
        ("scope_ceiling", "orders:read\r\n\r\nbilling:read "),
        ("plan.quota_mode", "observe"),
        ("plan.partner.tokens_per_second", "50"),
        ("plan.partner.burst", ""),
        ("plan.partner.tokens_per_day", "100000"),
        ("plan.partner.tokens_per_month", ""),
        ("plan.client.tokens_per_second", ""),
        ("plan.client.burst", ""),
        ("plan.client.tokens_per_day", ""),
        ("plan.client.tokens_per_month", " 9 "),
    ];
    assert_eq!(
        browser.post("/console/partners/acme/edit", &fields).location(),
        "/console/partners/acme"
    );
    let partner = harness.get("/partners/acme").expect(200);
    assert_eq!(partner["name"], "Acme & Söhne");
    assert_eq!(partner["scope_ceiling"], json!(["billing:read", "orders:read"]));
    let bounds = |second: Value, day: Value, month: Value| json!({ "tokens_per_second": second, "burst": second, "tokens_per_day": day, "tokens_per_month": month });
    let null = Value::Null;
    let plan = json!({
        "quota_mode": "observe",
        "partner": bounds(json!(50), json!(100_000), null.clone()),
        "client": bounds(null.clone(), null.clone(), json!(9)),
    });
    assert_eq!(partner["plan"], plan);
    let page = browser.get("/console/partners/acme").expect(200);
    page.says("50 a second, 50 at once, 100000 a day");
    // The form shows all of it, and taking the numbers and the mode out takes the plan away.
    let page = browser.get("/console/partners/acme/edit").expect(200);
    page.says("<option value=\"observe\" selected>");
    assert_eq!(field(&page, "plan.client.tokens_per_month"), "9");
    let version = self::version(&page);
    let without = [("version", version.as_str()), ("name", "Acme"), ("scope_ceiling", "")];
    browser.post("/console/partners/acme/edit", &without).location();
    let partner = harness.get("/partners/acme").expect(200);
    assert_eq!((&partner["plan"], &partner["scope_ceiling"]), (&null, &json!([])));
}

#[test]
fn what_is_wrong_with_a_partner_is_said_at_its_field_and_changes_nothing() {
    let harness = Harness::start();
    furnish(&harness);
    harness
        .post(
            "/partners",
            &json!({ "partner_id": "acme-eu", "name": "EU", "parent": "acme" }),
        )
        .expect(201);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let sent = version(&browser.get("/console/partners/acme/edit").expect(200));
    let before = harness.epoch();
    let good = [
        ("version", sent.as_str()),
        ("name", "Acme"),
        ("scope_ceiling", "orders:read"),
    ];
    for (more, fault) in [
        (&[("name", "")][..], "name"),
        (&[("scope_ceiling", "a\"b")], "scope_ceiling"),
        (&[("plan.partner.burst", "5")], "plan.partner.burst"),
        (&[("plan.partner.tokens_per_day", "5")], "plan.quota_mode"),
        (
            &[
                ("plan.quota_mode", "enforce"),
                ("plan.client.tokens_per_second", "many"),
            ],
            "plan.client.tokens_per_second",
        ),
        (
            &[("plan.quota_mode", "enforce"), ("plan.client.burst", "-1")],
            "plan.client.burst",
        ),
        (&[("plan.quota_mode", "on")], "plan.quota_mode"),
    ] {
        let page = browser
            .post("/console/partners/acme/edit", &with(&good, more))
            .expect(400);
        page.says(&format!("id=\"{fault}-fault\""));
        assert_eq!(version(&page), sent, "what it was when it was opened");
    }
    assert_eq!(harness.epoch(), before);
    // A sub-account has no boxes for a plan, and what is sent for them all the same is not read.
    let page = browser.get("/console/partners/acme-eu/edit").expect(200);
    assert!(!page.text.contains("quota_mode"));
    let version = version(&page);
    let fields = [
        ("version", version.as_str()),
        ("name", "Europe"),
        ("plan.quota_mode", "enforce"),
    ];
    browser.post("/console/partners/acme-eu/edit", &fields).location();
    let partner = harness.get("/partners/acme-eu").expect(200);
    assert_eq!((&partner["name"], &partner["plan"]), (&json!("Europe"), &Value::Null));
}

/// A fine-grained client of `acme`, and the path of its page.
fn fine(harness: &Harness) -> (String, String) {
    let mut client = warehouse();
    for (member, value) in [
        ("access_level", json!("fine_grained")),
        ("scope", json!(["orders:read"])),
        ("expires_at", json!("2028-01-31T12:34:56Z")),
    ] {
        client[member] = value;
    }
    let (client_id, _, path) = register(harness, &client);
    (path, format!("/console/clients/{client_id}/edit"))
}

const WAREHOUSE: [(&str, &str); 6] = [
    ("name", "Warehouse"),
    ("contact", "ada@acme.example"),
    ("access_level", "fine_grained"),
    ("scope", "orders:read"),
    ("expires_at", "2028-01-31"),
    ("token_lifetime", ""),
];

#[test]
fn a_client_is_widened_narrowed_and_bounded() {
    let harness = Harness::start();
    furnish(&harness);
    let (api, path) = fine(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let save = |more: &[(&str, &str)]| {
        let version = version(&browser.get(&path).expect(200));
        let fields = with(&with(&WAREHOUSE, &[("version", version.as_str())]), more);
        assert_eq!(format!("{}/edit", browser.post(&path, &fields).location()), path);
        harness.get(&api).expect(200)
    };
    let page = browser.get(&path).expect(200);
    page.says("name=\"scope\" value=\"orders:read\" checked");
    page.says("name=\"scope\" value=\"orders:write\">");
    assert!(!page.text.contains("stock:read"), "no API owns it");
    // The day alone is in the form, and the hour stays.
    let client = save(&[
        ("scope", "orders:read"),
        ("scope", "orders:write"),
        ("token_lifetime", "600"),
    ]);
    assert_eq!(client["scope"], json!(["orders:read", "orders:write"]));
    assert_eq!(
        (&client["expires_at"], &client["token_lifetime"]),
        (&json!("2028-01-31T12:34:56Z"), &json!(600))
    );
    let client = save(&[
        ("scope", "orders:write"),
        ("expires_at", "2027-02-01"),
        ("allowed_sources", "192.0.2.0/24\r\n::1"),
        ("limits.tokens_per_second", "5"),
        ("limits.tokens_per_month", "1000"),
    ]);
    assert_eq!(client["scope"], json!(["orders:write"]));
    assert_eq!(
        (&client["expires_at"], &client["token_lifetime"]),
        (&json!("2027-02-01T00:00:00Z"), &Value::Null)
    );
    assert_eq!(client["allowed_sources"], json!(["192.0.2.0/24", "::1/128"]));
    assert_eq!(
        (&client["limits"]["burst"], &client["limits"]["tokens_per_month"]),
        (&json!(5), &json!(1000))
    );
    browser
        .get(path.strip_suffix("/edit").unwrap())
        .expect(200)
        .says("5 a second, 5 at once, 1000 a month");
    // Boxes that a script would have hidden do not count.
    let client = save(&[("access_level", "full"), ("expires_at", ""), ("name", "<i>Store</i>")]);
    assert_eq!(
        (&client["access_level"], &client["scope"]),
        (&json!("full"), &Value::Null)
    );
    for member in ["expires_at", "allowed_sources", "limits"] {
        assert_eq!(client[member], Value::Null, "{member}");
    }
    let page = browser.get(&path).expect(200);
    page.says("&#60;i&#62;Store");
    assert!(!page.text.contains("<i>"));
}

#[test]
fn what_is_wrong_with_a_client_is_said_at_its_field_and_changes_nothing() {
    let harness = Harness::start();
    furnish(&harness);
    let (api, path) = fine(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let sent = version(&browser.get(&path).expect(200));
    let before = harness.get(&api).expect(200);
    let good = with(&WAREHOUSE, &[("version", sent.as_str())]);
    for (more, fault) in [
        (&[("name", "")][..], "name"),
        (&[("contact", "")], "contact"),
        (&[("access_level", "")], "access_level"),
        (&[("access_level", "all")], "access_level"),
        (&[("scope", "")], "scope"),
        (&[("scope", "nobody:has")], "scope"),
        (&[("token_lifetime", "59")], "token_lifetime"),
        (&[("token_lifetime", "soon")], "token_lifetime"),
        (&[("expires_at", "1999-12-31")], "expires_at"),
        (&[("allowed_sources", "192.0.2.1/24")], "allowed_sources"),
        (&[("limits.burst", "5")], "limits.burst"),
        (&[("limits.tokens_per_day", "0")], "limits.tokens_per_day"),
    ] {
        let page = browser.post(&path, &with(&good, more)).expect(400);
        page.says(&format!("id=\"{fault}-fault\""));
    }
    browser
        .post(&path, &WAREHOUSE)
        .expect(400)
        .says("Some fields are not what they should be");
    assert_eq!(harness.get(&api).expect(200), before);
}

#[test]
fn what_has_expired_or_has_no_scopes_is_edited_all_the_same() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let (api, path) = fine(&harness);
    harness
        .patch(&api, &json!({ "expires_at": "2027-01-20T12:34:56Z" }))
        .expect(200);
    let version = version(&browser.get(&path).expect(200));
    // Ten days after 2027-01-15.
    harness.pass(864_000);
    let browser = Browser::signed_in(&harness, Role::Operator);
    browser.get(&path).expect(200);
    let changes = [
        ("version", version.as_str()),
        ("name", "Old"),
        ("expires_at", "2027-01-20"),
    ];
    browser.post(&path, &with(&WAREHOUSE, &changes)).location();
    let client = harness.get(&api).expect(200);
    assert_eq!(
        (&client["name"], &client["expires_at"]),
        (&json!("Old"), &json!("2027-01-20T12:34:56Z"))
    );
    let server = json!({
        "kind": "resource_server", "environment": "qa", "api_id": "orders", "name": "Gate", "contact": "eve@b.example",
    });
    let (client_id, _, api) = register(&harness, &server);
    let path = format!("/console/clients/{client_id}/edit");
    let page = browser.get(&path).expect(200);
    assert!(!page.text.contains("access_level") && !page.text.contains("token_lifetime"));
    let version = self::version(&page);
    let fields = [
        ("version", version.as_str()),
        ("name", "Gate 2"),
        ("contact", "eve@b.example"),
        ("access_level", "full"),
    ];
    browser.post(&path, &fields).location();
    assert_eq!(harness.get(&api).expect(200)["name"], "Gate 2");
    harness.act(&format!("{api}/revoke")).expect(200);
    let version = self::version(&browser.get(&path).expect(200));
    let fields = [
        ("version", version.as_str()),
        ("name", "Gate 3"),
        ("contact", "eve@b.example"),
    ];
    browser
        .post(&path, &fields)
        .expect(409)
        .says("The client is revoked, and that is final");
}

#[test]
fn the_second_of_two_operators_sees_what_the_first_changed_and_loses_nothing() {
    let harness = Harness::start();
    furnish(&harness);
    let (api, path) = fine(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let opened = version(&browser.get(&path).expect(200));
    let theirs = json!({ "name": "Ware & <b>House</b>", "token_lifetime": 120, "scope": ["orders:write"] });
    let theirs = harness.patch(&api, &theirs).expect(200);
    harness.act(&format!("{api}/suspend")).expect(200);
    let mine = [
        ("version", opened.as_str()),
        ("contact", "bob@acme.example"),
        ("scope", "orders:read"),
        ("scope", "orders:write"),
        ("token_lifetime", "120"),
    ];
    let page = browser.post(&path, &with(&WAREHOUSE, &mine)).expect(412);
    let now = harness.get(&api).expect(200);
    assert_eq!(
        (&now["contact"], &now["name"]),
        (&json!("ada@acme.example"), &theirs["name"]),
        "nothing is saved"
    );
    page.says("Somebody else changed this while your form was open");
    let name = "Ware &#38; &#60;b&#62;House&#60;/b&#62;";
    for (label, cells) in [
        ("Name", ["Warehouse", name, "Warehouse", "as they changed it"]),
        (
            "Responsible e-mail",
            [
                "ada@acme.example",
                "ada@acme.example",
                "bob@acme.example",
                "as you sent it",
            ],
        ),
        (
            "Scopes",
            [
                "orders:read",
                "orders:write",
                "orders:read, orders:write",
                "as you sent it, though they changed it too",
            ],
        ),
        ("Token lifetime", [NOTHING, "120", "120", "the same from both"]),
        ("Status", ["active", "suspended", "", "not in this form"]),
    ] {
        assert_eq!(difference(&page, label), cells, "{label}");
    }
    assert!(!page.text.contains("<th scope=\"row\">Expires on"), "that is alike");
    // Who: the owner, twice, the newest first.
    let rows = page.text.split("Who changed it</h2>").nth(1).unwrap();
    let (suspended, changed) = (
        rows.find("client.suspended").unwrap(),
        rows.find("client.changed").unwrap(),
    );
    assert!(suspended < changed && rows.contains("(owner@example.com)") && rows.contains("2027-01-15 08:00 UTC"));
    assert!(
        !rows.contains("client.registered"),
        "that is what the form was opened on"
    );
    // The form has their name and this operator's contact, and can be saved now.
    assert_eq!(
        (field(&page, "name"), field(&page, "contact")),
        (name.to_owned(), "bob@acme.example".to_owned())
    );
    page.says("name=\"scope\" value=\"orders:read\" checked");
    page.says("name=\"scope\" value=\"orders:write\" checked");
    let version = version(&page);
    assert_eq!(version, now["version"].to_string());
    let again = with(&mine, &[("version", version.as_str()), ("name", "Ware & <b>House</b>")]);
    browser.post(&path, &with(&WAREHOUSE, &again)).location();
    let saved = harness.get(&api).expect(200);
    assert_eq!(saved["name"], theirs["name"]);
    assert_eq!(
        (&saved["contact"], &saved["status"]),
        (&json!("bob@acme.example"), &json!("suspended"))
    );
    assert_eq!(saved["scope"], json!(["orders:read", "orders:write"]));
}

#[test]
fn of_a_partner_too_and_of_a_version_that_never_was() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let opened = version(&browser.get("/console/partners/acme/edit").expect(200));
    let plan = json!({ "quota_mode": "enforce", "partner": { "tokens_per_day": 5 } });
    harness.patch("/partners/acme", &json!({ "plan": plan })).expect(200);
    let mine = [
        ("version", opened.as_str()),
        ("name", "Acme AG"),
        ("scope_ceiling", "orders:read orders:write stock:read"),
    ];
    let page = browser.post("/console/partners/acme/edit", &mine).expect(412);
    assert_eq!(
        difference(&page, "Quotas"),
        [NOTHING, "enforce", NOTHING, "as they changed it"]
    );
    assert_eq!(
        difference(&page, "Together: tokens a day"),
        [NOTHING, "5", NOTHING, "as they changed it"]
    );
    assert_eq!(
        difference(&page, "Name"),
        ["Acme GmbH", "Acme GmbH", "Acme AG", "as you sent it"]
    );
    assert!(!page.text.contains("<th scope=\"row\">Ceiling"));
    page.says("<option value=\"enforce\" selected>");
    assert_eq!(field(&page, "plan.partner.tokens_per_day"), "5");
    assert_eq!(field(&page, "name"), "Acme AG");
    for never in ["999999", "1", "9223372036854775807"] {
        let page = browser
            .post("/console/partners/acme/edit", &with(&mine, &[("version", never)]))
            .expect(412);
        let unknown = "<span class=\"hint\">not known any more</span>";
        assert_eq!(
            difference(&page, "Name"),
            [unknown, "Acme GmbH", "Acme AG", "as you sent it"]
        );
        page.says("partner.changed");
    }
    for nonsense in ["", "x", "-9223372036854775808", "99999999999999999999"] {
        let fields = with(&mine, &[("version", nonsense)]);
        let page = browser.post("/console/partners/acme/edit", &fields);
        assert!([400, 412].contains(&page.status), "{nonsense}: {}", page.status);
    }
    assert_eq!(harness.get("/partners/acme").expect(200)["name"], "Acme GmbH");
}
