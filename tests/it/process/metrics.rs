//! `/metrics`: counts move as they should, and nobody who calls can add a series.

mod sqlite {
    use std::collections::BTreeMap;

    use chrono::{DateTime, TimeDelta, Utc};
    use serde_json::json;

    use crate::support::calls::{Caller, Credentials};
    use crate::support::server::{Installation, Server};
    use crate::support::wire::Wire;

    /// Every series with its value.
    fn scrape(server: &Server) -> BTreeMap<String, f64> {
        let reply = Caller::new().get(&server.admin_url("/metrics"));
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4"));
        let lines = reply
            .text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        lines
            .map(|line| {
                let (series, value) = line.rsplit_once(' ').expect("a series has a value");
                (series.to_owned(), value.parse().expect("a value is a number"))
            })
            .collect()
    }

    fn count(metrics: &BTreeMap<String, f64>, series: &str) -> f64 {
        *metrics.get(series).unwrap_or_else(|| panic!("there is no {series}"))
    }

    #[test]
    fn tokens_are_counted_by_environment_and_outcome_and_every_endpoint_is_timed() {
        let installation = Installation::sqlite().with("limits.failures_per_minute", "3");
        let owner = installation.owner();
        let server = installation.start();
        let admin = server.admin(&owner);
        admin.furnish();
        let (qa, production) = (admin.client("qa"), admin.client("production"));
        let caller = Caller::new();
        let ask = |environment: &str, client: &Credentials, form: &[(&str, &str)]| {
            caller.form(&server.public_url(&format!("/{environment}/token")), client, form)
        };
        let before = scrape(&server);
        let grant = ("grant_type", "client_credentials");
        for _ in 0..3 {
            ask("qa", &qa, &[grant]).issued();
        }
        ask("production", &production, &[grant]).issued();
        ask("qa", &qa, &[grant, ("scope", "unknown")]).expect(400);
        ask("qa", &qa, &[grant, ("resource", "https://elsewhere.example")]).expect(400);
        ask("qa", &qa, &[("grant_type", "password")]).expect(400);
        ask("qa", &qa, &[]).expect(400);
        for status in [401, 401, 401, 429] {
            ask("production", &qa, &[grant]).expect(status);
        }
        let after = scrape(&server);
        let moved = |series: &str| count(&after, series) - count(&before, series);
        for (environment, outcome, expected) in [
            ("qa", "issued", 3.0),
            ("production", "issued", 1.0),
            ("qa", "invalid_scope", 1.0),
            ("qa", "invalid_target", 1.0),
            ("qa", "unsupported_grant_type", 1.0),
            ("qa", "invalid_request", 1.0),
            ("qa", "invalid_client", 0.0),
            ("production", "invalid_client", 3.0),
            ("production", "limited", 1.0),
            ("qa", "limited", 0.0),
        ] {
            let series = format!("mintmark_tokens_total{{environment=\"{environment}\",outcome=\"{outcome}\"}}");
            assert_eq!(moved(&series), expected, "{series}");
        }
        let timed = |endpoint| {
            moved(&format!(
                "mintmark_request_duration_seconds_count{{endpoint=\"{endpoint}\"}}"
            ))
        };
        assert_eq!(timed("token"), 12.0);
        assert_eq!((timed("introspect"), timed("admin")), (0.0, 0.0));
        admin.get("/whoami");
        let again = scrape(&server);
        let admin_series = "mintmark_request_duration_seconds_count{endpoint=\"admin\"}";
        assert_eq!(count(&again, admin_series) - count(&after, admin_series), 1.0);
        let head = admin.get("/journal/head")["epoch"].as_f64();
        assert_eq!(Some(count(&again, "mintmark_journal_epoch")), head);
    }

