//! Every route, tried by everybody.

use mintmark::domain::{Refusal, Role, Scope};
use mintmark::http::admin::{ROUTES, Verb};
use mintmark::office::{Errand, NewPartner, OfficeError};
use serde_json::json;

use crate::support::admin_harness::{Harness, NOBODY};
use crate::support::asking::Answer;

/// Somebody who tries.
#[derive(Clone, Copy, Debug)]
enum Visitor<'a> {
    /// Without credentials.
    Stranger,
    /// With a token that no longer counts, or never did.
    Former(&'a str),
    /// With the token of an operator.
    Operator(Role),
}

/// A path with identifiers that are well formed and nobody's.
fn concrete(path: &str) -> String {
    path.replace("{partner_id}", "nobody")
        .replace("{environment}", "qa")
        .replace("{api_id}", "nothing")
        .replace("{client_id}", "qa-nobody-0000000000")
        .replace("{secret_id}", "0000000000000000")
        .replace("{operator_id}", NOBODY)
        .replace("{kid}", &"A".repeat(43))
        .replace("{epoch}", "1")
}

fn visit(harness: &Harness, (verb, path): (Verb, &str), visitor: Visitor<'_>) -> Answer {
    let mut ask = harness.ask(verb.as_str(), &concrete(path)).header("If-Match", "*");
    if verb != Verb::Get {
        ask = ask.json(&json!({}));
    }
    match visitor {
        Visitor::Stranger => ask.without("Authorization"),
        Visitor::Former(token) => ask.with_token(token),
        Visitor::Operator(role) => ask.by(role),
    }
    .send()
}

#[test]
fn every_route_admits_its_roles_and_nobody_else() {
    let harness = Harness::start();
    let make = |email: &str| {
        let body = json!({ "email": email, "role": "owner" });
        let made = harness.post("/operators", &body).expect(201);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        (text(&made["operator"]["operator_id"]), text(&made["token"]))
    };
    let (revoked_id, revoked) = make("revoked@example.com");
    harness.act(&format!("/operators/{revoked_id}/revoke")).expect(200);
    let (rotated_id, rotated) = make("rotated@example.com");
    harness.act(&format!("/operators/{rotated_id}/token")).expect(200);
    let client_secret = mintmark::domain::Secret::mint(
        mintmark::domain::SecretKind::Client(mintmark::domain::Environment::Qa),
        &mintmark::ambient::SystemEntropy::new(),
    );
    let visitors = [
        Visitor::Stranger,
        Visitor::Former(&revoked),
        Visitor::Former(&rotated),
        Visitor::Former(client_secret.expose()),
        Visitor::Former("mmo_nonsense"),
        Visitor::Operator(Role::Viewer),
        Visitor::Operator(Role::Operator),
        Visitor::Operator(Role::Owner),
    ];
    for route in ROUTES {
        for visitor in visitors {
            let answer = visit(&harness, (route.verb, route.path), visitor);
            let place = format!("{:?} {} by {visitor:?}: {}", route.verb, route.path, answer.text);
            let challenge = answer.header("WWW-Authenticate");
            match (route.least_role(), visitor) {
                (None, _) => assert_eq!(answer.status, 200, "{place}"),
                (Some(_), Visitor::Stranger) => {
                    assert_eq!(answer.problem(401), "unauthenticated", "{place}");
                    assert_eq!(challenge, r#"Bearer realm="mintmark-admin""#, "{place}");
                }
                (Some(_), Visitor::Former(_)) => {
                    assert_eq!(answer.problem(401), "unauthenticated", "{place}");
                    assert!(challenge.ends_with(r#", error="invalid_token""#), "{place}");
                }
                (Some(least), Visitor::Operator(role)) if role < least => {
                    assert_eq!(answer.problem(403), "forbidden", "{place}");
                    assert!(challenge.ends_with(r#", error="insufficient_scope""#), "{place}");
                    assert!(answer.text.contains(least.as_str()), "{place}");
                }
                (Some(_), Visitor::Operator(_)) => {
                    assert!([200, 201, 400, 404, 409].contains(&answer.status), "{place}");
                }
            }
        }
    }
}

#[test]
fn an_expired_token_opens_no_door() {
    let harness = Harness::start();
    harness.pass(90 * 86_400 - 1);
    harness.get("/whoami").expect(200);
    harness.pass(1);
    for route in ROUTES.iter().filter(|route| route.least_role().is_some()) {
        let answer = visit(&harness, (route.verb, route.path), Visitor::Operator(Role::Owner));
        assert_eq!(answer.problem(401), "unauthenticated", "{}", route.path);
    }
}

#[test]
fn a_demoted_operator_loses_its_rights_at_once() {
    let harness = Harness::start();
    let me = harness.ask("GET", "/whoami").by(Role::Operator).send().expect(200);
    let path = format!("/operators/{}", me["operator_id"].as_str().unwrap());
    harness.patch(&path, &json!({ "role": "viewer" })).expect(200);
    let before = harness.epoch();
    let body = json!({ "partner_id": "acme", "name": "Acme" });
    let refused = harness.ask("POST", "/partners").by(Role::Operator).json(&body).send();
    assert_eq!(refused.problem(403), "forbidden");
    assert_eq!(harness.epoch(), before);
}

#[test]
fn leave_given_at_the_door_is_asked_for_again_behind_the_epoch() {
    let harness = Harness::start();
    let in_the_office = actix_web::rt::System::new();
    let token = harness.token(Role::Operator);
    let who = in_the_office
        .block_on(harness.office.administrator(token))
        .unwrap()
        .unwrap();
    let path = format!("/operators/{}", who.operator_id());
    let register = |partner_id: &str| {
        let new = NewPartner {
            partner_id: partner_id.parse().unwrap(),
            name: "P".parse().unwrap(),
            scope_ceiling: Scope::default(),
            parent: None,
            plan: None,
        };
        in_the_office.block_on(harness.office.register_partner(&who, Errand::default(), new))
    };
    assert!(register("before").is_ok());
    harness.patch(&path, &json!({ "role": "viewer" })).expect(200);
    let forbidden = |creation: Result<_, OfficeError>| {
        let refused = OfficeError::Refused(Refusal::Forbidden { needs: Role::Operator });
        assert_eq!(creation.unwrap_err().to_string(), refused.to_string());
        let before = "before".parse().unwrap();
        let change = harness.office.suspend_partner(&who, Errand::default(), before);
        let changed = in_the_office.block_on(change);
        assert_eq!(changed.unwrap_err().to_string(), refused.to_string());
    };
    forbidden(register("demoted"));
    harness.patch(&path, &json!({ "role": "owner" })).expect(200);
    assert!(register("promoted").is_ok());
    harness.act(&format!("{path}/token")).expect(200);
    forbidden(register("rotated"));
    harness.act(&format!("{path}/revoke")).expect(200);
    forbidden(register("revoked"));
    let listed = harness.get("/partners").expect(200);
    let ids: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|partner| partner["partner_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["before", "promoted"]);
}
