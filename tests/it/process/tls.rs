//! TLS on both listeners, and a certificate that is exchanged under a running server.

mod sqlite {
    use crate::support::calls::Caller;
    use crate::support::certificate::Certificate;
    use crate::support::server::{Installation, Server, Signal, write_private};
    use crate::support::wire::Wire;

    fn started(certificate: &Certificate) -> (Installation, Server) {
        let installation = certificate.shown_by(Installation::sqlite());
        let server = installation.start();
        (installation, server)
    }

    /// Whether both listeners show a certificate that is this one.
    fn shows(server: &Server, certificate: &Certificate) -> bool {
        let caller = Caller::trusting(&certificate.pem);
        let shown = [server.public_url("/livez"), server.admin_url("/livez")].map(|url| {
            let request = ureq::http::Request::get(url).body(String::new()).unwrap();
            caller.try_send(request).is_ok_and(|reply| reply.status == 200)
        });
        assert_eq!(shown[0], shown[1], "the listeners show different certificates");
        shown[0]
    }

    #[test]
    fn both_listeners_speak_tls_and_nothing_else() {
        let certificate = Certificate::new();
        let (installation, server) = started(&certificate);
        assert!(shows(&server, &certificate));
        assert!(!shows(&server, &Certificate::new()), "any certificate would have done");
        for address in [server.public(), server.admin_address()] {
            let mut plain = Wire::open(address);
            plain.send(b"GET /livez HTTP/1.1\r\nHost: auth\r\nConnection: close\r\n\r\n");
            let answer = plain.everything();
            assert!(!answer.starts_with(b"HTTP/"), "{:?}", String::from_utf8_lossy(&answer));
        }
        // The same installation answers over TLS to the verbs, and to clients.
        drop(server);
        let owner = installation.owner();
        let server = installation.start();
        let caller = Caller::trusting(&certificate.pem);
        let admin = server.admin(&owner).over(caller.clone());
        admin.furnish();
        let client = admin.client("qa");
        caller.token(&server.public_url("/qa/token"), &client).issued();
        let (chain, url) = (installation.path("tls.pem"), server.admin_url(""));
        let arguments = ["--server", &url, "--ca-file", chain.to_str().unwrap(), "list"];
        let listed = installation.run_with(
            &[&["partner"], &arguments[..]].concat(),
            &[("MINTMARK_OPERATOR_TOKEN", &owner)],
        );
        assert_eq!(listed.code, Some(0), "{listed:?}");
        assert!(listed.out.contains("acme"), "{listed:?}");
    }

    #[test]
    fn a_new_certificate_is_shown_without_a_restart_and_a_broken_one_never() {
        let (first, second) = (Certificate::new(), Certificate::new());
        let (installation, server) = started(&first);
        assert!(shows(&server, &first));

        second.put(&installation);
        server.signal(Signal::HangUp);
        server.log().wait_for("the certificate was read again");
        assert!(shows(&server, &second) && !shows(&server, &first));

        let broken = [
            (
                "no PEM",
                "tls.pem",
                "-----BEGIN CERTIFICATE-----\nnonsense\n".to_owned(),
            ),
            ("nothing", "tls.pem", String::new()),
            ("the key of another", "tls.key", first.key.clone()),
            ("no key", "tls.key", second.pem.clone()),
        ];
        for (what, file, text) in broken {
            let written = server.log().length();
            write_private(&installation.path(file), text.as_bytes());
            server.signal(Signal::HangUp);
            let line = server
                .log()
                .wait_for_one_after(written, "the certificate cannot be used");
            assert!(line.contains(file), "{what}: {line}");
            assert!(!line.contains("BEGIN") && !line.contains("nonsense"), "{what}: {line}");
            assert!(shows(&server, &second), "{what}");
            second.put(&installation);
        }

        let written = server.log().length();
        first.put(&installation);
        server.signal(Signal::HangUp);
        server
            .log()
            .wait_for_one_after(written, "the certificate was read again");
        assert!(shows(&server, &first) && !shows(&server, &second));
        assert_eq!(server.stop().0, Some(0));
    }
}
