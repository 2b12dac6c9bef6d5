//! The store fails under a running server: reads go on where they can, what cannot be done is answered 503 in time, and it recovers
//! without a restart.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::calls::{Admin, Caller, Credentials, Reply};
use crate::support::server::{Installation, PATIENCE, Server};

/// How soon a refusal comes, where nothing is waited for longer than half a second at a time.
const IN_TIME: Duration = Duration::from_secs(5);

/// A server that has served a token and confirmed it, so that it remembers all it needs to do so again.
struct Shop {
    server: Server,
    admin: Admin,
    client: Credentials,
    asking: Credentials,
    token: String,
    owner: String,
    partners: AtomicUsize,
    installation: Installation,
}

impl Shop {
    fn open(installation: Installation) -> Self {
        let installation = installation
            .with("database.timeout", "500ms")
            .with("registry.timeout", "500ms");
        let owner = installation.owner();
        let server = installation.start();
        let admin = server.admin(&owner);
        admin.furnish();
        let (client, asking) = (admin.client("qa"), admin.resource_server("qa"));
        let token = Caller::new().token(&server.public_url("/qa/token"), &client).issued();
        let shop = Self {
            server,
            admin,
            client,
            asking,
            token,
            owner,
            partners: AtomicUsize::new(0),
            installation,
        };
        shop.assert_reading();
        shop
    }

    fn token(&self) -> Reply {
        Caller::new().token(&self.server.public_url("/qa/token"), &self.client)
    }

    fn introspect(&self) -> Reply {
        let url = self.server.public_url("/qa/introspect");
        Caller::new().form(&url, &self.asking, &[("token", &self.token)])
    }

    /// Registers a partner that nobody has registered before.
    fn commit(&self) -> Reply {
        let number = self.partners.fetch_add(1, Ordering::Relaxed);
        let partner = json!({ "partner_id": format!("partner-{number}"), "name": "Another" });
        self.admin.post("/partners", &partner)
    }

    /// What needs no more than what is remembered, or a look at the store.
    fn assert_reading(&self) {
        self.token().issued();
        assert_eq!(self.introspect().expect(200)["active"], true);
        assert_eq!(Caller::new().get(&self.server.public_url("/qa/jwks")).status, 200);
    }

    /// Refused in time, and told when to come again.
    fn assert_unavailable(what: &str, ask: impl Fn() -> Reply) {
        let since = Instant::now();
        let reply = ask();
        assert_eq!(reply.status, 503, "{what}: {}", reply.text);
        assert_eq!(reply.header("retry-after"), Some("1"), "{what}");
        assert!(since.elapsed() < IN_TIME, "{what}: {:?}", since.elapsed());
    }

    fn assert_not_committing(&self) {
        Self::assert_unavailable("a commit", || self.commit());
        let url = self.server.public_url("/qa/revoke");
        let revoked = || Caller::new().form(&url, &self.client, &[("token", &self.token)]);
        Self::assert_unavailable("a revocation", revoked);
    }

    fn assert_answering_nothing(&self) {
        Self::assert_unavailable("a token", || self.token());
        Self::assert_unavailable("an introspection", || self.introspect());
        Self::assert_unavailable("a commit", || self.commit());
    }

    /// Asks until it serves again, all of it.
    fn assert_recovering(&self) {
        let since = Instant::now();
        while self.commit().status != 201 || self.token().status != 200 {
            assert!(since.elapsed() < PATIENCE, "it does not recover");
        }
        // What was answered 503 may have been done; what was not asked for has not.
        assert!(matches!(self.introspect().expect(200)["active"], Value::Bool(_)));
        self.assert_serving_another();
    }

    /// A client that nobody remembers is looked up, served, and refused once it is revoked.
    fn assert_serving_another(&self) {
        let another = self.admin.client("qa");
        let ask = || Caller::new().token(&self.server.public_url("/qa/token"), &another);
        ask().issued();
        self.admin.act(&format!("/clients/{}/revoke", another.client_id));
        ask().expect(401);
    }
}

mod sqlite {
    use std::process::Command;

    use super::*;
    use crate::store::Aside;

    #[test]
    fn while_another_process_writes_tokens_go_on_and_changes_wait_or_are_refused() {
        let shop = Shop::open(Installation::sqlite());
        let mut other = Aside::open(shop.installation.url());
        other.execute("BEGIN IMMEDIATE");
        for _ in 0..3 {
            shop.assert_reading();
            shop.assert_not_committing();
        }
        other.execute("ROLLBACK");
        shop.assert_recovering();
    }

    /// Bounds the files that the server may write from now on, as a full disk does.
    fn bound_files(shop: &Shop, bytes: &str) {
        let process = shop.server.id().to_string();
        let bound = Command::new("prlimit")
            .args(["--pid", &process, &format!("--fsize={bytes}:unlimited")])
            .status();
        assert!(bound.expect("prlimit(1) of util-linux is there").success());
    }

    #[test]
    fn on_a_disk_that_takes_no_more_tokens_go_on_and_changes_are_refused() {
        let shop = Shop::open(Installation::sqlite().ignoring("XFSZ"));
        bound_files(&shop, "1");
        for _ in 0..3 {
            shop.assert_reading();
            shop.assert_not_committing();
        }
        bound_files(&shop, "unlimited");
        shop.assert_recovering();
        let Shop {
            server, installation, ..
        } = shop;
        assert_eq!(server.stop().0, Some(0));
        let verified = installation.run(&["journal", "verify", "--local"]);
        assert_eq!(verified.code, Some(0), "{verified:?}");
    }
}

