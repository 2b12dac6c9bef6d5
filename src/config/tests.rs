//! The settings as a whole: layers, refusals, redaction, findings, reference.

use std::fs;
use std::path::Path;
use std::time::Duration;

use log::LevelFilter;

use super::*;
use crate::domain::{Algorithm, Environment, Seconds};
use crate::registry::Freshness;
use crate::store::Migrate;
use crate::telemetry::LogFormat;

/// A settings file `mintmark.toml` and variables without their prefix.
pub(super) fn parse(file: &str, variables: &[(&str, &str)]) -> Result<Settings, RefusedSettings> {
    let file = SettingsFile {
        path: DEFAULT_FILE.into(),
        text: file.to_owned(),
    };
    let environment = variables
        .iter()
        .map(|(name, value)| (format!("MINTMARK_{name}"), (*value).to_owned()));
    Settings::parse(file.entries(), environment)
}

pub(super) fn problems(file: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let refused = parse(file, variables).unwrap_err();
    refused.problems.iter().map(ToString::to_string).collect()
}

fn shown(settings: &Settings, key: &str) -> String {
    let setting = settings.effective().iter().find(|setting| setting.key == key);
    setting.unwrap().to_string()
}

#[test]
fn the_defaults_are_those_promised() {
    let settings = parse("", &[]).unwrap();
    assert_eq!(settings.public_url.as_str(), "http://127.0.0.1:8080");
    assert_eq!(settings.listen.public, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(settings.listen.admin, "127.0.0.1:8081".parse().unwrap());
    assert!(settings.trusted_proxies.is_empty());
    assert!(settings.tls.is_none());
    assert_eq!(settings.database.url, "sqlite:data/mintmark.db".parse().unwrap());
    assert_eq!(settings.database.pool_size, 8);
    assert_eq!(settings.database.timeout, Duration::from_secs(1));
    assert_eq!(settings.database.migrate, Migrate::Auto);
    assert_eq!(settings.keys.master_key_file, Path::new("keys/master.key"));
    assert_eq!(settings.keys.rotate_every, Seconds::from_days(30));
    assert_eq!(settings.jwks.max_age, Seconds(300));
    assert_eq!(settings.tokens.lifetime.seconds(), Seconds(300));
    for environment in Environment::ALL {
        assert_eq!(settings.environments.of(environment).algorithm, Algorithm::Es256);
    }
    assert_eq!(settings.registry.cache, 100_000);
    assert_eq!(settings.registry.revoked, 1_000_000);
    assert_eq!(settings.registry.verified, 10_000);
    assert_eq!(settings.registry.timeout, Duration::from_secs(1));
    assert_eq!(settings.registry.freshness, Freshness::AtOnce);
    assert_eq!(settings.registry.outage, None);
    assert_eq!(settings.limits.body, 16_384);
    assert_eq!(settings.limits.admin_body, 65_536);
    assert_eq!(settings.limits.header_timeout, Duration::from_secs(5));
    assert_eq!(settings.limits.body_timeout, Duration::from_secs(10));
    assert_eq!(settings.limits.connections, 10_000);
    assert_eq!(settings.limits.budgets.failures_per_minute.get(), 30);
    assert_eq!(settings.operators.token_lifetime, Seconds::from_days(90));
    assert_eq!(settings.console.sessions.idle, Seconds(1_800));
    assert_eq!(settings.console.sessions.longest, Seconds(43_200));
    assert!(!settings.metadata.response_types_supported);
    assert_eq!(settings.log.level, LevelFilter::Info);
    assert_eq!(settings.log.format, LogFormat::Auto);
    assert!(!settings.log.requests);
    assert_eq!(settings.shutdown.notice, Duration::from_millis(500));
    assert_eq!(settings.shutdown.deadline, Duration::from_secs(30));
    assert!(
        settings
            .effective()
            .iter()
            .all(|setting| setting.origin == Origin::Default)
    );
}

#[test]
fn the_environment_goes_before_the_file_and_the_file_before_the_default() {
    let file = "[tokens]\nlifetime = \"10m\"\n[jwks]\nmax_age = \"1m\"\n";
    let settings = parse(file, &[("TOKENS__LIFETIME", "15m")]).unwrap();
    assert_eq!(settings.tokens.lifetime.seconds(), Seconds(900));
    assert_eq!(settings.jwks.max_age, Seconds(60));
    assert_eq!(
        shown(&settings, "tokens.lifetime"),
        "tokens.lifetime = 15m (environment variable MINTMARK_TOKENS__LIFETIME)"
    );
    assert_eq!(
        shown(&settings, "jwks.max_age"),
        "jwks.max_age = 1m (mintmark.toml line 4)"
    );
    assert_eq!(shown(&settings, "log.level"), "log.level = info (default)");
}

/// Every key with a value that is not its default.
const GIVEN: &[(&str, &str)] = &[
    ("public_url", "https://auth.example.com"),
    ("listen.public", "127.0.0.1:1"),
    ("listen.admin", "[::1]:2"),
    ("trusted_proxies", "10.0.0.0/8, ::1"),
    ("tls.certificate_file", "certificate.pem"),
    ("tls.key_file", "key.pem"),
    ("database.url", "postgresql://db.internal/mintmark"),
    ("database.pool_size", "64"),
    ("database.timeout", "250ms"),
    ("database.migrate", "require"),
    ("keys.master_key_file", "/keys/master.key"),
    ("keys.rotate_every", "7d"),
    ("jwks.max_age", "10m"),
    ("tokens.lifetime", "1h"),
    ("tokens.coalesce", "30s"),
    ("environments.qa.algorithm", "EdDSA"),
    ("environments.production.algorithm", "PS256"),
    ("registry.cache", "1000"),
    ("registry.revoked", "2000"),
    ("registry.verified", "3000"),
    ("registry.timeout", "2s"),
    ("registry.freshness", "5s"),
    ("registry.outage", "30s"),
    ("limits.body", "2048"),
    ("limits.admin_body", "4096"),
    ("limits.header_timeout", "1s"),
    ("limits.keep_alive", "10s"),
    ("limits.body_timeout", "2s"),
    ("limits.connections", "100"),
    ("limits.failures_per_minute", "5"),
    ("limits.unknown_ids_per_minute", "6"),
    ("limits.revocations_per_minute", "7"),
    ("operators.token_lifetime", "1d"),
    ("console.idle", "10m"),
    ("console.longest", "8h"),
    ("notices.every", "30s"),
    ("notices.retention", "30d"),
    ("webhook.url", "https://hooks.example.com"),
    ("webhook.secret", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    (
        "webhook.previous_secret",
        "whsec_AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ),
    ("webhook.timeout", "2s"),
    ("webhook.ca_file", "ca.pem"),
    ("secrets.safe_to_retire_after", "7d"),
    ("usage.keep", "90d"),
    ("metadata.response_types_supported", "true"),
    ("log.level", "debug"),
    ("log.format", "json"),
    ("log.requests", "true"),
    ("shutdown.notice", "2s"),
    ("shutdown.deadline", "5s"),
];

#[test]
fn every_key_can_be_given_by_file_and_by_environment() {
    let file: Vec<_> = GIVEN
        .iter()
        .map(|(key, value)| format!("{key} = \"{value}\""))
        .collect();
    let variables: Vec<_> = GIVEN
        .iter()
        .map(|(key, value)| (key.replace('.', "__").to_ascii_uppercase(), *value))
        .collect();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    for settings in [parse(&file.join("\n"), &[]).unwrap(), parse("", &variables).unwrap()] {
        let effective: Vec<_> = settings
            .effective()
            .iter()
            .map(|setting| (setting.key, setting.value.as_str()))
            .collect();
        let shown = GIVEN
            .iter()
            .map(|&(key, value)| (key, if key.ends_with("secret") { "[redacted]" } else { value }));
        assert_eq!(effective, shown.collect::<Vec<_>>());
        assert!(
            settings
                .effective()
                .iter()
                .all(|setting| setting.origin != Origin::Default)
        );
        assert_eq!(settings.registry.freshness, Freshness::Within(Duration::from_secs(5)));
        assert_eq!(settings.registry.outage, Some(Duration::from_secs(30)));
        assert_eq!(settings.environments.production.algorithm, Algorithm::Ps256);
        assert!(settings.trusted_proxies.trust("10.1.2.3".parse().unwrap()));
    }
}

#[test]
fn the_file_may_use_toml_types() {
    let file = "trusted_proxies = [\"10.0.0.0/8\"]\n[database]\npool_size = 16\n[log]\nrequests = true\n[tls]\n";
    let settings = parse(file, &[]).unwrap();
    assert!(settings.trusted_proxies.trust("10.0.0.1".parse().unwrap()));
    assert_eq!(settings.database.pool_size, 16);
    assert!(settings.log.requests);
}

#[test]
fn everything_that_is_wrong_is_reported_at_once_with_its_place() {
    let file = "public_url = \"http://auth.example.com\"\n[tokens]\nlifetime = 300\n[database]\npool_sise = 8\n";
    let found = problems(
        file,
        &[
            ("DATABASE__POOL_SIZE", "65"),
            ("LOG__LEVEL", "loud"),
            ("TLS__KEY_FILE", "key.pem"),
            ("LISTEN__ADMIN", "localhost"),
            ("LOG__FROMAT", "json"),
        ],
    );
    assert_eq!(
        found,
        [
            "public_url (mintmark.toml line 1) must use https, since its host is not a loopback address",
            "listen.admin (environment variable MINTMARK_LISTEN__ADMIN) must be an IP address and a port such as \
             `127.0.0.1:8080` or `[::1]:8080`",
            "tls.certificate_file (default) is missing: tls.key_file is set",
            "database.pool_size (environment variable MINTMARK_DATABASE__POOL_SIZE) must be a whole number from 1 to 64",
            "tokens.lifetime (mintmark.toml line 3) must be a duration from `60s` to `3600s`, written with its unit: \
             `ms`, `s`, `m`, `h` or `d`",
            "log.level (environment variable MINTMARK_LOG__LEVEL) must be one of `off`, `error`, `warn`, `info`, \
             `debug`, `trace`",
            "database.pool_sise (mintmark.toml line 5) is not a setting; did you mean database.pool_size?",
            "log.fromat (environment variable MINTMARK_LOG__FROMAT) is not a setting; did you mean \
             MINTMARK_LOG__FORMAT?",
        ]
    );
}

#[test]
fn a_file_that_is_not_toml_is_reported_together_with_the_environment() {
    let found = problems(
        "[tokens\nlifetime = 5",
        &[
            ("LOG__LEVEL", "loud"),
            ("LISTEN__PUBLIC", "0.0.0.0:8080"),
            ("TLS__KEY_FILE", "key.pem"),
        ],
    );
    assert!(found[0].starts_with("mintmark.toml line 1: is not TOML: "), "{found:?}");
    assert!(
        found.iter().any(|problem| problem.starts_with("log.level ")),
        "{found:?}"
    );
    assert!(
        !found.iter().any(|problem| problem.contains("not a setting")),
        "{found:?}"
    );
    // The file may hold the proxies and the certificate that make these right; as long as nobody knows, nothing is said.
    assert!(
        !found
            .iter()
            .any(|problem| problem.contains("plain HTTP") || problem.contains("is missing")),
        "{found:?}"
    );
}

#[test]
fn a_section_is_no_setting_and_a_setting_no_section() {
    assert_eq!(
        problems("database = \"x\"\n", &[]),
        ["database (mintmark.toml line 1) is a section, not a setting"]
    );
    assert_eq!(
        problems("[[database]]\nurl = \"sqlite:x.db\"\n", &[]),
        ["database (mintmark.toml line 1) is a section, not a setting"]
    );
    assert_eq!(
        problems("[databse]\n", &[]),
        ["databse (mintmark.toml line 1) is not a setting; did you mean database.url?"]
    );
    assert!(problems("[public_url]\n", &[])[0].starts_with("public_url (mintmark.toml line 1) must be an origin"));
    assert!(problems("[public_url]\nx = 1\n", &[])[0].contains("did you mean public_url?"));
}

#[test]
fn a_value_given_twice_in_one_source_is_refused() {
    assert_eq!(
        problems("\"tokens.lifetime\" = \"5m\"\ntokens.lifetime = \"5m\"\n", &[]).len(),
        1
    );
    let found = problems("", &[("KEYS__MASTER_KEY_FILE", "a.key"), ("MASTER_KEY_FILE", "b.key")]);
    assert_eq!(
        found,
        [
            "keys.master_key_file (environment variable MINTMARK_MASTER_KEY_FILE) is given a second time, after \
          environment variable MINTMARK_KEYS__MASTER_KEY_FILE"
        ]
    );
    let settings = parse("", &[("MASTER_KEY_FILE", "b.key")]).unwrap();
    assert_eq!(settings.keys.master_key_file, Path::new("b.key"));
}

#[test]
fn control_characters_and_broken_utf_8_are_refused() {
    for bad in ["a\nb", "a\u{1b}[0m", "a\u{202e}b", "a\u{fffd}b"] {
        let found = problems("", &[("KEYS__MASTER_KEY_FILE", bad)]);
        assert_eq!(found.len(), 1, "{bad:?}");
        assert!(found[0].chars().all(|character| !character.is_control()), "{found:?}");
    }
}

#[test]
fn a_secret_is_given_by_value_or_by_file_but_not_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("url");
    fs::write(&path, "postgres://lovelace:hunter2@db.internal/mintmark\n").unwrap();
    let path = path.to_str().unwrap();

    let settings = parse("", &[("DATABASE__URL_FILE", path)]).unwrap();
    let url = "postgres://lovelace:hunter2@db.internal/mintmark".parse().unwrap();
    assert!(
        settings.database.url == url,
        "the trailing line break is no part of the URL"
    );
    assert_eq!(
        shown(&settings, "database.url"),
        format!(
            "database.url = postgresql://db.internal/mintmark \
             ({path}, named by environment variable MINTMARK_DATABASE__URL_FILE)"
        )
    );

    assert_eq!(
        problems("[database]\nurl = \"sqlite:x.db\"\n", &[("DATABASE__URL_FILE", path)]),
        [
            "database.url_file (environment variable MINTMARK_DATABASE__URL_FILE) is given by value too \
          (mintmark.toml line 2): give one of the two"
        ]
    );
    let missing = problems("database.url_file = \"/no/such/file\"\n", &[]);
    assert!(missing[0].starts_with("database.url_file (mintmark.toml line 1) names a file that cannot be read: "));
    assert!(problems("database.url_file = [\"x\"]\n", &[])[0].contains("must be the path of a file"));
}

#[test]
fn no_print_out_holds_a_secret() {
    let secret = "hunter2";
    let good = format!("postgres://lovelace:{secret}@db.internal:5432/mintmark?password={secret}");
    let settings = parse("", &[("DATABASE__URL", &good)]).unwrap();
    let printed: String = settings.effective().iter().map(ToString::to_string).collect();
    assert!(printed.contains("postgresql://db.internal:5432/mintmark"));
    for text in [printed, format!("{settings:?}"), format!("{:?}", settings.findings())] {
        assert!(!text.contains(secret) && !text.contains("lovelace"), "{text}");
    }

    let unfit = [
        format!("mysql://lovelace:{secret}@db/mintmark"),
        format!("postgres://lovelace:{secret}/@db/mintmark"),
        format!("postgres://lovelace:{secret}\n@db/mintmark"),
    ];
    for bad in &unfit {
        for (name, file) in [("DATABASE__URL", ""), ("LOG__LEVEL", ""), ("DATABSE__URL", "")] {
            let refused = parse(file, &[(name, bad)]).unwrap_err();
            assert!(!refused.to_string().contains(secret) && !format!("{refused:?}").contains(secret));
        }
        let refused = parse(&format!("[database]\nurl = '''{bad}'''\nurl = '{secret}"), &[]).unwrap_err();
        assert!(!refused.to_string().contains(secret) && !format!("{refused:?}").contains(secret));
    }
}

#[test]
fn a_named_file_is_read_and_must_exist() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let variable = (CONFIG_VARIABLE.to_owned(), path.to_str().unwrap().to_owned());
    for refused in [
        Settings::load(Some(&path), []).unwrap_err(),
        Settings::load(None, [variable.clone()]).unwrap_err(),
    ] {
        assert!(
            refused.to_string().contains("settings.toml cannot be read"),
            "{refused}"
        );
    }
    let loud = ("MINTMARK_LOG__LEVEL".to_owned(), "loud".to_owned());
    assert_eq!(Settings::load(Some(&path), [loud]).unwrap_err().problems.len(), 2);
    fs::write(&path, "tokens.lifetime = \"60s\"").unwrap();
    for settings in [
        Settings::load(Some(&path), []).unwrap(),
        Settings::load(None, [variable]).unwrap(),
    ] {
        assert_eq!(settings.tokens.lifetime.seconds(), Seconds(60));
    }
    assert!(Settings::from_environment([]).is_ok());
}

#[test]
fn the_written_reference_is_this_one() {
    let written = include_str!("../../docs/SETTINGS.md");
    assert!(
        written.ends_with(&reference()),
        "docs/SETTINGS.md must end with:\n{}",
        reference()
    );
}

#[test]
fn the_written_example_is_accepted() {
    let written = include_str!("../../docs/SETTINGS.md");
    let example = written.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let settings = parse(example, &[]).unwrap();
    assert_eq!(settings.tokens.lifetime.seconds(), Seconds(600));
}
