//! Where a document is played: a scratch folder, two free ports, a clean environment, and where it asks for one a server
//! with a partner, an API and their clients on it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use super::pages::root;
use crate::support::postgresql::{OwnDatabase, own_database};

/// The program under test.
const MINTMARK: &str = env!("CARGO_BIN_EXE_mintmark");

/// `cargo`, as far as the documents use it: what they build is built, and the demonstration ends after its last step.
const CARGO: &str = r#"#!/bin/sh
case "$*" in
  "build --release") exit 0 ;;
  "run --release -- demo") exec mintmark demo --once ;;
  *) echo "the stand-in for cargo does not know: $*" >&2; exit 1 ;;
esac
"#;

/// Prints the id of a client of `acme` in QA that is not revoked; registers one where there is none.
const THE_CLIENT: &str = r#"#!/bin/bash
set -euo pipefail
known=$(mintmark client list --partner acme --environment qa --json \
    | jq -rs 'map(select(.status != "revoked"))[0].client_id // empty')
[[ -n $known ]] || known=$(mintmark client create --partner acme --environment qa --full --name Another \
    --contact dev@acme.example --json | jq -r .client.client_id)
echo "$known"
"#;

/// Ids that stand in the reference of the command line, and how the shell finds those of this stage.
const IDS: [(&str, &str); 4] = [
    ("qa-acme-0123456789", "$(the-client)"),
    (
        " 0123456789abcdef",
        r#" $(mintmark secret list "$(the-client)" --json | jq -rs '.[0].secret_id')"#,
    ),
    (
        " 0123456789ab",
        r#" $(mintmark operator list --json | jq -r 'select(.email == "ada@example.com").operator_id')"#,
    ),
    (
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        r#"$(mintmark key list --environment production --json | jq -r 'select(.state == "active").kid')"#,
    ),
];

/// What stands on the stage when the curtain rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// The program and an empty folder: the document starts the server itself.
    Empty,
    /// The same, with a PostgreSQL: its URL in `database.url`, its address in the variables of libpq.
    WithPostgresql,
    /// A server with an owner, and nothing else on it.
    Administered,
    /// A server, with the partner `acme`, the API `orders` in QA, and a client of each.
    Served,
}

/// A stage, with all that is on it. It is cleared when dropped.
pub struct Stage {
    folder: TempDir,
    /// The address of the public listener.
    public: String,
    /// The address of the admin listener.
    admin: String,
    /// The variables a document finds.
    variables: Vec<(String, String)>,
    server: Option<Server>,
    database: Option<OwnDatabase>,
}

impl Stage {
    pub fn set(scene: Scene) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [public, admin] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
        let mut stage = Self {
            folder,
            public,
            admin,
            variables: Vec::new(),
            server: None,
            database: None,
        };
        stage.furnish();
        match scene {
            Scene::Empty => {}
            Scene::WithPostgresql => stage.connect(),
            Scene::Administered => stage.serve(),
            Scene::Served => {
                stage.serve();
                stage.populate();
            }
        }
        stage
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A document's text with its addresses, ids and system folders replaced by those of this stage.
    pub fn localised(&self, text: &str) -> String {
        let text = IDS
            .iter()
            .fold(text.to_owned(), |text, (id, here)| text.replace(id, here));
        text.replace(" /etc/", &format!(" {}/etc/", self.folder().display()))
            .replace("https://auth.example.com", &format!("http://{}", self.public))
            .replace("127.0.0.1:8080", &self.public)
            .replace("127.0.0.1:8081", &self.admin)
    }