mod postgresql {
    use super::*;
    use crate::store::Aside;
    use crate::support::postgresql::{Cluster, own_database};

    /// Ends every connection of the server's.
    fn end_connections(aside: &mut Aside) -> usize {
        let ended = "SELECT pg_terminate_backend(pid)::text AS line FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()";
        aside.lines(ended).len()
    }

    #[test]
    fn whose_connections_are_ended_by_the_database_opens_others() {
        let database = own_database();
        let shop = Shop::open(Installation::on(&database.url));
        let mut aside = Aside::open(&database.url);
        for _ in 0..5 {
            assert!(end_connections(&mut aside) >= 2, "the pulse's and one of the pool's");
            let first = shop.token().status;
            assert!([200, 503].contains(&first), "{first}");
            shop.assert_recovering();
        }
    }

    #[test]
    fn behind_a_lock_on_its_tables_what_is_remembered_goes_on_and_the_rest_is_refused_in_time() {
        let database = own_database();
        let shop = Shop::open(Installation::on(&database.url));
        let forgotten = shop.admin.client("qa");
        let mut aside = Aside::open(&database.url);
        aside.execute("BEGIN; LOCK TABLE clients IN ACCESS EXCLUSIVE MODE");
        shop.token().issued();
        let url = shop.server.public_url("/qa/token");
        Shop::assert_unavailable("a look-up", || Caller::new().token(&url, &forgotten));
        shop.token().issued();
        aside.execute("ROLLBACK; BEGIN; LOCK TABLE epoch IN ACCESS EXCLUSIVE MODE");
        shop.assert_answering_nothing();
        aside.execute("ROLLBACK");
        shop.assert_recovering();
    }

    #[test]
    fn over_a_database_turned_read_only_tokens_go_on_and_changes_are_refused() {
        let database = own_database();
        let shop = Shop::open(Installation::on(&database.url));
        let mut aside = Aside::open(&database.url);
        let turn = |aside: &mut Aside, to: &str| {
            aside.execute(&format!(
                "SET default_transaction_read_only = off;
                 DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = {to}', current_database()); END $$"
            ));
            end_connections(aside);
        };
        turn(&mut aside, "on");
        let since = Instant::now();
        while shop.token().status != 200 || shop.introspect().status != 200 {
            assert!(since.elapsed() < PATIENCE, "it does not read again");
        }
        shop.assert_reading();
        shop.assert_not_committing();
        turn(&mut aside, "off");
        shop.assert_recovering();
    }

    #[test]
    fn without_a_connection_left_it_refuses_and_begins_again_when_there_is_one() {
        let cluster = Cluster::begin();
        let mut aside = Aside::open(&cluster.url());
        aside.execute("CREATE ROLE mintmark LOGIN");
        aside.execute("CREATE DATABASE mintmark OWNER mintmark");
        let url = cluster.url().replace("postgres@", "mintmark@");
        let (server, _) = url.rsplit_once('/').unwrap();
        let shop = Shop::open(Installation::on(&format!("{server}/mintmark")));
        // The answer is the one for a server that has no slots left (SQLSTATE 53300).
        aside.execute("ALTER ROLE mintmark CONNECTION LIMIT 0");
        let ended = "SELECT pg_terminate_backend(pid)::text AS line FROM pg_stat_activity WHERE usename = 'mintmark'";
        assert!(aside.lines(ended).len() >= 2);
        for _ in 0..2 {
            shop.assert_answering_nothing();
        }
        aside.execute("ALTER ROLE mintmark CONNECTION LIMIT -1");
        shop.assert_recovering();
    }

    #[test]
    fn an_older_copy_of_the_database_is_not_followed_even_when_it_has_grown_past_what_is_known() {
        let cluster = Cluster::begin();
        let shop = Shop::open(Installation::on(&cluster.url()));
        cluster.halt();
        cluster.keep_copy();
        cluster.begin_again();
        shop.assert_recovering();
        let leaked = shop.admin.client("qa");
        shop.admin.act(&format!("/clients/{}/revoke", leaked.client_id));
        shop.token().issued();

        cluster.halt();
        cluster.exchange_copy();
        cluster.begin_again();
        // A replica that begins now knows no other journal. It commits until the copy has more rows than the first replica knows.
        let later = shop.installation.start();
        let admin = later.admin(&shop.owner);
        for number in 0..30 {
            let partner = json!({ "partner_id": format!("later-{number}"), "name": "Later" });
            admin.post("/partners", &partner).expect(201);
        }
        drop(later);
        for _ in 0..2 {
            Shop::assert_unavailable("a token", || shop.token());
            Shop::assert_unavailable("an introspection", || shop.introspect());
        }
        shop.server.log().wait_for("the journal cannot be followed");

        cluster.halt();
        cluster.exchange_copy();
        cluster.begin_again();
        shop.assert_recovering();
        let url = shop.server.public_url("/qa/token");
        Caller::new().token(&url, &leaked).expect(401);
    }
}
