//! What callers can take from a server is bounded: sizes, times, connections.

mod sqlite {
    use std::net::{SocketAddr, TcpStream};
    use std::time::{Duration, Instant};

    use crate::support::calls::{Caller, Credentials};
    use crate::support::server::{Installation, PATIENCE, Server};
    use crate::support::wire::{Wire, exchange};

    /// A server with short times, a client of it, and the token of its owner.
    fn impatient(connections: &str) -> (Server, Credentials, String) {
        let installation = Installation::sqlite()
            .with("limits.header_timeout", "1s")
            .with("limits.keep_alive", "1s")
            .with("limits.body_timeout", "1s")
            .with("limits.body", "1024")
            .with("limits.admin_body", "2048")
            .with("limits.connections", connections);
        let owner = installation.owner();
        let server = installation.start();
        let admin = server.admin(&owner);
        admin.furnish();
        let client = admin.client("qa");
        (server, client, owner)
    }

    fn still_serves(server: &Server, client: &Credentials) {
        Caller::new().token(&server.public_url("/qa/token"), client).issued();
    }

    /// The status of what comes back before the server closes; none when it only closes.
    fn status(mut wire: Wire) -> Option<u16> {
        let octets = wire.everything();
        let text = String::from_utf8_lossy(&octets);
        text.split(' ').nth(1).and_then(|status| status.parse().ok())
    }

