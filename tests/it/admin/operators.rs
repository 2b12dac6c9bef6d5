//! `/admin/v1/operators` and `/admin/v1/whoami`.

use mintmark::domain::Role;
use serde_json::{Value, json};

use crate::support::admin_harness::Harness;

fn create(harness: &Harness, email: &str, role: &str) -> (String, String) {
    let made = harness
        .post("/operators", &json!({ "email": email, "role": role }))
        .expect(201);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["operator"]["operator_id"]), text(&made["token"]))
}

fn id_of(harness: &Harness, role: Role) -> String {
    let me = harness.ask("GET", "/whoami").by(role).send().expect(200);
    me["operator_id"].as_str().unwrap().to_owned()
}

#[test]
fn everybody_may_ask_who_they_are() {
    let harness = Harness::start();
    for role in Role::ALL {
        let me = harness.ask("GET", "/whoami").by(role).send().expect(200);
        assert_eq!(me["email"], format!("{}@example.com", role.as_str()));
        assert_eq!(me["role"], role.as_str());
        let token = harness.token(role);
        assert_eq!(me["token_hint"], token[token.len() - 4..]);
        // Ninety days after 2027-01-15T08:00:00Z.
        assert_eq!(me["token_expires_at"], "2027-04-15T08:00:00Z");
    }
}

#[test]
fn an_operator_is_made_with_a_token_that_works_and_is_shown_once() {
    let harness = Harness::start();
    let (operator_id, token) = create(&harness, "Ada@Example.com", "operator");
    let me = harness.ask("GET", "/whoami").with_token(&token).send().expect(200);
    assert_eq!(
        (&me["operator_id"], &me["email"]),
        (&json!(operator_id), &json!("ada@example.com"))
    );
    let everywhere = [
        harness.get("/operators"),
        harness.get(&format!("/operators/{operator_id}")),
        harness.get("/journal"),
    ];
    assert!(
        everywhere
            .iter()
            .all(|answer| answer.status == 200 && !answer.text.contains(&token))
    );
    let again = harness.post("/operators", &json!({ "email": "ada@example.com", "role": "viewer" }));
    assert_eq!(again.faults(409), ["email"]);
}

#[test]
fn a_new_token_ends_the_old_one() {
    let harness = Harness::start();
    let (operator_id, old) = create(&harness, "ada@example.com", "operator");
    harness.pass(86_400);
    let rotated = harness.act(&format!("/operators/{operator_id}/token")).expect(200);
    assert_eq!(rotated["operator"]["token_expires_at"], "2027-04-16T08:00:00Z");
    let new = rotated["token"].as_str().unwrap();
    harness.ask("GET", "/whoami").with_token(new).send().expect(200);
    assert_eq!(harness.ask("GET", "/whoami").with_token(&old).send().status, 401);
    assert_eq!(harness.act("/operators/000000000000/token").problem(404), "not-found");
}

#[test]
fn a_revoked_operator_stays_revoked_and_frees_its_address() {
    let harness = Harness::start();
    let (operator_id, token) = create(&harness, "ada@example.com", "operator");
    let path = format!("/operators/{operator_id}");
    assert_eq!(harness.act(&format!("{path}/revoke")).expect(200)["status"], "revoked");
    assert_eq!(harness.ask("GET", "/whoami").with_token(&token).send().status, 401);
    for action in ["revoke", "token"] {
        assert_eq!(
            harness.act(&format!("{path}/{action}")).problem(409),
            "conflict",
            "{action}"
        );
    }
    assert_eq!(
        harness.patch(&path, &json!({ "role": "owner" })).problem(409),
        "conflict"
    );
    let (other, _) = create(&harness, "ada@example.com", "viewer");
    assert_ne!(other, operator_id);
}

#[test]
fn there_is_always_an_owner_left() {
    let harness = Harness::start();
    let last = format!("/operators/{}", id_of(&harness, Role::Owner));
    let before = harness.epoch();
    assert_eq!(harness.act(&format!("{last}/revoke")).problem(409), "conflict");
    assert_eq!(
        harness.patch(&last, &json!({ "role": "operator" })).problem(409),
        "conflict"
    );
    assert_eq!(harness.epoch(), before);
    let (second, _) = create(&harness, "second@example.com", "owner");
    assert_eq!(
        harness
            .patch(&format!("/operators/{second}"), &json!({ "role": "viewer" }))
            .expect(200)["role"],
        "viewer"
    );
    assert_eq!(
        harness.act(&format!("{last}/revoke")).problem(409),
        "conflict",
        "a viewer is no owner"
    );
    let (third, _) = create(&harness, "third@example.com", "owner");
    harness.act(&format!("/operators/{third}/revoke")).expect(200);
    assert_eq!(
        harness.act(&format!("{last}/revoke")).problem(409),
        "conflict",
        "a revoked owner is none"
    );
    create(&harness, "fourth@example.com", "owner");
    harness.act(&format!("{last}/revoke")).expect(200);
}

#[test]
fn an_owner_whose_token_has_expired_is_none_that_is_left() {
    let harness = Harness::start();
    let first = format!("/operators/{}", id_of(&harness, Role::Owner));
    let (second, _) = create(&harness, "second@example.com", "owner");
    harness.pass(30 * 86_400);
    let rotated = harness.act(&format!("{first}/token")).expect(200);
    let token = rotated["token"].as_str().unwrap();
    // The second owner's token worked for ninety days.
    harness.pass(60 * 86_400);
    let before = harness.epoch();
    let act = |path: String| harness.ask("POST", &path).with_token(token).send();
    let revoked = act(format!("{first}/revoke"));
    assert_eq!(revoked.problem(409), "conflict");
    assert!(
        revoked.text.contains("the last owner whose token works"),
        "{}",
        revoked.text
    );
    let demoted = harness
        .ask("PATCH", &first)
        .with_token(token)
        .header("If-Match", "*")
        .json(&json!({ "role": "viewer" }))
        .send();
    assert_eq!(demoted.problem(409), "conflict");
    assert_eq!(harness.epoch(), before);
    act(format!("/operators/{second}/token")).expect(200);
    act(format!("{first}/revoke")).expect(200);
}

#[test]
fn two_owners_who_revoke_each_other_leave_one() {
    let harness = Harness::start();
    let first = id_of(&harness, Role::Owner);
    let (second, token) = create(&harness, "second@example.com", "owner");
    let path = format!("/operators/{first}/revoke");
    let outcomes = std::thread::scope(|scope| {
        let one = scope.spawn(|| harness.act(&format!("/operators/{second}/revoke")).status);
        let other = scope.spawn(|| harness.ask("POST", &path).with_token(&token).send().status);
        let mut outcomes = [one.join().unwrap(), other.join().unwrap()];
        outcomes.sort_unstable();
        outcomes
    });
    // Whoever came second was refused: revoked before the door, or behind it.
    assert_eq!(outcomes[0], 200);
    assert!([401, 403].contains(&outcomes[1]), "{outcomes:?}");
}
