//! TLS on both listeners, and a certificate that is exchanged under a running server.

mod sqlite {
    use std::fs;

    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use crate::support::calls::Caller;
    use crate::support::server::{Installation, Server, Signal, write_private};
    use crate::support::wire::Wire;

    /// A certificate for the loopback address, and its key, both in PEM.
    struct Certificate {
        pem: String,
        key: String,
    }

    fn certificate() -> Certificate {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        Certificate {
            pem: cert.pem(),
            key: signing_key.serialize_pem(),
        }
    }

    fn put(installation: &Installation, certificate: &Certificate) {
        fs::write(installation.path("tls.pem"), &certificate.pem).unwrap();
        write_private(&installation.path("tls.key"), certificate.key.as_bytes());
    }

    fn started(certificate: &Certificate) -> (Installation, Server) {
        let installation = Installation::sqlite();
        let path = |name| installation.path(name).display().to_string();
        let (chain, key) = (path("tls.pem"), path("tls.key"));
        let installation = installation
            .with("tls.certificate_file", &chain)
            .with("tls.key_file", &key)
            .with("public_url", "https://auth.example.com");
        put(&installation, certificate);
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
        let certificate = certificate();
        let (installation, server) = started(&certificate);
        assert!(shows(&server, &certificate));
        assert!(!shows(&server, &self::certificate()), "any certificate would have done");
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
        let (first, second) = (certificate(), certificate());
        let (installation, server) = started(&first);
        assert!(shows(&server, &first));

        put(&installation, &second);
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
            put(&installation, &second);
        }

        let written = server.log().length();
        put(&installation, &first);
        server.signal(Signal::HangUp);
        server
            .log()
            .wait_for_one_after(written, "the certificate was read again");
        assert!(shows(&server, &first) && !shows(&server, &second));
        assert_eq!(server.stop().0, Some(0));
    }
}
