//! `/console/keys`: what signs tokens, what will, what did; rotation, and the way out in an emergency.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::chrome::{Chrome, Section};
use super::page;
use super::timeline::Timeline;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::domain::{Environment, KeyId, KeyState, Refusal, Role, SigningKeyRecord, Timestamp};
use crate::http::admin::problem::Problem;
use crate::office::{KeyAddress, KeyOutlook, OfficeError};

/// How many keys that are out of the JWKS are shown, the newest of them.
const PAST: usize = 5;

/// The keys of one environment.
struct Ring {
    environment: Environment,
    /// Those in the JWKS and the last that were, the newest first.
    keys: Vec<Line>,
    /// How many older ones there are.
    older: usize,
    timeline: Option<Timeline>,
    rotates_at: Option<Timestamp>,
    may_rotate_from: Option<Timestamp>,
    /// Whether it may be rotated now.
    may_rotate: bool,
}

/// A key, and when it leaves the JWKS by itself.
struct Line {
    key: SigningKeyRecord,
    leaves_at: Option<Timestamp>,
}

impl Ring {
    fn of(outlook: &KeyOutlook, now: Timestamp) -> Self {
        let past = outlook.keys.iter().filter(|key| !key.state.is_published()).count();
        let mut to_pass = past.saturating_sub(PAST);
        let older = to_pass;
        let mut keys = outlook.keys.clone();
        keys.retain(|key| {
            let is_shown = key.state.is_published() || to_pass == 0;
            to_pass -= usize::from(!is_shown);
            is_shown
        });
        let timeline = Timeline::of(outlook, &keys, now);
        let line = |key: SigningKeyRecord| Line {
            leaves_at: outlook.leaves_at(&key).filter(|_| key.state == KeyState::Retiring),
            key,
        };
        let may_rotate_from = outlook.may_rotate_from();
        Self {
            environment: outlook.environment,
            keys: keys.into_iter().rev().map(line).collect(),
            older,
            timeline,
            rotates_at: outlook.rotates_at(),
            may_rotate_from,
            may_rotate: may_rotate_from.is_some_and(|from| from <= now),
        }
    }
}

#[derive(Template)]
#[template(path = "keys.html")]
struct List {
    chrome: Chrome,
    rings: Vec<Ring>,
    /// Why nothing was rotated.
    fault: Option<String>,
}

/// Those of both environments.
pub(super) async fn list_all(visit: Visit) -> Result<HttpResponse, Trouble> {
    Ok(page::shown(&all(&visit, None).await?))
}

async fn all(visit: &Visit, fault: Option<String>) -> Result<List, Trouble> {
    let (mut rings, now) = (Vec::new(), visit.now());
    for environment in Environment::ALL {
        let outlook = visit.office().key_outlook(visit.who(), environment).await?;
        rings.push(Ring::of(&outlook, now));
    }
    Ok(List {
        chrome: Chrome::new(visit, Some(Section::Keys)),
        rings,
        fault,
    })
}

/// Lets the announced key follow the one that signs.
pub(super) async fn rotate(visit: Visit) -> Result<HttpResponse, Trouble> {
    let environment: Environment = visit.path("environment")?;
    match visit
        .office()
        .rotate_key(visit.who(), visit.errand(), environment)
        .await
    {
        Ok(_) => Ok(page::see(Section::Keys.path())),
        Err(error @ OfficeError::Refused(Refusal::TooEarly { .. } | Refusal::State(_))) => {
            let problem = Problem::from(error);
            let again = all(&visit, Some(problem.detail().into_owned())).await?;
            Ok(page::with_status(StatusCode::CONFLICT, &again))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "key.html")]
struct Shown {
    chrome: Chrome,
    key: SigningKeyRecord,
}

fn address(visit: &Visit) -> Result<KeyAddress, Problem> {
    Ok(KeyAddress {
        environment: visit.path("environment")?,
        kid: visit.path::<KeyId>("kid")?,
    })
}

/// One key.
pub(super) async fn show(visit: Visit) -> Result<HttpResponse, Trouble> {
    let key = visit.office().key(visit.who(), address(&visit)?).await?;
    Ok(page::shown(&Shown {
        chrome: Chrome::new(&visit, Some(Section::Keys)),
        key,
    }))
}

/// Takes one out at once.
pub(super) async fn revoke(visit: Visit) -> Result<HttpResponse, Trouble> {
    let address = address(&visit)?;
    visit.confirmed(address.kid.as_str())?;
    let way = format!("/console/keys/{}/{}", address.environment, address.kid);
    visit.office().revoke_key(visit.who(), visit.change()?, address).await?;
    Ok(page::see(&way))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Algorithm, Epoch, KeyPolicy, Seconds};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn key(number: u8, state: KeyState) -> SigningKeyRecord {
        let begun = NOW - Seconds::from_days(u32::from(100 - number));
        SigningKeyRecord {
            kid: KeyId::from_thumbprint([number; 32]),
            environment: Environment::Qa,
            algorithm: Algorithm::Es256,
            state,
            public_jwk: String::new(),
            sealed_private_key: Vec::new(),
            announced_at: begun,
            jwks_max_age: Seconds(600),
            active_since: Some(begun),
            retiring_since: None,
            retired_at: None,
            version: Epoch::ZERO,
        }
    }

    #[test]
    fn of_those_that_are_out_the_newest_are_shown_and_of_those_in_the_jwks_all() {
        let mut keys = vec![key(0, KeyState::Retiring)];
        keys.extend((1..=8).map(|number| key(number, KeyState::Retired)));
        keys.push(key(9, KeyState::Active));
        let outlook = KeyOutlook {
            environment: Environment::Qa,
            keys,
            policy: KeyPolicy {
                algorithm: Algorithm::Es256,
                rotate_every: Seconds::from_days(30),
                jwks_max_age: Seconds(600),
            },
        };
        let ring = Ring::of(&outlook, NOW);
        let shown: Vec<_> = ring.keys.iter().map(|line| line.key.kid.clone()).collect();
        let expected = [9, 8, 7, 6, 5, 4, 0].map(|number| KeyId::from_thumbprint([number; 32]));
        assert_eq!((shown, ring.older), (expected.to_vec(), 3));
    }
}
