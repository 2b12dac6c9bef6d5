//! Notices of the built program: the line, the list, the webhook, and an end that waits for no receiver.

mod sqlite {
    use std::fs;
    use std::sync::mpsc::channel;

    use mintmark::ambient::{Clock as _, SystemClock};
    use mintmark::domain::{Seconds, Timestamp};
    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use serde_json::{Value, json};

    use crate::notices::receiver::{Receiver, Reply};
    use crate::support::calls::{Admin, Caller, new_client};
    use crate::support::server::{Installation, Server, write_private};

    const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    /// An installation that looks every second and sends to `url`.
    fn sending(url: &str) -> Installation {
        let installation = Installation::sqlite()
            .with("notices.every", "1s")
            .with("webhook.url", url)
            .with("log.level", "trace");
        let secret = installation.path("webhook.secret");
        write_private(&secret, SECRET.as_bytes());
        installation.with("webhook.secret_file", secret.to_str().unwrap())
    }

    /// The time so many days from now, as the admin API takes it.
    fn in_days(days: u32) -> String {
        (SystemClock.now() + Seconds::from_days(days)).to_string()
    }

    /// Registers a client that ends in so many days.
    fn ending_client(admin: &Admin, days: u32) -> Value {
        let mut body = new_client("qa");
        body["expires_at"] = json!(in_days(days));
        admin.post("/clients", &body).expect(201)["client"].clone()
    }

    fn started(installation: &Installation) -> (Server, Admin) {
        let owner = installation.owner();
        let server = installation.start();
        let admin = server.admin(&owner);
        admin.furnish();
        (server, admin)
    }

    #[test]
    fn a_client_that_ends_soon_is_told_of_in_the_log_the_list_and_the_webhook() {
        let receiver = Receiver::start();
        let installation = sending(&receiver.url());
        let (server, admin) = started(&installation);
        let client = ending_client(&admin, 5);
        let before = admin.get("/journal/head");

        let got = receiver.next().json();
        let data = &got["data"];
        assert_eq!((&got["type"], &data["days"]), (&json!("client.expiring"), &json!(7)));
        for member in ["client_id", "partner_id", "environment", "expires_at"] {
            assert_eq!(data[member], client[member], "{member}");
        }
        let line = server.log().wait_for("a client expires soon");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["level"], "WARN");
        for member in [
            "notice_id",
            "kind",
            "client_id",
            "partner_id",
            "environment",
            "days",
            "expires_at",
        ] {
            assert_eq!(line[member], data[member], "{member}");
        }
        assert_eq!(line["secret_id"], Value::Null);

