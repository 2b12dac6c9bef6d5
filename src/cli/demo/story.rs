//! The story, scene by scene. Each step depends on those before it, so the first that does not hold ends it.

use serde_json::{Value, json};

use super::cast::{
    Account, Cast, Verification, active, counted, created, drawn, inactive, refused, status, stranger_to, text,
    token_with,
};
use super::scenes::{audience, opening};
use super::stage::{Expectation, Seen, Stage};
use crate::cli::failure::Failure;
use crate::cli::journal::{Chain, StatedHead};
use crate::cli::wire::Answer;
use crate::domain::Environment::{Production, Qa};

const ALL: &str = "orders.read orders.write";
const READ: &str = "orders.read";

/// Tells it, and gives back what to try next by hand.
///
/// # Errors
/// With the first step that did not hold.
pub(super) fn tell(stage: &mut Stage) -> Result<Vec<String>, Failure> {
    let mut cast = opening(stage)?;
    let token = first_tokens(stage, &cast)?;
    verification(stage, &cast, &token)?;
    environments(stage, &cast, &token)?;
    narrowing(stage, &cast, &token)?;
    let token = rotation(stage, &mut cast, &token)?;
    limits(stage, &cast)?;
    revocation(stage, &cast, &token)?;
    journal(stage)?;
    stage.curtain();
    let next = [
        stage.token(Qa, &cast.globex_qa, None),
        stage.token(Production, &cast.acme_production, None),
        stage.jwks(Production),
        stage.asks("/clients"),
        stage.does(&path(&cast.globex_qa, "/revoke"), None),
    ];
    Ok(next.iter().map(|request| stage.by_hand(request)).collect())
}

fn access_token(answer: &Answer) -> String {
    text(&answer.body["access_token"])
}

fn first_tokens(stage: &mut Stage, cast: &Cast) -> Result<String, Failure> {
    stage.scene("Partners: exchange id and secret for a token");
    let request = stage.token(Qa, &cast.acme_qa, None);
    let token = access_token(&stage.step("Acme asks for a token in qa", &request, token_with(ALL))?);
    stage.name("ACME_QA", &token);
    let request = stage.token(Qa, &cast.globex_qa, None);
    stage.step(
        "Globex asks for one too, and gets what its ceiling allows",
        &request,
        token_with(READ),
    )?;
    let request = stage.token(Qa, &cast.globex_qa, Some("orders.write"));
    stage.step(
        "Globex asks for more than its ceiling",
        &request,
        refused(400, "invalid_scope"),
    )?;
    Ok(token)
}

fn verification(stage: &mut Stage, cast: &Cast, token: &str) -> Result<(), Failure> {
    stage.scene("Resource server: verifies Acme's token");
    let by_itself = Verification {
        token,
        issuer: stage.issuer(Qa),
        audience: audience(Qa),
        now: stage.now(),
    };
    let title = "the orders API fetches the keys of qa and verifies the token by itself";
    stage.step(title, &stage.jwks(Qa), by_itself.succeeds())?;
    let request = stage.introspection(Qa, &cast.orders_qa, token);
    stage.step("the orders API asks about it", &request, active(ALL))?;
    Ok(())
}

fn environments(stage: &mut Stage, cast: &Cast, token: &str) -> Result<(), Failure> {
    stage.scene("QA never passes for Production");
    let request = stage.introspection(Production, &cast.orders_production, token);
    stage.step(
        "the orders API in production asks about the qa token",
        &request,
        inactive(),
    )?;
    let title = "it looks for the token's key among those of production";
    stage.step(title, &stage.jwks(Production), stranger_to(Production, token))?;
    let request = stage.token(Production, &cast.acme_qa, None);
    stage.step(
        "Acme tries its qa secret in production",
        &request,
        refused(401, "invalid_client"),
    )?;
    let request = stage.token(Production, &cast.acme_production, None);
    let title = "Acme asks in production with the secret for production";
    let production = access_token(&stage.step(title, &request, token_with(ALL))?);
    stage.name("ACME_PRODUCTION", &production);
    let request = stage.introspection(Production, &cast.orders_production, &production);
    stage.step(
        "the orders API in production asks about that one",
        &request,
        active(ALL),
    )?;
    Ok(())
}

fn narrowing(stage: &mut Stage, cast: &Cast, token: &str) -> Result<(), Failure> {
    stage.scene("Operator: narrows Acme's qa client");
    let change = json!({ "access_level": "fine_grained", "scope": ["orders.read"] });
    let request = stage.changes(&path(&cast.acme_qa, ""), &change);
    stage.step("leaves it orders.read", &request, status(200))?;
    let request = stage.introspection(Qa, &cast.orders_qa, token);
    let title = "the orders API asks about the token issued before: it is narrowed too";
    stage.step(title, &request, active(READ))?;
    let request = stage.token(Qa, &cast.acme_qa, None);
    stage.step("Acme asks for a new token", &request, token_with(READ))?;
    Ok(())
}

