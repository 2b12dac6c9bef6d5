//! What is asked of the replicas in a history, and how each answer is held against the truth.

use serde_json::Value;

use super::moves::ASKING;
use super::truth::{Grant, Quota, Scopes, Token, Verdict, Why};
use super::world::{World, give_back};
use crate::support::oauth::{INACTIVE, header_of};
use crate::support::registration::Credentials;
use crate::support::wire::Answer;

impl World<'_> {
    pub fn issue(&self, at: usize, asking: &Credentials, scope: Option<&'static str>) -> Option<Token> {
        let ask = || {
            let request = self.replicas[at].installation.token(asking);
            scope
                .map_or(request.clone(), |scope| request.param("scope", scope))
                .send()
        };
        let mut answer = ask();
        if answer.status == 429 {
            self.assert_not_to_be_had_here(at, asking, &answer);
            // A replica that was told that there is none asks again in the next second.
            self.replicas[0].installation.clock.advance(1);
            answer = ask();
        }
        match self.truth.verdict(asking, scope, self.now()) {
            Verdict::Stranger(why) => {
                answer.refused(401, "invalid_client");
                self.see(why);
            }
            Verdict::NoScope(why) => {
                answer.refused(400, "invalid_scope");
                self.see(why);
            }
            Verdict::Spent(why, quota) => {
                answer.refused(429, "temporarily_unavailable");
                assert_eq!(policy(&answer), (quota.name(), quota.limit));
                self.see(why);
            }
            Verdict::Granted(granted) => return Some(self.take(asking, granted, &answer)),
        }
        None
    }

    /// A quota that refused must be used up as the store sees it, with nothing of it held where it was asked. What others hold comes
    /// back, and the store then counts what was issued.
    fn assert_not_to_be_had_here(&self, at: usize, asking: &Credentials, refused: &Answer) {
        let (name, limit) = policy(refused);
        let quotas = self.truth.quotas(&self.truth.client(&asking.client_id), self.now());
        let quota = quotas
            .iter()
            .find(|quota| quota.name() == name)
            .expect("it counts in that quota");
        assert_eq!(quota.limit, limit);
        give_back(&self.replicas[at]);
        let drawn = self.drawn(quota);
        assert!(drawn >= limit, "{drawn} of {limit} were drawn, and yet it was refused");
        self.assert_counted(&quotas);
    }

    /// Holds what the store counts, when nobody holds anything, against what was issued.
    pub fn assert_counted(&self, quotas: &[Quota]) {
        self.replicas.iter().for_each(give_back);
        for quota in quotas {
            assert_eq!(self.drawn(quota), self.truth.issued(&quota.meter), "{}", quota.name());
        }
    }

    fn drawn(&self, quota: &Quota) -> u64 {
        let meter = quota.meter.clone();
        self.replicas[0].installation.read(move |records| records.drawn(&meter))
    }

    fn take(&self, asking: &Credentials, granted: Grant, answer: &Answer) -> Token {
        let (text, claims) = (answer.issued(), answer.claims());
        assert_eq!(answer.json()["scope"], written(&granted.scope));
        assert_eq!(claims["scope"], written(&granted.scope));
        assert_eq!(audiences(&claims), granted.audiences);
        assert_eq!(claims["exp"], granted.expires_at.seconds());
        assert_eq!(claims["sub"], asking.client_id);
        assert_eq!(header_of(&text)["kid"], granted.kid);
        for quota in self.truth.quotas(&self.truth.client(&asking.client_id), self.now()) {
            self.truth.0.count(&quota.meter);
        }
        Token {
            text,
            client_id: asking.client_id.clone(),
            secret_id: asking.secret_id.clone(),
            jti: claims["jti"].as_str().expect("it is text").parse().unwrap(),
            granted,
        }
    }

    pub fn introspect(&self, at: usize, asking: usize, token: usize) {
        let token = &self.tokens[token];
        let answer = self.replicas[at]
            .installation
            .introspect(&self.asking[asking], &token.text);
        assert_eq!(answer.status, 200, "{}", answer.text());
        match self.truth.worth(token, ASKING[asking], self.now()) {
            Ok(left) => {
                let said = answer.json();
                assert_eq!(said["active"], true, "{said}");
                assert_eq!(said["scope"], written(&left));
                assert_eq!(said["jti"], token.jti.as_str());
                assert_eq!(audiences(&said), token.granted.audiences);
                assert_eq!(said["exp"], token.granted.expires_at.seconds());
                if left != token.granted.scope {
                    self.see(Why::LessThanItSays);
                }
            }
            Err(why) => {
                assert_eq!(answer.text(), INACTIVE, "{why:?}");
                self.see(why);
            }
        }
    }

    /// A client revokes a token with its newest secret (RFC 7009 §2.1).
    pub fn revoke(&self, at: usize, client: usize, token: usize) {
        let (token, asking) = (&self.tokens[token], self.credentials(client, usize::MAX));
        let was_revoked = self.truth.is_revoked(token);
        let verdict = self.truth.verdict(&asking, None, self.now());
        let answer = self.replicas[at].installation.revoke(&asking, &token.text);
        let is_readable = self.truth.is_published(&token.granted.kid);
        let is_its_own = asking.client_id == token.client_id;
        if let Verdict::Stranger(_) = verdict {
            answer.refused(401, "invalid_client");
        } else if is_readable && !is_its_own {
            answer.refused(400, "unauthorized_client");
        } else {
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        let ends = answer.status == 200 && is_readable && self.now() < token.granted.expires_at;
        assert_eq!(self.truth.is_revoked(token), was_revoked || ends);
    }
}

/// The quota that refused, and its limit.
fn policy(refused: &Answer) -> (String, u64) {
    let policy = refused.header("ratelimit-policy").expect("it is named");
    let mut parts = policy.split(';');
    let (name, limit) = (parts.next().unwrap(), parts.next().unwrap());
    let limit = limit.strip_prefix("q=").expect("it has a limit");
    (name.trim_matches('"').to_owned(), limit.parse().unwrap())
}

fn audiences(said: &Value) -> Vec<String> {
    let text = |audience: &Value| audience.as_str().expect("it is text").to_owned();
    match &said["aud"] {
        Value::Array(several) => several.iter().map(text).collect(),
        one => vec![text(one)],
    }
}

fn written(scope: &Scopes) -> String {
    scope.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}
