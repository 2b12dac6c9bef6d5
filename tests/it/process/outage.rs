//! A database that goes away under a running server: no old yes, a plain refusal in time, and recovery without a restart.

mod postgresql {
    use std::time::{Duration, Instant};

    use serde_json::{Value, json};

    use crate::support::calls::{Admin, Caller, Credentials, Reply};
    use crate::support::postgresql::Cluster;
    use crate::support::server::{Installation, PATIENCE, Server};

    struct World {
        server: Server,
        admin: Admin,
        client: Credentials,
        asking: Credentials,
        token: String,
        _installation: Installation,
    }

    impl World {
        /// A server that has served a token and confirmed it, so that it remembers all it needs to do so again.
        fn warm(cluster: &Cluster, settings: &[(&str, &str)]) -> Self {
            let mut installation = Installation::on(&cluster.url())
                .with("database.timeout", "500ms")
                .with("registry.timeout", "500ms");
            for (key, value) in settings {
                installation = installation.with(key, value);
            }
            let owner = installation.owner();
            let server = installation.start();
            let admin = server.admin(&owner);
            admin.furnish();
            let (client, asking) = (admin.client("qa"), admin.resource_server("qa"));
            let token = Caller::new().token(&server.public_url("/qa/token"), &client).issued();
            let world = Self {
                server,
                admin,
                client,
                asking,
                token,
                _installation: installation,
            };
            assert_eq!(world.introspect().expect(200)["active"], true);
            world
        }

        fn token(&self) -> Reply {
            Caller::new().token(&self.server.public_url("/qa/token"), &self.client)
        }

        fn introspect(&self) -> Reply {
            let url = self.server.public_url("/qa/introspect");
            Caller::new().form(&url, &self.asking, &[("token", &self.token)])
        }

        fn revoke(&self) -> Reply {
            let url = self.server.public_url("/qa/revoke");
            Caller::new().form(&url, &self.client, &[("token", &self.token)])
        }

        fn get(&self, url: &str) -> u16 {
            Caller::new().get(url).status
        }

        /// Everything that stands on the store is refused, and in time.
        fn assert_refusing(&self) {
            for reply in [self.token(), self.introspect(), self.revoke()] {
                assert_eq!(reply.status, 503, "{}", reply.text);
                assert_eq!(reply.header("content-type"), Some("application/json"));
                assert_eq!(reply.header("retry-after"), Some("1"));
                assert_eq!(reply.header("cache-control"), Some("no-store"));
                assert_eq!(reply.json()["error"], "temporarily_unavailable", "{}", reply.text);
            }
            assert_eq!(self.get(&self.server.public_url("/qa/jwks")), 503);
            assert_eq!(self.get(&self.server.public_url("/readyz")), 503);
            assert_eq!(self.get(&self.server.admin_url("/readyz")), 503);
            let write = self
                .admin
                .post("/partners", &json!({ "partner_id": "late", "name": "Late" }));
            assert_eq!(write.status, 503, "{}", write.text);
            assert_eq!(write.header("content-type"), Some("application/problem+json"));
            assert_eq!(write.header("retry-after"), Some("1"));
            // The process itself is well, and can be watched.
            assert_eq!(self.get(&self.server.public_url("/livez")), 200);
            assert_eq!(self.get(&self.server.admin_url("/metrics")), 200);
        }

        /// Asks until it serves again.
        fn assert_recovering(&self) {
            let since = Instant::now();
            while self.token().status != 200 {
                assert!(since.elapsed() < PATIENCE, "it does not recover");
            }
            assert_eq!(self.introspect().expect(200)["active"], true);
            assert_eq!(self.get(&self.server.public_url("/readyz")), 200);
            self.revoke().expect(200);
            assert_eq!(self.introspect().expect(200), json!({ "active": false }));
        }
    }

    #[test]
    fn without_a_database_nothing_is_confirmed_and_with_it_everything_again() {
        let cluster = Cluster::begin();
        let world = World::warm(&cluster, &[]);
        cluster.halt();
        for _ in 0..2 {
            world.assert_refusing();
        }
        cluster.begin_again();
        world.assert_recovering();
        let (code, log) = world.server.stop();
        assert_eq!(code, Some(0), "{log}");
        // The outage is told once, not at every beat.
        let told = |message: &str| log.lines().filter(|line| line.contains(message)).count();
        assert_eq!(told("the journal cannot be followed"), 1, "{log}");
        assert_eq!(told("the journal is followed again"), 1, "{log}");
    }

    #[test]
    fn a_database_that_hangs_is_refused_in_time() {
        let cluster = Cluster::begin();
        let world = World::warm(&cluster, &[]);
        let frozen = cluster.freeze();
        for _ in 0..3 {
            let since = Instant::now();
            assert_eq!(world.token().status, 503);
            assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
        }
        world.assert_refusing();
        drop(frozen);
        world.assert_recovering();
    }

    #[test]
    fn whoever_chose_to_bridge_an_outage_gets_answers_from_memory_and_a_count_of_them() {
        let cluster = Cluster::begin();
        let world = World::warm(&cluster, &[("registry.outage", "10m")]);
        cluster.halt();
        for _ in 0..3 {
            world.token().issued();
        }
        // All that introspection and the documents for verifiers stand on is in memory. A revocation is not.
        assert_eq!(world.introspect().expect(200)["active"], true);
        assert_eq!(world.get(&world.server.public_url("/qa/jwks")), 200);
        assert_eq!(world.revoke().status, 503);
        let metrics = Caller::new().get(&world.server.admin_url("/metrics")).text;
        let stale = metrics
            .lines()
            .find_map(|line| line.strip_prefix("mintmark_registry_stale_answers_total "));
        assert!(stale.unwrap().parse::<u32>().unwrap() >= 3, "{metrics}");
        cluster.begin_again();
        world.assert_recovering();
        let refused: Value = world.admin.post("/partners", &json!({})).expect(400);
        assert!(refused["errors"].is_array());
    }
}
