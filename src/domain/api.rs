//! APIs: a resource server's identity in one environment, its audience and the scopes it owns.

use serde::Serialize;

use super::environment::Environment;
use super::journal::Epoch;
use super::resource::ResourceIndicator;
use super::scope::Scope;
use super::text::{ApiId, Name};
use super::time::Timestamp;

/// A resource server's identity in one environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Api {
    /// Its slug, chosen once, unique in its environment.
    pub api_id: ApiId,
    /// Where it is.
    pub environment: Environment,
    /// What people call it.
    pub name: Name,
    /// The `aud` of its tokens; unique in its environment.
    pub audience: ResourceIndicator,
    /// The scopes it owns. A scope token belongs to exactly one API per environment.
    pub scopes: Scope,
    /// When it was registered.
    pub created_at: Timestamp,
    /// The epoch of its last change.
    pub version: Epoch,
}
