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

/// Scopes, and the audiences they belong to: what a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    scope: Scope,
    text: String,
    audiences: Vec<ResourceIndicator>,
}

impl Granted {
    /// These scopes, which belong to these audiences.
    #[must_use]
    pub fn new(scope: Scope, audiences: Vec<ResourceIndicator>) -> Self {
        let text = scope.to_string();
        Self { scope, text, audiences }
    }

    /// All that is in `entitlements`; `None` when nothing is.
    #[must_use]
    pub fn all_of<'a>(entitlements: impl IntoIterator<Item = &'a Entitlement>) -> Option<Self> {
        let entitlements: Vec<_> = entitlements.into_iter().collect();
        let scopes = entitlements.iter().flat_map(|entitlement| entitlement.scope.iter());
        let audiences = entitlements.iter().map(|entitlement| entitlement.audience.clone());
        let all = Self::new(scopes.cloned().collect(), audiences.collect());
        (!all.audiences.is_empty()).then_some(all)
    }

    /// The scopes.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The scopes as they are written (RFC 6749 §3.3).
    #[must_use]
    pub fn scope_text(&self) -> &str {
        &self.text
    }

    /// The audiences.
    #[must_use]
    pub fn audiences(&self) -> &[ResourceIndicator] {
        &self.audiences
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        AllowedApis, AllowedSources, AuthMethod, ClientStatus, Environment, Epoch, PartnerId, Scope, ScopeToken,
        Timestamp,
    };

    fn scope(text: &str) -> Scope {
        text.split_whitespace()
            .map(|token| token.parse::<ScopeToken>().unwrap())
            .collect()
    }

    fn api(environment: Environment, api_id: &str, scopes: &str) -> Api {
        Api {
            api_id: api_id.parse().unwrap(),
            environment,
            name: api_id.parse().unwrap(),
            audience: format!("https://{api_id}.example.com").parse().unwrap(),
            scopes: scope(scopes),
            created_at: Timestamp::from_seconds(0),
            version: Epoch::ZERO,
        }
    }

    fn partner(partner_id: &str, ceiling: &str) -> Partner {
        Partner {
            partner_id: partner_id.parse().unwrap(),
            name: partner_id.parse().unwrap(),
            scope_ceiling: scope(ceiling),
            status: PartnerStatus::Active,
            parent: None,
            plan: None,
            created_at: Timestamp::from_seconds(0),
            version: Epoch::ZERO,
        }
    }

    fn client(role: ClientRole) -> Client {
        Client {
            client_id: "qa-acme-0000000000".parse().unwrap(),
            environment: Environment::Qa,
            role,
            name: "Warehouse".parse().unwrap(),
            contact: "ada@example.com".parse().unwrap(),
            token_endpoint_auth_method: AuthMethod::Any,
            token_lifetime: None,
            limits: None,
            allowed_sources: AllowedSources::Any,
            expires_at: None,
            status: ClientStatus::Active,
            created_at: Timestamp::from_seconds(0),
            version: Epoch::ZERO,
        }
    }

    fn of_partner(access: AccessLevel, allowed_apis: AllowedApis) -> Client {
        client(ClientRole::Partner {
            partner_id: "acme".parse::<PartnerId>().unwrap(),
            access,
            allowed_apis,
        })
    }

    fn apis() -> Vec<Api> {
        vec![
            api(Environment::Qa, "orders", "orders:read orders:write"),
            api(Environment::Qa, "stock", "stock:read"),
            api(Environment::Production, "billing", "billing:read"),
        ]
    }

    /// What is granted, as `api: scope` lines.
    fn granted(client: &Client, partners: &[Partner]) -> Vec<String> {
        entitlements(client, partners, &apis())
            .iter()
            .map(|entitlement| format!("{}: {}", entitlement.api_id, entitlement.scope))
            .collect()
    }

    const ALL: &str = "orders:read orders:write stock:read billing:read";

    #[test]
    fn full_access_is_the_ceiling_spread_over_the_apis_of_the_environment() {
        let full = of_partner(AccessLevel::Full, AllowedApis::Every);
        assert_eq!(
            granted(&full, &[partner("acme", ALL)]),
            ["orders: orders:read orders:write", "stock: stock:read"]
        );
        assert_eq!(
            granted(&full, &[partner("acme", "orders:read")]),
            ["orders: orders:read"]
        );
        assert!(granted(&full, &[partner("acme", "")]).is_empty());
    }

    #[test]
    fn fine_grained_access_is_cut_to_the_ceiling() {
        let access = AccessLevel::FineGrained(scope("orders:write stock:read"));
        let fine = of_partner(access, AllowedApis::Every);
        assert_eq!(
            granted(&fine, &[partner("acme", ALL)]),
            ["orders: orders:write", "stock: stock:read"]
        );
        assert_eq!(
            granted(&fine, &[partner("acme", "orders:read stock:read")]),
            ["stock: stock:read"]
        );
    }

    #[test]
    fn allowed_apis_are_the_only_ones() {
        let only = AllowedApis::Only(["stock".parse().unwrap()].into());
        let held = of_partner(AccessLevel::Full, only);
        assert_eq!(granted(&held, &[partner("acme", ALL)]), ["stock: stock:read"]);
        let none = of_partner(AccessLevel::Full, AllowedApis::Only([].into()));
        assert!(granted(&none, &[partner("acme", ALL)]).is_empty());
    }

    #[test]
    fn a_sub_account_can_do_no_more_than_its_parent() {
        let full = of_partner(AccessLevel::Full, AllowedApis::Every);
        let above = [
            partner("acme-eu", "orders:read stock:read"),
            partner("acme", "orders:read orders:write"),
        ];
        assert_eq!(granted(&full, &above), ["orders: orders:read"]);
    }

    #[test]
    fn nothing_is_granted_below_a_suspended_partner_or_without_one() {
        let full = of_partner(AccessLevel::Full, AllowedApis::Every);
        let active = partner("acme-eu", ALL);
        let suspended = partner("acme", ALL).suspended().unwrap();
        assert!(granted(&full, &[active.clone(), suspended.clone()]).is_empty());
        assert!(granted(&full, &[suspended, active]).is_empty());
        assert!(granted(&full, &[]).is_empty());
    }

    #[test]
    fn a_resource_server_obtains_nothing() {
        let api_id = "orders".parse().unwrap();
        let resource_server = client(ClientRole::ResourceServer { api_id });
        assert!(granted(&resource_server, &[partner("acme", ALL)]).is_empty());
    }
}
