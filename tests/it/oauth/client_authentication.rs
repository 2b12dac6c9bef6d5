//! Client authentication at every endpoint that asks for it (RFC 6749 §2.3).

use mintmark::domain::AuthMethod;
use mintmark::domain::Environment::{Production, Qa};

use crate::support::installation::{Installation, Plan, START, also_on_sql};
use crate::support::registration::{ALWAYS, Credentials, Window};
use crate::support::wire::Answer;

/// The three endpoints that take a secret.
const ENDPOINTS: [&str; 3] = ["token", "introspect", "revoke"];

#[test]
fn tok_08_http_basic_is_accepted_for_every_client_that_may_use_it() {
    let installation = Installation::start();
    for method in [AuthMethod::Any, AuthMethod::ClientSecretBasic] {
        let client = installation.client("acme").method(method).register();
        assert_eq!(installation.token(&client).send().status, 200, "{method:?}");
    }
    let post_only = installation
        .client("acme")
        .method(AuthMethod::ClientSecretPost)
        .register();
    installation.token(&post_only).send().refused(401, "invalid_client");
}

#[test]
fn tok_09_basic_is_decoded_in_the_order_the_rfc_gives() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let sent = |pair: &[u8]| {
        let request = installation.form(Qa, "token").basic_octets(pair);
        request.param("grant_type", "client_credentials").send()
    };
    let Credentials { client_id, secret, .. } = &client;
    let escaped: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for pair in [format!("{client_id}:{secret}"), format!("{client_id}:{escaped}")] {
        assert_eq!(sent(pair.as_bytes()).status, 200, "{pair}");
    }
    // A second colon, a plus, a space, an umlaut belong to the secret, which is then another.
    for end in [":", "%3A", "+", "%2B", "%20", "%25", "é", "%C3%A9"] {
        sent(format!("{client_id}:{secret}{end}").as_bytes()).refused(401, "invalid_client");
        sent(format!("{client_id}{end}:{secret}").as_bytes()).refused(401, "invalid_client");
    }
    for broken in [
        client_id.clone().into_bytes(),
        format!("{client_id}:{secret}%").into_bytes(),
        format!("{client_id}:{secret}%zz").into_bytes(),
        format!("{client_id}:{secret}%ff").into_bytes(),
        [client_id.as_bytes(), b":\xff"].concat(),
        b":".to_vec(),
        Vec::new(),
    ] {
        sent(&broken).refused(401, "invalid_client");
    }
    for header in [
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic YTpi=",
        "Basic YTo",
        "Basic\u{a0}YTpi",
        "Bearer YTpi",
        "é",
    ] {
        let request = installation.form(Qa, "token").header("Authorization", header);
        request
            .param("grant_type", "client_credentials")
            .send()
            .refused(401, "invalid_client");
    }
}

#[test]
fn tok_10_credentials_in_the_body_are_accepted() {
    let installation = Installation::start();
    let posted = |client: &Credentials| {
        let request = installation.form(Qa, "token").posting(client);
        request.param("grant_type", "client_credentials").send()
    };
    for method in [AuthMethod::Any, AuthMethod::ClientSecretPost] {
        let client = installation.client("acme").method(method).register();
        assert_eq!(posted(&client).status, 200, "{method:?}");
    }
    let basic_only = installation
        .client("acme")
        .method(AuthMethod::ClientSecretBasic)
        .register();
    posted(&basic_only).refused(401, "invalid_client");
}

#[test]
fn tok_11_more_than_one_way_to_authenticate_is_refused() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    for endpoint in ENDPOINTS {
        let by_header = || installation.form(Qa, endpoint).basic(&client);
        by_header().posting(&client).send().refused(400, "invalid_request");
        by_header()
            .param("client_secret", &client.secret)
            .send()
            .refused(400, "invalid_request");
        by_header().basic(&client).send().refused(400, "invalid_request");
        by_header()
            .header("Authorization", "Bearer x")
            .send()
            .refused(400, "invalid_request");
        by_header()
            .param("client_assertion", "a.b.c")
            .send()
            .refused(400, "invalid_request");
        by_header()
            .param("client_assertion_type", assertion)
            .send()
            .refused(400, "invalid_request");
        let by_body = installation.form(Qa, endpoint).posting(&client);
        by_body
            .param("client_assertion", "a.b.c")
            .send()
            .refused(400, "invalid_request");
        by_header()
            .param("client_id", "qa-another")
            .send()
            .refused(400, "invalid_request");
    }
    let same = installation.token(&client).param("client_id", &client.client_id).send();
    assert_eq!(
        same.status,
        200,
        "the client's own id beside the header is no second way: {}",
        same.text()
    );
}

