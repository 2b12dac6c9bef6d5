//! Partners, APIs and clients as rows.

use diesel::prelude::*;

use super::{Columns, json, seconds, spaced};
use crate::domain::{
    AccessLevel, AllowedApis, AllowedSources, Api, AuthMethod, Client, ClientRole, ClientStatus, Epoch, Partner,
    PartnerStatus, TokenLifetime,
};
use crate::store::StoreError;
use crate::store::schema::{apis, clients, partners};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = partners, primary_key(partner_id))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub(in crate::store) struct PartnerRow {
    pub(in crate::store) partner_id: String,
    name: String,
    scope_ceiling: String,
    status: String,
    parent: Option<String>,
    plan: Option<String>,
    created_at: i64,
    version: i64,
}

impl From<Partner> for PartnerRow {
    fn from(partner: Partner) -> Self {
        Self {
            partner_id: partner.partner_id.into(),
            name: partner.name.into(),
            scope_ceiling: partner.scope_ceiling.to_string(),
            status: partner.status.as_str().to_owned(),
            parent: partner.parent.map(String::from),
            plan: partner.plan.as_ref().map(json),
            created_at: partner.created_at.seconds(),
            version: partner.version.get(),
        }
    }
}

impl TryFrom<PartnerRow> for Partner {
    type Error = StoreError;

    fn try_from(row: PartnerRow) -> Result<Self, StoreError> {
        const COLUMNS: Columns = Columns("partners");
        Ok(Self {
            partner_id: COLUMNS.text("partner_id", &row.partner_id)?,
            name: COLUMNS.text("name", &row.name)?,
            scope_ceiling: COLUMNS.scope("scope_ceiling", &row.scope_ceiling)?,
            status: COLUMNS.word("status", &row.status, (&PartnerStatus::ALL, PartnerStatus::as_str))?,
            parent: COLUMNS.optional_text("parent", row.parent.as_deref())?,
            plan: row.plan.map(|plan| COLUMNS.json("plan", &plan)).transpose()?,
            created_at: COLUMNS.moment("created_at", row.created_at)?,
            version: Epoch::new(row.version),
        })
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = apis, primary_key(environment, api_id))]
pub(in crate::store) struct ApiRow {
    pub(in crate::store) api_id: String,
    pub(in crate::store) environment: String,
    name: String,
    audience: String,
    scopes: String,
    created_at: i64,
    version: i64,
}

impl From<Api> for ApiRow {
    fn from(api: Api) -> Self {
        Self {
            api_id: api.api_id.into(),
            environment: api.environment.as_str().to_owned(),
            name: api.name.into(),
            audience: api.audience.into(),
            scopes: api.scopes.to_string(),
            created_at: api.created_at.seconds(),
            version: api.version.get(),
        }
    }
}

impl TryFrom<ApiRow> for Api {
    type Error = StoreError;

    fn try_from(row: ApiRow) -> Result<Self, StoreError> {
        const COLUMNS: Columns = Columns("apis");
        Ok(Self {
            api_id: COLUMNS.text("api_id", &row.api_id)?,
            environment: COLUMNS.text("environment", &row.environment)?,
            name: COLUMNS.text("name", &row.name)?,
            audience: COLUMNS.text("audience", &row.audience)?,
            scopes: COLUMNS.scope("scopes", &row.scopes)?,
            created_at: COLUMNS.moment("created_at", row.created_at)?,
            version: Epoch::new(row.version),
        })
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = clients, primary_key(client_id))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub(in crate::store) struct ClientRow {
    pub(in crate::store) client_id: String,
    environment: String,
    kind: String,
    partner_id: Option<String>,
    access_level: Option<String>,
    scope: Option<String>,
    allowed_apis: Option<String>,
    api_id: Option<String>,
    name: String,
    contact: String,
    token_endpoint_auth_method: String,
    token_lifetime: Option<i64>,
    limits: Option<String>,
    allowed_sources: Option<String>,
    expires_at: Option<i64>,
    status: String,
    created_at: i64,
    version: i64,
}

/// The word for a client of a partner in `kind`.
const PARTNER: &str = "partner";
/// The word for a client of an API in `kind`.
const RESOURCE_SERVER: &str = "resource_server";

/// The columns in which clients of partners and clients of APIs differ.
#[derive(Default)]
struct RoleColumns {
    kind: &'static str,
    partner_id: Option<String>,
    access_level: Option<String>,
    scope: Option<String>,
    allowed_apis: Option<String>,
    api_id: Option<String>,
}

impl From<ClientRole> for RoleColumns {
    fn from(role: ClientRole) -> Self {
        match role {
            ClientRole::Partner {
                partner_id,
                access,
                allowed_apis,
            } => Self {
                kind: PARTNER,
                partner_id: Some(partner_id.into()),
                access_level: Some(access.as_str().to_owned()),
                scope: match access {
                    AccessLevel::Full => None,
                    AccessLevel::FineGrained(scope) => Some(scope.to_string()),
                },
                allowed_apis: match allowed_apis {
                    AllowedApis::Every => None,
                    AllowedApis::Only(apis) => Some(spaced(apis)),
                },
                api_id: None,
            },
            ClientRole::ResourceServer { api_id } => Self {
                kind: RESOURCE_SERVER,
                api_id: Some(api_id.into()),
                ..Self::default()
            },
        }
    }
}

impl From<Client> for ClientRow {
    fn from(client: Client) -> Self {
        let role = RoleColumns::from(client.role);
        Self {
            client_id: client.client_id.into(),
            environment: client.environment.as_str().to_owned(),
            kind: role.kind.to_owned(),
            partner_id: role.partner_id,
            access_level: role.access_level,
            scope: role.scope,
            allowed_apis: role.allowed_apis,
            api_id: role.api_id,
            name: client.name.into(),
            contact: client.contact.into(),
            token_endpoint_auth_method: client.token_endpoint_auth_method.as_str().to_owned(),
            token_lifetime: client.token_lifetime.map(|lifetime| u32::from(lifetime).into()),
            limits: client.limits.as_ref().map(json),
            allowed_sources: match client.allowed_sources {
                AllowedSources::Any => None,
                AllowedSources::Only(networks) => Some(spaced(networks)),
            },
            expires_at: seconds(client.expires_at),
            status: client.status.as_str().to_owned(),
            created_at: client.created_at.seconds(),
            version: client.version.get(),
        }
    }
}

impl ClientRow {
    const COLUMNS: Columns = Columns("clients");

