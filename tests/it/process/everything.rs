//! One of everything: every route of the admin API and every endpoint, done well and done badly, with every secret noted.

use serde_json::{Value, json};
use ureq::http::Request;

use crate::support::calls::{AUDIENCE, Admin, Caller, Credentials, credentials, form_request, new_client};
use crate::support::server::Server;

/// What must be found nowhere.
#[derive(Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    pub fn note(&mut self, secret: &str) {
        assert!(secret.len() >= 8, "too short to be told from other text: {secret}");
        self.0.push(secret.to_owned());
    }

    fn note_client(&mut self, client: &Credentials) {
        self.note(&client.secret);
        self.note(&client.basic()["Basic ".len()..]);
    }

    fn note_token(&mut self, token: &str) {
        self.note(token);
        self.note(token.rsplit('.').next().expect("a JWS has parts"));
    }

    /// Fails with the beginning of the first secret that stands in `text`.
    #[track_caller]
    pub fn assert_absent(&self, text: &str, place: &str) {
        for secret in &self.0 {
            let Some(at) = text.find(secret.as_str()) else {
                continue;
            };
            let from = text[..at].rfind('\n').map_or(0, |end| end + 1);
            panic!("{}… stands in {place}: {}", &secret[..7], &text[from..at]);
        }
    }
}

/// Does everything there is to do, over `caller`.
pub fn exercise(server: &Server, owner: &str, caller: &Caller) -> Secrets {
    let mut secrets = Secrets::default();
    secrets.note(owner);
    let admin = server.admin(owner).over(caller.clone());
    admin.furnish();
    directory(&admin);
    let client = clients(&admin, &mut secrets);
    operators(&admin, &mut secrets);
    keys(&admin, &mut secrets);
    let world = World { server, caller, admin };
    world.endpoints(&client, &mut secrets);
    world.mistakes(&client, &mut secrets);
    secrets
}

fn id<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("it has an id")
}

fn directory(admin: &Admin) {
    admin.list("/partners");
    admin.get("/partners/acme");
    admin.get("/partners/acme/quota");
    admin
        .patch("/partners/acme", &json!({ "name": "Acme Ltd" }))
        .expect(200);
    admin.act("/partners/acme/suspend");
    admin.act("/partners/acme/reinstate");
    admin.list("/apis");
    admin.get("/apis/qa/orders");
    admin
        .patch("/apis/qa/orders", &json!({ "name": "All orders" }))
        .expect(200);
    admin.list("/notices");
    admin.list("/journal");
    admin.get("/journal/head");
    admin.get("/journal/1");
    admin.list("/usage");
    admin.get("/whoami");
    admin.get("/openapi.json");
}

/// Gives back the client that is left.
fn clients(admin: &Admin, secrets: &mut Secrets) -> Credentials {
    let client = admin.client("qa");
    let ended = admin.client("production");
    let path = format!("/clients/{}", client.client_id);
    admin.list("/clients");
    admin.get(&path);
    admin.get(&format!("{path}/quota"));
    admin.patch(&path, &json!({ "name": "Another name" })).expect(200);
    admin.act(&format!("{path}/suspend"));
    admin.act(&format!("{path}/reinstate"));
    admin.act(&format!("/clients/{}/revoke", ended.client_id));
    admin.list(&format!("{path}/secrets"));
    let added = admin
        .post(&format!("{path}/secrets"), &json!({ "note": "second" }))
        .expect(201);
    let further = Credentials {
        client_id: client.client_id.clone(),
        secret: id(&added, "client_secret").to_owned(),
    };
    let secret = format!("{path}/secrets/{}", id(&added["secret"], "secret_id"));
    admin.get(&secret);
    admin.act(&format!("{secret}/retire"));
    for each in [&client, &ended, &further] {
        secrets.note_client(each);
    }
    client
}

fn operators(admin: &Admin, secrets: &mut Secrets) {
    let body = json!({ "email": "bo@example.com", "role": "viewer" });
    let made = admin.post("/operators", &body).expect(201);
    secrets.note(id(&made, "token"));
    let path = format!("/operators/{}", id(&made["operator"], "operator_id"));
    admin.list("/operators");
    admin.get(&path);
    admin.patch(&path, &json!({ "role": "operator" })).expect(200);
    secrets.note(id(&admin.act(&format!("{path}/token")), "token"));
    admin.act(&format!("{path}/revoke"));
}