        server.log().wait_for("a notice was delivered");
        let delivered = || admin.list("/notices?delivery=delivered");
        let listed = std::iter::repeat_with(delivered)
            .find(|listed| !listed.is_empty())
            .unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0]["notice_id"], data["notice_id"]);
        assert_eq!(listed[0]["attempts"], 1);
        let metrics = Caller::new().get(&server.admin_url("/metrics")).text;
        for series in [
            "mintmark_webhook_deliveries_total{outcome=\"delivered\"} 1",
            "mintmark_clients_expiring{environment=\"qa\",within=\"7d\"} 1",
            "mintmark_clients_expiring{environment=\"qa\",within=\"1d\"} 0",
            "mintmark_clients_expiring{environment=\"production\",within=\"30d\"} 0",
        ] {
            assert!(metrics.lines().any(|line| line == series), "{series} in\n{metrics}");
        }
        assert_eq!(admin.get("/journal/head"), before, "a notice is no change");

        let (code, log) = server.stop();
        assert_eq!(code, Some(0));
        // Not even at trace: the address may be a secret, the secret is one, and what is sent is nobody's who reads the log.
        for hidden in [&SECRET["whsec_".len()..], "team=payments", "webhook-signature", "v1,"] {
            assert!(!log.contains(hidden), "{hidden} is in the log");
        }
    }

    #[test]
    fn of_many_at_once_twenty_have_lines_and_the_rest_a_number() {
        let installation = Installation::sqlite();
        let (server, admin) = started(&installation);
        for _ in 0..23 {
            ending_client(&admin, 5);
        }
        server.stop();
        let installation = installation.with("notices.every", "1s");
        let server = installation.start();
        let line = server.log().wait_for("more expires soon");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&line["level"], &line["count"]), (&json!("WARN"), &json!(3)));
        let (_, log) = server.stop();
        assert_eq!(log.matches("a client expires soon").count(), 20);
    }

    #[test]
    fn a_receiver_that_stalls_holds_up_neither_requests_nor_the_end() {
        let receiver = Receiver::start();
        let (_hold, released) = channel();
        receiver.will([Reply::Stall(released, 204)]);
        let installation = sending(&receiver.url()).with("webhook.timeout", "1m");
        let (server, admin) = started(&installation);
        ending_client(&admin, 5);
        receiver.next();
        let client = admin.client("qa");
        Caller::new().token(&server.public_url("/qa/token"), &client).issued();
        assert_eq!(server.stop().0, Some(0));
        // What was under way is written as such, and nothing was sent a second time.
        let server = installation.start();
        server.log().wait_for("ready");
        assert_eq!(receiver.rest().len(), 0);
    }

    #[test]
    fn a_killed_server_leaves_its_notices_to_the_next() {
        let receiver = Receiver::start();
        receiver.will([Reply::Status(503)]);
        let installation = sending(&receiver.url());
        let (server, admin) = started(&installation);
        ending_client(&admin, 5);
        let first = receiver.next();
        server
            .log()
            .wait_for("a notice was not delivered and is tried again later");
        // The line comes before the row: wait until the row says that the attempt has failed, in less than the time a lost one takes.
        let soon = |notice: &Value| {
            let next: Timestamp = notice["next_attempt_at"].as_str().unwrap().parse().unwrap();
            next < SystemClock.now() + Seconds(50)
        };
        let waits = || admin.list("/notices?delivery=waiting").iter().all(soon);
        assert!(std::iter::repeat_with(waits).any(|waits| waits));
        server.kill();
        // Half a minute is not waited for: what it would bring is brought by hand.
        crate::store::Aside::open(installation.url())
            .execute("UPDATE notices SET next_attempt_at = next_attempt_at - 60");
        let server = installation.start();
        let second = receiver.next();
        assert_eq!(second.header("webhook-id"), first.header("webhook-id"));
        server.log().wait_for("a notice was delivered");
        assert!(
            !server.log().text().contains("a client expires soon"),
            "it was said before"
        );
    }

    #[test]
    fn the_certificate_of_a_receiver_is_held_against_those_that_are_believed() {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let there = Installation::sqlite();
        let (chain, key) = (there.path("tls.pem"), there.path("tls.key"));
        fs::write(&chain, cert.pem()).unwrap();
        write_private(&key, signing_key.serialize_pem().as_bytes());
        let there = there
            .with("tls.certificate_file", chain.to_str().unwrap())
            .with("tls.key_file", key.to_str().unwrap())
            .with("public_url", "https://auth.example.com");
        // It takes no notices, but says so over TLS.
        let receiver = there.start();
        let url = receiver.public_url("/hook");
        for (ca_file, reason) in [(chain.to_str().unwrap(), "status 404"), ("", "TLS failed")] {
            let installation = sending(&url).with("webhook.ca_file", ca_file);
            let (server, admin) = started(&installation);
            ending_client(&admin, 5);
            let line = server
                .log()
                .wait_for("a notice was not delivered and is tried again later");
            let line: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(line["reason"], reason, "{ca_file}: {line}");
        }
    }

    #[test]
    fn a_webhook_that_cannot_be_signed_or_trusted_does_not_start() {
        let installation = Installation::sqlite().with("webhook.url", "https://hooks.example.com/in");
        let refused = installation.run(&["check"]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(
            refused
                .err
                .contains("webhook.secret (default) is missing: webhook.url is set"),
            "{refused:?}"
        );
        let installation = sending("https://hooks.example.com/in").with("webhook.ca_file", "/no/such/ca.pem");
        let refused = installation.start_refused();
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(
            refused.err.contains("webhook.ca_file: /no/such/ca.pem cannot be read"),
            "{refused:?}"
        );
    }
}
