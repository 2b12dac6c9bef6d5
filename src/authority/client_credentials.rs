//! The client credentials grant (RFC 6749 §4.4): what an authenticated client asks for, cut to what it may have.

use std::sync::Arc;

use super::authentication::AuthenticatedClient;
use super::error::AuthorityError;
use crate::domain::{Entitlement, GrantType, Granted, Invalid, PartnerId, ResourceIndicator, Scope, SecretId};

/// What a token request asks for, as sent. It is looked at only once its sender is authenticated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRequest<'a> {
    /// `grant_type` (RFC 6749 §4.4.2).
    pub grant_type: Option<&'a str>,
    /// `scope` (RFC 6749 §3.3).
    pub scope: Option<&'a str>,
    /// Each `resource` (RFC 8707 §2).
    pub resources: Vec<&'a str>,
}

impl TokenRequest<'_> {
    /// RFC 6749 §5.2: missing and unknown grant types are different errors.
    pub(super) fn granting(&self) -> Result<GrantType, AuthorityError> {
        let text = self.grant_type.ok_or(AuthorityError::MissingGrantType)?;
        let served = GrantType::ALL.into_iter().find(|served| served.as_str() == text);
        served.ok_or(AuthorityError::UnsupportedGrantType)
    }
}

/// What an authenticated client is given: scopes, and the audiences they belong to. The issuer takes nothing else.
pub struct Grant {
    client: AuthenticatedClient,
    granted: Arc<Granted>,
}

impl Grant {
    /// The secret that obtained it.
    #[must_use]
    pub fn secret_id(&self) -> &SecretId {
        self.client.secret_id()
    }

    /// The client it is given to.
    #[must_use]
    pub const fn client(&self) -> &AuthenticatedClient {
        &self.client
    }

    /// The partner behind the client.
    pub(super) fn partner_id(&self) -> &PartnerId {
        let partner_id = self.client.registered().partner_id();
        partner_id.expect("a grant is made for a partner's client only")
    }

    /// The scopes and the audiences, at least one of each.
    #[must_use]
    pub fn granted(&self) -> &Granted {
        &self.granted
    }
}

/// Grants what `request` asks of what `client` may have.
///
/// # Errors
/// `unauthorized_client` for a client that obtains no tokens, `invalid_target` and `invalid_scope` for what it may not ask.
pub(super) fn grant(client: AuthenticatedClient, request: &TokenRequest<'_>) -> Result<Grant, AuthorityError> {
    if client.registered().partner_id().is_none() {
        return Err(AuthorityError::UnauthorizedClient(
            "a resource server obtains no tokens",
        ));
    }
    let entitlements = &client.registered().entitlements;
    let granted = match (request.scope, request.resources.as_slice()) {
        (None, []) => entitlements.everything().cloned(),
        (None, resources) => Granted::all_of(named(entitlements.each(), resources)?).map(Arc::new),
        (Some(text), []) => Some(Arc::new(asked(text, &Targets::Any(entitlements.each()))?)),
        (Some(text), resources) => {
            let named = named(entitlements.each(), resources)?;
            Some(Arc::new(asked(text, &Targets::Named(named))?))
        }
    };
    // Without `scope`: all the scopes of the targets (RFC 6749 §3.3, the documented default).
    let granted = granted.ok_or(AuthorityError::InvalidScope(Invalid::new("of this client is empty")))?;
    Ok(Grant { client, granted })
}

/// Whom a token is to be for (RFC 8707 §2).
enum Targets<'a> {
    /// No resource is named: the API that owns the scopes, whichever that is.
    Any(&'a [Entitlement]),
    /// These, each of them.
    Named(Vec<&'a Entitlement>),
}

impl<'a> Targets<'a> {
    /// Those that own a token of `scope`.
    fn owners(&self, scope: &Scope) -> Vec<&'a Entitlement> {
        let owns = |target: &&Entitlement| scope.iter().any(|token| target.scope.contains(token));
        match self {
            Self::Any(each) => each.iter().filter(owns).collect(),
            Self::Named(named) => named.iter().copied().filter(owns).collect(),
        }
    }
}

/// The entitlements that `resources` name (RFC 8707 §2).
fn named<'a>(entitlements: &'a [Entitlement], resources: &[&str]) -> Result<Vec<&'a Entitlement>, AuthorityError> {
    let mut targets: Vec<&Entitlement> = Vec::with_capacity(resources.len());
    for resource in resources {
        let resource: ResourceIndicator = resource.parse().map_err(AuthorityError::InvalidTarget)?;
        let target = entitlements
            .iter()
            .find(|entitlement| entitlement.audience == resource)
            .ok_or(AuthorityError::InvalidTarget(Invalid::new(
                "is unknown or not for this client",
            )))?;
        if !targets.iter().any(|known| known.audience == target.audience) {
            targets.push(target);
        }
    }
    Ok(targets)
}

/// With `scope`: what was asked, all of it or nothing. Scopes of several APIs need their resources named (RFC 9068 §3), and every
/// resource named needs a scope, so that no audience stands in a token that says nothing to it.
fn asked(text: &str, targets: &Targets<'_>) -> Result<Granted, AuthorityError> {
    let scope: Scope = text.parse().map_err(AuthorityError::InvalidScope)?;
    let refuse = |reason| Err(AuthorityError::InvalidScope(Invalid::new(reason)));
    let owners = targets.owners(&scope);
    if scope
        .iter()
        .any(|token| !owners.iter().any(|owner| owner.scope.contains(token)))
    {
        return refuse("is unknown or more than this client may have");
    }
    match targets {
        Targets::Any(_) if owners.len() > 1 => {
            refuse("belongs to several resources: name each in a resource parameter")
        }
        Targets::Named(named) if owners.len() < named.len() => refuse("has no token of one of the resources named"),
        Targets::Any(_) | Targets::Named(_) => {
            let audiences = owners.into_iter().map(|owner| owner.audience.clone()).collect();
            Ok(Granted::new(scope, audiences))
        }
    }
}
