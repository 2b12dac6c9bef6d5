//! The architecture, kept by a test: floors, walls, headers, lengths, lints, time and chance, twin migrations, dependencies.
//!
//! Each rule stands twice below: over the sources as they are, and over a sample that breaks it, so that a rule which
//! no longer catches anything is caught itself.

#[path = "floors/rules.rs"]
mod rules;
#[path = "floors/source.rs"]
mod source;

use std::path::Path;

use source::{Finding, Source};

/// Rooms of one floor that may import from each other, and why: (from, to, why).
const NEIGHBOURS: &[(&str, &str, &str)] = &[(
    "console",
    "http",
    "a page is asked for and refused as the admin API is: one reader of members, one list of problems, one idea of who is calling",
)];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The sources of the library and the binary.
fn house() -> Vec<Source> {
    source::sources(root(), "src")
}

/// Everything that is written in Rust.
fn grounds() -> Vec<Source> {
    ["src", "tests", "benches", "fuzz/fuzz_targets"]
        .iter()
        .flat_map(|folder| source::sources(root(), folder))
        .collect()
}

/// Fails with every finding of `rule` over `sources`.
fn hold(sources: &[Source], rule: impl Fn(&Source) -> Vec<Finding>) {
    assert!(!sources.is_empty(), "there are sources to read");
    let findings: Vec<_> = sources
        .iter()
        .flat_map(rule)
        .map(|finding| finding.to_string())
        .collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// What `rule` finds in one file.
fn found(rule: impl Fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<String> {
    rule(&Source::new(path, text)).iter().map(ToString::to_string).collect()
}

fn no_neighbours(source: &Source) -> Vec<Finding> {
    rules::floors(source, &[])
}

#[test]
fn imports_go_down() {
    hold(&house(), |source| rules::floors(source, NEIGHBOURS));
}

#[test]
fn crates_stay_within_their_walls() {
    hold(&house(), rules::walls);
}

#[test]
fn files_open_with_a_header() {
    hold(&grounds(), rules::header);
}

#[test]
fn files_are_short() {
    hold(&grounds(), rules::length);
}

#[test]
fn lints_are_expected_with_a_reason() {
    hold(&grounds(), rules::lints);
}

#[test]
fn time_and_chance_have_one_door() {
    hold(&house(), rules::ambient);
}

#[test]
fn migrations_are_twins() {
    let paths = source::files(root(), "migrations");
    assert_eq!(
        paths.is_empty(),
        !root().join("migrations").exists(),
        "a folder of migrations holds some"
    );
    let faults = rules::twins(&paths);
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn dependencies_are_what_deny_toml_lets_in() {
    let faults = rules::dependencies(include_str!("../deny.toml"), include_str!("../Cargo.lock"));
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn a_climbing_import_is_found() {
    for (path, text) in [
        ("src/http/token.rs", "//! x\nuse crate::app::App;"),
        (
            "src/domain/scope.rs",
            "//! x\nuse crate::{ambient::Clock, store::{self, Row}};",
        ),
        ("src/store/memory.rs", "//! x\nfn f() { crate::registry::f() }"),
        ("src/domain/scope.rs", "//! x\nuse super::super::store::Row;"),
        ("src/ambient.rs", "//! x\nuse super::{domain::Timestamp, store};"),
    ] {
        let found = found(no_neighbours, path, text);
        assert_eq!(found.len(), 1, "{path} {text} {found:?}");
        assert!(
            found[0].starts_with(&format!("{path}:2: ")) && found[0].contains("climbs"),
            "{found:?}"
        );
    }
}

#[test]
fn a_neighbour_needs_a_reason() {
    let text = "//! x\nuse crate::telemetry::Metrics;";
    assert_eq!(
        found(no_neighbours, "src/store/door.rs", text),
        ["src/store/door.rs:2: `store` reaches across floor 1 to `telemetry`"]
    );
    let listed = |source: &Source| rules::floors(source, &[("store", "telemetry", "the door times its callers")]);
    assert!(found(listed, "src/store/door.rs", text).is_empty());
    assert_eq!(
        found(listed, "src/jose/mod.rs", text).len(),
        1,
        "the reason is the store's alone"
    );
}

#[test]
fn an_unknown_room_is_found() {
    assert_eq!(found(no_neighbours, "src/helpers.rs", "//! x").len(), 1);
    assert_eq!(
        found(no_neighbours, "src/http/mod.rs", "//! x\nuse crate::*;"),
        ["src/http/mod.rs:2: `crate::*` names no room"]
    );
}

#[test]
fn downward_and_open_imports_pass() {
    for (path, text) in [
        (
            "src/http/token.rs",
            "use crate::{authority::Grant, domain::{Scope, Timestamp}, registry};",
        ),
        (
            "src/http/token.rs",
            "use super::error::Error; use crate::http::form; pub(crate) struct S;",
        ),
        ("src/app/mod.rs", "use crate::config::Settings;"),
        ("src/ambient.rs", "use crate::domain::Timestamp;"),
        (
            "src/store/mod.rs",
            "/// See [`crate::registry::Registry`].\nconst S: &str = \"crate::app::App\";",
        ),
        ("src/domain/scope.rs", "mod tests { use super::super::Environment; }"),
    ] {
        assert!(found(no_neighbours, path, text).is_empty(), "{path} {text}");
    }
}

#[test]
fn a_crate_outside_its_wall_is_found() {
    for (path, text) in [
        ("src/authority/mod.rs", "use actix_web::HttpResponse;"),
        ("src/authority/mod.rs", "fn f() { let x = ::diesel::sql_query(\"\"); }"),
        ("src/registry/keyring.rs", "use ring::hmac;"),
        ("src/store/sql.rs", "use ring as circle;"),
        ("src/store/sql.rs", "use actix_web::web;"),
        ("src/http/token.rs", "use { jsonwebtoken::decode, serde::Serialize };"),
        ("src/cli/token.rs", "fn f() { actix_web::rt::System::new(); }"),
        ("src/cli/serve.rs", "use actix_web::HttpServer;"),
        ("src/app_extra.rs", "use rustls::ServerConfig;"),
        ("src/domain/mod.rs", "use ring::digest;"),
        ("src/http/mod.rs", "#[derive(clap::Parser)] struct S;"),
    ] {
        let found = found(rules::walls, path, text);
        assert_eq!(found.len(), 1, "{path} {text} {found:?}");
        assert!(
            found[0].starts_with(&format!("{path}:1: ")) && found[0].contains("stands outside"),
            "{found:?}"
        );
    }
}

#[test]
fn a_crate_within_its_wall_passes() {
    for (path, text) in [
        ("src/http/mod.rs", "use actix_web::web;"),
        ("src/app.rs", "use rustls::ServerConfig;"),
        ("src/app/tls.rs", "use rustls::ServerConfig;"),
        ("src/store/door.rs", "use actix_web::web;"),
        ("src/cli/serve.rs", "fn f() { actix_web::rt::System::new(); }"),
        ("src/registry/pulse.rs", "#[actix_web::test] async fn f() {}"),
        ("src/domain/secret.rs", "use ring::hmac;"),
        ("src/main.rs", "use clap::Parser;"),
        (
            "src/office/mod.rs",
            "// ring::hmac\nfn f(ring: &Ring) { ring.turn(); crate::domain::ring::turn(\"diesel::x\"); }",
        ),
    ] {
        assert!(found(rules::walls, path, text).is_empty(), "{path} {text}");
    }
}

#[test]
fn a_missing_header_is_found() {
    assert!(found(rules::header, "src/a.rs", "//! What it promises.\n").is_empty());
    for text in [
        "",
        "// A comment.\n",
        "//!\n",
        "\n//! Too late.\n",
        "use std::fmt;\n//! Too late.\n",
    ] {
        assert_eq!(
            found(rules::header, "src/a.rs", text),
            ["src/a.rs:1: does not open with a `//!` header"],
            "{text:?}"
        );
    }
}

#[test]
fn a_long_file_is_found() {
    let body = |lines: usize| "fn f() {}\n".repeat(lines);
    let tests = "#[cfg(test)]\n#[expect(x, reason = \"y\")]\nmod tests {\n}\n";
    assert!(found(rules::length, "src/a.rs", &body(400)).is_empty());
    assert_eq!(
        found(rules::length, "src/a.rs", &body(401)),
        ["src/a.rs:401: has 401 lines, where 400 are the most"]
    );
    assert!(found(rules::length, "src/a.rs", &(body(400) + tests + &body(300))).is_empty());
    assert_eq!(found(rules::length, "src/a.rs", &(body(401) + tests)).len(), 1);
    let early = "#[cfg(test)]\nuse std::fmt;\n#[cfg(test)]\nmod tests;\n".to_owned();
    assert_eq!(
        found(rules::length, "src/a.rs", &(early + &body(400))).len(),
        1,
        "only tests at the end are not counted"
    );
    for path in ["src/a/tests.rs", "tests/it/token.rs", "src/a/tests/forgery.rs"] {
        assert!(found(rules::length, path, &body(600)).is_empty(), "{path}");
        assert_eq!(found(rules::length, path, &body(601)).len(), 1, "{path}");
    }
}

#[test]
fn an_allowed_lint_is_found() {
    for text in [
        "#[allow(dead_code)]",
        "#![allow(clippy::all)]",
        "#[cfg_attr(test, allow(x))]",
    ] {
        assert_eq!(found(rules::lints, "src/a.rs", text).len(), 1, "{text}");
    }
    for text in [
        "#[expect(dead_code, reason = \"allow(x)\")]",
        "limits.allow(now)",
        "let a = [allow(b)];",
    ] {
        assert!(found(rules::lints, "src/a.rs", text).is_empty(), "{text}");
    }
}

#[test]
fn ambient_time_and_chance_are_found() {
    let calls = [
        "std::time::SystemTime::now()",
        "chrono::Utc::now()",
        "Local::now()",
        "ring::rand::generate(x)",
        "SystemRandom::new()",
    ];
    for text in calls {
        assert_eq!(found(rules::ambient, "src/store/sql.rs", text).len(), 1, "{text}");
        assert!(found(rules::ambient, "src/ambient.rs", text).is_empty(), "{text}");
    }
    assert!(
        found(
            rules::ambient,
            "src/jose/key_pair.rs",
            "use aws_lc_rs::rand::SystemRandom;"
        )
        .is_empty()
    );
    assert_eq!(
        found(rules::ambient, "src/jose/key_pair.rs", "use ring::rand::SystemRandom;").len(),
        1
    );
}

#[test]
fn a_migration_without_its_twin_is_found() {
    let all =
        |engine: &str| ["up.sql", "down.sql"].map(|file| format!("migrations/{engine}/20260102030405_first/{file}"));
    let whole = [all("sqlite"), all("postgresql")].concat();
    assert!(rules::twins(&whole).is_empty());
    for missing in 0..whole.len() {
        let mut paths = whole.clone();
        let gone = paths.remove(missing);
        let faults = rules::twins(&paths);
        assert_eq!(
            faults.len(),
            2,
            "both the twin and the way back miss {gone}: {faults:?}"
        );
        assert!(faults.iter().all(|fault| fault.ends_with(&gone)), "{faults:?}");
    }
    let stray = [
        "migrations/mysql/20260102030405_first/up.sql",
        "migrations/sqlite/up.sql",
        "migrations/sqlite/2_x/y/up.sql",
    ];
    assert_eq!(rules::twins(&stray.map(str::to_owned)).len(), 3);
    let unstamped = ["sqlite", "postgresql"]
        .map(|engine| ["up.sql", "down.sql"].map(|file| format!("migrations/{engine}/first/{file}")));
    assert_eq!(rules::twins(&unstamped.concat()).len(), 4);
}

#[test]
fn a_banned_dependency_is_found() {
    let deny = "[bans]\ndeny = [{ crate = \"rsa\" }, { crate = \"openssl-sys\", wrappers = [\"pq-src\"] }]";
    let lock = |name: &str, source: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n{source}\n");
    let registry = "source = \"registry+one\"";
    let good = lock("mintmark", "") + &lock("openssl-sys", registry) + &lock("ring", registry);
    assert!(rules::dependencies(deny, &good).is_empty());
    for (name, source, fault) in [
        ("rsa", registry, "`rsa` is banned by deny.toml"),
        ("serde", "source = \"git+x\"", "`serde` comes from outside the registry"),
        ("serde", "", "`serde` comes from a path"),
        ("serde", "source = \"registry+two\"", "there is more than one registry"),
    ] {
        let faults = rules::dependencies(deny, &(good.clone() + &lock(name, source)));
        assert_eq!(faults, [format!("Cargo.lock: {fault}")]);
    }
}
