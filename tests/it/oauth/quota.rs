//! How many in a day and in a month: to the token, over all replicas, through lost answers and dying replicas.

use std::sync::Arc;
use std::time::Duration;

use mintmark::domain::Environment::{self, Qa};
use mintmark::domain::{
    Allowance, Client, Meter, MeterHolder, Mutation, Partner, Period, Plan as Budget, QuotaMode, Seconds, TokenCount,
    Window,
};
use mintmark::store::Sharing;

use super::limits::rate;
use crate::support::faulty::{Fault, FaultyStore};
use crate::support::installation::{Installation, Plan, START, also_on_sql, block_on, two_replicas};
use crate::support::postgresql::fresh_url;
use crate::support::registration::Credentials;
use crate::support::wire::Answer;

also_on_sql!(
    htp_01_a_quota_is_given_out_to_the_token_and_then_refused_until_midnight,
    a_quota_is_shared_by_all_clients_under_a_partner_and_by_no_other,
    a_changed_quota_holds_with_the_next_request,
    htp_02_what_is_left_of_a_quota_is_said_with_every_token,
    what_is_observed_is_counted_and_never_refused,
    what_is_held_goes_back_at_the_end,
);

const DAY: u32 = 86_400;

fn per_day(tokens: u64) -> Allowance {
    Allowance {
        tokens_per_day: Some(TokenCount::try_from(tokens).unwrap()),
        ..Allowance::UNBOUNDED
    }
}

fn per_month(tokens: u64) -> Allowance {
    Allowance {
        tokens_per_month: Some(TokenCount::try_from(tokens).unwrap()),
        ..Allowance::UNBOUNDED
    }
}

/// Gives `acme` a plan.
fn plan(installation: &Installation, quota_mode: QuotaMode, (partner, client): (Allowance, Allowance)) {
    let plan = Budget {
        quota_mode,
        partner,
        client,
    };
    installation.commit(Mutation::PartnerChanged(Partner {
        plan: Some(Box::new(plan)),
        ..installation.partner("acme")
    }));
}

pub fn enforce(installation: &Installation, partner: Allowance, client: Allowance) {
    plan(installation, QuotaMode::Enforce, (partner, client));
}

/// Asks until it is refused, at most `most` times; how many tokens came, and the refusal.
fn until_refused(installation: &Installation, client: &Credentials, most: u64) -> (u64, Answer) {
    for issued in 0..=most {
        let answer = installation.token(client).send();
        if answer.status != 200 {
            return (issued, answer);
        }
    }
    panic!("more than {most} tokens were issued");
}

fn partner_meter(environment: Environment, period: Period, installation: &Installation) -> Meter {
    Meter {
        holder: MeterHolder::Partner("acme".parse().unwrap()),
        environment,
        window: Window::of(period, installation.now()),
    }
}

/// What the store counts for `acme` in QA today.
fn drawn(installation: &Installation) -> u64 {
    let meter = partner_meter(Qa, Period::Day, installation);
    installation.read(move |records| records.drawn(&meter))
}

#[test]
fn htp_01_a_quota_is_given_out_to_the_token_and_then_refused_until_midnight() {
    let installation = Installation::start();
    enforce(&installation, per_month(100), per_day(40));
    let (client, other) = (
        installation.client("acme").register(),
        installation.client("acme").register(),
    );
    let (issued, refused) = until_refused(&installation, &client, 40);
    assert_eq!(issued, 40);
    refused.refused(429, "temporarily_unavailable");
    assert_eq!(refused.header("ratelimit-policy"), Some("\"client-day\";q=40;w=86400"));
    // 4,000,000,000 seconds after 1970 it is 07:06:40; nobody is told to wait longer than an hour.
    assert_eq!(refused.header("ratelimit"), Some("\"client-day\";r=0;t=3600"));
    assert_eq!(refused.header("retry-after"), Some("3600"));
    assert_eq!(until_refused(&installation, &other, 40).0, 40, "each has its own");

    let midnight = Window::of(Period::Day, START).end();
    installation.clock.set(midnight - Seconds(90));
    let refused = until_refused(&installation, &client, 0).1;
    assert_eq!(refused.header("retry-after"), Some("90"));
    installation.clock.set(midnight);
    // The month's 100 are shared: 20 are left of them.
    let (issued, refused) = until_refused(&installation, &client, 20);
    assert_eq!(issued, 20);
    refused.refused(429, "temporarily_unavailable");
    // It is October 2096, with 31 days.
    assert_eq!(
        refused.header("ratelimit-policy"),
        Some("\"partner-month\";q=100;w=2678400")
    );
    until_refused(&installation, &other, 0);
    installation.clock.set(Window::of(Period::Month, START).end());
    assert_eq!(until_refused(&installation, &client, 40).0, 40);
}