    #[test]
    fn refusals_are_counted_at_every_endpoint() {
        let installation = Installation::sqlite();
        let owner = installation.owner();
        let server = installation.start();
        let admin = server.admin(&owner);
        admin.furnish();
        let (client, asking) = (admin.client("qa"), admin.resource_server("qa"));
        let wrong = |of: &Credentials| Credentials {
            secret: "wrong".to_owned(),
            ..of.clone()
        };
        let caller = Caller::new();
        let before = scrape(&server);
        let form = |endpoint: &str, of: &Credentials| {
            let url = server.public_url(&format!("/qa/{endpoint}"));
            caller.form(&url, of, &[("token", "x")]).status
        };
        assert_eq!(form("introspect", &wrong(&asking)), 401);
        assert_eq!(form("introspect", &asking), 200);
        assert_eq!(form("revoke", &wrong(&client)), 401);
        assert_eq!(form("token", &client), 400);
        assert_eq!(admin.post("/partners", &json!({})).status, 400);
        let stranger = server.admin("mmo_nobody");
        assert_eq!(stranger.post("/partners", &json!({})).status, 401);
        let after = scrape(&server);
        for (endpoint, reason, expected) in [
            ("introspect", "unauthenticated", 1.0),
            ("introspect", "request", 0.0),
            ("revoke", "unauthenticated", 1.0),
            ("token", "request", 1.0),
            ("token", "unauthenticated", 0.0),
            ("admin", "unauthenticated", 1.0),
            ("admin", "request", 1.0),
        ] {
            let series = format!("mintmark_refusals_total{{endpoint=\"{endpoint}\",reason=\"{reason}\"}}");
            assert_eq!(count(&after, &series) - count(&before, &series), expected, "{series}");
        }
    }

    /// What may be got may be asked for its head (RFC 9110 §9.3.2).
    #[test]
    fn the_head_of_a_scrape_can_be_had_alone() {
        let server = Installation::sqlite().start();
        let mut wire = Wire::open(server.admin_address());
        wire.send(b"HEAD /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = String::from_utf8(wire.everything()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("text/plain; version=0.0.4"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }

    #[test]
    fn no_caller_adds_a_series() {
        let server = Installation::sqlite().start();
        let series = |server: &Server| scrape(server).into_keys().collect::<Vec<_>>();
        let before = series(&server);
        let caller = Caller::new();
        let stranger = Credentials {
            client_id: "nobody".to_owned(),
            secret: "nothing".to_owned(),
        };
        for number in 0..50 {
            caller
                .get(&server.public_url(&format!("/unknown-{number}?x={number}")))
                .expect(404);
            caller.get(&server.admin_url(&format!("/admin/v1/unknown-{number}")));
            let form = [("grant_type", format!("kind-{number}"))];
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            caller
                .form(&server.public_url(&format!("/env-{number}/token")), &stranger, &form)
                .expect(404);
            caller.form(&server.public_url("/qa/token"), &stranger, &form);
        }
        assert_eq!(series(&server), before);
    }

    #[test]
    fn expiring_secrets_and_the_ages_of_keys_are_shown() {
        let installation = Installation::sqlite();
        let owner = installation.owner();
        let server = installation.start();
        let admin = server.admin(&owner);
        admin.furnish();
        let (client, another) = (admin.client("qa"), admin.client("production"));
        let now: DateTime<Utc> = {
            let made = admin.get(&format!("/clients/{}", client.client_id))["created_at"].clone();
            made.as_str()
                .expect("a time is a text")
                .parse()
                .expect("a time is in RFC 3339")
        };
        for (hours, client) in [
            (12, &client),
            (5 * 24, &client),
            (12 * 24, &another),
            (29 * 24, &client),
            (40 * 24, &client),
        ] {
            let end = (now + TimeDelta::hours(hours)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            let path = format!("/clients/{}/secrets", client.client_id);
            let reply = admin.post(&path, &json!({ "expires_at": end }));
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
        let metrics = scrape(&server);
        for (within, qa, production) in [("1d", 1.0, 0.0), ("7d", 2.0, 0.0), ("14d", 2.0, 1.0), ("30d", 3.0, 1.0)] {
            for (environment, expected) in [("qa", qa), ("production", production)] {
                let series = format!("mintmark_secrets_expiring{{environment=\"{environment}\",within=\"{within}\"}}");
                assert_eq!(count(&metrics, &series), expected, "{series}");
            }
        }
        for environment in ["qa", "production"] {
            let age = |state| {
                count(
                    &metrics,
                    &format!("mintmark_key_age_seconds{{environment=\"{environment}\",state=\"{state}\"}}"),
                )
            };
            assert!((0.0..3600.0).contains(&age("active")), "{}", age("active"));
            assert!((0.0..3600.0).contains(&age("announced")), "{}", age("announced"));
            assert!(age("retiring").is_nan());
        }
    }
}
