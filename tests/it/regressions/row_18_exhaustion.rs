//! Input made to exhaust the reader (CVE-2025-27144, CVE-2025-30204): sizes, depths, numbers, and time.

use std::time::Duration;

use mintmark::domain::Environment::Qa;
use mintmark::http::OAuthLimits;

use super::Bench;
use crate::support::forge;
use crate::support::installation::{Installation, Plan};
use crate::support::wire::Wire;

#[test]
fn many_dots_deep_json_and_long_tokens_are_refused_unread() {
    let bench = Bench::of(Plan {
        limits: OAuthLimits {
            body: 4 << 20,
            ..Plan::default().limits
        },
        ..Plan::default()
    });
    let header = forge::header(&bench.key).to_string();
    let deep = |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    for (what, token) in [
        ("dots", ".".repeat(1 << 20)),
        ("dots within", format!("a{}b", ".".repeat(8000))),
        ("a long text", "A".repeat(1 << 20)),
        (
            "one byte beyond the bound",
            format!("{}{}", bench.token, "A".repeat(8193 - bench.token.len())),
        ),
        ("deep arrays", forge::signed(&bench.key, &header, &deep("[", "]", 2000))),
        (
            "deep objects",
            forge::signed(&bench.key, &header, &deep("{\"a\":", "}", 1000)),
        ),
        (
            "a deep header",
            forge::signed(&bench.key, &deep("{\"a\":", "}", 900), "{}"),
        ),
        ("many members", forge::signed(&bench.key, &header, &many_members())),
    ] {
        bench.rejects(what, &token);
    }
}

fn many_members() -> String {
    let members: Vec<String> = (0..500).map(|number| format!("\"m{number}\":0")).collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn a_body_beyond_the_bound_is_refused_before_it_has_come() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    for endpoint in ["token", "introspect", "revoke"] {
        let promised = format!(
            "POST /qa/{endpoint} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10485760\r\n\r\nscope=x"
        );
        let mut wire = Wire::open(installation.address);
        wire.send(promised.as_bytes());
        wire.answer().refused(413, "invalid_request");
    }
    let exact = |length: usize| {
        let rest = "grant_type=client_credentials&padding=";
        installation
            .form(Qa, "token")
            .basic(&client)
            .raw(&format!("{rest}{}", "x".repeat(length - rest.len())))
            .send()
    };
    assert_eq!(exact(64 * 1024).status, 200, "to the bound and no further");
    exact(64 * 1024 + 1).refused(413, "invalid_request");
}

#[test]
fn a_body_without_an_end_is_refused_at_the_bound_and_the_connection_closed() {
    let installation = Installation::start();
    let requests = [
        ("POST /qa/token", "413"),
        ("POST /qa/introspect", "413"),
        ("POST /qa/revoke", "413"),
        ("PUT /qa/token", "405"),
        ("GET /qa/jwks", "200"),
        ("POST /nowhere", "404"),
    ];
    let wires = requests.map(|(request, _)| {
        let mut wire = Wire::open(installation.address);
        let head = format!(
            "{request} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        );
        wire.send(head.as_bytes());
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        for _ in 0..17 {
            wire.send(chunk.as_bytes());
        }
        wire
    });
    for ((request, status), mut wire) in requests.into_iter().zip(wires) {
        // The wire fails the test when nobody hangs up.
        let answered = String::from_utf8(wire.everything()).unwrap();
        assert!(
            answered.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {answered}"
        );
    }
    let client = installation.client("acme").register();
    let mut wire = Wire::open(installation.address);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        client.client_id, client.secret
    );
    let request = format!(
        "POST /qa/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{:x}\r\n{form}\r\n0\r\n\r\n",
        form.len()
    );
    for _ in 0..2 {
        wire.send(request.as_bytes());
        assert_eq!(
            wire.answer().status,
            200,
            "a chunked body that ends is a body, and the connection is kept"
        );
    }
}

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let installation = Plan {
        limits: OAuthLimits {
            body_timeout: Duration::from_millis(100),
            ..Plan::default().limits
        },
        ..Plan::default()
    }
    .start();
    for endpoint in ["token", "introspect", "revoke"] {
        let mut wire = Wire::open(installation.address);
        let promised = format!(
            "POST /qa/{endpoint} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nscope=x"
        );
        wire.send(promised.as_bytes());
        wire.answer().refused(408, "invalid_request");
    }
    let client = installation.client("acme").register();
    assert_eq!(installation.token(&client).send().status, 200, "nobody else waits");
}

#[test]
fn a_body_that_breaks_off_is_no_request() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let mut octets = installation.token(&client).octets();
    octets.pop();
    let mut wire = Wire::open(installation.address);
    wire.send(&octets);
    wire.finish();
    let answered = String::from_utf8(wire.everything()).unwrap();
    assert!(
        !answered.contains(" 200 ") && !answered.contains("access_token"),
        "{answered}"
    );
}

#[test]
fn many_parameters_and_many_tokens_of_scope_are_refused() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let many: Vec<String> = (0..1000).map(|number| format!("p{number}=1")).collect();
    installation
        .token(&client)
        .raw(&many.join("&"))
        .send()
        .refused(400, "invalid_request");
    let resources = "resource=https://api.example.com/orders&".repeat(1000);
    installation
        .token(&client)
        .raw(&resources)
        .send()
        .refused(400, "invalid_request");
    installation
        .token(&client)
        .param("scope", &"s ".repeat(10_000))
        .send()
        .refused(400, "invalid_scope");
    let ampersands = "&".repeat(60_000);
    assert_eq!(
        installation.token(&client).raw(&ampersands).send().status,
        200,
        "empty pieces are no parameters"
    );
}

#[test]
fn long_credentials_are_refused_unread() {
    let installation = Installation::start();
    let long = "x".repeat(30_000);
    let request = installation
        .form(Qa, "token")
        .basic_octets(format!("{long}:{long}").as_bytes());
    request.send().refused(401, "invalid_client");
    let request = installation
        .form(Qa, "token")
        .param("client_id", &long)
        .param("client_secret", &long);
    request.send().refused(401, "invalid_client");
}

#[test]
fn what_is_not_http_gets_no_server_error() {
    let installation = Installation::start();
    let long_path = format!(
        "GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "x".repeat(200_000)
    );
    let long_header = format!("GET /qa/jwks HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(200_000));
    let form = "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n";
    for octets in [
        b"\r\n\r\n\0\0\0\0".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        long_path.into_bytes(),
        long_header.into_bytes(),
        format!("POST /qa/token HTTP/1.1\r\nHost: x\r\n{form}Content-Length: -1\r\n\r\n").into_bytes(),
        format!("POST /qa/token HTTP/1.1\r\nHost: x\r\n{form}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab").into_bytes(),
        format!("POST /qa/token HTTP/1.1\r\nHost: x\r\n{form}Transfer-Encoding: chunked\r\n\r\nzz\r\n").into_bytes(),
        format!("POST /qa/token HTTP/1.1\r\nHost: x\r\n{form}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n")
            .into_bytes(),
    ] {
        let mut wire = Wire::open(installation.address);
        wire.send(&octets);
        wire.finish();
        let answered = wire.everything();
        let status = answered.get(9..12).and_then(|status| std::str::from_utf8(status).ok()).unwrap_or("none");
        assert!(status == "none" || status.starts_with('4'), "{status} to {:.60}", String::from_utf8_lossy(&octets));
    }
    assert_eq!(installation.get("/qa/jwks").status, 200);
}
