//! The verbs against a running server: what each does is seen in what the server then shows.

use serde_json::Value;
use tempfile::TempDir;

use super::{Called, Installation, Server};

/// A server with its owner's token.
struct Running {
    installation: Installation,
    server: Server,
    token: String,
}

impl Running {
    fn new() -> Self {
        let installation = Installation::new();
        let token = installation.first_operator();
        let server = installation.serve();
        Self {
            installation,
            server,
            token,
        }
    }

    /// With an API and a partner.
    fn furnished() -> Self {
        let running = Self::new();
        for environment in ["qa", "production"] {
            let audience = format!("https://orders.{environment}.example.com");
            running
                .run(&[
                    "api",
                    "create",
                    "orders",
                    "--environment",
                    environment,
                    "--name",
                    "Orders",
                    "--audience",
                    &audience,
                    "--scopes",
                    "orders.read orders.write",
                ])
                .exits(0);
        }
        running
            .run(&[
                "partner",
                "create",
                "acme",
                "--name",
                "Acme",
                "--scope-ceiling",
                "orders.read orders.write",
            ])
            .exits(0);
        running
    }

    fn run(&self, arguments: &[&str]) -> Called {
        self.run_as(&self.token, arguments)
    }

    fn run_as(&self, token: &str, arguments: &[&str]) -> Called {
        let mut command = self.installation.command(arguments);
        command
            .env("MINTMARK_SERVER", self.server.url())
            .env("MINTMARK_OPERATOR_TOKEN", token);
        super::finished(&mut command)
    }