/// What `answer` says is left, in the order in which it stands.
fn left(answer: &Answer) -> Vec<(&str, u64)> {
    let members = answer.header("ratelimit").unwrap_or_default().split(", ");
    let read = members.filter_map(|member| member.strip_prefix('"')?.split_once("\";r="));
    read.map(|(name, number)| (name, number.parse().unwrap())).collect()
}

#[test]
fn htp_02_what_is_left_of_a_quota_is_said_with_every_token() {
    let installation = Installation::start();
    enforce(&installation, per_month(100), per_day(40));
    let (client, other) = (
        installation.client("acme").register(),
        installation.client("acme").register(),
    );
    for issued in 1..=40 {
        let answer = installation.token(&client).send();
        // It is October 2096, with 31 days.
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"client-day\";q=40;w=86400, \"partner-month\";q=100;w=2678400")
        );
        assert_eq!(
            left(&answer),
            [("client-day", 40 - issued), ("partner-month", 100 - issued)]
        );
    }
    assert_eq!(until_refused(&installation, &client, 0).0, 0);
    let answer = installation.token(&other).send();
    assert_eq!(left(&answer), [("client-day", 39), ("partner-month", 59)]);
    // Lowered below what was issued, and raised again.
    enforce(&installation, per_month(100), per_day(1));
    assert_eq!(until_refused(&installation, &other, 0).0, 0);
    enforce(&installation, per_month(50), per_day(50));
    assert_eq!(until_refused(&installation, &other, 9).0, 9);
    enforce(&installation, per_month(60), per_day(50));
    assert_eq!(
        left(&installation.token(&other).send()),
        [("client-day", 39), ("partner-month", 9)]
    );
    installation.clock.advance(DAY);
    assert_eq!(
        left(&installation.token(&other).send()),
        [("client-day", 49), ("partner-month", 8)]
    );
    plan(&installation, QuotaMode::Observe, (per_month(60), per_day(50)));
    let observed = installation.token(&other).send();
    assert_eq!(
        (observed.status, observed.header("ratelimit")),
        (200, None),
        "what refuses nobody is no limit"
    );
}

#[test]
fn a_quota_is_shared_by_all_clients_under_a_partner_and_by_no_other() {
    let installation = Installation::start();
    enforce(&installation, per_day(30), Allowance::UNBOUNDED);
    let own = installation.client("acme").register();
    let sub_account = installation.client("acme-north").register();
    let elsewhere = installation.client("acme").in_production().register();
    let foreign = installation.client("globex").register();
    for _ in 0..13 {
        installation.issue(&own);
    }
    let (issued, refused) = until_refused(&installation, &sub_account, 17);
    assert_eq!(issued, 17);
    assert_eq!(refused.header("ratelimit-policy"), Some("\"partner-day\";q=30;w=86400"));
    assert_eq!(until_refused(&installation, &own, 0).0, 0);
    installation.issue(&foreign);
    assert_eq!(
        until_refused(&installation, &elsewhere, 30).0,
        30,
        "QA takes nothing from Production"
    );
}