    #[test]
    fn a_large_head_is_refused() {
        let (server, client, _) = impatient("1000");
        for address in [server.public(), server.admin_address()] {
            let large = format!(
                "GET /livez HTTP/1.1\r\nHost: a\r\nX-Large: {}\r\n\r\n",
                "x".repeat(1 << 20)
            );
            let many = format!("GET /livez HTTP/1.1\r\nHost: a\r\n{}\r\n", "X-A: b\r\n".repeat(10_000));
            let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(1 << 20));
            for head in [large, many, long] {
                let mut wire = Wire::open(address);
                wire.send(head.as_bytes());
                let status = status(wire);
                assert!(status.is_none_or(|status| (400..500).contains(&status)), "{status:?}");
            }
        }
        still_serves(&server, &client);
    }

    #[test]
    fn a_slow_head_is_given_up() {
        let (server, client, _) = impatient("1000");
        for begun in ["", "GET /livez HT", "GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: "] {
            for address in [server.public(), server.admin_address()] {
                let since = Instant::now();
                let mut wire = Wire::open(address);
                wire.send(begun.as_bytes());
                assert!(matches!(status(wire), None | Some(408)), "{begun:?}");
                assert!(since.elapsed() < PATIENCE);
            }
        }
        still_serves(&server, &client);
    }

    #[test]
    fn a_later_head_is_given_up_too() {
        let (server, client, _) = impatient("1000");
        for address in [server.public(), server.admin_address()] {
            for begun in ["", "GET /livez HT"] {
                let since = Instant::now();
                let mut wire = Wire::open(address);
                wire.send(format!("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n{begun}").as_bytes());
                let octets = wire.everything();
                assert!(octets.starts_with(b"HTTP/1.1 200"), "{begun:?}");
                assert!(since.elapsed() < PATIENCE, "{begun:?}");
            }
        }
        still_serves(&server, &client);
    }

    fn token_head(client: &Credentials, framing: &str) -> String {
        format!(
            "POST /qa/token HTTP/1.1\r\nHost: a\r\nAuthorization: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n{framing}\r\n\r\n",
            client.basic()
        )
    }

    fn admin_head(owner: &str, framing: &str) -> String {
        format!(
            "POST /admin/v1/partners HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {owner}\r\n\
             Content-Type: application/json\r\n{framing}\r\n\r\n"
        )
    }

    #[test]
    fn a_slow_body_is_answered_408() {
        let (server, client, owner) = impatient("1000");
        let framing = "Content-Length: 29";
        for (address, head) in [
            (server.public(), token_head(&client, framing)),
            (server.admin_address(), admin_head(&owner, framing)),
        ] {
            let mut wire = Wire::open(address);
            wire.send(head.as_bytes());
            wire.send(b"{");
            assert_eq!(status(wire), Some(408), "{head}");
        }
        still_serves(&server, &client);
    }

    /// Nobody here speaks another protocol, and a server may pass over the wish (RFC 9110 §7.8).
    #[test]
    fn a_wish_for_another_protocol_is_passed_over() {
        let installation = Installation::sqlite().with("limits.body_timeout", "1m");
        let owner = installation.owner();
        let server = installation.start();
        let admin = server.admin(&owner);
        admin.furnish();
        let client = admin.client("qa");
        let form = "grant_type=client_credentials";
        for wish in [
            "Connection: upgrade\r\nUpgrade: websocket",
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
        ] {
            let since = Instant::now();
            let framing = format!("{wish}\r\nContent-Length: {}", form.len());
            let answer = exchange(server.public(), (token_head(&client, &framing) + form).as_bytes());
            assert_eq!(answer.status, 200, "{wish}: {}", answer.text());
            assert!(answer.json()["access_token"].is_string(), "{wish}");
            let answer = exchange(server.public(), token_head(&client, wish).as_bytes());
            assert_eq!(answer.json()["error"], "invalid_request", "{wish}: without a body");
            let head = format!("GET /livez HTTP/1.1\r\nHost: a\r\n{wish}\r\n\r\n");
            assert_eq!(exchange(server.admin_address(), head.as_bytes()).status, 200, "{wish}");
            assert!(since.elapsed() < PATIENCE, "{wish}");
        }
    }

    /// An octet that needs no escape is the same with one (RFC 3986 §6.2.2.2); a slash is not (§2.2).
    #[test]
    fn a_path_may_be_escaped_where_that_changes_nothing() {
        let (server, client, _) = impatient("1000");
        let ask = |path: &str| Caller::new().token(&server.public_url(path), &client).status;
        assert_eq!(ask("/%71a/%74oken"), 200);
        assert_eq!(ask("/qa%2Ftoken"), 404);
        assert_eq!(ask("/%2571a/token"), 404);
    }

    /// Sends pieces of a body that has no end, until the server no longer takes them.
    fn endless(address: SocketAddr, head: &str) -> Option<u16> {
        let mut wire = Wire::open(address);
        wire.send(head.as_bytes());
        let piece = format!("400\r\n{}\r\n", "x".repeat(0x400));
        let since = Instant::now();
        while wire.send(piece.as_bytes()) {
            assert!(since.elapsed() < PATIENCE, "the server reads for ever");
        }
        status(wire)
    }

    #[test]
    fn an_endless_body_is_not_read_to_its_end() {
        let (server, client, owner) = impatient("1000");
        let chunked = "Transfer-Encoding: chunked";
        let get = format!("GET /livez HTTP/1.1\r\nHost: a\r\n{chunked}\r\n\r\n");
        for (address, head) in [
            (server.public(), token_head(&client, chunked)),
            (server.admin_address(), admin_head(&owner, chunked)),
            (server.admin_address(), admin_head("mmo_nobody", chunked)),
            (server.public(), get.clone()),
            (server.admin_address(), get),
        ] {
            // What was answered may be lost when the server closes on a caller that still sends.
            let status = endless(address, &head);
            assert!(
                status.is_none_or(|status| [200, 401, 413].contains(&status)),
                "{status:?} to {head}"
            );
        }
        still_serves(&server, &client);
    }

    #[test]
    fn a_body_beyond_the_bound_is_answered_413_in_the_form_of_its_endpoint() {
        let (server, client, owner) = impatient("1000");
        for (address, head, length, member) in [
            (
                server.public(),
                token_head(&client, "Connection: close\r\nContent-Length: 1025"),
                1025,
                "error",
            ),
            (
                server.admin_address(),
                admin_head(&owner, "Connection: close\r\nContent-Length: 2049"),
                2049,
                "type",
            ),
        ] {
            let answer = exchange(address, &[head.as_bytes(), &vec![b' '; length][..]].concat());
            assert_eq!(answer.status, 413, "{}", answer.text());
            assert!(answer.json()[member].is_string(), "{}", answer.text());
        }
    }

    fn idle(address: SocketAddr, connections: usize) -> Vec<TcpStream> {
        (0..connections)
            .map(|_| TcpStream::connect(address).expect("the backlog has room"))
            .collect()
    }

    #[test]
    fn two_hundred_idle_connections_keep_nobody_out() {
        let (server, client, _) = impatient("1000");
        let flood = idle(server.public(), 200);
        let since = Instant::now();
        still_serves(&server, &client);
        assert!(since.elapsed() < Duration::from_secs(10));
        drop(flood);
    }

    #[test]
    fn a_flood_beyond_the_bound_passes_as_its_connections_time_out() {
        let (server, client, _) = impatient("16");
        // Twice the bound: let in and sent away in turns of one header timeout each.
        let flood = idle(server.public(), 32);
        still_serves(&server, &client);
        drop(flood);
    }

    #[test]
    fn the_bound_on_connections_is_that_of_the_listener() {
        let installation = Installation::sqlite()
            .with("limits.header_timeout", "1m")
            .with("limits.connections", "16");
        let server = installation.start();
        let flood = idle(server.public(), 24);
        // Of these 24 only 16 are let in, and they stay for a minute: whoever comes after them waits.
        let stranger = TcpStream::connect(server.public()).unwrap();
        stranger.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let mut wire = Wire::over(stranger);
        wire.send(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert!(wire.is_silent(), "more connections are let in than there may be");
        drop(flood);
        assert_eq!(wire.patiently().answer().status, 200);
    }

    /// What a server says that is started with this limit of open files and is to have 200 connections.
    fn said_with_files(limit: &str) -> String {
        let installation = Installation::sqlite()
            .with("limits.connections", "200")
            .opening_files(limit);
        let (code, log) = installation.start().stop();
        assert_eq!(code, Some(0), "{log}");
        log
    }

    #[test]
    fn a_server_takes_the_open_files_it_may_and_tells_where_they_are_too_few() {
        let warning = "this process may open too few files for limits.connections = 200";
        assert!(!said_with_files("256:").contains(warning));
        assert!(said_with_files("256:256").contains(warning));
    }
}
