//! Issuing and introspecting cost the same however many tokens were revoked: the work is counted, not timed. And where the store is
//! asked all the same, an index answers.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::Text;
use mintmark::ambient::SystemEntropy;
use mintmark::domain::{Seconds, Timestamp, TokenId};
use mintmark::store::Store;

use super::Aside;
use crate::store::places::{Ground, postgresql_ground, sqlite_ground};
use crate::support::installation::{Installation, Plan, START, block_on};
use crate::support::registration::Credentials;

/// More than a replica reads at a time at its start.
const REVOKED: usize = 12_001;

/// Tokens of `client` as if it had revoked them, ending within the next hour.
fn revoke_many(aside: &mut Aside, client: &Credentials) -> Vec<(TokenId, Timestamp)> {
    let entropy = SystemEntropy::new();
    let token = |number: usize| {
        let ends = START + Seconds(60 + u32::try_from(number % 3600).unwrap());
        (TokenId::mint(&client.secret_id, &entropy), ends)
    };
    let tokens: Vec<_> = (0..REVOKED).map(token).collect();
    for piece in tokens.chunks(1000) {
        let row = |(jti, ends): &(TokenId, Timestamp)| {
            format!("('{jti}', '{}', 'acme', 'qa', {})", client.client_id, ends.seconds())
        };
        let rows: Vec<_> = piece.iter().map(row).collect();
        aside.execute(&format!(
            "INSERT INTO revoked_tokens (jti, client_id, partner_id, environment, expires_at) VALUES {}",
            rows.join(", ")
        ));
    }
    tokens
}

/// How often anybody went through the store's door.
fn visits(installation: &Installation) -> u64 {
    let metrics = installation.registry.metrics().render();
    let count = metrics
        .lines()
        .find_map(|line| line.strip_prefix("mintmark_store_wait_seconds_count "));
    count.expect("visits are counted").parse().unwrap()
}

/// Issues and introspects, warm, and holds the visits to the store to none.
fn assert_asking_no_store(installation: &Installation, client: &Credentials, asking: &Credentials) {
    let token = installation.issue(client);
    assert!(installation.is_active(asking, &token));
    let warm = visits(installation);
    assert!(warm > 0, "the clients were read");
    for _ in 0..20 {
        assert!(installation.is_active(asking, &installation.issue(client)));
        assert!(installation.is_active(asking, &token));
    }
    assert_eq!(visits(installation), warm);
}

fn play(ground: &Ground) {
    let store: Arc<dyn Store> = mintmark::store::open(&ground.settings()).unwrap();
    let plan = Plan {
        store: Arc::clone(&store),
        ..Plan::default()
    };
    let before = plan.start();
    let client = before.client("acme").register();
    let asking = before.resource_server("orders").register();
    assert_asking_no_store(&before, &client, &asking);
    let tokens = revoke_many(&mut Aside::open(&ground.url), &client);
    let after = before.replica(store);
    assert_eq!(after.registry.revoked_tokens(), REVOKED);
    assert_asking_no_store(&after, &client, &asking);
    let warm = visits(&after);
    block_on(async {
        let view = after.registry.fresh().await.unwrap();
        for at in [0, 9_999, 10_000, REVOKED - 1] {
            let (jti, ends) = &tokens[at];
            assert!(view.is_revoked(jti, *ends).await.unwrap(), "token {at}");
        }
        let never = TokenId::mint(&client.secret_id, &SystemEntropy::new());
        assert!(!view.is_revoked(&never, tokens[0].1).await.unwrap());
    });
    assert_eq!(visits(&after), warm);
}

#[test]
fn twelve_thousand_revoked_tokens_cost_a_request_nothing_on_sqlite() {
    play(&sqlite_ground());
}

#[test]
fn twelve_thousand_revoked_tokens_cost_a_request_nothing_on_postgresql() {
    play(&postgresql_ground());
}

/// What is asked of the store about a token or for a client that is not remembered, at the start, and when it is tidied.
const QUESTIONS: [&str; 7] = [
    "SELECT * FROM revoked_tokens WHERE jti = 'x'",
    "SELECT jti, expires_at FROM revoked_tokens WHERE jti > 'x' ORDER BY jti LIMIT 10000",
    "DELETE FROM revoked_tokens WHERE expires_at <= 7",
    "SELECT * FROM clients WHERE client_id = 'x'",
    "SELECT * FROM client_secrets WHERE client_id = 'x' ORDER BY first_version, secret_id",
    "SELECT * FROM partners WHERE partner_id = 'x'",
    "SELECT * FROM journal WHERE epoch > 7 ORDER BY epoch LIMIT 1000",
];

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[test]
fn an_index_answers_each_question_on_sqlite() {
    let ground = sqlite_ground();
    let _store = mintmark::store::open(&ground.settings()).unwrap();
    let Aside::Sqlite(mut connection) = Aside::open(&ground.url) else {
        panic!("it is SQLite");
    };
    for question in QUESTIONS {
        let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {question}"))
            .load(&mut connection)
            .unwrap();
        let plan: Vec<_> = steps.into_iter().map(|step| step.detail).collect();
        // The secrets of one client are few: putting them in order is no search.
        let searches = plan
            .iter()
            .all(|step| step.starts_with("SEARCH ") || step.starts_with("USE TEMP B-TREE"));
        assert!(searches && !plan.is_empty(), "{question}: {plan:?}");
    }
}

