//! A server that is warm: what it remembers is enough to serve one token and to confirm it, so that tests can take its store away.

use super::calls::{Admin, Caller, Credentials, Reply};
use super::server::{Installation, Server};

/// A server that has served a token and confirmed it, so that it remembers all it needs to do so again. It waits half a second for its
/// store, and no longer.
pub struct WarmServer {
    pub server: Server,
    pub admin: Admin,
    pub owner: String,
    pub installation: Installation,
    client: Credentials,
    asking: Credentials,
    token: String,
}

impl WarmServer {
    pub fn start(installation: Installation) -> Self {
        let installation = installation
            .with("database.timeout", "500ms")
            .with("registry.timeout", "500ms");
        let owner = installation.owner();
        let server = installation.start();
        let admin = server.admin(&owner);
        admin.furnish();
        let (client, asking) = (admin.client("qa"), admin.resource_server("qa"));
        let token = Caller::new().token(&server.public_url("/qa/token"), &client).issued();
        let warm = Self {
            server,
            admin,
            owner,
            installation,
            client,
            asking,
            token,
        };
        assert_eq!(warm.introspect().expect(200)["active"], true);
        warm
    }

    /// Its client asks for a token.
    pub fn token(&self) -> Reply {
        self.token_of(&self.client)
    }

    /// Another client does.
    pub fn token_of(&self, client: &Credentials) -> Reply {
        Caller::new().token(&self.server.public_url("/qa/token"), client)
    }

    /// Its resource server asks about the token that was served first.
    pub fn introspect(&self) -> Reply {
        let url = self.server.public_url("/qa/introspect");
        Caller::new().form(&url, &self.asking, &[("token", &self.token)])
    }

    /// Its client revokes that token.
    pub fn revoke(&self) -> Reply {
        let url = self.server.public_url("/qa/revoke");
        Caller::new().form(&url, &self.client, &[("token", &self.token)])
    }

    /// The status of what stands at a path of its public listener.
    pub fn status(&self, path: &str) -> u16 {
        Caller::new().get(&self.server.public_url(path)).status
    }

    /// The same at its admin listener.
    pub fn admin_status(&self, path: &str) -> u16 {
        Caller::new().get(&self.server.admin_url(path)).status
    }
}