    /// A program with this stage's environment and no other.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let search = format!("{}/bin:/usr/local/bin:/usr/bin:/bin", self.folder().display());
        command
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", search)
            .env("HOME", self.folder())
            .env("LANG", "C.UTF-8")
            .env("MINTMARK_PUBLIC_URL", format!("http://{}", self.public))
            .env("MINTMARK_LISTEN__PUBLIC", &self.public)
            .env("MINTMARK_LISTEN__ADMIN", &self.admin)
            .env("MINTMARK_DATABASE__TIMEOUT", "10s")
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// The log of the server, as far as it has come.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The values that no log may hold.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let secret = |name: &str| name.ends_with("SECRET") || name.ends_with("TOKEN");
        self.variables
            .iter()
            .filter(move |(name, _)| secret(name))
            .map(|(_, value)| value.as_str())
    }

    fn log_file(&self) -> PathBuf {
        self.folder().join("server.log")
    }

    /// Puts the programs that documents name where they name them.
    fn furnish(&self) {
        let at = |name: &str| self.folder().join(name);
        for folder in ["bin", "target/release", "out", "etc/bash_completion.d"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        symlink(MINTMARK, at("bin/mintmark")).unwrap();
        symlink(MINTMARK, at("target/release/mintmark")).unwrap();
        for name in ["compose.yaml", "deploy", "scripts"] {
            symlink(root().join(name), at(name)).unwrap();
        }
        for (program, text) in [("bin/cargo", CARGO), ("bin/the-client", THE_CLIENT)] {
            fs::write(at(program), text).unwrap();
            fs::set_permissions(at(program), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(at("mintmark.toml"), "").unwrap();
        let key = [
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            "key.pem",
        ];
        assert!(
            self.command("openssl").args(key).status().unwrap().success(),
            "openssl makes a key"
        );
    }

    fn connect(&mut self) {
        let database = own_database();
        fs::write(self.folder().join("database.url"), &database.url).unwrap();
        let url = Url::parse(&database.url).unwrap();
        let parts = [
            ("PGHOST", percent_decoded(url.host_str().unwrap_or_default())),
            ("PGPORT", url.port().map(|port| port.to_string()).unwrap_or_default()),
            ("PGUSER", percent_decoded(url.username())),
            ("PGPASSWORD", percent_decoded(url.password().unwrap_or_default())),
            ("PGDATABASE", url.path().trim_start_matches('/').to_owned()),
        ];
        let given = parts.into_iter().filter(|(_, value)| !value.is_empty());
        self.variables
            .extend(given.map(|(name, value)| (name.to_owned(), value)));
        self.database = Some(database);
    }

    fn serve(&mut self) {
        let create = ["operator", "create", "--email", "owner@example.com", "--role", "owner"];
        let created = self.command("mintmark").args(create).output().unwrap();
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
        let token = String::from_utf8(created.stdout).unwrap().trim().to_owned();
        let serve = self
            .command("mintmark")
            .arg("serve")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        self.server = Some(Server::ready(serve, &self.log_file()));
        self.variables.push(("MINTMARK_OPERATOR_TOKEN".to_owned(), token));
    }

    fn populate(&mut self) {
        let scopes = json!(["orders.read", "orders.write"]);
        let audience = "https://api.example.com/orders";
        self.post(
            "partners",
            &json!({ "partner_id": "acme", "name": "Acme", "scope_ceiling": scopes }),
        );
        let mut api = json!({ "api_id": "orders", "name": "Orders", "audience": audience, "scopes": scopes });
        api["environment"] = json!("qa");
        self.post("apis", &api);
        let client = json!({ "environment": "qa", "name": "A test", "contact": "dev@acme.example" });
        let mut partners = client.clone();
        partners["kind"] = json!("partner");
        partners["partner_id"] = json!("acme");
        partners["access_level"] = json!("full");
        self.credentials("", &partners);
        let mut apis = client;
        apis["kind"] = json!("resource_server");
        apis["api_id"] = json!("orders");
        self.credentials("API_", &apis);
        self.variables
            .push(("ISSUER".to_owned(), format!("http://{}/qa", self.public)));
        self.variables.push(("AUDIENCE".to_owned(), audience.to_owned()));
        // oauthlib refuses plain HTTP otherwise, as it should.
        self.variables
            .push(("OAUTHLIB_INSECURE_TRANSPORT".to_owned(), "1".to_owned()));
    }

    /// Registers a client and leaves its id and secret in `{prefix}CLIENT_ID` and `{prefix}CLIENT_SECRET`.
    fn credentials(&mut self, prefix: &str, client: &Value) {
        let created = self.post("clients", client);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.variables
            .push((format!("{prefix}CLIENT_ID"), text(&created["client"]["client_id"])));
        self.variables
            .push((format!("{prefix}CLIENT_SECRET"), text(&created["client_secret"])));
    }

    fn post(&self, what: &str, body: &Value) -> Value {
        let (_, token) = self
            .variables
            .iter()
            .find(|(name, _)| name == "MINTMARK_OPERATOR_TOKEN")
            .unwrap();
        let request = ureq::post(format!("http://{}/admin/v1/{what}", self.admin));
        let answer = request
            .header("Authorization", format!("Bearer {token}"))
            .send_json(body);
        let mut answer = answer.unwrap_or_else(|error| panic!("{what}: {error}\n{}", self.log()));
        answer.body_mut().read_json().unwrap()
    }
}

/// A port on which nobody listens. It lies below those that the system hands out itself, so that no other test is given it
/// before the server takes it; the number of the process keeps two runs apart.
fn free_port() -> u16 {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    let next =
        NEXT.get_or_init(|| AtomicU16::new(u16::try_from(20_000 + std::process::id() % 10_000).expect("below 30,000")));
    let mut candidates = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take(1000);
    let free = candidates.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.expect("one port of a thousand is free")
}

/// A part of a URL as it was before it was escaped: a slash is all that the tests' PostgreSQL needs escaped.
fn percent_decoded(part: &str) -> String {
    part.replace("%2F", "/")
}

/// A running server. It is killed when dropped.
struct Server(Child);

impl Server {
    /// Waits for the line that says it is ready, and keeps all its lines in `log`.
    fn ready(mut child: Child, log: &Path) -> Self {
        let mut file = fs::File::create(log).unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        for line in lines.by_ref() {
            writeln!(file, "{line}").unwrap();
            if line.contains(r#""message":"ready""#) {
                thread::spawn(move || lines.for_each(|line| writeln!(file, "{line}").unwrap()));
                return Self(child);
            }
        }
        panic!(
            "the server ended before it was ready:\n{}",
            fs::read_to_string(log).unwrap()
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
