//! Settings as the verbs show and use them.

use super::{Installation, call};

#[test]
fn check_prints_every_setting_with_its_origin_and_no_secret() {
    let url = "postgres://mintmark:hunter2@db.example.com/mintmark";
    let checked = call(
        &["check"],
        &[("MINTMARK_DATABASE__URL", url), ("MINTMARK_REGISTRY__OUTAGE", "30s")],
    )
    .exits(0);
    let all = format!("{}{}", checked.out, checked.err);
    assert!(!all.contains("hunter2"), "{all}");
    for line in [
        "registry.outage = 30s (environment variable MINTMARK_REGISTRY__OUTAGE)",
        "tokens.lifetime = 300s (default)",
    ] {
        assert!(checked.out.lines().any(|found| found == line), "{line} in {all}");
    }
    let database = checked
        .out
        .lines()
        .find(|line| line.starts_with("database.url = "))
        .unwrap();
    assert!(database.contains("db.example.com"), "{database}");
    assert!(
        checked
            .out
            .lines()
            .any(|line| line.starts_with("warning: registry.outage ")),
        "{all}"
    );
}

#[test]
fn check_prints_one_object_for_scripts() {
    let checked = call(&["check", "--json"], &[("MINTMARK_REGISTRY__OUTAGE", "30s")])
        .exits(0)
        .json();
    let settings = checked["settings"].as_array().unwrap();
    let outage = settings
        .iter()
        .find(|setting| setting["key"] == "registry.outage")
        .unwrap();
    assert_eq!(outage["value"], "30s");
    assert_eq!(outage["origin"], "environment variable MINTMARK_REGISTRY__OUTAGE");
    let findings = checked["findings"].as_array().unwrap();
    assert!(
        findings
            .iter()
            .any(|finding| finding["key"] == "registry.outage" && finding["severity"] == "warning")
    );
}

#[test]
fn check_refuses_every_wrong_setting_at_once() {
    let installation = Installation::new();
    let file = installation.path().join("mintmark.toml");
    std::fs::write(
        &file,
        "public_url = \"http://auth.example.com\"\n[tokens]\nlifetme = \"5m\"\n",
    )
    .unwrap();
    let checked = installation
        .with("MINTMARK_LOG__LEVEL", "loud")
        .with("MINTMARK_KEYS__ROTATE_EVERY", "1s")
        .run(&["check"])
        .exits(1);
    assert!(checked.out.is_empty(), "{checked:?}");
    let lines: Vec<_> = checked.err.lines().collect();
    assert_eq!(lines[0], "mintmark: the settings are refused:");
    for (key, place) in [
        ("public_url", "mintmark.toml line 1"),
        ("tokens.lifetme", "mintmark.toml line 3"),
        ("log.level", "environment variable MINTMARK_LOG__LEVEL"),
        ("keys.rotate_every", "environment variable MINTMARK_KEYS__ROTATE_EVERY"),
    ] {
        let begins = format!("  {key} (");
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(&begins) && line.contains(place)),
            "{key} in {lines:?}"
        );
    }
    assert!(checked.err.contains("did you mean tokens.lifetime?"), "{}", checked.err);
}

#[test]
fn a_settings_file_that_is_named_must_be_there() {
    let checked = call(&["check", "--config", "/nowhere/mintmark.toml"], &[]).exits(1);
    assert!(
        checked.err.contains("/nowhere/mintmark.toml cannot be read"),
        "{checked:?}"
    );
}

#[test]
fn every_verb_that_needs_settings_refuses_wrong_ones() {
    for verb in [
        &["serve"][..],
        &["migrate"],
        &["health"],
        &["operator", "create", "--email", "ada@example.com", "--role", "owner"],
        &["journal", "verify", "--local"],
    ] {
        let refused = call(verb, &[("MINTMARK_LOG__LEVEL", "loud")]).exits(1);
        assert!(refused.err.contains("log.level"), "{verb:?} {refused:?}");
    }
}
