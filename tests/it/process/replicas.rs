//! Two servers over one PostgreSQL: what one has acknowledged, the other knows when the next request reaches it.

mod postgresql {
    use serde_json::{Value, json};

    use crate::store::Aside;
    use crate::support::calls::{Admin, Caller, Credentials};
    use crate::support::server::{Installation, Server};

    /// Two servers, and the admin API of the first.
    struct Pair {
        here: Server,
        there: Server,
        admin: Admin,
        _installation: Installation,
    }

    impl Pair {
        fn start(installation: Installation) -> Self {
            let owner = installation.owner();
            let (here, there) = (installation.start(), installation.start());
            let admin = here.admin(&owner);
            Self {
                here,
                there,
                admin,
                _installation: installation,
            }
        }

        fn token_there(&self, client: &Credentials) -> (u16, Value) {
            let reply = Caller::new().token(&self.there.public_url("/qa/token"), client);
            (reply.status, reply.json()["error"].clone())
        }

        fn keys_there(&self) -> Vec<Value> {
            let set = Caller::new().get(&self.there.public_url("/qa/jwks")).expect(200);
            let keys = set["keys"].as_array().expect("it is a set of keys");
            keys.iter().map(|key| key["kid"].clone()).collect()
        }

        /// The id of the key in this state.
        fn key(&self, state: &str) -> Value {
            let keys = self.admin.list("/keys?environment=qa");
            let mut found = keys.iter().filter(|key| key["state"] == state);
            found.next().expect("there is such a key")["kid"].clone()
        }
    }

    #[test]
    fn what_is_ended_here_is_refused_there_at_once() {
        let pair = Pair::start(Installation::postgresql());
        pair.admin.furnish();
        let asking = pair.admin.resource_server("qa");
        let caller = Caller::new();
        for round in 0..10 {
            let client = pair.admin.client("qa");
            let token = caller.token(&pair.there.public_url("/qa/token"), &client).issued();
            let introspect = || {
                let url = pair.there.public_url("/qa/introspect");
                caller.form(&url, &asking, &[("token", &token)]).expect(200)
            };
            assert_eq!(introspect()["active"], true, "round {round}");
            let path = format!("/clients/{}", client.client_id);
            pair.admin.act(&format!("{path}/suspend"));
            assert_eq!(
                pair.token_there(&client),
                (401, json!("invalid_client")),
                "round {round}"
            );
            pair.admin.act(&format!("{path}/reinstate"));
            assert_eq!(pair.token_there(&client).0, 200, "round {round}");
            pair.admin.act(&format!("{path}/revoke"));
            assert_eq!(
                pair.token_there(&client),
                (401, json!("invalid_client")),
                "round {round}"
            );
            assert_eq!(introspect(), json!({ "active": false }), "round {round}");
        }
        drop(pair.here);
    }

    #[test]
    fn keys_change_there_when_they_change_here() {
        let installation = Installation::postgresql().with("jwks.max_age", "10m");
        // Announced an hour ago, the next key may sign.
        assert_eq!(installation.start().stop().0, Some(0));
        Aside::open(installation.url()).execute("UPDATE signing_keys SET announced_at = announced_at - 3600");
        let pair = Pair::start(installation);
        let (active, announced) = (pair.key("active"), pair.key("announced"));
        assert_eq!(pair.keys_there(), [active.clone(), announced.clone()]);

        pair.admin.act("/keys/qa/rotate");
        assert_eq!(
            (pair.key("active"), pair.key("retiring")),
            (announced.clone(), active.clone())
        );
        let after = pair.keys_there();
        assert_eq!(after.len(), 3, "the next one is announced: {after:?}");
        assert!(after.contains(&active) && after.contains(&announced) && after.contains(&pair.key("announced")));

        pair.admin
            .act(&format!("/keys/qa/{}/revoke", announced.as_str().unwrap()));
        assert!(!pair.keys_there().contains(&announced));
    }
}
