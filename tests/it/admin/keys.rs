//! `/admin/v1/keys`.

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use serde_json::{Value, json};

use crate::support::admin_harness::{ANNOUNCED, Harness, MAX_AGE};

fn keys(harness: &Harness, query: &str) -> Vec<Value> {
    let listed = harness.get(&format!("/keys{query}")).expect(200);
    listed["items"].as_array().unwrap().clone()
}

fn kid(harness: &Harness, environment: &str, state: &str) -> String {
    let keys = keys(harness, &format!("?environment={environment}"));
    let mut found = keys.iter().filter(|key| key["state"] == state);
    let kid = found.next().unwrap_or_else(|| panic!("no key is {state}: {keys:?}"))["kid"]
        .as_str()
        .unwrap();
    assert!(found.next().is_none(), "two keys are {state}");
    kid.to_owned()
}

fn begun() -> Harness {
    let harness = Harness::start();
    harness.tend_keys();
    harness
}

#[test]
fn tending_gives_each_environment_a_key_and_a_successor_of_its_algorithm() {
    let harness = Harness::start();
    assert_eq!(keys(&harness, ""), [json!(null); 0]);
    harness.tend_keys();
    let epoch = harness.epoch();
    harness.tend_keys();
    assert_eq!(harness.epoch(), epoch, "what is as it should be is left alone");
    let all = keys(&harness, "");
    let summary: Vec<_> = all
        .iter()
        .map(|key| format!("{} {} {}", key["environment"], key["state"], key["algorithm"]))
        .collect();
    assert_eq!(
        summary,
        [
            r#""qa" "active" "ES256""#,
            r#""qa" "announced" "ES256""#,
            r#""production" "active" "EdDSA""#,
            r#""production" "announced" "EdDSA""#,
        ]
    );
    let rows = harness.get("/journal?noun=key").expect(200);
    assert!(
        rows["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["actor"] == "server")
    );
}

#[test]
fn a_successor_announced_too_recently_is_refused_with_the_time() {
    let harness = begun();
    let before = harness.epoch();
    harness.pass(ANNOUNCED - 1);
    let refused = harness.act("/keys/qa/rotate");
    assert_eq!(refused.problem(409), "conflict");
    // Ten minutes and one after 2027-01-15T08:00:00Z.
    assert!(refused.text.contains("2027-01-15T08:11:00Z"), "{}", refused.text);
    assert_eq!(harness.epoch(), before);
    harness.pass(1);
    let (old, next) = (kid(&harness, "qa", "active"), kid(&harness, "qa", "announced"));
    let after = harness.act("/keys/qa/rotate").expect(200);
    assert_eq!(
        after["items"].as_array().unwrap().len(),
        3,
        "retiring, active, announced"
    );
    assert_eq!(kid(&harness, "qa", "active"), next);
    assert_eq!(kid(&harness, "qa", "retiring"), old);
    assert_ne!(kid(&harness, "qa", "announced"), next);
    assert_eq!(
        harness.act("/keys/qa/rotate").problem(409),
        "conflict",
        "the new successor is young"
    );
    assert_eq!(
        harness.act("/keys/production/rotate").expect(200)["items"][0]["environment"],
        "production"
    );
}

#[test]
fn an_old_key_leaves_when_its_last_token_has_expired_everywhere() {
    let harness = begun();
    harness.pass(ANNOUNCED);
    let old = kid(&harness, "qa", "active");
    harness.act("/keys/qa/rotate").expect(200);
    // The longest life of a token, a minute of skew, one max-age.
    harness.pass(3600 + 60 + MAX_AGE - 1);
    harness.tend_keys();
    assert_eq!(kid(&harness, "qa", "retiring"), old);
    harness.pass(1);
    harness.tend_keys();
    assert_eq!(kid(&harness, "qa", "retired"), old);
}

#[test]
fn a_revoked_key_is_out_at_once_and_its_successor_signs() {
    let harness = begun();
    let (active, announced) = (kid(&harness, "qa", "active"), kid(&harness, "qa", "announced"));
    let after = harness.act(&format!("/keys/qa/{active}/revoke")).expect(200);
    assert!(!after.to_string().contains(&active), "only what is published is shown");
    assert_eq!(kid(&harness, "qa", "active"), announced);
    assert_eq!(kid(&harness, "qa", "revoked"), active);
    assert_ne!(kid(&harness, "qa", "announced"), announced);
    assert_eq!(
        harness.act(&format!("/keys/qa/{active}/revoke")).problem(409),
        "conflict"
    );
}

#[test]
fn without_a_successor_a_new_key_signs_in_the_same_mutation() {
    let harness = begun();
    let announced = kid(&harness, "qa", "announced");
    harness.act(&format!("/keys/qa/{announced}/revoke")).expect(200);
    assert_ne!(kid(&harness, "qa", "announced"), announced);
    // Both at once: each revocation finds the other's successor or its own.
    let both = [kid(&harness, "qa", "active"), kid(&harness, "qa", "announced")];
    std::thread::scope(|scope| {
        let harness = &harness;
        for kid in &both {
            scope.spawn(move || harness.act(&format!("/keys/qa/{kid}/revoke")).expect(200));
        }
    });
    let active = kid(&harness, "qa", "active");
    assert!(!both.contains(&active) && !both.contains(&kid(&harness, "qa", "announced")));
    let rows = harness
        .get("/journal?action=key.revoked&order=newest_first")
        .expect(200);
    let revoked: Vec<&str> = rows["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["subject"].as_str().unwrap())
        .collect();
    assert!(both.iter().all(|kid| revoked.contains(&kid.as_str())));
}

#[test]
fn a_key_of_another_environment_is_none_of_this_one() {
    let harness = begun();
    let live = kid(&harness, "production", "active");
    assert_eq!(
        harness.act(&format!("/keys/qa/{live}/revoke")).problem(404),
        "not-found"
    );
    assert_eq!(kid(&harness, "production", "active"), live);
    let stale = harness
        .ask("POST", &format!("/keys/production/{live}/revoke"))
        .header("If-Match", "\"0\"")
        .send();
    assert_eq!(stale.problem(412), "stale");
}

#[test]
fn a_key_is_shown_where_it_is() {
    let harness = begun();
    let listed = keys(&harness, "?environment=qa").remove(0);
    let path = format!("/keys/qa/{}", listed["kid"].as_str().unwrap());
    let shown = harness.get(&path);
    assert_eq!(shown.header("ETag"), format!("\"{}\"", listed["version"]));
    assert_eq!(shown.expect(200), listed);
    assert_eq!(
        harness.get(&path.replace("/qa/", "/production/")).problem(404),
        "not-found"
    );
}

#[test]
fn the_keys_of_an_environment_have_no_version_that_could_match() {
    let harness = begun();
    harness.pass(ANNOUNCED);
    let pem = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    let ask = |action: &str, tag: &str| {
        let ask = harness
            .ask("POST", &format!("/keys/qa/{action}"))
            .header("If-Match", tag);
        match action {
            "import" => ask.json(&json!({ "pem": pem })).send(),
            _ => ask.send(),
        }
    };
    let epoch = harness.epoch();
    for action in ["rotate", "import"] {
        assert_eq!(ask(action, "\"1\"").problem(412), "stale", "{action}");
        assert_eq!(ask(action, "1").faults(400), ["If-Match"], "{action}");
    }
    assert_eq!(harness.epoch(), epoch);
    for action in ["rotate", "import"] {
        ask(action, "*").expect(200);
    }
}

#[test]
fn an_imported_key_is_announced_in_place_of_the_one_before() {
    let harness = begun();
    let before = kid(&harness, "qa", "announced");
    let epoch = harness.epoch();
    let pem = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    harness.post("/keys/qa/import", &json!({ "pem": pem })).expect(200);
    let imported = kid(&harness, "qa", "announced");
    assert_eq!(kid(&harness, "qa", "retired"), before);
    // One change: nothing that fails in between can leave the environment without a successor.
    let last = harness.get("/journal?order=newest_first&limit=1").expect(200);
    assert_eq!(
        (&last["items"][0]["action"], &last["items"][0]["subject"]),
        (&json!("key.imported"), &json!(imported))
    );
    let detail: Value = serde_json::from_str(last["items"][0]["detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["withdrawn"]["kid"], before);
    assert_eq!(last["items"][0]["epoch"], epoch.get() + 1);
    assert_eq!(
        harness.post("/keys/qa/import", &json!({ "pem": pem })).faults(409),
        ["pem"]
    );
    harness.pass(ANNOUNCED);
    harness.act("/keys/qa/rotate").expect(200);
    assert_eq!(kid(&harness, "qa", "active"), imported);
    let body = pem.lines().nth(1).unwrap();
    assert!(!harness.get("/journal").text.contains(body));
    harness.act(&format!("/keys/qa/{imported}/revoke")).expect(200);
    assert_eq!(
        harness.post("/keys/qa/import", &json!({ "pem": pem })).faults(409),
        ["pem"],
        "revoked is final"
    );
}

#[test]
fn what_is_no_key_of_the_environment_is_refused_unquoted() {
    let harness = begun();
    let epoch = harness.epoch();
    let p256 = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    let wrong = [
        KeyPair::generate_for(&PKCS_ED25519).unwrap().serialize_pem(),
        KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem(),
        p256.replace("PRIVATE KEY", "EC PRIVATE KEY"),
        p256.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        format!("{p256}{p256}"),
        p256.replacen('M', "N", 1),
        "not a key".to_owned(),
        String::new(),
        "x".repeat(16_385),
    ];
    for pem in wrong {
        let refused = harness.post("/keys/qa/import", &json!({ "pem": pem }));
        assert_eq!(refused.faults(400), ["pem"]);
        assert!(pem.lines().nth(1).is_none_or(|body| !refused.text.contains(body)));
    }
    assert_eq!(harness.epoch(), epoch);
}
