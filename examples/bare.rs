//! The yardstick of `scripts/bench.sh`: an actix handler that does what issuing a token cannot do without, and nothing else.
//!
//! It parses the same form and credentials, computes the same HMAC, and signs claims of the same size with the same key type. It
//! knows no clients, looks nothing up, counts nothing and refuses nobody but who sends no credentials. Never serve anything with it.
//!
//! `bare ES256 127.0.0.1:9090` also answers `/introspect`, which parses the form and authenticates the caller, and `/empty`.

use std::borrow::Cow;
use std::error::Error;
use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, ContentType};
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mintmark::ambient::{Clock as _, Entropy as _, SystemClock, SystemEntropy};
use mintmark::domain::{Algorithm, Pepper, SecretDigest};
use mintmark::jose::{KeyPair, SigningKey, TokenType};
use serde::Serialize;
use url::form_urlencoded;

const ISSUER: &str = "http://127.0.0.1:8080/qa";
const AUDIENCE: &str = "https://api.example.com/orders";
const SCOPE: &str = "orders:read orders:write";
const LIFETIME: i64 = 300;
/// As long as the answer to an introspection request is.
const ACTIVE: &str = r#"{"active":true,"token_type":"Bearer","scope":"orders:read orders:write","client_id":"qa-p0000-0000000000","sub":"qa-p0000-0000000000","iss":"http://127.0.0.1:8080/qa","aud":["https://api.example.com/orders"],"exp":1700000300,"iat":1700000000,"nbf":1700000000,"jti":"0000000000000000.AAAAAAAAAAAAAAAAAAAAAA","partnerId":"p0000","environment":"qa"}"#;

struct Bare {
    key: SigningKey,
    pepper: Pepper,
    digest: SecretDigest,
    entropy: SystemEntropy,
}

/// What the form may say.
#[derive(Default)]
struct Form<'a> {
    grant_type: Option<Cow<'a, str>>,
    token: Option<Cow<'a, str>>,
    client_id: Option<Cow<'a, str>>,
    client_secret: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    client_id: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: &'a str,
    scope: &'a str,
    #[serde(rename = "partnerId")]
    partner_id: &'a str,
    environment: &'a str,
}

#[derive(Serialize)]
struct Answer {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: &'static str,
}

impl<'a> Form<'a> {
    fn parse(body: &'a [u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            match &*name {
                "grant_type" => form.grant_type = Some(value),
                "token" => form.token = Some(value),
                "client_id" => form.client_id = Some(value),
                "client_secret" => form.client_secret = Some(value),
                _ => {}
            }
        }
        form
    }
}

impl Bare {
    fn new(algorithm: Algorithm) -> Result<Self, Box<dyn Error>> {
        let private = KeyPair::generate(algorithm)?;
        let pair = KeyPair::from_pkcs8(algorithm, private.as_der())?;
        Ok(Self {
            key: SigningKey::new(pair, TokenType::AccessToken),
            pepper: Pepper::new(&[7; 32]),
            digest: SecretDigest::from_bytes([0; 32]),
            entropy: SystemEntropy::new(),
        })
    }

    /// The client id, once the HMAC of its secret has been computed and compared.
    fn authenticated(&self, request: &HttpRequest, form: &Form<'_>) -> Option<String> {
        let prove = |secret: &str| black_box(self.pepper.digest(secret).matches(&self.digest));
        if let Some(value) = request.headers().get(AUTHORIZATION) {
            let encoded = value.to_str().ok()?.strip_prefix("Basic ")?;
            let mut decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
            let (client_id, secret) = decoded.split_once(':')?;
            prove(secret);
            let length = client_id.len();
            decoded.truncate(length);
            return Some(decoded);
        }
        prove(form.client_secret.as_deref()?);
        form.client_id.as_deref().map(str::to_owned)
    }

    fn sign(&self, client_id: &str) -> Option<String> {
        let mut random = [0; 16];
        self.entropy.fill(&mut random);
        let mut jti = String::with_capacity(40);
        jti.push_str("0000000000000000.");
        URL_SAFE_NO_PAD.encode_string(random, &mut jti);
        let now = SystemClock.now().seconds();
        let claims = Claims {
            iss: ISSUER,
            sub: client_id,
            aud: AUDIENCE,
            client_id,
            iat: now,
            nbf: now,
            exp: now + LIFETIME,
            jti: &jti,
            scope: SCOPE,
            partner_id: "p0000",
            environment: "qa",
        };
        let mut json = Vec::with_capacity(512);
        serde_json::to_writer(&mut json, &claims).ok()?;
        self.key.sign_compact(&json).ok()
    }
}

async fn token(request: HttpRequest, body: Bytes, bare: Data<Bare>) -> HttpResponse {
    let form = Form::parse(&body);
    if form.grant_type.as_deref() != Some("client_credentials") {
        return HttpResponse::BadRequest().finish();
    }
    let issued = bare
        .authenticated(&request, &form)
        .and_then(|client_id| bare.sign(&client_id));
    match issued {
        Some(access_token) => HttpResponse::Ok().json(Answer {
            access_token,
            token_type: "Bearer",
            expires_in: LIFETIME,
            scope: SCOPE,
        }),
        None => HttpResponse::Unauthorized().finish(),
    }
}

async fn introspect(request: HttpRequest, body: Bytes, bare: Data<Bare>) -> HttpResponse {
    let form = Form::parse(&body);
    if form.token.is_some() && bare.authenticated(&request, &form).is_some() {
        HttpResponse::Ok().content_type(ContentType::json()).body(ACTIVE)
    } else {
        HttpResponse::Unauthorized().finish()
    }
}

async fn empty() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// The same number of workers, and the same timeouts, as `mintmark serve` has by default.
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: bare ES256|EdDSA|RS256|PS256 ADDRESS:PORT";
    let algorithm: Algorithm = arguments.next().ok_or(usage)?.parse()?;
    let address: SocketAddr = arguments.next().ok_or(usage)?.parse()?;
    let bare = Data::new(Bare::new(algorithm)?);
    let app = move || {
        App::new()
            .app_data(bare.clone())
            .service(web::resource("/qa/token").post(token))
            .service(web::resource("/qa/introspect").post(introspect))
            .service(web::resource("/empty").get(empty))
    };
    let server = HttpServer::new(app)
        .workers(std::thread::available_parallelism()?.get())
        .keep_alive(Duration::from_secs(75))
        .client_request_timeout(Duration::from_secs(5))
        .client_disconnect_timeout(Duration::from_secs(1))
        .bind(address)?;
    Ok(actix_web::rt::System::new().block_on(server.run())?)
}
