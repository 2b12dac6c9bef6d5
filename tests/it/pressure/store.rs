//! The store fails under a running server: reads go on where they can, what cannot be done is answered 503 in time, and it recovers
//! without a restart.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::calls::Reply;
use crate::support::server::{Installation, PATIENCE};
use crate::support::warm::WarmServer;

/// How soon a refusal comes, where nothing is waited for longer than half a second at a time.
const IN_TIME: Duration = Duration::from_secs(5);

/// A warm server that takes new partners.
struct Shop {
    warm: WarmServer,
    partners: AtomicUsize,
}

impl Shop {
    fn open(installation: Installation) -> Self {
        let shop = Self {
            warm: WarmServer::start(installation),
            partners: AtomicUsize::new(0),
        };
        shop.assert_reading();
        shop
    }

    /// Registers a partner that nobody has registered before.
    fn commit(&self) -> Reply {
        let number = self.partners.fetch_add(1, Ordering::Relaxed);
        let partner = json!({ "partner_id": format!("partner-{number}"), "name": "Another" });
        self.warm.admin.post("/partners", &partner)
    }

    /// What needs no more than what is remembered, or a look at the store.
    fn assert_reading(&self) {
        self.warm.token().issued();
        assert_eq!(self.warm.introspect().expect(200)["active"], true);
        assert_eq!(self.warm.status("/qa/jwks"), 200);
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
        Self::assert_unavailable("a revocation", || self.warm.revoke());
    }

    fn assert_answering_nothing(&self) {
        Self::assert_unavailable("a token", || self.warm.token());
        Self::assert_unavailable("an introspection", || self.warm.introspect());
        Self::assert_unavailable("a commit", || self.commit());
    }

    /// Asks until it serves again, all of it.
    fn assert_recovering(&self) {
        let since = Instant::now();
        while self.commit().status != 201 || self.warm.token().status != 200 {
            assert!(since.elapsed() < PATIENCE, "it does not recover");
        }
        // What was answered 503 may have been done; what was not asked for has not.
        assert!(matches!(self.warm.introspect().expect(200)["active"], Value::Bool(_)));
        self.assert_serving_another();
    }

    /// A client that nobody remembers is looked up, served, and refused once it is revoked.
    fn assert_serving_another(&self) {
        let another = self.warm.admin.client("qa");
        self.warm.token_of(&another).issued();
        let path = format!("/clients/{}/revoke", another.client_id);
        self.warm.admin.act(&path);
        self.warm.token_of(&another).expect(401);
    }
}

mod sqlite {
    use std::process::Command;

    use super::*;
    use crate::store::Aside;

    #[test]
    fn while_another_process_writes_tokens_go_on_and_changes_wait_or_are_refused() {
        let shop = Shop::open(Installation::sqlite());
        let mut other = Aside::open(shop.warm.installation.url());
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
        let process = shop.warm.server.id().to_string();
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
        let WarmServer {
            server, installation, ..
        } = shop.warm;
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
            let first = shop.warm.token().status;
            assert!([200, 503].contains(&first), "{first}");
            shop.assert_recovering();
        }
    }

    #[test]
    fn behind_a_lock_on_its_tables_what_is_remembered_goes_on_and_the_rest_is_refused_in_time() {
        let database = own_database();
        let shop = Shop::open(Installation::on(&database.url));
        let forgotten = shop.warm.admin.client("qa");
        let mut aside = Aside::open(&database.url);
        aside.execute("BEGIN; LOCK TABLE clients IN ACCESS EXCLUSIVE MODE");
        shop.warm.token().issued();
        Shop::assert_unavailable("a look-up", || shop.warm.token_of(&forgotten));
        shop.warm.token().issued();
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
        while shop.warm.token().status != 200 || shop.warm.introspect().status != 200 {
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
        let leaked = shop.warm.admin.client("qa");
        shop.warm.admin.act(&format!("/clients/{}/revoke", leaked.client_id));
        shop.warm.token().issued();

        cluster.halt();
        cluster.exchange_copy();
        cluster.begin_again();
        // A replica that begins now knows no other journal. It commits until the copy has more rows than the first replica knows.
        let later = shop.warm.installation.start();
        let admin = later.admin(&shop.warm.owner);
        for number in 0..30 {
            let partner = json!({ "partner_id": format!("later-{number}"), "name": "Later" });
            admin.post("/partners", &partner).expect(201);
        }
        drop(later);
        for _ in 0..2 {
            Shop::assert_unavailable("a token", || shop.warm.token());
            Shop::assert_unavailable("an introspection", || shop.warm.introspect());
        }
        shop.warm.server.log().wait_for("the journal cannot be followed");

        cluster.halt();
        cluster.exchange_copy();
        cluster.begin_again();
        shop.assert_recovering();
        shop.warm.token_of(&leaked).expect(401);
    }
}
