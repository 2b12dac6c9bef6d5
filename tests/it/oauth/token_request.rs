//! The token request: method, body, parameters, scope (RFC 6749 §3.2, §3.3, §4.4.2).

use mintmark::config::{PublicUrl, Settings};
use mintmark::domain::Environment::Qa;
use mintmark::domain::{Api, Epoch, MOST_SCOPE_TOKENS, Mutation, Partner, Scope};
use mintmark::jose::LONGEST_COMPACT_JWS;

use super::limits::{plan, rate};
use crate::support::installation::{Installation, START, also_on_sql};

#[test]
fn tok_01_plain_http_beyond_this_machine_needs_tls_or_a_proxy_that_terminates_it() {
    let settings = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (format!("MINTMARK_{name}"), (*value).to_owned()))
            .collect();
        Settings::from_environment(pairs)
    };
    let refused = settings(&[("LISTEN__PUBLIC", "0.0.0.0:8080")]).unwrap_err();
    assert!(refused.problems[0].to_string().contains("plain HTTP"), "{refused:?}");
    assert!(settings(&[("LISTEN__PUBLIC", "0.0.0.0:8080"), ("TRUSTED_PROXIES", "10.0.0.0/8")]).is_ok());
    assert!(settings(&[("LISTEN__PUBLIC", "127.0.0.1:8080")]).is_ok());
    assert!("http://auth.example.com".parse::<PublicUrl>().is_err());
}

#[test]
fn tok_02_only_post_obtains_a_token() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"] {
        let request = installation.request(method, "/qa/token?grant_type=client_credentials");
        let answer = request.basic(&client).send();
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
        if method != "HEAD" {
            answer.refused(405, "invalid_request");
        }
    }
}

#[test]
fn tok_03_the_body_is_a_form_in_utf_8() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let typed = |media_type: &str| installation.token(&client).header("Content-Type", media_type).send();
    for good in [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-Urlencoded",
        "application/x-www-form-urlencoded;charset=UTF-8",
        "application/x-www-form-urlencoded ; charset=utf-8",
    ] {
        assert_eq!(typed(good).status, 200, "{good}");
    }
    for bad in [
        "",
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded, text/plain",
        "application/x-www-form-urlencode",
    ] {
        typed(bad).refused(400, "invalid_request");
    }
    for bad in [
        "scope=%ff",
        "scope=%C3",
        "%ff=1",
        "scope=%",
        "scope=%4",
        "scope=%zz",
        "scope=%+1",
    ] {
        installation
            .token(&client)
            .raw(bad)
            .send()
            .refused(400, "invalid_request");
    }
    let octets = [&b"grant_type=client_credentials&scope=\xff"[..], b"\xc0\xaf=1"];
    for body in octets {
        installation
            .token(&client)
            .body(body)
            .send()
            .refused(400, "invalid_request");
    }
}

#[test]
fn tok_03_a_request_with_two_media_types_has_none() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let request = installation.token(&client);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    request
        .header("Content-Type", "application/json")
        .send()
        .refused(400, "invalid_request");
}

#[test]
fn tok_04_a_parameter_without_a_value_is_absent() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    for absent in [
        "scope=",
        "scope",
        "resource=",
        "client_secret=",
        "client_id=",
        "client_assertion=",
    ] {
        let answer = installation.token(&client).raw(absent).send();
        assert_eq!(answer.status, 200, "{absent}: {}", answer.text());
        assert_eq!(answer.json()["scope"], "orders:read orders:write stock:read");
    }
    let empty = installation
        .form(Qa, "token")
        .basic(&client)
        .param("grant_type", "")
        .send();
    empty.refused(400, "invalid_request");
}

#[test]
fn tok_05_unknown_parameters_are_ignored() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let request = installation
        .token(&client)
        .param("audience", "https://api.example.com/stock");
    let answer = request
        .param("partnerId", "globex")
        .param("sub", "root")
        .param("ütf", "\u{0}")
        .send();
    let claims = answer.claims();
    assert_eq!(
        (&claims["partnerId"], &claims["sub"]),
        (&"acme".into(), &client.client_id.into())
    );
}

