//! Clients in few words: registered, changed, stopped.

use mintmark::ambient::SystemEntropy;
use mintmark::domain::{
    AccessLevel, AllowedApis, AllowedSources, AuthMethod, Client, ClientId, ClientRole, ClientSecret, ClientStatus,
    Environment, Epoch, Mutation, PartnerId, Secret, SecretId, SecretKind, SecretStatus, Timestamp,
};

use super::installation::{Installation, START};

/// What a client authenticates with.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub environment: Environment,
    pub client_id: String,
    pub secret: String,
    pub secret_id: SecretId,
}

/// From when until when a secret works.
#[derive(Clone, Copy)]
pub struct Window(pub Timestamp, pub Option<Timestamp>);

/// From the beginning, without an end.
pub const ALWAYS: Window = Window(START, None);

/// A client about to be registered.
pub struct Registration<'a> {
    installation: &'a Installation,
    client: Client,
    window: Window,
}

impl Installation {
    /// A client of `partner` in QA with full access and either authentication method.
    pub fn client(&self, partner: &str) -> Registration<'_> {
        self.registration(ClientRole::Partner {
            partner_id: partner.parse().unwrap(),
            access: AccessLevel::Full,
            allowed_apis: AllowedApis::Every,
        })
    }

    /// The credential by which the API `api_id` introspects in QA.
    pub fn resource_server(&self, api_id: &str) -> Registration<'_> {
        self.registration(ClientRole::ResourceServer {
            api_id: api_id.parse().unwrap(),
        })
    }

    fn registration(&self, role: ClientRole) -> Registration<'_> {
        let client = Client {
            client_id: ClientId::mint(Environment::Qa, "client", &SystemEntropy::new()),
            environment: Environment::Qa,
            role,
            name: "A client".parse().unwrap(),
            contact: "ada@example.com".parse().unwrap(),
            token_endpoint_auth_method: AuthMethod::Any,
            token_lifetime: None,
            limits: None,
            allowed_sources: AllowedSources::Any,
            expires_at: None,
            status: ClientStatus::Active,
            created_at: START,
            version: Epoch::ZERO,
        };
        Registration {
            installation: self,
            client,
            window: ALWAYS,
        }
    }

    /// Gives the client one more secret.
    pub fn add_secret(&self, client: &Credentials, window: Window) -> Credentials {
        let record = self.record(client);
        let (secret, credentials) = mint(&record, window, self);
        self.commit(Mutation::SecretAdded {
            secret,
            retiring: Vec::new(),
            partner_id: partner_of(&record),
            environment: record.environment,
        });
        credentials
    }

    /// Ends the secret at `end`.
    pub fn end_secret(&self, credentials: &Credentials, end: Timestamp) {
        let record = self.record(credentials);
        let client_id = record.client_id.clone();
        let secrets = self.read(move |records| records.secrets(&client_id));
        let secret = secrets
            .into_iter()
            .find(|secret| secret.secret_id == credentials.secret_id);
        let secret = ClientSecret {
            expires_at: Some(end),
            ..secret.expect("the secret is registered")
        };
        self.commit(Mutation::SecretRetired {
            secret,
            partner_id: partner_of(&record),
            environment: record.environment,
        });
    }

    pub fn suspend(&self, client: &Credentials) {
        self.commit(Mutation::ClientSuspended(self.record(client).suspended().unwrap()));
    }

    pub fn reinstate(&self, client: &Credentials) {
        self.commit(Mutation::ClientReinstated(self.record(client).reinstated().unwrap()));
    }

    pub fn revoke_client(&self, client: &Credentials) {
        self.commit(Mutation::ClientRevoked(self.record(client).revoked().unwrap()));
    }

    /// Makes the client expire at `end`.
    pub fn expire_client(&self, client: &Credentials, end: Timestamp) {
        let record = self.record(client);
        self.commit(Mutation::ClientChanged(Client {
            expires_at: Some(end),
            ..record
        }));
    }

    /// Cuts the client down to `scope`.
    pub fn narrow(&self, client: &Credentials, scope: &str) {
        let mut record = self.record(client);
        if let ClientRole::Partner { access, .. } = &mut record.role {
            *access = AccessLevel::FineGrained(scope.parse().unwrap());
        }
        self.commit(Mutation::ClientChanged(record));
    }

    pub fn suspend_partner(&self, partner_id: &str) {
        self.commit(Mutation::PartnerSuspended(
            self.partner(partner_id).suspended().unwrap(),
        ));
    }

    pub fn reinstate_partner(&self, partner_id: &str) {
        self.commit(Mutation::PartnerReinstated(
            self.partner(partner_id).reinstated().unwrap(),
        ));
    }

    /// The client as it is registered now.
    pub fn record(&self, client: &Credentials) -> Client {
        let client_id: ClientId = client.client_id.parse().unwrap();
        self.read(move |records| records.client(&client_id))
            .expect("the client is registered")
    }
}

impl Registration<'_> {
    pub fn in_production(mut self) -> Self {
        self.client.environment = Environment::Production;
        self.client.client_id = ClientId::mint(Environment::Production, "client", &SystemEntropy::new());
        self
    }

    pub fn fine_grained(mut self, scope: &str) -> Self {
        if let ClientRole::Partner { access, .. } = &mut self.client.role {
            *access = AccessLevel::FineGrained(scope.parse().unwrap());
        }
        self
    }

    /// Tokens for this API only.
    pub fn only(mut self, api_id: &str) -> Self {
        if let ClientRole::Partner { allowed_apis, .. } = &mut self.client.role {
            *allowed_apis = AllowedApis::Only([api_id.parse().unwrap()].into());
        }
        self
    }

    pub fn method(mut self, method: AuthMethod) -> Self {
        self.client.token_endpoint_auth_method = method;
        self
    }

    pub fn token_lifetime(mut self, seconds: u32) -> Self {
        self.client.token_lifetime = Some(seconds.try_into().unwrap());
        self
    }

    pub fn expires_at(mut self, end: Timestamp) -> Self {
        self.client.expires_at = Some(end);
        self
    }

    pub fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    pub fn register(self) -> Credentials {
        let (secret, credentials) = mint(&self.client, self.window, self.installation);
        self.installation
            .commit(Mutation::ClientRegistered(self.client, secret));
        credentials
    }
}

fn partner_of(client: &Client) -> Option<PartnerId> {
    client.partner_id().cloned()
}

fn mint(client: &Client, window: Window, installation: &Installation) -> (ClientSecret, Credentials) {
    let secret = Secret::mint(SecretKind::Client(client.environment), &SystemEntropy::new());
    let kept = ClientSecret {
        secret_id: SecretId::mint(&SystemEntropy::new()),
        client_id: client.client_id.clone(),
        digest: installation.pepper.digest(secret.expose()),
        note: None,
        hint: secret.hint(),
        created_by: "command line".to_owned(),
        created_at: START,
        not_before: window.0,
        expires_at: window.1,
        status: SecretStatus::Active,
        last_used_at: None,
        last_used_source: None,
        version: Epoch::ZERO,
    };
    let credentials = Credentials {
        environment: client.environment,
        client_id: client.client_id.to_string(),
        secret: secret.expose().to_owned(),
        secret_id: kept.secret_id.clone(),
    };
    (kept, credentials)
}