/// As it is asked each minute, of secrets. Those that were noticed are by far the most.
const LOOK: &str = "SELECT client_secrets.secret_id, clients.client_id, client_secrets.expires_at FROM client_secrets
    LEFT JOIN notices ON notices.kind = 'secret_expiring' AND notices.subject = client_secrets.secret_id
        AND notices.expires_at = client_secrets.expires_at AND notices.days = 30
    INNER JOIN clients ON client_secrets.client_id = clients.client_id
    WHERE notices.notice_id IS NULL AND client_secrets.status = 'active' AND clients.status <> 'suspended'
        AND clients.status <> 'revoked'
        AND (client_secrets.expires_at > 7 OR (client_secrets.expires_at = 7 AND client_secrets.secret_id > 'x'))
        AND client_secrets.expires_at >= 7 AND client_secrets.expires_at <= 9
    ORDER BY client_secrets.expires_at, client_secrets.secret_id LIMIT 200";

#[test]
fn a_look_at_what_ends_begins_with_what_ends_on_sqlite() {
    let ground = sqlite_ground();
    let _store = mintmark::store::open(&ground.settings()).unwrap();
    let Aside::Sqlite(mut connection) = Aside::open(&ground.url) else {
        panic!("it is SQLite");
    };
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {LOOK}"))
        .load(&mut connection)
        .unwrap();
    let plan: Vec<_> = steps.iter().map(|step| step.detail.as_str()).collect();
    assert!(
        plan[0].contains("client_secrets USING COVERING INDEX client_secrets_expiry"),
        "{plan:?}"
    );
    let noticed = "notices USING INDEX notices_once (kind=? AND days=? AND expires_at=? AND subject=?)";
    assert!(plan.iter().any(|step| step.contains(noticed)), "{plan:?}");
    assert_eq!(plan.len(), 3, "nothing is put in order afterwards: {plan:?}");
}

/// What an overview asks of all clients, which may be very many.
const SURVEYS: [(&str, &str); 3] = [
    (
        "SELECT environment, status, COUNT(*) FROM clients GROUP BY environment, status ORDER BY environment, status",
        "SCAN clients USING COVERING INDEX clients_standing",
    ),
    (
        "SELECT client_id FROM client_secrets WHERE client_id > '' AND status = 'active' AND (expires_at IS NULL OR \
         expires_at > 7) GROUP BY client_id HAVING COUNT(*) > 1 ORDER BY client_id LIMIT 100",
        "SEARCH client_secrets USING COVERING INDEX client_secrets_client (client_id>?)",
    ),
    (
        "SELECT client_id FROM clients WHERE status <> 'suspended' AND status <> 'revoked' AND expires_at > 7 AND \
         expires_at <= 9 ORDER BY expires_at, client_id LIMIT 11",
        "SEARCH clients USING INDEX clients_expiry (expires_at>? AND expires_at<?)",
    ),
];

#[test]
fn an_index_answers_surveys_in_one_go_on_sqlite() {
    let ground = sqlite_ground();
    let _store = mintmark::store::open(&ground.settings()).unwrap();
    let Aside::Sqlite(mut connection) = Aside::open(&ground.url) else {
        panic!("it is SQLite");
    };
    for (question, expected) in SURVEYS {
        let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {question}"))
            .load(&mut connection)
            .unwrap();
        let plan: Vec<_> = steps.iter().map(|step| step.detail.as_str()).collect();
        assert_eq!(plan, [expected], "{question}");
    }
}

#[test]
fn an_index_answers_each_question_on_postgresql() {
    let ground = postgresql_ground();
    let _store = mintmark::store::open(&ground.settings()).unwrap();
    let mut aside = Aside::open(&ground.url);
    // Over tables this small a scan is cheaper; the question is whether there is an index to use.
    aside.execute(
        "SET enable_seqscan = off; SET enable_bitmapscan = off;
         CREATE FUNCTION pg_temp.plan_of(question text) RETURNS SETOF text LANGUAGE plpgsql AS
         'BEGIN RETURN QUERY EXECUTE ''EXPLAIN '' || question; END'",
    );
    for question in QUESTIONS {
        let quoted = question.replace('\'', "''");
        let plan = aside.lines(&format!("SELECT plan_of AS line FROM pg_temp.plan_of('{quoted}')"));
        let by_index = plan
            .iter()
            .any(|step| step.contains("Index Scan") || step.contains("Index Only Scan"));
        let scans = plan.iter().any(|step| step.contains("Seq Scan"));
        assert!(by_index && !scans, "{question}: {plan:#?}");
    }
}