#[test]
fn tok_06_any_parameter_sent_twice_is_refused() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    for twice in [
        "scope=orders:read&scope=orders:read",
        "grant_type=client_credentials",
        "unknown=1&unknown=1",
        "unknown=&unknown=1",
        "unknown&unknown",
        "sc%6Fpe=orders:read&scope=orders:read",
        "client_id=a&client_id=a",
    ] {
        let answer = installation.token(&client).raw(twice).send();
        answer.refused(400, "invalid_request");
        assert!(answer.text().contains("more than once"), "{twice}: {}", answer.text());
    }
    for endpoint in ["introspect", "revoke"] {
        let request = installation.form(Qa, endpoint).basic(&client);
        request.raw("token=a&token=b").send().refused(400, "invalid_request");
    }
}

#[test]
fn tok_07_credentials_in_the_query_are_never_honoured() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let query = format!("client_id={}&client_secret={}", client.client_id, client.secret);
    let path = format!("/qa/token?{query}&grant_type=client_credentials");
    let request = installation
        .request("POST", &path)
        .param("grant_type", "client_credentials");
    request.send().refused(401, "invalid_client");
    // Nor is anything else there: the grant type is missing, the scope is not asked for.
    let request = installation
        .request("POST", "/qa/token?grant_type=client_credentials")
        .basic(&client);
    request.send().refused(400, "invalid_request");
    let request = installation.request("POST", "/qa/token?scope=nonsense").basic(&client);
    let answer = request.param("grant_type", "client_credentials").send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let token = answer.issued();
    let asking = installation.resource_server("orders").register();
    let request = installation
        .request("POST", &format!("/qa/introspect?token={token}"))
        .basic(&asking);
    request.send().refused(400, "invalid_request");
}

#[test]
fn tok_15_the_grammar_of_a_scope_is_kept_to_the_letter() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asked = |scope: &str| installation.token(&client).param("scope", scope).send();
    for bad in [
        " ",
        " orders:read",
        "orders:read ",
        "orders:read  orders:write",
        "orders:read\torders:write",
        "orders:read\norders:write",
        "orders:\"read\"",
        "orders\\read",
        "orders:réad",
        "orders:read\u{0}",
        "orders:read\u{a0}orders:write",
    ] {
        asked(bad).refused(400, "invalid_scope");
        assert!(
            bad.parse::<Scope>().is_err(),
            "{bad:?} is refused for its form, not only as unknown"
        );
    }
    for granted in [
        "orders:read orders:write",
        "orders:write orders:read",
        "orders:read orders:write orders:read",
    ] {
        assert_eq!(
            asked(granted).json()["scope"],
            "orders:read orders:write",
            "order means nothing"
        );
    }
}

#[test]
fn tok_15_what_is_unknown_or_not_allowed_is_refused_and_never_cut() {
    let installation = Installation::start();
    let full = installation.client("acme").register();
    let fine = installation.client("acme").fine_grained("orders:read").register();
    let below = installation.client("acme-north").register();
    for (client, scope) in [
        (&full, "unknown"),
        (&full, "orders:read,orders:write"),
        (&full, "ORDERS:READ"),
        (&full, "billing:read"),
        (&full, "orders:read billing:read"),
        (&fine, "orders:write"),
        (&fine, "orders:read orders:write"),
        // The sub-account's own ceiling has it, the parent's has not.
        (&below, "billing:read"),
    ] {
        installation
            .token(client)
            .param("scope", scope)
            .send()
            .refused(400, "invalid_scope");
    }
    assert_eq!(
        installation.token(&fine).param("scope", "orders:read").send().status,
        200
    );
}