/// Gives back a token that was obtained with the new secret, which is in the cast from now on.
fn rotation(stage: &mut Stage, cast: &mut Cast, old_token: &str) -> Result<String, Failure> {
    stage.scene("Operator: rotates the secret of Acme's qa client, with an overlap");
    let request = stage.does(&path(&cast.acme_qa, "/secrets"), Some(&json!({ "note": "second" })));
    let answer = stage.step("makes a second secret", &request, created("/secret/secret_id"))?;
    let old = std::mem::replace(&mut cast.acme_qa, Account::shown(&answer));
    let request = stage.token(Qa, &old, None);
    stage.step("Acme still works with the old secret", &request, token_with(READ))?;
    let request = stage.token(Qa, &cast.acme_qa, None);
    let new_token = access_token(&stage.step("and already works with the new one", &request, token_with(READ))?);
    stage.name("ACME_QA_NEW", &new_token);
    let retire = path(&old, &format!("/secrets/{}/retire", old.secret_id));
    let request = stage.does(&retire, Some(&json!({})));
    stage.step("the operator retires the old secret", &request, status(200))?;
    let request = stage.token(Qa, &old, None);
    stage.step(
        "the old secret no longer works",
        &request,
        refused(401, "invalid_client"),
    )?;
    let request = stage.introspection(Qa, &cast.orders_qa, old_token);
    stage.step("nor does a token that was obtained with it", &request, inactive())?;
    let request = stage.introspection(Qa, &cast.orders_qa, &new_token);
    stage.step("a token of the new secret does", &request, active(READ))?;
    Ok(new_token)
}

fn limits(stage: &mut Stage, cast: &Cast) -> Result<(), Failure> {
    stage.scene("Operator: gives Globex a plan, with a quota");
    let request = stage.changes("/partners/globex", &quota(2));
    stage.step("two tokens a month, no more", &request, status(200))?;
    let token = stage.token(Qa, &cast.globex_qa, None);
    stage.step("Globex asks for the first", &token, token_with(READ))?;
    stage.step("and for the second", &token, token_with(READ))?;
    stage.step("the third is refused", &token, refused(429, "temporarily_unavailable"))?;
    let request = stage.asks("/partners/globex/quota");
    stage.step("the operator sees what was drawn", &request, drawn(2))?;
    let request = stage.changes("/partners/globex", &quota(1000));
    stage.step("and makes it a thousand", &request, status(200))?;
    stage.step("Globex gets a token with its next request", &token, token_with(READ))?;
    let request = stage.asks("/usage?granularity=month&group_by=partner&environment=qa");
    stage.step("the usage of this month, partner by partner", &request, counted())?;
    Ok(())
}

fn revocation(stage: &mut Stage, cast: &Cast, token: &str) -> Result<(), Failure> {
    stage.scene("Operator: revokes Acme's qa client");
    let request = stage.does(&path(&cast.acme_qa, "/revoke"), None);
    stage.step("revokes it, and that is final", &request, status(200))?;
    let request = stage.token(Qa, &cast.acme_qa, None);
    stage.step("Acme gets no token any more", &request, refused(401, "invalid_client"))?;
    let request = stage.introspection(Qa, &cast.orders_qa, token);
    stage.step("the token it still holds counts no longer", &request, inactive())?;
    let request = stage.token(Qa, &cast.globex_qa, None);
    stage.step("Globex goes on as before", &request, token_with(READ))?;
    Ok(())
}

fn journal(stage: &mut Stage) -> Result<(), Failure> {
    stage.scene("The journal: every change has a name on it");
    let mut chain = Chain::default();
    let request = stage.asks("/journal?limit=200");
    let title = "each row carries the hash of the row before it";
    stage.step(
        title,
        &request,
        Expectation::new("an unbroken chain", |answer| rows(&mut chain, answer)),
    )?;
    let title = "the chain ends where the head says";
    stage.step(
        title,
        &stage.asks("/journal/head"),
        Expectation::new("the same hash", |answer| end(&chain, answer)),
    )?;
    Ok(())
}

fn rows(chain: &mut Chain, answer: &Answer) -> Seen {
    let rows = answer.body["items"].as_array().map_or(&[][..], Vec::as_slice);
    let mut told = Vec::new();
    for row in rows {
        chain.follow_shown(row)?;
        told.push(line(row));
    }
    if told.is_empty() {
        Err("no rows".to_owned())
    } else {
        Ok(told.join("\n"))
    }
}

fn line(row: &Value) -> String {
    format!(
        "{:>3}  {:<20} {:<24} {}",
        row["epoch"].as_i64().unwrap_or_default(),
        text(&row["action"]),
        text(&row["subject"]).chars().take(24).collect::<String>(),
        text(&row["actor"]),
    )
}

fn end(chain: &Chain, answer: &Answer) -> Seen {
    let head = StatedHead::read(&answer.body).ok_or_else(|| answer.body.to_string())?;
    let head = chain.end_at(&head)?;
    Ok(format!("{} rows, {}", head.epoch, head.hash))
}

/// A plan by which a partner's clients obtain so many tokens in a month, all together.
fn quota(tokens_per_month: u32) -> Value {
    json!({ "plan": {
        "quota_mode": "enforce", "partner": { "tokens_per_month": tokens_per_month }, "client": {},
    }})
}

fn path(account: &Account, rest: &str) -> String {
    format!("/clients/{}{rest}", account.client_id)
}
