//! A database that goes away under a running server: no old yes, a plain refusal in time, and recovery without a restart.

mod postgresql {
    use std::time::{Duration, Instant};

    use serde_json::{Value, json};

    use crate::support::calls::Caller;
    use crate::support::postgresql::Cluster;
    use crate::support::server::{Installation, PATIENCE};
    use crate::support::warm::WarmServer;

    /// Everything that stands on the store is refused, and in time.
    fn assert_refusing(warm: &WarmServer) {
        for reply in [warm.token(), warm.introspect(), warm.revoke()] {
            assert_eq!(reply.status, 503, "{}", reply.text);
            assert_eq!(reply.header("content-type"), Some("application/json"));
            assert_eq!(reply.header("retry-after"), Some("1"));
            assert_eq!(reply.header("cache-control"), Some("no-store"));
            assert_eq!(reply.json()["error"], "temporarily_unavailable", "{}", reply.text);
        }
        assert_eq!(warm.status("/qa/jwks"), 503);
        assert_eq!(warm.status("/readyz"), 503);
        assert_eq!(warm.admin_status("/readyz"), 503);
        let write = warm
            .admin
            .post("/partners", &json!({ "partner_id": "late", "name": "Late" }));
        assert_eq!(write.status, 503, "{}", write.text);
        assert_eq!(write.header("content-type"), Some("application/problem+json"));
        assert_eq!(write.header("retry-after"), Some("1"));
        // The process itself is well, and can be watched.
        assert_eq!(warm.status("/livez"), 200);
        assert_eq!(warm.admin_status("/metrics"), 200);
    }

    /// Asks until it serves again.
    fn assert_recovering(warm: &WarmServer) {
        let since = Instant::now();
        while warm.token().status != 200 {
            assert!(since.elapsed() < PATIENCE, "it does not recover");
        }
        assert_eq!(warm.introspect().expect(200)["active"], true);
        assert_eq!(warm.status("/readyz"), 200);
        warm.revoke().expect(200);
        assert_eq!(warm.introspect().expect(200), json!({ "active": false }));
    }

    #[test]
    fn without_a_database_nothing_is_confirmed_and_with_it_everything_again() {
        let cluster = Cluster::begin();
        let warm = WarmServer::start(Installation::on(&cluster.url()));
        cluster.halt();
        for _ in 0..2 {
            assert_refusing(&warm);
        }
        cluster.begin_again();
        assert_recovering(&warm);
        let (code, log) = warm.server.stop();
        assert_eq!(code, Some(0), "{log}");
        // The outage is told once, not at every beat.
        let told = |message: &str| log.lines().filter(|line| line.contains(message)).count();
        assert_eq!(told("the journal cannot be followed"), 1, "{log}");
        assert_eq!(told("the journal is followed again"), 1, "{log}");
    }

    #[test]
    fn a_database_that_hangs_is_refused_in_time() {
        let cluster = Cluster::begin();
        let warm = WarmServer::start(Installation::on(&cluster.url()));
        let frozen = cluster.freeze();
        for _ in 0..3 {
            let since = Instant::now();
            assert_eq!(warm.token().status, 503);
            assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
        }
        assert_refusing(&warm);
        drop(frozen);
        assert_recovering(&warm);
    }

    #[test]
    fn whoever_chose_to_bridge_an_outage_gets_answers_from_memory_and_a_count_of_them() {
        let cluster = Cluster::begin();
        let warm = WarmServer::start(Installation::on(&cluster.url()).with("registry.outage", "10m"));
        cluster.halt();
        for _ in 0..3 {
            warm.token().issued();
        }
        // All that introspection and the documents for verifiers stand on is in memory. A revocation is not.
        assert_eq!(warm.introspect().expect(200)["active"], true);
        assert_eq!(warm.status("/qa/jwks"), 200);
        assert_eq!(warm.revoke().status, 503);
        let metrics = Caller::new().get(&warm.server.admin_url("/metrics")).text;
        let stale = metrics
            .lines()
            .find_map(|line| line.strip_prefix("mintmark_registry_stale_answers_total "));
        assert!(stale.unwrap().parse::<u32>().unwrap() >= 3, "{metrics}");
        cluster.begin_again();
        assert_recovering(&warm);
        let refused: Value = warm.admin.post("/partners", &json!({})).expect(400);
        assert!(refused["errors"].is_array());
    }
}