#[test]
fn tok_17_no_scope_asked_gives_every_scope_the_client_may_have() {
    let installation = Installation::start();
    for (registration, scope) in [
        (installation.client("acme"), "orders:read orders:write stock:read"),
        (installation.client("acme-north"), "orders:read orders:write stock:read"),
        (installation.client("globex"), "orders:read"),
        (installation.client("acme").only("stock"), "stock:read"),
        (
            installation.client("acme").fine_grained("billing:read stock:read"),
            "stock:read",
        ),
    ] {
        let client = registration.register();
        let answer = installation.token(&client).send();
        assert_eq!(
            (&answer.json()["scope"], &answer.claims()["scope"]),
            (&scope.into(), &scope.into())
        );
    }
    let nothing = installation.client("acme").fine_grained("billing:read").register();
    installation.token(&nothing).send().refused(400, "invalid_scope");
}

/// As many scopes of `length` characters as one scope may hold, in an API of their own and under the ceiling of `acme`.
fn largest_ceiling(installation: &Installation, length: usize) -> Vec<String> {
    let scopes: Vec<String> = (0..MOST_SCOPE_TOKENS)
        .map(|number| format!("large:{number:03}:{}", "x".repeat(length - 10)))
        .collect();
    let scope: Scope = scopes.join(" ").parse().unwrap();
    installation.commit(Mutation::ApiRegistered(Api {
        api_id: "large".parse().unwrap(),
        environment: Qa,
        name: "Large".parse().unwrap(),
        audience: "https://api.example.com/large".parse().unwrap(),
        scopes: scope.clone(),
        created_at: START,
        version: Epoch::ZERO,
    }));
    installation.commit(Mutation::PartnerChanged(Partner {
        scope_ceiling: scope,
        ..installation.partner("acme")
    }));
    scopes
}

#[test]
fn a_token_is_never_larger_than_what_this_server_reads_back() {
    let installation = Installation::start();
    let scopes = largest_ceiling(&installation, 31);
    let client = installation.client("acme").register();
    let asking = installation.resource_server("large").register();
    let (mut issued, mut refused) = (0, 0);
    for many in (170..=200).chain([MOST_SCOPE_TOKENS]) {
        let scope = scopes[..many].join(" ");
        let answer = installation.token(&client).param("scope", &scope).send();
        if answer.status == 200 {
            let token = answer.issued();
            assert!(token.len() <= LONGEST_COMPACT_JWS, "{many}");
            assert!(installation.is_active(&asking, &token), "{many}");
            assert_eq!(installation.revoke(&client, &token).status, 200);
            assert!(!installation.is_active(&asking, &token), "{many}");
            issued += 1;
        } else {
            answer.refused(400, "invalid_scope");
            let told = answer.json()["error_description"].clone();
            assert_eq!(told, "scope is too large for one token: ask for less");
            refused += 1;
        }
    }
    assert!(
        issued > 0 && refused > 0,
        "{issued} and {refused}: both sides of the bound"
    );
    let everything = installation.token(&client).send();
    everything.refused(400, "invalid_scope");
}

#[test]
fn what_is_too_large_for_a_token_spends_no_rate() {
    let installation = Installation::start();
    let scopes = largest_ceiling(&installation, 31);
    plan(&installation, "acme", (rate(1, 100), rate(1, 50)));
    let client = installation.client("acme").register();
    for _ in 0..60 {
        installation.token(&client).send().refused(400, "invalid_scope");
    }
    let small = installation.token(&client).param("scope", &scopes[0]).send();
    assert_eq!(
        small.header("ratelimit"),
        Some("\"client-rate\";r=49, \"partner-rate\";r=99")
    );
}

#[test]
fn the_largest_scopes_there_can_be_are_refused_in_a_sentence() {
    let installation = Installation::start();
    largest_ceiling(&installation, 128);
    let client = installation.client("acme").register();
    installation.token(&client).send().refused(400, "invalid_scope");
}

also_on_sql!(
    tok_15_what_is_unknown_or_not_allowed_is_refused_and_never_cut,
    tok_17_no_scope_asked_gives_every_scope_the_client_may_have,
);