fn keys(admin: &Admin, secrets: &mut Secrets) {
    let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
    pem.lines()
        .filter(|line| !line.starts_with('-'))
        .for_each(|line| secrets.note(line));
    admin.list("/keys");
    admin.act("/keys/qa/rotate");
    let keys = admin.post("/keys/qa/import", &json!({ "pem": pem })).expect(200);
    let imported = keys["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["state"] == "announced");
    let key = format!("/keys/qa/{}", id(imported.unwrap(), "kid"));
    admin.get(&key);
    admin.act(&format!("{key}/revoke"));
}

struct World<'a> {
    server: &'a Server,
    caller: &'a Caller,
    admin: Admin,
}

impl World<'_> {
    fn post(&self, path: &str, client: &Credentials, form: &[(&str, &str)]) -> crate::support::calls::Reply {
        self.caller.form(&self.server.public_url(path), client, form)
    }

    fn endpoints(&self, client: &Credentials, secrets: &mut Secrets) {
        let grant = ("grant_type", "client_credentials");
        let token = self
            .post(
                "/qa/token",
                client,
                &[grant, ("scope", "orders:read"), ("resource", AUDIENCE)],
            )
            .issued();
        secrets.note_token(&token);
        let asking = self.admin.resource_server("qa");
        secrets.note_client(&asking);
        assert_eq!(
            self.post("/qa/introspect", &asking, &[("token", &token)]).expect(200)["active"],
            true
        );
        self.post("/qa/revoke", client, &[("token", &token)]).expect(200);
        assert_eq!(
            self.post("/qa/introspect", &asking, &[("token", &token)]).expect(200)["active"],
            false
        );
        for environment in ["qa", "production"] {
            for path in [
                format!("/{environment}/jwks"),
                format!("/.well-known/oauth-authorization-server/{environment}"),
                format!("/{environment}/.well-known/openid-configuration"),
            ] {
                self.caller.get(&self.server.public_url(&path)).expect(200);
            }
        }
        for url in [
            self.server.public_url("/livez"),
            self.server.admin_url("/readyz"),
            self.server.admin_url("/metrics"),
        ] {
            self.caller.get(&url).expect(200);
        }
    }

    /// Secrets in every wrong place a caller might put them.
    fn mistakes(&self, client: &Credentials, secrets: &mut Secrets) {
        let (all_but_the_last, last) = client.secret.split_at(client.secret.len() - 1);
        let wrong = Credentials {
            client_id: client.client_id.clone(),
            secret: format!("{all_but_the_last}{}", if last == "A" { "B" } else { "A" }),
        };
        secrets.note_client(&wrong);
        let (grant, secret) = (("grant_type", "client_credentials"), client.secret.as_str());
        self.post("/qa/token", &wrong, &[grant]).expect(401);
        self.post("/production/token", client, &[grant]).expect(401);
        self.post("/qa/token", client, &[grant, ("scope", secret)]).expect(400);
        self.post("/qa/token", client, &[grant, ("resource", secret)])
            .expect(400);
        self.post("/qa/token", client, &[("grant_type", secret)]).expect(400);
        self.post("/qa/token", client, &[grant, ("client_secret", secret)])
            .expect(400);
        self.post("/qa/revoke", client, &[("token", secret)]).expect(200);
        let swapped = Credentials {
            client_id: secret.to_owned(),
            secret: client.client_id.clone(),
        };
        self.post("/qa/token", &swapped, &[grant]).expect(401);
        let in_the_query = self.server.public_url(&format!("/qa/token?client_secret={secret}"));
        self.caller.send(form_request(&in_the_query, client, &[grant]));
        for url in [
            self.server.public_url(&format!("/{secret}?{secret}")),
            self.server.admin_url(&format!("/admin/v1/partners?filter={secret}")),
            self.server.admin_url(&format!("/admin/v1/clients/{secret}")),
        ] {
            assert!(self.caller.get(&url).status >= 400);
        }
        self.admin
            .post(
                "/partners",
                &json!({ "partner_id": secret, "name": "x", "token": secret }),
            )
            .expect(400);
        self.admin.post(&format!("/clients/{secret}/revoke"), &Value::Null);
        self.admin
            .post("/keys/qa/import", &json!({ "pem": secret }))
            .expect(400);
        let stranger = self.server.admin(secret).over(self.caller.clone());
        stranger.post("/clients", &new_client("qa")).expect(401);
        let basic = Request::get(self.server.admin_url("/admin/v1/whoami")).header("authorization", client.basic());
        self.caller.send(basic.body(String::new()).unwrap()).expect(401);
        // One more registration, whose answer is thrown away.
        let thrown_away = credentials(&self.admin.post("/clients", &new_client("qa")).expect(201));
        secrets.note_client(&thrown_away);
    }
}