    /// The same for scripts: the one object.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).exits(0).json()
    }

    /// The same for a list.
    #[track_caller]
    fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        self.run(&[arguments, &["--json"]].concat()).exits(0).json_lines()
    }

    /// A client of acme in qa, with everything; the answer of its creation.
    fn client(&self) -> Value {
        self.json(&[
            "client",
            "create",
            "--partner",
            "acme",
            "--environment",
            "qa",
            "--name",
            "Import",
            "--contact",
            "api@acme.example.com",
            "--full",
        ])
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn a_plan_limits_and_sources_are_said_whole_and_taken_back() {
    let running = Running::furnished();
    let change = |words: &[&str]| running.json(&[&["partner", "change", "acme"], words].concat())["plan"].clone();
    let bounded = |second: Option<u32>, burst: Option<u32>, month: Option<u32>| {
        serde_json::json!({
            "tokens_per_second": second, "burst": burst, "tokens_per_day": null, "tokens_per_month": month,
        })
    };
    assert_eq!(
        change(&[
            "--tokens-per-second",
            "50",
            "--burst",
            "100",
            "--client-tokens-per-month",
            "9"
        ]),
        serde_json::json!({
            "quota_mode": "enforce",
            "partner": bounded(Some(50), Some(100), None),
            "client": bounded(None, None, Some(9)),
        })
    );
    assert_eq!(
        change(&["--quota-mode", "off"]),
        serde_json::json!({
            "quota_mode": "off", "partner": bounded(None, None, None), "client": bounded(None, None, None),
        })
    );
    assert!(change(&["--no-plan"]).is_null());
    running
        .run(&[
            "partner",
            "create",
            "fast",
            "--name",
            "Fast",
            "--tokens-per-second",
            "7",
        ])
        .exits(0);
    let fast = running.json(&["partner", "show", "fast"]);
    assert_eq!(fast["plan"]["partner"], bounded(Some(7), Some(7), None));

    let made = running.client();
    let id = text(&made["client"]["client_id"]).to_owned();
    let change = |words: &[&str]| running.json(&[&["client", "change", &id], words].concat());
    let changed = change(&[
        "--tokens-per-second",
        "5",
        "--allow-source",
        "192.0.2.0/24",
        "--allow-source",
        "::1",
    ]);
    assert_eq!(changed["limits"], bounded(Some(5), Some(5), None));
    assert_eq!(
        changed["allowed_sources"],
        serde_json::json!(["192.0.2.0/24", "::1/128"])
    );
    let freed = change(&["--no-limits", "--allow-any-source"]);
    assert!(
        freed["limits"].is_null() && freed["allowed_sources"].is_null(),
        "{freed}"
    );

    // What the grammar refuses never reaches the server.
    for wrong in [
        &["--burst", "5"][..],
        &["--tokens-per-second", "0"],
        &["--tokens-per-day", "many"],
        &["--no-plan", "--tokens-per-day", "5"],
        &["--no-plan", "--client-tokens-per-day", "5"],
        &["--no-plan", "--quota-mode", "off"],
    ] {
        running.run(&[&["partner", "change", "acme"], wrong].concat()).exits(2);
    }
}

#[test]
fn a_partner_is_registered_changed_suspended_and_reinstated() {
    let running = Running::furnished();
    running
        .run(&["partner", "create", "acme-eu", "--name", "Acme EU", "--parent", "acme"])
        .exits(0);
    assert_eq!(running.lines(&["partner", "list"]).len(), 2);
    let children = running.lines(&["partner", "list", "--parent", "acme"]);
    assert_eq!(
        children
            .iter()
            .map(|child| text(&child["partner_id"]))
            .collect::<Vec<_>>(),
        ["acme-eu"]
    );

    running
        .run(&[
            "partner",
            "change",
            "acme",
            "--name",
            "Acme Inc",
            "--scope-ceiling",
            "orders.read",
        ])
        .exits(0);
    let changed = running.json(&["partner", "show", "acme"]);
    assert_eq!(changed["name"], "Acme Inc");
    assert_eq!(changed["scope_ceiling"], serde_json::json!(["orders.read"]));

    running.run(&["partner", "suspend", "acme"]).exits(0);
    assert_eq!(running.json(&["partner", "show", "acme"])["status"], "suspended");
    let again = running.run(&["partner", "suspend", "acme"]).exits(1);
    assert!(again.err.contains("suspended already"), "{again:?}");
    assert_eq!(running.lines(&["partner", "list", "--status", "suspended"]).len(), 1);
    assert_eq!(running.lines(&["partner", "list", "--search", "ME inc"]).len(), 1);
    assert_eq!(running.lines(&["partner", "list", "--search", "%"]).len(), 0);
    running.run(&["partner", "list", "--search", " "]).exits(2);
    running.run(&["partner", "reinstate", "acme"]).exits(0);
    assert_eq!(running.json(&["partner", "show", "acme"])["status"], "active");
}

#[test]
fn people_see_tables_and_sheets() {
    let running = Running::furnished();
    let table = running.run(&["partner", "list"]).exits(0).out;
    let words: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["PARTNER", "NAME", "STATUS", "SCOPE", "CEILING", "PARENT"]);
    assert_eq!(words[1], ["acme", "Acme", "active", "orders.read", "orders.write", "-"]);
    let sheet = running
        .run(&["api", "show", "orders", "--environment", "qa"])
        .exits(0)
        .out;
    assert!(
        sheet.lines().any(|line| line
            .split_whitespace()
            .eq(["audience", "https://orders.qa.example.com"])),
        "{sheet}"
    );
}

#[test]
fn an_api_is_changed_where_it_is() {
    let running = Running::furnished();
    running
        .run(&[
            "api",
            "change",
            "orders",
            "--environment",
            "qa",
            "--scopes",
            "orders.read",
            "--scopes",
            "orders.write orders.cancel",
        ])
        .exits(0);
    let scopes = |environment| running.json(&["api", "show", "orders", "--environment", environment])["scopes"].clone();
    assert_eq!(
        scopes("qa"),
        serde_json::json!(["orders.cancel", "orders.read", "orders.write"])
    );
    assert_eq!(scopes("production"), serde_json::json!(["orders.read", "orders.write"]));
    assert_eq!(running.lines(&["api", "list", "--environment", "qa"]).len(), 1);
}

