//! Who acts in the story, and how each of them judges an answer.

use serde_json::Value;
use zeroize::Zeroizing;

use super::stage::{Expectation, Seen};
use crate::cli::wire::Answer;
use crate::domain::{Environment, Timestamp};
use crate::jose::{CompactJws, Jwk, TokenType, VerifyingKey, verify};

/// A client's id with one of its secrets.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) client_id: String,
    pub(super) secret_id: String,
    pub(super) secret: Zeroizing<String>,
}

impl Account {
    /// From the answer that shows the secret.
    pub(super) fn shown(answer: &Answer) -> Self {
        let secret = &answer.body["secret"];
        let member = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            client_id: member(&secret["client_id"]),
            secret_id: member(&secret["secret_id"]),
            secret: Zeroizing::new(member(&answer.body["client_secret"])),
        }
    }
}

/// Everything that has a client in the story.
pub(super) struct Cast {
    /// Acme in QA; it will be narrowed, rotated and revoked.
    pub(super) acme_qa: Account,
    /// Acme in Production.
    pub(super) acme_production: Account,
    /// Globex in QA; it goes on working.
    pub(super) globex_qa: Account,
    /// The orders API in QA.
    pub(super) orders_qa: Account,
    /// The orders API in Production.
    pub(super) orders_production: Account,
}

/// An operator is content with this status.
pub(super) fn status(wanted: u16) -> Expectation<'static> {
    Expectation::new(wanted.to_string(), move |answer| of_status(answer, wanted))
}

/// The same for something made, of which the member at `pointer` (RFC 6901) is told.
pub(super) fn created(pointer: &'static str) -> Expectation<'static> {
    Expectation::new("201", move |answer| {
        let told = answer.body.pointer(pointer).map_or_else(|| "-".to_owned(), text);
        of_status(answer, 201).map(|seen| format!("{seen}, {} {told}", pointer.rsplit('/').next().unwrap_or_default()))
    })
}

fn of_status(answer: &Answer, wanted: u16) -> Seen {
    if answer.status == wanted {
        Ok(wanted.to_string())
    } else {
        Err(format!("{} {}", answer.status, answer.body))
    }
}

/// A partner's developer looks at a token response (RFC 6749 §5.1).
pub(super) fn token_with(scope: &'static str) -> Expectation<'static> {
    Expectation::new(
        format!("200 and a Bearer token with the scope {scope}"),
        move |answer| {
            let body = &answer.body;
            let holds = answer.status == 200
                && body["token_type"] == "Bearer"
                && body["access_token"].is_string()
                && body["scope"] == scope;
            if holds {
                Ok(format!(
                    "200, a Bearer token for {} seconds, scope {scope}",
                    body["expires_in"]
                ))
            } else {
                Err(format!("{} {}", answer.status, without_token(body)))
            }
        },
    )
}

/// An OAuth error (RFC 6749 §5.2).
pub(super) fn refused(wanted: u16, error: &'static str) -> Expectation<'static> {
    Expectation::new(format!("{wanted} {error}"), move |answer| {
        let seen = format!("{} {}", answer.status, without_token(&answer.body));
        if answer.status == wanted && answer.body["error"] == error {
            Ok(seen)
        } else {
            Err(seen)
        }
    })
}

/// An operator sees how many tokens of the quota of qa were drawn.
pub(super) fn drawn(tokens: u64) -> Expectation<'static> {
    Expectation::new(format!("{tokens} tokens drawn in qa"), move |answer| {
        let quotas = answer.body["items"].as_array().map_or(&[][..], Vec::as_slice);
        let qa = quotas.iter().find(|quota| quota["environment"] == "qa");
        match qa {
            Some(quota) if quota["drawn"] == tokens => Ok(format!(
                "{}, in qa {tokens} of {} were drawn; the next window begins {}",
                answer.status,
                quota["limit"],
                text(&quota["window_end"])
            )),
            _ => Err(answer.body.to_string()),
        }
    })
}

/// An operator sees tokens and refusals of both partners.
pub(super) fn counted() -> Expectation<'static> {
    Expectation::new("tokens and refusals of acme and globex", |answer| {
        let rows = answer.body["items"].as_array().map_or(&[][..], Vec::as_slice);
        let line = |row: &Value| {
            let refusals = match &row["refusals"] {
                Value::Object(refusals) if !refusals.is_empty() => row["refusals"].to_string(),
                _ => String::new(),
            };
            let partner = text(&row["partner_id"]);
            format!(
                "{partner}: {} issued, {} refused {refusals}",
                row["issued"], row["refused"]
            )
        };
        let of = |partner: &str| {
            let mut rows = rows.iter();
            rows.any(|row| row["partner_id"] == partner && row["issued"].as_u64() > Some(0))
        };
        let told: Vec<String> = rows.iter().map(|row| line(row).trim_end().to_owned()).collect();
        if of("acme") && of("globex") {
            Ok(told.join("\n"))
        } else {
            Err(answer.body.to_string())
        }
    })
}

/// A resource server learns that a token of Acme counts, and for what.
pub(super) fn active(scope: &'static str) -> Expectation<'static> {
    Expectation::new(format!("200, active, of acme, with the scope {scope}"), move |answer| {
        let body = &answer.body;
        let holds =
            answer.status == 200 && body["active"] == true && body["partnerId"] == "acme" && body["scope"] == scope;
        let seen = format!(
            "{}, active {}, partnerId {}, scope {}",
            answer.status,
            body["active"],
            text(&body["partnerId"]),
            text(&body["scope"])
        );
        if holds { Ok(seen) } else { Err(seen) }
    })
}

/// A resource server learns that a token does not count, and nothing else (RFC 7662 §2.2).
pub(super) fn inactive() -> Expectation<'static> {
    Expectation::new("200 and nothing but \"active\": false", |answer| {
        let seen = format!("{} {}", answer.status, answer.body);
        if answer.status == 200 && answer.body == serde_json::json!({ "active": false }) {
            Ok(seen)
        } else {
            Err(seen)
        }
    })
}

/// A resource server that verifies a token by itself: the key from the JWK set, then the claims (RFC 9068 §4).
pub(super) struct Verification<'a> {
    pub(super) token: &'a str,
    pub(super) issuer: String,
    pub(super) audience: &'a str,
    pub(super) now: Timestamp,
}