#[test]
fn tok_12_guessing_is_stopped_for_the_client_id_and_source_that_guess() {
    for endpoint in ENDPOINTS {
        let plan = Plan {
            failures_per_minute: 3,
            ..Plan::default()
        };
        let installation = plan.start();
        let client = installation.client("acme").register();
        let other = installation.client("acme").register();
        let stranger = Credentials {
            client_id: "qa-nobody-0000000000".to_owned(),
            ..other.clone()
        };
        for (named, guessed) in [(&client, other.secret.as_str()), (&stranger, "guess")] {
            let wrong = Credentials {
                secret: guessed.to_owned(),
                ..named.clone()
            };
            let tried = |credentials: &Credentials, source: &str| {
                let request = installation
                    .form(Qa, endpoint)
                    .basic(credentials)
                    .header("X-Forwarded-For", source);
                request
                    .param("token", "a")
                    .param("grant_type", "client_credentials")
                    .send()
            };
            for _ in 0..3 {
                tried(&wrong, "192.0.2.1").refused(401, "invalid_client");
            }
            let shut = tried(named, "192.0.2.1");
            shut.refused(429, "temporarily_unavailable");
            // Three a minute recover one in twenty seconds.
            let wait: u64 = shut.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=20).contains(&wait), "{wait}");
            assert_ne!(
                tried(named, "192.0.2.2").status,
                429,
                "another source is another budget"
            );
            assert_ne!(
                tried(&other, "192.0.2.1").status,
                429,
                "another client id is another budget"
            );
        }
    }
}

#[test]
fn tok_14_a_stranger_and_everyone_who_may_not_act_get_one_answer() {
    let installation = Installation::start();
    let good = installation.client("acme").register();
    let asked = |credentials: &Credentials, endpoint: &str| -> Answer {
        let request = installation.form(Qa, endpoint).basic(credentials);
        request
            .param("grant_type", "client_credentials")
            .param("token", "a")
            .send()
    };
    let unable = unable(&installation, &good);
    for endpoint in ENDPOINTS {
        let expected = asked(&unable[0].1, endpoint);
        expected.refused(401, "invalid_client");
        for (who, credentials) in &unable {
            assert_eq!(
                asked(credentials, endpoint).likeness(),
                expected.likeness(),
                "{who} at {endpoint}"
            );
        }
    }
    assert_eq!(installation.token(&good).send().status, 200);
}

/// Everyone who may not act at QA, a stranger first.
fn unable(installation: &Installation, good: &Credentials) -> Vec<(&'static str, Credentials)> {
    let stranger = Credentials {
        client_id: "qa-client-0000000000".to_owned(),
        ..good.clone()
    };
    let impossible = Credentials {
        client_id: "NO CLIENT OF OURS é".to_owned(),
        ..good.clone()
    };
    let wrong = Credentials {
        secret: installation.client("acme").register().secret,
        ..good.clone()
    };
    let malformed = Credentials {
        secret: "correct horse battery staple".to_owned(),
        ..good.clone()
    };
    let post_only = installation
        .client("acme")
        .method(AuthMethod::ClientSecretPost)
        .register();
    let suspended = installation.client("acme").register();
    installation.suspend(&suspended);
    let revoked = installation.client("acme").register();
    installation.revoke_client(&revoked);
    let expired = installation.client("acme").expires_at(START).register();
    let of_suspended_partner = installation.client("globex").register();
    installation.suspend_partner("globex");
    let ended = installation.add_secret(good, Window(START, Some(START)));
    let not_yet = installation.add_secret(good, Window(START + mintmark::domain::Seconds(1), None));
    let elsewhere = installation.client("acme").in_production().register();
    let everyone = vec![
        ("a stranger", stranger),
        ("an id that cannot be", impossible),
        ("a wrong secret", wrong),
        ("a secret not of ours", malformed),
        ("the wrong method", post_only),
        ("a suspended client", suspended),
        ("a revoked client", revoked),
        ("an expired client", expired),
        ("a client of a suspended partner", of_suspended_partner),
        ("an ended secret", ended),
        ("a secret whose time has not come", not_yet),
        (
            "a client of the other environment",
            Credentials {
                environment: Qa,
                ..elsewhere
            },
        ),
    ];
    assert!(everyone.iter().all(|(_, credentials)| credentials.environment == Qa));
    everyone
}