#[test]
fn a_client_lives_through_every_change_and_ends() {
    let running = Running::furnished();
    let client = running.client();
    let client_id = text(&client["client"]["client_id"]);
    assert!(text(&client["client_secret"]).starts_with("mms_qa_"));
    running
        .run(&[
            "client",
            "change",
            client_id,
            "--scope",
            "orders.read",
            "--allow-api",
            "orders",
            "--token-lifetime",
            "60",
            "--expires-at",
            "2999-01-31T12:00:00Z",
            "--auth-method",
            "client_secret_basic",
        ])
        .exits(0);
    let changed = running.json(&["client", "show", client_id]);
    for (member, value) in [
        ("access_level", serde_json::json!("fine_grained")),
        ("scope", serde_json::json!(["orders.read"])),
        ("allowed_apis", serde_json::json!(["orders"])),
        ("token_lifetime", serde_json::json!(60)),
        ("expires_at", serde_json::json!("2999-01-31T12:00:00Z")),
        ("token_endpoint_auth_method", serde_json::json!("client_secret_basic")),
    ] {
        assert_eq!(changed[member], value, "{member}");
    }
    running
        .run(&[
            "client",
            "change",
            client_id,
            "--full",
            "--allow-every-api",
            "--default-token-lifetime",
            "--never-expires",
        ])
        .exits(0);
    let back = running.json(&["client", "show", client_id]);
    assert_eq!(back["access_level"], "full");
    for member in ["allowed_apis", "token_lifetime", "expires_at"] {
        assert_eq!(back[member], Value::Null, "{member}");
    }
    for (verb, status) in [("suspend", "suspended"), ("reinstate", "active"), ("revoke", "revoked")] {
        assert_eq!(running.json(&["client", verb, client_id])["status"], status);
    }
    running.run(&["client", "reinstate", client_id]).exits(1);
    assert_eq!(
        running
            .lines(&["client", "list", "--status", "revoked", "--partner", "acme"])
            .len(),
        1
    );
    let contact = text(&running.json(&["client", "show", client_id])["contact"]).to_uppercase();
    assert_eq!(running.lines(&["client", "list", "--search", &contact]).len(), 1);
    assert_eq!(running.lines(&["client", "list", "--search", "nobody"]).len(), 0);
}

#[test]
fn an_api_gets_a_credential_of_its_own() {
    let running = Running::furnished();
    let created = running.json(&[
        "client",
        "create",
        "--api",
        "orders",
        "--environment",
        "production",
        "--name",
        "Orders",
        "--contact",
        "orders@example.com",
    ]);
    assert_eq!(created["client"]["kind"], "resource_server");
    assert!(text(&created["client_secret"]).starts_with("mms_live_"));
    assert_eq!(running.lines(&["client", "list", "--api", "orders"]).len(), 1);
}

#[test]
fn a_secret_is_shown_once_and_rotated() {
    let running = Running::furnished();
    let client = running.client();
    let (client_id, first) = (
        text(&client["client"]["client_id"]),
        text(&client["secret"]["secret_id"]),
    );
    let added = running.run(&["secret", "add", client_id, "--note", "second"]).exits(0);
    let shown = added
        .out
        .lines()
        .find(|line| line.starts_with("client_secret "))
        .unwrap();
    assert!(
        shown.split_whitespace().nth(1).unwrap().starts_with("mms_qa_"),
        "{added:?}"
    );
    assert!(
        added.err.contains("shown this once") && !added.err.contains("mms_"),
        "{added:?}"
    );

    let retired = running.json(&["secret", "retire", client_id, first, "--at", "2999-01-31T12:00:00Z"]);
    assert_eq!(retired["expires_at"], "2999-01-31T12:00:00Z");
    let secrets = running.lines(&["secret", "list", client_id]);
    assert_eq!(secrets.len(), 2);
    assert!(!format!("{secrets:?}").contains("mms_"));
    running.run(&["secret", "retire", client_id, first]).exits(0);
    running
        .run(&["secret", "retire", client_id, "0123456789abcdef"])
        .exits(3);
}

