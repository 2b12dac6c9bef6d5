//! What a client may have, as it stands now: the APIs its tokens can be for, and its scopes of each.

use super::api::Api;
use super::client::{AccessLevel, Client, ClientRole};
use super::partner::{Partner, PartnerStatus};
use super::resource::ResourceIndicator;
use super::scope::Scope;
use super::text::ApiId;

/// One API a client's tokens can be for, and the scopes it may have of it: never none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entitlement {
    /// The API.
    pub api_id: ApiId,
    /// Its audience.
    pub audience: ResourceIndicator,
    /// The scopes.
    pub scope: Scope,
}

/// What `client` may have: its access level, cut to the ceiling of its partner and of the partner's parent, spread over the
/// APIs of its environment that it is allowed. Nothing while a partner above it is suspended, nothing for a resource server.
#[must_use]
pub fn entitlements(client: &Client, partners: &[Partner], apis: &[Api]) -> Vec<Entitlement> {
    let ClientRole::Partner {
        access, allowed_apis, ..
    } = &client.role
    else {
        return Vec::new();
    };
    if partners.is_empty()
        || partners
            .iter()
            .any(|partner| partner.status == PartnerStatus::Suspended)
    {
        return Vec::new();
    }
    apis.iter()
        .filter(|api| api.environment == client.environment && allowed_apis.allows(&api.api_id))
        .map(|api| {
            let wanted = match access {
                AccessLevel::Full => api.scopes.clone(),
                AccessLevel::FineGrained(scope) => api.scopes.intersection(scope),
            };
            let scope = partners
                .iter()
                .fold(wanted, |scope, partner| scope.intersection(&partner.scope_ceiling));
            Entitlement {
                api_id: api.api_id.clone(),
                audience: api.audience.clone(),
                scope,
            }
        })
        .filter(|entitlement| !entitlement.scope.is_empty())
        .collect()
}
