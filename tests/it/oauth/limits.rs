//! How often and how fast, and from where: rates of clients and partners, floods of made-up ids and of revocations, sources.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mintmark::domain::Environment::{self, Qa};
use mintmark::domain::{Allowance, AllowedSources, Client, Mutation, Pace, Partner, Plan as Budget, QuotaMode, Rate};
use mintmark::store::Sharing;

use crate::support::faulty::FaultyStore;
use crate::support::installation::{Installation, Plan, also_on_sql};
use crate::support::registration::Credentials;
use crate::support::wire::Answer;

also_on_sql!(
    htp_01_a_client_beyond_its_rate_is_told_when_to_come_back,
    htp_02_what_is_left_is_said_with_every_token,
    sub_accounts_share_the_budget_of_their_parent,
    a_changed_plan_holds_with_the_next_request,
    a_flood_of_made_up_ids_is_stopped_before_the_store_and_stops_no_client,
    a_right_secret_from_a_wrong_source_opens_nothing,
    a_client_revokes_no_more_than_it_may,
);

/// A member of a list of structured fields (RFC 9651 §3.1), as far as these fields have them: a string with whole-number
/// parameters. Read by the grammar, with nothing of the server's own.
type Fields = BTreeMap<String, BTreeMap<String, u64>>;

fn fields(text: &str) -> Fields {
    let mut rest = text;
    let mut members = Fields::new();
    loop {
        rest = rest.strip_prefix('"').expect("a name is a string");
        let (name, after) = rest.split_once('"').expect("a string ends");
        assert!(
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
            "{name}"
        );
        rest = after;
        let mut parameters = BTreeMap::new();
        while let Some(after) = rest.strip_prefix(';') {
            let (key, after) = after.split_once('=').expect("a parameter has a value");
            assert!(key.bytes().all(|byte| byte.is_ascii_lowercase()), "{key}");
            let end = after.find(|other: char| !other.is_ascii_digit()).unwrap_or(after.len());
            let number = after[..end].parse().expect("the value is a whole number");
            assert!(
                parameters.insert(key.to_owned(), number).is_none(),
                "{key} stands twice"
            );
            rest = &after[end..];
        }
        assert!(
            members.insert(name.to_owned(), parameters).is_none(),
            "{name} stands twice"
        );
        match rest.strip_prefix(", ") {
            Some(next) => rest = next,
            None => break,
        }
    }
    assert_eq!(rest, "", "nothing follows the last member");
    members
}

fn limit_fields(answer: &Answer) -> (Fields, Fields) {
    let field = |name| fields(answer.header(name).unwrap_or_else(|| panic!("{name} is missing")));
    (field("ratelimit-policy"), field("ratelimit"))
}

pub fn rate(tokens_per_second: u64, burst: u64) -> Allowance {
    let pace = |number: u64| Pace::try_from(number).unwrap();
    Allowance {
        rate: Some(Rate {
            tokens_per_second: pace(tokens_per_second),
            burst: pace(burst),
        }),
        ..Allowance::UNBOUNDED
    }
}

pub fn plan(installation: &Installation, partner_id: &str, (partner, client): (Allowance, Allowance)) {
    let plan = Budget {
        quota_mode: QuotaMode::Off,
        partner,
        client,
    };
    installation.commit(Mutation::PartnerChanged(Partner {
        plan: Some(Box::new(plan)),
        ..installation.partner(partner_id)
    }));
}

/// Asks until it is refused, so often at the most; how many tokens came, and the refusal.
fn until_refused(installation: &Installation, client: &Credentials, most: u64) -> (u64, Answer) {
    for issued in 0..most {
        let answer = installation.token(client).send();
        if answer.status != 200 {
            return (issued, answer);
        }
    }
    panic!("{most} tokens were issued");
}

/// Whether `issued` is a burst, and what came back of it since `began` at one token a second.
#[track_caller]
fn assert_a_burst(issued: u64, burst: u64, began: Instant) {
    let since = began.elapsed().as_secs() + 1;
    assert!(
        (burst..=burst + since).contains(&issued),
        "{issued} of {burst} after {since} s"
    );
}