#[test]
fn a_client_beyond_its_quota_takes_nothing_from_the_rate_it_shares() {
    let installation = Installation::start();
    enforce(&installation, rate(1, 100), Allowance::UNBOUNDED);
    let (greedy, other) = (
        installation.client("acme").register(),
        installation.client("acme").register(),
    );
    installation.commit(Mutation::ClientChanged(Client {
        limits: Some(Box::new(per_day(1))),
        ..installation.record(&greedy)
    }));
    installation.issue(&greedy);
    for _ in 0..120 {
        let refused = installation.token(&greedy).send();
        assert_eq!(refused.header("ratelimit-policy"), Some("\"client-day\";q=1;w=86400"));
    }
    let left = installation.token(&other).send();
    let left: u64 = left
        .header("ratelimit")
        .and_then(|left| left.strip_prefix("\"partner-rate\";r="))
        .expect("a token says what is left")
        .parse()
        .unwrap();
    assert!(left >= 98, "{left}: a hundred, less the two that were issued");
}

#[test]
fn a_changed_quota_holds_with_the_next_request() {
    let installation = Installation::start();
    enforce(&installation, per_day(1000), Allowance::UNBOUNDED);
    let client = installation.client("acme").register();
    for _ in 0..50 {
        installation.issue(&client);
    }
    assert!(drawn(&installation) > 50, "a block is held");
    enforce(&installation, per_day(50), Allowance::UNBOUNDED);
    assert_eq!(until_refused(&installation, &client, 0).0, 0);
    enforce(&installation, per_day(60), Allowance::UNBOUNDED);
    assert_eq!(until_refused(&installation, &client, 10).0, 10);
    plan(&installation, QuotaMode::Off, (per_day(60), Allowance::UNBOUNDED));
    installation.issue(&client);
    // A client's own allowance stands in the place of the plan's.
    enforce(&installation, Allowance::UNBOUNDED, per_day(1));
    let client_id = client.client_id.parse().unwrap();
    let record = installation.read(move |records| records.client(&client_id)).unwrap();
    installation.commit(Mutation::ClientChanged(Client {
        limits: Some(Box::new(per_day(5))),
        ..record
    }));
    let (issued, refused) = until_refused(&installation, &client, 5);
    assert_eq!((issued, refused.status), (5, 429));
}

#[test]
fn what_is_observed_is_counted_and_never_refused() {
    let installation = Installation::start();
    plan(&installation, QuotaMode::Observe, (per_day(5), per_day(2)));
    let client = installation.client("acme").register();
    for _ in 0..40 {
        installation.issue(&client);
    }
    block_on(installation.registry.give_back_all()).unwrap();
    assert_eq!(drawn(&installation), 40);
    plan(&installation, QuotaMode::Enforce, (per_day(40), Allowance::UNBOUNDED));
    assert_eq!(
        until_refused(&installation, &client, 0).0,
        0,
        "what was observed counts"
    );
}

#[test]
fn what_is_held_goes_back_at_the_end() {
    let installation = Installation::start();
    enforce(&installation, per_day(10_000), Allowance::UNBOUNDED);
    let client = installation.client("acme").register();
    for _ in 0..33 {
        installation.issue(&client);
    }
    let held = drawn(&installation) - 33;
    assert!(held > 0, "a block is held");
    block_on(installation.registry.give_back_idle(installation.now())).unwrap();
    assert_eq!(drawn(&installation) - 33, held, "what is in use stays");
    // What was forgotten of a client that changed is found again when it is read again.
    enforce(&installation, per_day(9_999), Allowance::UNBOUNDED);
    block_on(installation.registry.give_back_all()).unwrap();
    assert_eq!(drawn(&installation), 33);
}

/// A faulty store below an installation.
fn faulty(patience: Duration) -> (FaultyStore, Installation) {
    let store = FaultyStore::new(Sharing::Sole);
    let plan = Plan {
        store: Arc::new(store.clone()),
        patience,
        ..Plan::default()
    };
    (store, plan.start())
}

#[test]
fn a_token_out_of_a_block_asks_the_store_nothing() {
    let (store, installation) = faulty(Duration::from_secs(10));
    enforce(&installation, per_day(1_000_000), per_month(1_000_000));
    let client = installation.client("acme").register();
    // Blocks of 1, 2, 4, 8, 16 and 32 of each quota.
    for _ in 0..32 {
        installation.issue(&client);
    }
    store.set(Fault::Unreadable);
    let before = store.calls();
    for _ in 0..8 {
        installation.issue(&client);
    }
    assert_eq!(store.calls(), before);
}

