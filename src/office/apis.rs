//! APIs: registering and changing. A scope token belongs to one API per environment, and so does an audience.

use super::commit::{Creation, found, unless_alike};
use super::{Administrator, Created, Errand, Office, OfficeError};
use crate::domain::{
    Api, ApiId, Environment, Epoch, Mutation, Name, Noun, Refusal, ResourceIndicator, Role, Scope, Timestamp,
};
use crate::store::{CommitError, Records, StoreError};

/// The most APIs in one environment: few enough to be read together.
const MOST_APIS: usize = 500;

/// An API to register.
#[derive(Clone, Debug)]
pub struct NewApi {
    /// Where it is.
    pub environment: Environment,
    /// Its slug, chosen once.
    pub api_id: ApiId,
    /// What people call it.
    pub name: Name,
    /// The `aud` of its tokens.
    pub audience: ResourceIndicator,
    /// The scopes it owns.
    pub scopes: Scope,
}

/// What to change of an API; what is `None` stays.
#[derive(Clone, Debug)]
pub struct ApiChange {
    /// Where it is.
    pub environment: Environment,
    /// Of which.
    pub api_id: ApiId,
    /// What people call it.
    pub name: Option<Name>,
    /// The `aud` of its tokens.
    pub audience: Option<ResourceIndicator>,
    /// The scopes it owns.
    pub scopes: Option<Scope>,
}

struct Registration {
    new: NewApi,
    now: Timestamp,
}

impl Creation for Registration {
    type Thing = Api;

    fn make(&self, records: &mut dyn Records) -> Result<(Mutation, Api), CommitError> {
        let new = self.new.clone();
        let others = records.apis(new.environment)?;
        if others.iter().any(|other| other.api_id == new.api_id) {
            return Err(taken("api_id").into());
        }
        if others.len() >= MOST_APIS {
            return Err(Refusal::State("the environment holds 500 APIs, and there can be no more").into());
        }
        let api = Api {
            api_id: new.api_id,
            environment: new.environment,
            name: new.name,
            audience: new.audience,
            scopes: new.scopes,
            created_at: self.now,
            version: Epoch::ZERO,
        };
        stand_apart(&api, &others)?;
        Ok((Mutation::ApiRegistered(api.clone()), api))
    }

    fn subject(api: &Api) -> String {
        format!("{}/{}", api.environment, api.api_id)
    }

    fn find(&self, records: &mut dyn Records, _: &str) -> Result<Option<Api>, StoreError> {
        records.api(self.new.environment, &self.new.api_id)
    }
}

/// Whether `api` shares neither audience nor scope with another of its environment.
fn stand_apart(api: &Api, all: &[Api]) -> Result<(), Refusal> {
    for other in all.iter().filter(|other| other.api_id != api.api_id) {
        if other.audience == api.audience {
            return Err(taken("audience"));
        }
        if !other.scopes.intersection(&api.scopes).is_empty() {
            return Err(taken("scopes"));
        }
    }
    Ok(())
}

const fn taken(field: &'static str) -> Refusal {
    Refusal::Taken { noun: Noun::Api, field }
}

impl Office {
    /// The APIs of one environment or of both, by environment and id.
    ///
    /// # Errors
    /// When the role does not allow it, or the store does not answer in time.
    pub async fn apis(&self, who: &Administrator, environment: Option<Environment>) -> Result<Vec<Api>, OfficeError> {
        who.require(Role::Viewer)?;
        let read = move |records: &mut dyn Records| {
            let mut apis = Vec::new();
            for each in Environment::ALL {
                if environment.is_none_or(|only| only == each) {
                    apis.extend(records.apis(each)?);
                }
            }
            Ok(apis)
        };
        Ok(self.parts.registry.read(read).await?)
    }

    /// One API.
    ///
    /// # Errors
    /// When there is none, the role does not allow it, or the store does not answer in time.
    pub async fn api(&self, who: &Administrator, environment: Environment, api_id: ApiId) -> Result<Api, OfficeError> {
        who.require(Role::Viewer)?;
        let registry = &self.parts.registry;
        let api = registry.read(move |records| records.api(environment, &api_id)).await?;
        Ok(found(api, Noun::Api)?)
    }

    /// Registers an API.
    ///
    /// # Errors
    /// When its id, its audience or one of its scopes is taken, the environment is full, the role does not allow it, or the store
    /// does not answer in time.
    pub async fn register_api(
        &self,
        who: &Administrator,
        errand: Errand,
        new: NewApi,
    ) -> Result<Created<Api>, OfficeError> {
        let now = self.parts.clock.now();
        self.create(who.require(Role::Operator)?, errand, Registration { new, now })
            .await
    }

    /// Changes an API's name, audience or scopes.
    ///
    /// # Errors
    /// When there is none, it is not what the sender knew, the audience or a scope is taken, the role does not allow it, or the
    /// store does not answer in time.
    pub async fn change_api(&self, who: &Administrator, errand: Errand, change: ApiChange) -> Result<Api, OfficeError> {
        let if_match = errand.if_match.clone();
        self.change(who.require(Role::Operator)?, errand, move |records| {
            let before = found(records.api(change.environment, &change.api_id)?, Noun::Api)?;
            if_match.admit(before.version)?;
            let change = change.clone();
            let after = Api {
                name: change.name.unwrap_or_else(|| before.name.clone()),
                audience: change.audience.unwrap_or_else(|| before.audience.clone()),
                scopes: change.scopes.unwrap_or_else(|| before.scopes.clone()),
                ..before.clone()
            };
            stand_apart(&after, &records.apis(after.environment)?)?;
            Ok(unless_alike(&before, after, Mutation::ApiChanged))
        })
        .await
    }
}
