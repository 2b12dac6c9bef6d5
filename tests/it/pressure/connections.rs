//! Connections held: by feeding them an octet at a time, and by saying nothing.

mod sqlite {
    use std::thread;
    use std::time::{Duration, Instant};

    use crate::pressure::held::Held;
    use crate::pressure::process::{Process, raise_limit_of_open_files};
    use crate::pressure::{Attack, World};
    use crate::support::calls::Caller;
    use crate::support::certificate::Certificate;
    use crate::support::server::{Installation, PATIENCE};

    /// Holds so many connections, each of which begins like this and then goes on an octet at a time.
    fn slow_loris(world: &World, count: usize, begins_with: &[u8]) {
        let address = world.server.public();
        world.stands(|attack: &Attack| {
            let mut held = Held::open(address, count, begins_with);
            attack.is_underway();
            while attack.goes_on_after(Duration::from_millis(100)) {
                held.send(b"a");
                held.fill(count);
            }
            assert!(held.shut > 0, "nobody is shut");
        });
    }

    /// Times short enough that an attack lasts for several of them.
    fn impatient() -> Installation {
        Installation::sqlite()
            .with("limits.header_timeout", "1s")
            .with("limits.body_timeout", "1s")
    }

    #[test]
    fn thousands_of_heads_that_come_an_octet_at_a_time_keep_nobody_out() {
        let world = World::warm(impatient());
        slow_loris(&world, 2000, b"POST /qa/token HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    }

    #[test]
    fn thousands_of_bodies_that_come_an_octet_at_a_time_keep_nobody_out() {
        let world = World::warm(impatient());
        let head = "POST /qa/token HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\
                    Content-Type: application/x-www-form-urlencoded\r\n\r\n";
        slow_loris(&world, 2000, head.as_bytes());
    }

    #[test]
    fn ten_thousand_idle_connections_keep_nobody_out() {
        let installation = Installation::sqlite()
            .with("limits.header_timeout", "1m")
            .with("limits.connections", "10000");
        let world = World::warm(installation);
        let address = world.server.public();
        world.stands(|attack: &Attack| {
            let held = Held::open(address, 10_000, b"");
            let holds = Process::of(&world.server).files;
            assert!(
                held.streams.len() >= 4000 && holds >= 4000,
                "of 10,000 idle connections only {} can be had here, with {holds} descriptors: raise `ulimit -Hn` to 12000",
                held.streams.len()
            );
            attack.is_underway();
            while attack.goes_on_after(Duration::from_secs(60)) {}
            drop(held);
        });
    }

    #[test]
    fn whoever_never_shakes_hands_keeps_nobody_out_and_is_let_go() {
        raise_limit_of_open_files();
        let certificate = Certificate::new();
        let installation = certificate.shown_by(Installation::sqlite().with("limits.header_timeout", "1s"));
        let server = installation.start();
        let caller = Caller::trusting(&certificate.pem);
        for _ in 0..3 {
            let mut held = Held::open(server.public(), 2_000, b"");
            assert_eq!(held.streams.len(), 2_000);
            let since = Instant::now();
            assert_eq!(caller.get(&server.public_url("/livez")).status, 200);
            // Two workers that shook hands with 256 at a time would let a newcomer wait for four rounds.
            assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
            while held.shut < 2_000 {
                held.send(b"");
                assert!(since.elapsed() < PATIENCE, "{} are let go", held.shut);
                thread::yield_now();
            }
        }
    }

    #[test]
    fn whoever_holds_every_place_loses_some_to_newcomers() {
        for begins_with in [
            "",
            "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /livez HT",
            "POST /qa/token HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant",
        ] {
            let installation = Installation::sqlite()
                .with("limits.header_timeout", "1m")
                .with("limits.body_timeout", "1m")
                .with("limits.connections", "64");
            let world = World::warm(installation);
            let address = world.server.public();
            world.stands(|attack: &Attack| {
                let mut held = Held::open(address, 64, begins_with.as_bytes());
                attack.is_underway();
                while attack.goes_on_after(Duration::from_millis(100)) {
                    held.send(b"");
                    held.fill(64);
                }
                assert!(held.shut > 0, "{begins_with:?}");
            });
        }
    }
}
