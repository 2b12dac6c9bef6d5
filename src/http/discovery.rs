//! Authorization server metadata (RFC 8414), and the same document where OpenID Connect libraries look for it (§5).

use std::time::Instant;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::conditional::answer;
use super::endpoints::Endpoints;
use super::error::OAuthError;
use crate::authority::PresentedMethod;
use crate::domain::{Document, GrantType, Scope};
use crate::store::StoreError;
use crate::telemetry::Endpoint;

/// How clients authenticate at every endpoint that asks them to.
type AuthMethods = [&'static str; PresentedMethod::ALL.len()];

/// What the metadata says of response types, of which there are none without an authorization endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseTypes {
    /// Nothing: an empty list would have to be left out (RFC 8414 §3.2).
    Omitted,
    /// An empty list, since §2 calls the member required and some clients insist.
    Empty,
}

/// The members of RFC 8414 §2 that are true of this server.
#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    token_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    #[serde(skip_serializing_if = "Scope::is_empty")]
    scopes_supported: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_types_supported: Option<[&'a str; 0]>,
    grant_types_supported: [&'a str; GrantType::ALL.len()],
    token_endpoint_auth_methods_supported: AuthMethods,
    introspection_endpoint_auth_methods_supported: AuthMethods,
    revocation_endpoint_auth_methods_supported: AuthMethods,
}

pub(super) async fn metadata(request: HttpRequest, endpoints: Data<Endpoints>) -> HttpResponse {
    let began = Instant::now();
    let response = match document(&endpoints).await {
        Ok(document) => answer(&request, &document, endpoints.limits.max_age),
        Err(error) => endpoints.refuse(
            &OAuthError::Authority(error.into()),
            &endpoints.caller(&request),
            Endpoint::Metadata,
        ),
    };
    endpoints.metrics.observe_request(Endpoint::Metadata, began.elapsed());
    response
}

async fn document(endpoints: &Endpoints) -> Result<Document, StoreError> {
    let environment = endpoints.environment();
    let apis = endpoints.authority.registry().fresh().await?.apis(environment).await?;
    let issuer = endpoints.authority.issuer().identifier();
    let auth_methods = PresentedMethod::ALL.map(PresentedMethod::as_str);
    let metadata = Metadata {
        issuer,
        token_endpoint: format!("{issuer}/token"),
        jwks_uri: format!("{issuer}/jwks"),
        introspection_endpoint: format!("{issuer}/introspect"),
        revocation_endpoint: format!("{issuer}/revoke"),
        scopes_supported: apis.iter().flat_map(|api| api.scopes.iter().cloned()).collect(),
        response_types_supported: match endpoints.response_types {
            ResponseTypes::Omitted => None,
            ResponseTypes::Empty => Some([]),
        },
        grant_types_supported: GrantType::ALL.map(GrantType::as_str),
        token_endpoint_auth_methods_supported: auth_methods,
        introspection_endpoint_auth_methods_supported: auth_methods,
        revocation_endpoint_auth_methods_supported: auth_methods,
    };
    let body = serde_json::to_string(&metadata).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Document::new(&body))
}