#[test]
fn a_creation_repeated_under_one_key_creates_nothing_twice() {
    let running = Running::furnished();
    let create = [
        "client",
        "create",
        "--partner",
        "acme",
        "--environment",
        "qa",
        "--name",
        "Import",
        "--contact",
        "api@acme.example.com",
        "--full",
        "--idempotency-key",
        "import-0001",
    ];
    let first = running.run(&create).exits(0);
    let second = running.run(&create).exits(0);
    assert!(
        first.out.contains("mms_qa_") && !second.out.contains("mms_qa_"),
        "{second:?}"
    );
    assert!(
        second.err.contains("created before under the same idempotency key"),
        "{second:?}"
    );
    assert_eq!(running.lines(&["client", "list"]).len(), 1);
}

#[test]
fn keys_are_listed_imported_and_revoked() {
    let running = Running::new();
    let states = |running: &Running| -> Vec<String> {
        let keys = running.lines(&["key", "list", "--environment", "qa"]);
        keys.iter().map(|key| text(&key["state"]).to_owned()).collect()
    };
    assert_eq!(states(&running), ["active", "announced"]);
    let early = running.run(&["key", "rotate", "--environment", "qa"]).exits(1);
    assert!(early.err.starts_with("mintmark: "), "{early:?}");

    let folder = TempDir::new().unwrap();
    let pem = folder.path().join("key.pem");
    std::fs::write(&pem, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let import = ["key", "import", "--environment", "qa", "--file", pem.to_str().unwrap()];
    let imported = running.run(&import).exits(0);
    assert!(!imported.out.contains("PRIVATE KEY"), "{imported:?}");
    assert_eq!(states(&running), ["active", "retired", "announced"]);

    let keys = running.lines(&["key", "list", "--environment", "qa"]);
    let active = text(&keys[0]["kid"]);
    running.run(&["key", "revoke", "--environment", "qa", active]).exits(0);
    assert_eq!(states(&running), ["revoked", "retired", "active", "announced"]);

    std::fs::write(&pem, "-----BEGIN NONSENSE-----").unwrap();
    let refused = running.run(&import).exits(1);
    assert!(!refused.err.contains("NONSENSE"), "{refused:?}");
    std::fs::write(&pem, "x".repeat(20_000)).unwrap();
    assert!(running.run(&import).exits(1).err.contains("too large to be a key"));
}

#[test]
fn operators_are_made_rotated_and_revoked() {
    let running = Running::new();
    let created = running
        .run(&["operator", "create", "--email", "eve@example.com", "--role", "viewer"])
        .exits(0);
    let token = created.out.trim_end().to_owned();
    let eve = running.lines(&["operator", "list"]);
    let eve = eve
        .iter()
        .find(|operator| operator["email"] == "eve@example.com")
        .unwrap();
    let eve = text(&eve["operator_id"]);
    running.run_as(&token, &["partner", "list"]).exits(0);
    running
        .run_as(&token, &["partner", "create", "acme", "--name", "Acme"])
        .exits(4);
    running.run_as(&token, &["operator", "list"]).exits(4);

    running.run(&["operator", "change", eve, "--role", "operator"]).exits(0);
    let shown = running.json(&["operator", "show", eve]);
    assert_eq!(
        (&shown["email"], &shown["role"]),
        (&serde_json::json!("eve@example.com"), &serde_json::json!("operator"))
    );
    running
        .run_as(&token, &["partner", "create", "acme", "--name", "Acme"])
        .exits(0);

    let rotated = running.run(&["operator", "rotate", eve]).exits(0).out;
    running.run_as(&token, &["partner", "list"]).exits(4);
    running.run_as(rotated.trim_end(), &["partner", "list"]).exits(0);
    running.run(&["operator", "revoke", eve]).exits(0);
    running.run_as(rotated.trim_end(), &["partner", "list"]).exits(4);
}

#[test]
fn the_token_may_stand_in_a_file() {
    let running = Running::new();
    let file = running.installation.path().join("token");
    std::fs::write(&file, format!("{}\n", running.token)).unwrap();
    let list = [
        "partner",
        "list",
        "--server",
        &running.server.url(),
        "--token-file",
        file.to_str().unwrap(),
    ];
    running.installation.run(&list).exits(0);
    let missing = [&list[..5], &["/nowhere/token"]].concat();
    running.installation.run(&missing).exits(1);
}

#[test]
fn every_field_that_is_wrong_has_a_line_of_its_own() {
    let running = Running::furnished();
    let refused = running
        .run(&[
            "client",
            "create",
            "--partner",
            "nobody",
            "--environment",
            "qa",
            "--name",
            "Import",
            "--contact",
            "api@acme.example.com",
            "--scope",
            "orders.nothing",
        ])
        .exits(1);
    assert!(refused.err.starts_with("mintmark: "), "{refused:?}");
    assert!(
        refused.err.lines().skip(1).any(|line| line.starts_with("  ")),
        "{refused:?}"
    );
    running.run(&["partner", "show", "nobody"]).exits(3);
}

#[test]
fn the_journal_is_shown_verified_and_exported_without_a_secret() {
    let running = Running::furnished();
    let client = running.client();
    let newest = running.lines(&["journal", "show", "--newest-first", "--limit", "1"]);
    assert_eq!(newest[0]["action"], "client.registered");
    let of_acme = running.lines(&[
        "journal",
        "show",
        "--partner",
        "acme",
        "--noun",
        "client",
        "--environment",
        "qa",
    ]);
    assert_eq!(of_acme.len(), 1);
    let table = running.run(&["journal", "show"]).exits(0).out;
    assert!(table.contains("(ada@example.com)"), "{table}");

    let exported = running.run(&["journal", "export"]).exits(0);
    let rows = exported.json_lines();
    let epochs: Vec<_> = rows.iter().map(|row| row["epoch"].as_u64().unwrap()).collect();
    assert_eq!(epochs, (1..=rows.len() as u64).collect::<Vec<_>>());
    for secret in [running.token.as_str(), text(&client["client_secret"])] {
        assert!(!exported.out.contains(secret));
    }
    let verified = running.json(&["journal", "verify"]);
    assert_eq!(verified["holds"], true);
    assert_eq!(verified["epoch"], rows.len());
    assert_eq!(verified["hash"], rows.last().unwrap()["hash"]);
}

#[test]
fn lists_go_on_to_their_end() {
    let running = Running::new();
    for number in 0..205 {
        let partner_id = format!("partner-{number}");
        let mut response = ureq::post(format!("{}/admin/v1/partners", running.server.url()))
            .header("authorization", format!("Bearer {}", running.token))
            .send_json(serde_json::json!({ "partner_id": partner_id, "name": "P" }))
            .unwrap();
        assert_eq!(
            response.body_mut().read_json::<Value>().unwrap()["partner_id"],
            partner_id
        );
    }
    assert_eq!(running.lines(&["partner", "list"]).len(), 205);
    assert_eq!(running.lines(&["partner", "list", "--limit", "203"]).len(), 203);
    assert_eq!(running.json(&["journal", "verify"])["holds"], true);
}

#[test]
fn nothing_secret_is_ever_logged_or_printed_twice() {
    let running = Running::furnished();
    let client = running.client();
    running.run_as("mmo_nonsense", &["partner", "list"]).exits(4);
    let Running { server, token, .. } = running;
    let log = server.end();
    for secret in [token.as_str(), text(&client["client_secret"])] {
        assert!(!log.contains(secret), "{log}");
    }
}