    fn role(&self) -> Result<ClientRole, StoreError> {
        let columns = Self::COLUMNS;
        match self.kind.as_str() {
            PARTNER => Ok(ClientRole::Partner {
                partner_id: columns.text("partner_id", self.partner_id.as_deref().unwrap_or_default())?,
                access: self.access()?,
                allowed_apis: match &self.allowed_apis {
                    None => AllowedApis::Every,
                    Some(apis) => AllowedApis::Only(columns.set("allowed_apis", apis)?),
                },
            }),
            RESOURCE_SERVER => Ok(ClientRole::ResourceServer {
                api_id: columns.text("api_id", self.api_id.as_deref().unwrap_or_default())?,
            }),
            _ => Err(columns.corrupt("kind")),
        }
    }

    fn access(&self) -> Result<AccessLevel, StoreError> {
        match (self.access_level.as_deref(), &self.scope) {
            (Some("full"), None) => Ok(AccessLevel::Full),
            (Some("fine_grained"), Some(scope)) => Ok(AccessLevel::FineGrained(Self::COLUMNS.scope("scope", scope)?)),
            _ => Err(Self::COLUMNS.corrupt("access_level")),
        }
    }

    fn token_lifetime(&self) -> Result<Option<TokenLifetime>, StoreError> {
        let Some(seconds) = self.token_lifetime else {
            return Ok(None);
        };
        let lifetime = u32::try_from(seconds).ok().and_then(|seconds| seconds.try_into().ok());
        lifetime
            .map(Some)
            .ok_or_else(|| Self::COLUMNS.corrupt("token_lifetime"))
    }
}

impl TryFrom<ClientRow> for Client {
    type Error = StoreError;

    fn try_from(row: ClientRow) -> Result<Self, StoreError> {
        let columns = ClientRow::COLUMNS;
        Ok(Self {
            role: row.role()?,
            token_lifetime: row.token_lifetime()?,
            allowed_sources: match &row.allowed_sources {
                None => AllowedSources::Any,
                Some(networks) => AllowedSources::Only(columns.set("allowed_sources", networks)?),
            },
            limits: row.limits.map(|limits| columns.json("limits", &limits)).transpose()?,
            client_id: columns.text("client_id", &row.client_id)?,
            environment: columns.text("environment", &row.environment)?,
            name: columns.text("name", &row.name)?,
            contact: columns.text("contact", &row.contact)?,
            token_endpoint_auth_method: columns.word(
                "token_endpoint_auth_method",
                &row.token_endpoint_auth_method,
                (&AuthMethod::ALL, AuthMethod::as_str),
            )?,
            expires_at: columns.optional_moment("expires_at", row.expires_at)?,
            status: columns.word("status", &row.status, (&ClientStatus::ALL, ClientStatus::as_str))?,
            created_at: columns.moment("created_at", row.created_at)?,
            version: Epoch::new(row.version),
        })
    }
}