#[test]
fn tok_14_a_client_under_a_suspended_parent_is_a_stranger_too() {
    let installation = Installation::start();
    let below = installation.client("acme-north").register();
    let other = installation.client("globex").register();
    let stranger = Credentials {
        client_id: "qa-client-0000000000".to_owned(),
        ..other
    };
    assert_eq!(installation.token(&below).send().status, 200);
    installation.suspend_partner("acme");
    let expected = installation.token(&stranger).send();
    assert_eq!(installation.token(&below).send().likeness(), expected.likeness());
    installation.reinstate_partner("acme");
    assert_eq!(installation.token(&below).send().status, 200);
}

#[test]
fn tok_14_qa_can_never_pass_for_production() {
    let installation = Installation::start();
    for (client, elsewhere) in [
        (installation.client("acme").register(), Production),
        (installation.client("acme").in_production().register(), Qa),
    ] {
        for endpoint in ENDPOINTS {
            let request = installation
                .form(elsewhere, endpoint)
                .basic(&client)
                .param("token", "a");
            request
                .param("grant_type", "client_credentials")
                .send()
                .refused(401, "invalid_client");
        }
        assert_eq!(installation.token(&client).send().status, 200, "at home it works");
    }
}

#[test]
fn tok_18_a_client_without_a_secret_is_no_client_of_this_grant() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let request = installation.form(Qa, "token").param("client_id", &client.client_id);
    request
        .param("grant_type", "client_credentials")
        .send()
        .refused(401, "invalid_client");
    let empty = Credentials {
        secret: String::new(),
        ..client
    };
    installation.token(&empty).send().refused(401, "invalid_client");
}

#[test]
fn tok_19_nothing_is_issued_or_told_before_the_client_is_authenticated() {
    let installation = Installation::start();
    let anonymous = |endpoint: &str| installation.form(Qa, endpoint);
    anonymous("token")
        .param("grant_type", "client_credentials")
        .send()
        .refused(401, "invalid_client");
    anonymous("token")
        .param("grant_type", "password")
        .send()
        .refused(401, "invalid_client");
    anonymous("token")
        .param("scope", "\u{0}")
        .send()
        .refused(401, "invalid_client");
    // Not even whether the request would have been complete.
    for endpoint in ENDPOINTS {
        anonymous(endpoint).send().refused(401, "invalid_client");
        let wrong = anonymous(endpoint).basic_octets(b"qa-client-0000000000:guess");
        wrong.send().refused(401, "invalid_client");
    }
}

#[test]
fn tok_24_a_client_not_authenticated_is_challenged() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let wrong = Credentials {
        secret: "wrong".to_owned(),
        ..client
    };
    let by_header = installation.token(&wrong).send();
    let by_body = installation.form(Qa, "token").posting(&wrong).send();
    let by_nothing = installation.form(Qa, "token").send();
    for answer in [by_header, by_body, by_nothing] {
        answer.refused(401, "invalid_client");
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Basic realm=\"qa\", charset=\"UTF-8\"")
        );
    }
}

#[test]
fn tok_08_each_live_secret_of_a_client_works() {
    let installation = Installation::start();
    let first = installation.client("acme").register();
    let second = installation.add_secret(&first, ALWAYS);
    assert_ne!(first.secret, second.secret);
    for secret in [&first, &second] {
        assert_eq!(installation.token(secret).send().status, 200);
    }
    installation.end_secret(&first, START);
    installation.token(&first).send().refused(401, "invalid_client");
    assert_eq!(installation.token(&second).send().status, 200);
}

also_on_sql!(
    tok_08_each_live_secret_of_a_client_works,
    tok_14_a_stranger_and_everyone_who_may_not_act_get_one_answer,
    tok_14_a_client_under_a_suspended_parent_is_a_stranger_too,
    tok_14_qa_can_never_pass_for_production,
    tok_19_nothing_is_issued_or_told_before_the_client_is_authenticated,
);