#[test]
fn a_quota_that_cannot_be_drawn_refuses_and_one_that_is_observed_does_not() {
    let (store, installation) = faulty(Duration::from_secs(10));
    enforce(&installation, per_day(1000), Allowance::UNBOUNDED);
    let client = installation.client("acme").register();
    installation.issue(&client);
    store.set(Fault::Unreadable);
    installation
        .token(&client)
        .send()
        .refused(503, "temporarily_unavailable");
    store.set(Fault::Nothing);
    installation.issue(&client);
    plan(&installation, QuotaMode::Observe, (per_day(1000), Allowance::UNBOUNDED));
    installation.issue(&client);
    store.set(Fault::Unreadable);
    for _ in 0..20 {
        installation.issue(&client);
    }
    store.set(Fault::Nothing);
    for _ in 0..10 {
        installation.issue(&client);
    }
    block_on(installation.registry.give_back_all()).unwrap();
    assert_eq!(drawn(&installation), 1 + 1 + 1 + 20 + 10);
}

#[test]
fn a_draw_whose_answer_is_lost_is_never_issued() {
    let (store, installation) = faulty(Duration::from_secs(10));
    enforce(&installation, per_day(20), Allowance::UNBOUNDED);
    let client = installation.client("acme").register();
    for _ in 0..5 {
        installation.issue(&client);
    }
    store.set(Fault::AfterWriting);
    for _ in 0..3 {
        installation
            .token(&client)
            .send()
            .refused(503, "temporarily_unavailable");
    }
    store.set(Fault::Nothing);
    assert_eq!(
        until_refused(&installation, &client, 12).0,
        12,
        "three draws of one token are lost"
    );
    installation.clock.advance(DAY);
    assert_eq!(until_refused(&installation, &client, 20).0, 20);
}

mod two_replicas {
    use super::*;

    #[test]
    fn one_that_dies_loses_its_block_and_the_next_window_is_whole() {
        let database = fresh_url();
        let (here, there) = two_replicas(&database);
        enforce(&here, per_day(500), Allowance::UNBOUNDED);
        let client = here.client("acme").register();
        for _ in 0..100 {
            there.issue(&client);
        }
        let held = drawn(&here) - 100;
        assert!((1..=500 / 32).contains(&held), "{held}");
        drop(there);
        assert_eq!(until_refused(&here, &client, 400 - held).0, 400 - held);
        here.clock.advance(DAY);
        assert_eq!(until_refused(&here, &client, 500).0, 500);
    }

    #[test]
    fn one_that_is_shut_down_gives_its_block_to_the_other() {
        let database = fresh_url();
        let (here, there) = two_replicas(&database);
        enforce(&here, per_day(400), Allowance::UNBOUNDED);
        let client = here.client("acme").register();
        for _ in 0..100 {
            there.issue(&client);
        }
        block_on(there.registry.give_back_all()).unwrap();
        assert_eq!(until_refused(&here, &client, 300).0, 300);
        assert_eq!(until_refused(&there, &client, 0).0, 0);
    }

    #[test]
    fn htp_02_what_is_left_is_what_the_store_had_when_it_was_last_asked() {
        let database = fresh_url();
        let (here, there) = two_replicas(&database);
        enforce(&here, per_day(500), Allowance::UNBOUNDED);
        let client = here.client("acme").register();
        for _ in 0..100 {
            there.issue(&client);
        }
        let held = drawn(&here) - 100;
        let answer = here.token(&client).send();
        assert_eq!(left(&answer), [("partner-day", 399 - held)], "what others hold is gone");
        // Nearer the end the store is asked for every token, and so each replica knows what the others took.
        let (issued, _) = until_refused(&here, &client, 399);
        assert_eq!(issued, 399 - held);
        for replica in [&there, &here] {
            replica.clock.advance(DAY);
        }
        for issued in 1..=20_u64 {
            let replica = if issued % 2 == 0 { &here } else { &there };
            let said = left(&replica.token(&client).send())[0].1;
            // Its own are always counted; of the other's at most a block too many, a thirty-second of 500.
            assert!(said <= 500 - issued.div_ceil(2), "{said} after {issued}");
            assert!(said + 15 + issued >= 500, "{said} after {issued}");
        }
    }
}
