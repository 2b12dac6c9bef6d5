//! JSON over HTTP in few words: the admin API in an operator's name, the OAuth endpoints in a client's.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{HeaderMap, Method, Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body, of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The access token of an answer that must hold one.
    #[track_caller]
    pub fn issued(self) -> String {
        let body = self.expect(200);
        body["access_token"].as_str().expect("there is a token").to_owned()
    }
}

/// Something that speaks HTTP and believes no proxy variable.
#[derive(Clone)]
pub struct Caller(Agent);

impl Caller {
    pub fn new() -> Self {
        Self::with(TlsConfig::default())
    }

    /// One that believes this certificate and no other.
    pub fn trusting(pem: &str) -> Self {
        let certificate = Certificate::from_pem(pem.as_bytes()).expect("the test's own certificate is one");
        let roots = RootCerts::new_with_certs(&[certificate]);
        Self::with(TlsConfig::builder().root_certs(roots).build())
    }

    fn with(tls: TlsConfig) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(20)))
            .tls_config(tls)
            .build();
        Self(config.into())
    }

    /// The answer, where there is one.
    pub fn try_send(&self, request: Request<String>) -> Result<Reply, ureq::Error> {
        let (parts, body) = request.into_parts();
        let answer = if body.is_empty() && parts.method == Method::GET {
            self.0.run(Request::from_parts(parts, ()))?
        } else {
            self.0.run(Request::from_parts(parts, body))?
        };
        reply(answer)
    }

    pub fn send(&self, request: Request<String>) -> Reply {
        self.try_send(request).expect("the server answers")
    }

    pub fn get(&self, url: &str) -> Reply {
        self.send(Request::get(url).body(String::new()).unwrap())
    }

    /// A form in the name of a client.
    pub fn form(&self, url: &str, client: &Credentials, form: &[(&str, &str)]) -> Reply {
        self.send(form_request(url, client, form))
    }

    /// A token request.
    pub fn token(&self, url: &str, client: &Credentials) -> Reply {
        self.form(url, client, &[("grant_type", "client_credentials")])
    }
}

fn reply(mut answer: Response<ureq::Body>) -> Result<Reply, ureq::Error> {
    Ok(Reply {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        text: answer.body_mut().read_to_string()?,
    })
}

/// A form in the name of a client, authenticated by HTTP Basic. Our identifiers and secrets need no encoding in it.
pub fn form_request(url: &str, client: &Credentials, form: &[(&str, &str)]) -> Request<String> {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    Request::post(url)
        .header("authorization", client.basic())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .unwrap()
}

/// What a client authenticates with.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub client_id: String,
    pub secret: String,
}

impl Credentials {
    /// The value of the `Authorization` header.
    pub fn basic(&self) -> String {
        use base64::Engine as _;
        let pair = format!("{}:{}", self.client_id, self.secret);
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    }
}

/// The admin API in the name of one operator.
#[derive(Clone)]
pub struct Admin {
    caller: Caller,
    prefix: String,
    token: String,
}

impl Admin {
    /// `prefix` is the URL of the API's root.
    pub fn new(prefix: String, token: &str) -> Self {
        Self {
            caller: Caller::new(),
            prefix,
            token: token.to_owned(),
        }
    }

    /// The same over a caller of the test's own.
    pub fn over(self, caller: Caller) -> Self {
        Self { caller, ..self }
    }

    /// A request with its token, for whoever wants to add to it.
    pub fn request(&self, method: Method, path: &str) -> ureq::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.prefix))
            .header("authorization", format!("Bearer {}", self.token))
    }

    pub fn get(&self, path: &str) -> Value {
        let request = self.request(Method::GET, path).body(String::new()).unwrap();
        self.caller.send(request).expect(200)
    }

    /// What came of a POST; the error is that of the connection.
    pub fn try_post(&self, path: &str, body: &Value) -> Result<Reply, ureq::Error> {
        let request = self.request(Method::POST, path);
        self.caller.try_send(if body.is_null() {
            request.body(String::new()).unwrap()
        } else {
            let request = request.header("content-type", "application/json");
            request.body(body.to_string()).unwrap()
        })
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.try_post(path, body).expect("the server answers")
    }

    /// An action that takes nothing and must be done.
    pub fn act(&self, path: &str) -> Value {
        self.post(path, &Value::Null).expect(200)
    }

    pub fn patch(&self, path: &str, body: &Value) -> Reply {
        let request = self
            .request(Method::PATCH, path)
            .header("content-type", "application/json")
            .header("if-match", "*")
            .body(body.to_string())
            .unwrap();
        self.caller.send(request)
    }

    /// Every item of a list, page after page.
    pub fn list(&self, path: &str) -> Vec<Value> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}{joint}limit=200{cursor}"));
            items.extend(page["items"].as_array().expect("a list has items").iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// The partner `acme`, who may have `orders:read` and `orders:write`, and the API `orders` that owns them, in both environments.
    pub fn furnish(&self) {
        let scopes = json!(["orders:read", "orders:write"]);
        let partner = json!({ "partner_id": "acme", "name": "Acme", "scope_ceiling": scopes });
        self.post("/partners", &partner).expect(201);
        for environment in ["qa", "production"] {
            let api = json!({
                "environment": environment, "api_id": "orders", "name": "Orders", "audience": AUDIENCE, "scopes": scopes,
            });
            self.post("/apis", &api).expect(201);
        }
    }

    /// A client of `acme` with full access.
    pub fn client(&self, environment: &str) -> Credentials {
        let made = self.post("/clients", &new_client(environment)).expect(201);
        credentials(&made)
    }

    /// The credential by which the API `orders` introspects.
    pub fn resource_server(&self, environment: &str) -> Credentials {
        let body = json!({
            "environment": environment, "kind": "resource_server", "api_id": "orders", "name": "Orders",
            "contact": "api@example.com",
        });
        credentials(&self.post("/clients", &body).expect(201))
    }
}

/// The audience of the API `orders`.
pub const AUDIENCE: &str = "https://api.example.com/orders";

/// What registers a client of `acme` with full access.
pub fn new_client(environment: &str) -> Value {
    json!({
        "environment": environment, "kind": "partner", "partner_id": "acme", "access_level": "full", "name": "A client",
        "contact": "dev@acme.example",
    })
}

/// The credentials in the answer to the registration of a client.
pub fn credentials(made: &Value) -> Credentials {
    let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
    Credentials {
        client_id: text(&made["client"]["client_id"]),
        secret: text(&made["client_secret"]),
    }
}