#[test]
fn htp_01_a_client_beyond_its_rate_is_told_when_to_come_back() {
    let installation = Installation::start();
    plan(&installation, "acme", (Allowance::UNBOUNDED, rate(1, 3)));
    let (client, other) = (
        installation.client("acme").register(),
        installation.client("acme").register(),
    );
    let began = Instant::now();
    let (issued, refused) = until_refused(&installation, &client, 60);
    assert_a_burst(issued, 3, began);
    refused.refused(429, "temporarily_unavailable");
    assert_eq!(
        refused.json()["error_description"],
        "this client asks for tokens faster than its limits allow"
    );
    let (policies, limits) = limit_fields(&refused);
    assert_eq!(policies, fields("\"client-rate\";q=3;w=3"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(wait, 1, "at one a second the next comes within a second");
    assert_eq!(limits, fields(&format!("\"client-rate\";r=0;t={wait}")));
    assert_eq!(installation.token(&other).send().status, 200, "each client has its own");
    let elsewhere = installation.client("globex").register();
    let free = installation.token(&elsewhere).send();
    assert_eq!(free.status, 200);
    assert_eq!(free.header("ratelimit"), None, "who has no plan has nothing to read");
    assert_eq!(free.header("ratelimit-policy"), None);
    // Who is not authenticated spends nothing, and learns nothing of the plan.
    let guessed = Credentials {
        secret: other.secret.clone(),
        ..client.clone()
    };
    let answer = installation.token(&guessed).send();
    answer.refused(401, "invalid_client");
    assert_eq!(answer.header("ratelimit"), None);
}

#[test]
fn htp_02_what_is_left_is_said_with_every_token() {
    let installation = Installation::start();
    plan(&installation, "acme", (rate(1, 1000), rate(1, 50)));
    let client = installation.client("acme").register();
    let first = installation.token(&client).send();
    assert_eq!(first.status, 200);
    let (policies, limits) = limit_fields(&first);
    assert_eq!(
        policies,
        fields("\"client-rate\";q=50;w=50, \"partner-rate\";q=1000;w=1000")
    );
    assert_eq!(limits, fields("\"client-rate\";r=49, \"partner-rate\";r=999"));
    let wrong = installation.token(&client).param("scope", "nothing:here").send();
    wrong.refused(400, "invalid_scope");
    let began = Instant::now();
    let (_, limits) = limit_fields(&installation.token(&client).send());
    let left = limits["partner-rate"]["r"];
    assert!(
        (998..=999).contains(&left) && began.elapsed() < Duration::from_mins(1),
        "{left}: no token, nothing spent"
    );
}

#[test]
fn sub_accounts_share_the_budget_of_their_parent() {
    let installation = Installation::start();
    plan(&installation, "acme", (rate(1, 6), Allowance::UNBOUNDED));
    let parent = installation.client("acme").register();
    let sub = installation.client("acme-north").register();
    let live = installation.client("acme-north").in_production().register();
    let began = Instant::now();
    for _ in 0..3 {
        assert_eq!(installation.token(&parent).send().status, 200);
    }
    let (issued, refused) = until_refused(&installation, &sub, 60);
    assert_a_burst(3 + issued, 6, began);
    refused.refused(429, "temporarily_unavailable");
    assert_eq!(
        refused.json()["error_description"],
        "the clients of this partner ask for tokens faster than its plan allows"
    );
    assert_eq!(limit_fields(&refused).0, fields("\"partner-rate\";q=6;w=6"));
    let produced = installation.token(&live).send();
    assert_eq!(produced.status, 200, "what QA does takes nothing from Production");
    assert_eq!(limit_fields(&produced).1, fields("\"partner-rate\";r=5"));
}

#[test]
fn a_changed_plan_holds_with_the_next_request() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    for _ in 0..20 {
        assert_eq!(installation.token(&client).send().status, 200);
    }
    plan(&installation, "acme", (Allowance::UNBOUNDED, rate(1, 2)));
    let began = Instant::now();
    let (issued, _) = until_refused(&installation, &client, 60);
    assert_a_burst(issued, 2, began);
    // A new secret brings no new burst.
    installation.add_secret(&client, crate::support::registration::ALWAYS);
    let (again, _) = until_refused(&installation, &client, 60);
    assert_a_burst(issued + again, 2, began);
    // Its own limits stand in place of the plan's.
    installation.commit(Mutation::ClientChanged(Client {
        limits: Some(Box::new(rate(1, 30))),
        ..installation.record(&client)
    }));
    let began = Instant::now();
    let (issued, _) = until_refused(&installation, &client, 120);
    assert_a_burst(issued, 30, began);
    installation.commit(Mutation::ClientChanged(Client {
        limits: None,
        ..installation.record(&client)
    }));
    installation.commit(Mutation::PartnerChanged(Partner {
        plan: None,
        ..installation.partner("acme")
    }));
    for _ in 0..20 {
        assert_eq!(installation.token(&client).send().status, 200);
    }
}

fn made_up(number: u32, like: &Credentials) -> Credentials {
    Credentials {
        client_id: format!("qa-made-up-{number:010}"),
        ..like.clone()
    }
}

fn from(installation: &Installation, source: &str, credentials: &Credentials) -> Answer {
    installation.token(credentials).header("X-Forwarded-For", source).send()
}

#[test]
fn a_flood_of_made_up_ids_is_stopped_before_the_store_and_stops_no_client() {
    let plan = Plan {
        unknown_ids_per_minute: 5,
        ..Plan::default()
    };
    let installation = plan.start();
    let (known, cold) = (
        installation.client("acme").register(),
        installation.client("acme").register(),
    );
    let flooding = "192.0.2.1";
    assert_eq!(from(&installation, "198.51.100.1", &known).status, 200);
    let began = Instant::now();
    let refused = (0..60)
        .map(|number| from(&installation, flooding, &made_up(number, &known)))
        .find(|answer| answer.status == 429)
        .expect("the flood is stopped");
    refused.refused(429, "temporarily_unavailable");
    assert_eq!(refused.header("ratelimit"), None, "a stranger reads no numbers");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(
        (1..=12).contains(&wait),
        "{wait}: five a minute recover one in twelve seconds"
    );
    if began.elapsed() < Duration::from_secs(6) {
        // While it is shut: a known client is served, and whatever fails is answered as a made-up id is.
        assert_eq!(from(&installation, flooding, &known).status, 200);
        let wrong = Credentials {
            secret: cold.secret.clone(),
            ..known.clone()
        };
        for credentials in [&wrong, &cold, &made_up(1000, &known)] {
            let answer = from(&installation, flooding, credentials);
            assert_eq!(answer.status, 429, "{}", credentials.client_id);
            assert_eq!(answer.text(), refused.text());
        }
    }
    assert_eq!(
        from(&installation, "192.0.2.2", &cold).status,
        200,
        "elsewhere nobody notices"
    );
    from(&installation, "192.0.2.2", &made_up(0, &known)).refused(401, "invalid_client");
}

#[test]
fn ipv6_sources_share_the_budget_of_their_first_half() {
    let plan = Plan {
        unknown_ids_per_minute: 3,
        ..Plan::default()
    };
    let installation = plan.start();
    let known = installation.client("acme").register();
    let flood = |number: u32| {
        from(
            &installation,
            &format!("2001:db8::{number:x}"),
            &made_up(number, &known),
        )
    };
    assert!(
        (1..60).any(|number| flood(number).status == 429),
        "each address of it is one source"
    );
    from(&installation, "2001:db8:0:1::1", &made_up(99, &known)).refused(401, "invalid_client");
}

#[test]
fn a_source_that_is_shut_out_asks_nothing_of_the_store() {
    let store = FaultyStore::new(Sharing::Sole);
    let plan = Plan {
        store: std::sync::Arc::new(store.clone()),
        unknown_ids_per_minute: 1,
        ..Plan::default()
    };
    let installation = plan.start();
    let known = installation.client("acme").register();
    let began = Instant::now();
    let flood = |number| from(&installation, "192.0.2.1", &made_up(number, &known)).status;
    assert!((0..60).any(|number| flood(number) == 429));
    let before = store.calls();
    for number in 100..150 {
        flood(number);
    }
    // One a minute recovers, and each costs the same few calls.
    let recovered = usize::try_from(began.elapsed().as_secs() / 60).unwrap();
    assert!(store.calls() - before <= 10 * recovered, "{before} {}", store.calls());
}

#[test]
fn one_id_counts_once_against_its_source_whether_anybody_has_it_or_not() {
    for exists in [true, false] {
        let plan = Plan {
            unknown_ids_per_minute: 3,
            ..Plan::default()
        };
        let installation = plan.start();
        let client = installation.client("acme").register();
        let other = installation.client("acme").register();
        let wrong = if exists {
            Credentials {
                secret: other.secret,
                ..client.clone()
            }
        } else {
            made_up(7, &client)
        };
        for _ in 0..10 {
            from(&installation, "192.0.2.1", &wrong).refused(401, "invalid_client");
        }
        from(&installation, "192.0.2.1", &made_up(0, &client)).refused(401, "invalid_client");
        from(&installation, "192.0.2.1", &made_up(1, &client)).refused(401, "invalid_client");
        let shut = from(&installation, "192.0.2.1", &made_up(2, &client));
        shut.refused(429, "temporarily_unavailable");
    }
}

pub fn only(installation: &Installation, client: &Credentials, networks: &[&str]) {
    let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
    installation.commit(Mutation::ClientChanged(Client {
        allowed_sources: AllowedSources::Only(networks),
        ..installation.record(client)
    }));
}

#[test]
fn a_right_secret_from_a_wrong_source_opens_nothing() {
    let plan = Plan {
        failures_per_minute: 20,
        ..Plan::default()
    };
    let installation = plan.start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    only(&installation, &client, &["192.0.2.0/24", "2001:db8::/48"]);
    only(&installation, &asking, &["192.0.2.0/24"]);
    let ask = |environment: Environment, endpoint: &str, credentials: &Credentials, source: &str| {
        let request = installation.form(environment, endpoint).basic(credentials);
        let request = request.header("X-Forwarded-For", source).param("token", &token);
        request.param("grant_type", "client_credentials").send()
    };
    let stranger = made_up(1, &client);
    for (endpoint, credentials) in [("token", &client), ("revoke", &client), ("introspect", &asking)] {
        let unknown = ask(Qa, endpoint, &stranger, "198.51.100.1");
        for source in ["198.51.100.1", "2001:db9::1", "::1"] {
            let refused = ask(Qa, endpoint, credentials, source);
            refused.refused(401, "invalid_client");
            assert_eq!(refused.text(), unknown.text(), "{endpoint} from {source}");
        }
        assert_eq!(
            ask(Qa, endpoint, credentials, "192.0.2.77").status,
            200,
            "{endpoint} from where it may come"
        );
        // Whoever speaks without a proxy comes from this machine.
        let direct = installation
            .form(Qa, endpoint)
            .basic(credentials)
            .param("token", &token);
        direct
            .param("grant_type", "client_credentials")
            .send()
            .refused(401, "invalid_client");
    }
    for source in ["::ffff:192.0.2.1", "2001:db8:0:7::1"] {
        assert_eq!(ask(Qa, "token", &client, source).status, 200, "{source}");
    }
    // It counts as a failure, as a wrong secret does: the budget does not tell that the secret is right.
    let statuses: Vec<u16> = (0..60)
        .map(|_| ask(Qa, "token", &client, "203.0.113.9").status)
        .collect();
    assert!(statuses.contains(&429) && !statuses.contains(&200), "{statuses:?}");
    assert_eq!(
        ask(Qa, "token", &client, "192.0.2.1").status,
        200,
        "nobody is locked out by it"
    );
    // The list is part of the client: a change holds at once.
    only(&installation, &client, &["198.51.100.1"]);
    assert_eq!(ask(Qa, "token", &client, "198.51.100.1").status, 200);
    ask(Qa, "token", &client, "192.0.2.1").refused(401, "invalid_client");
}

#[test]
fn a_client_revokes_no_more_than_it_may() {
    let plan = Plan {
        revocations_per_minute: 4,
        ..Plan::default()
    };
    let installation = plan.start();
    let (client, other) = (
        installation.client("acme").register(),
        installation.client("acme").register(),
    );
    let tokens: Vec<String> = (0..40).map(|_| installation.issue(&client)).collect();
    let before = installation.read(|records| records.epoch()).get();
    // What costs no row costs nothing: tokens that are none, as often as they come.
    for _ in 0..20 {
        assert_eq!(installation.revoke(&client, "no-token").status, 200);
    }
    let began = Instant::now();
    let refused = tokens
        .iter()
        .map(|token| installation.revoke(&client, token))
        .find(|answer| answer.status != 200)
        .expect("the flood is stopped");
    refused.refused(429, "temporarily_unavailable");
    assert_eq!(limit_fields(&refused).0, fields("\"revocations\";q=4;w=60"));
    let rows = u64::try_from(installation.read(|records| records.epoch()).get() - before).unwrap();
    let recovered = began.elapsed().as_secs() / 15 + 1;
    assert!((4..=4 + recovered).contains(&rows), "{rows}");
    let asking = installation.resource_server("orders").register();
    assert!(
        installation.is_active(&asking, &tokens[39]),
        "what was refused was not done"
    );
    let own = installation.issue(&other);
    assert_eq!(installation.revoke(&other, &own).status, 200, "each client has its own");
}

#[test]
fn revoking_a_token_again_spends_nothing() {
    let plan = Plan {
        revocations_per_minute: 2,
        ..Plan::default()
    };
    let installation = plan.start();
    let client = installation.client("acme").register();
    let tokens: Vec<String> = (0..2).map(|_| installation.issue(&client)).collect();
    let before = installation.read(|records| records.epoch()).get();
    for token in &tokens {
        for _ in 0..20 {
            assert_eq!(installation.revoke(&client, token).status, 200);
        }
    }
    assert_eq!(installation.read(|records| records.epoch()).get() - before, 2);
}