impl Verification<'_> {
    /// Expects to find the key in the set, and the token in order.
    pub(super) fn succeeds(&self) -> Expectation<'_> {
        Expectation::new("a signature and claims that are in order", |jwks| self.verify(jwks))
    }

    fn verify(&self, jwks: &Answer) -> Seen {
        let claims = self.claims(jwks)?;
        let holds = claims["iss"] == self.issuer
            && claims["aud"] == self.audience
            && claims["exp"].as_i64().is_some_and(|exp| exp > self.now.seconds());
        let seen = format!(
            "the signature verifies; iss {}, aud {}, partnerId {}, scope {}",
            text(&claims["iss"]),
            text(&claims["aud"]),
            text(&claims["partnerId"]),
            text(&claims["scope"])
        );
        if holds { Ok(seen) } else { Err(seen) }
    }

    fn claims(&self, jwks: &Answer) -> Result<Value, String> {
        let key = self.key(jwks)?.ok_or("the token's key is not in the set")?;
        let token = CompactJws::parse(self.token, TokenType::AccessToken).map_err(|error| error.to_string())?;
        verify(token, &VerifyingKey::from(&key))
            .and_then(|payload| payload.claims())
            .map_err(|error| error.to_string())
    }

    /// The key of the set that the token names.
    fn key(&self, jwks: &Answer) -> Result<Option<Jwk>, String> {
        let token = CompactJws::parse(self.token, TokenType::AccessToken).map_err(|error| error.to_string())?;
        let keys = jwks.body["keys"].as_array().ok_or("no JWK set")?;
        keys.iter()
            .find(|key| key["kid"] == token.key_id().as_str())
            .map(|key| key.to_string().parse::<Jwk>().map_err(|error| error.to_string()))
            .transpose()
    }
}

/// A resource server of the other environment does not even know the key.
pub(super) fn stranger_to(environment: Environment, token: &str) -> Expectation<'_> {
    Expectation::new("a set without the token's key", move |jwks| {
        let named = CompactJws::parse(token, TokenType::AccessToken).map_err(|error| error.to_string())?;
        let keys = jwks.body["keys"].as_array().ok_or("no JWK set")?;
        if keys.iter().all(|key| key["kid"] != named.key_id().as_str()) {
            Ok(format!(
                "of the {} keys of {environment}, none is the token's",
                keys.len()
            ))
        } else {
            Err("the token's key is among them".to_owned())
        }
    })
}

/// What a token response says when it should have been a refusal; the token itself is of no interest.
fn without_token(body: &Value) -> String {
    let mut body = body.clone();
    if let Some(token) = body.get_mut("access_token") {
        *token = Value::from("…");
    }
    body.to_string()
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
