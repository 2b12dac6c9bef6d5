//! The rules, each a function from one file to what is wrong with it.

use std::collections::BTreeSet;

use crate::source::{Finding, Source};

/// The floors of `src/lib.rs`: a room imports only from floors below its own.
const ROOMS: &[(&str, u8)] = &[
    ("cli", 5),
    ("app", 5),
    ("config", 5),
    ("http", 4),
    ("console", 4),
    ("authority", 3),
    ("office", 3),
    ("notices", 3),
    ("registry", 2),
    ("jose", 1),
    ("store", 1),
    ("telemetry", 1),
    ("domain", 0),
    ("ambient", 0),
];

/// Floors whose rooms may import from each other: the top composes, the ground shares its words.
const OPEN_FLOORS: &[u8] = &[5, 0];

/// A crate and where it may be named.
struct Wall {
    /// The crate, spelt as in code.
    name: &'static str,
    /// Rooms and files, without `src/` and `.rs`.
    inside: &'static [&'static str],
}

const WALLS: &[Wall] = &[
    Wall {
        name: "actix_web",
        inside: &["http", "console", "app", "store/door"],
    },
    Wall {
        name: "actix_http",
        inside: &["app"],
    },
    Wall {
        name: "actix_server",
        inside: &["app"],
    },
    Wall {
        name: "actix_service",
        inside: &["app"],
    },
    Wall {
        name: "actix_tls",
        inside: &["app"],
    },
    Wall {
        name: "diesel",
        inside: &["store"],
    },
    Wall {
        name: "diesel_migrations",
        inside: &["store"],
    },
    Wall {
        name: "r2d2",
        inside: &["store"],
    },
    Wall {
        name: "libsqlite3_sys",
        inside: &["store"],
    },
    Wall {
        name: "pq_sys",
        inside: &["store"],
    },
    Wall {
        name: "openssl_sys",
        inside: &["store"],
    },
    Wall {
        name: "ring",
        inside: &["jose", "ambient", "domain/secret", "store/sealing"],
    },
    Wall {
        name: "aws_lc_rs",
        inside: &["jose"],
    },
    Wall {
        name: "jsonwebtoken",
        inside: &["jose"],
    },
    Wall {
        name: "askama",
        inside: &["console"],
    },
    Wall {
        name: "ureq",
        inside: &["cli", "notices/webhook"],
    },
    Wall {
        name: "rustls",
        inside: &["app", "http"],
    },
    Wall {
        name: "rustix",
        inside: &["app"],
    },
    Wall {
        name: "prometheus",
        inside: &["telemetry"],
    },
    Wall {
        name: "env_logger",
        inside: &["telemetry"],
    },
    Wall {
        name: "clap",
        inside: &["cli", "main"],
    },
    Wall {
        name: "clap_complete",
        inside: &["cli"],
    },
    Wall {
        name: "comfy_table",
        inside: &["cli"],
    },
    Wall {
        name: "governor",
        inside: &["registry"],
    },
];

/// The longest a file may be before its tests, in lines.
const LONGEST: usize = 400;
/// The longest a file of tests may be, in lines.
const LONGEST_TESTS: usize = 600;

/// No path to another room climbs. `neighbours` are the pairs of one floor that may: (from, to, why).
pub fn floors(source: &Source, neighbours: &[(&str, &str, &str)]) -> Vec<Finding> {
    if matches!(source.path.as_str(), "src/main.rs" | "src/lib.rs") {
        return Vec::new();
    }
    let room = room(&source.path);
    let Some(own) = floor(room) else {
        return vec![source.finding(1, format!("the room `{room}` stands on no floor: add it to the table"))];
    };
    let mut findings = Vec::new();
    for (line, target) in targets(source) {
        let Some(there) = floor(target) else {
            findings.push(source.finding(line, format!("`crate::{target}` names no room")));
            continue;
        };
        let open = OPEN_FLOORS.contains(&own) || neighbours.iter().any(|(from, to, _)| (*from, *to) == (room, target));
        if there > own {
            findings.push(source.finding(
                line,
                format!("`{room}` (floor {own}) climbs to `{target}` (floor {there})"),
            ));
        } else if there == own && target != room && !open {
            findings.push(source.finding(line, format!("`{room}` reaches across floor {own} to `{target}`")));
        }
    }
    findings
}

/// No crate is named outside its wall.
pub fn walls(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, token) in source.tokens.iter().enumerate() {
        let Some(wall) = WALLS.iter().find(|wall| wall.name == token.text) else {
            continue;
        };
        let before = index.checked_sub(1).map_or("", |before| source.word(before));
        // `ring` may be a word for other things; a crate begins a path or is brought in by name.
        let is_path = source.word(index + 1) == "::" && (before != "::" || !continues_a_path(source, index));
        let is_import = matches!(before, "use" | "crate");
        let stands = wall.inside.iter().any(|place| stands_in(&source.path, place));
        if (is_path || is_import) && !stands && !is_runtime(source, index) {
            let inside = wall.inside.join("`, `");
            findings.push(source.finding(token.line, format!("`{}` stands outside `{inside}`", wall.name)));
        }
    }
    findings
}

/// A file opens by saying what it promises.
pub fn header(source: &Source) -> Vec<Finding> {
    let opens = source
        .text
        .lines()
        .next()
        .is_some_and(|line| line.strip_prefix("//! ").is_some_and(|says| says.len() > 1));
    if opens {
        Vec::new()
    } else {
        vec![source.finding(1, "does not open with a `//!` header")]
    }
}

/// A file is short enough to be held in the head, its tests at the end not counted.
pub fn length(source: &Source) -> Vec<Finding> {
    let is_tests = source.path.split('/').any(|part| matches!(part, "tests" | "tests.rs"));
    let (counted, longest) = if is_tests {
        (source.text.lines().count(), LONGEST_TESTS)
    } else {
        (
            tests_begin(source).map_or_else(|| source.text.lines().count(), |line| line - 1),
            LONGEST,
        )
    };
    if counted <= longest {
        return Vec::new();
    }
    vec![source.finding(
        longest + 1,
        format!("has {counted} lines, where {longest} are the most"),
    )]
}

/// Lints are answered with `#[expect(…, reason = "…")]`, which complains when it is no longer needed.
pub fn lints(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut depth = 0;
    for (index, token) in source.tokens.iter().enumerate() {
        match token.text.as_str() {
            "[" if depth > 0 || opens_attribute(source, index) => depth += 1,
            "]" if depth > 0 => depth -= 1,
            "allow" if depth > 0 && source.word(index + 1) == "(" => {
                findings.push(source.finding(
                    token.line,
                    "says `allow`, where `expect` with a reason is the house's word",
                ));
            }
            _ => {}
        }
    }
    findings
}

/// Time and chance come in by one door.
///
/// aws-lc takes no source of randomness but its own for the nonce of a signature, so `jose` may hand it that one.
pub fn ambient(source: &Source) -> Vec<Finding> {
    if source.path == "src/ambient.rs" {
        return Vec::new();
    }
    let calls: &[&[&str]] = &[
        &["SystemTime", "::", "now"],
        &["Utc", "::", "now"],
        &["Local", "::", "now"],
        &["ring", "::", "rand"],
        &["SystemRandom"],
    ];
    let mut findings = Vec::new();
    for (index, token) in source.tokens.iter().enumerate() {
        let signs = token.text == "SystemRandom" && stands_in(&source.path, "jose");
        if let Some(call) = calls.iter().find(|call| source.reads(index, call) && !signs) {
            findings.push(source.finding(token.line, format!("`{}` outside src/ambient.rs", call.concat())));
        }
    }
    findings
}

/// The two folders of migrations hold the same stamped names, each with its way up and its way down.
/// `paths` are the files under `migrations/`.
pub fn twins(paths: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    for path in paths {
        let parts: Vec<_> = path.split('/').collect();
        let [
            "migrations",
            engine @ ("sqlite" | "postgresql"),
            name,
            file @ ("up.sql" | "down.sql"),
        ] = parts[..]
        else {
            faults.push(format!(
                "{path}: no place for this file: migrations/{{sqlite,postgresql}}/<stamp>_<name>/{{up,down}}.sql"
            ));
            continue;
        };
        let stamp = name.split('_').next().unwrap_or_default();
        if stamp.len() != 14 || !stamp.bytes().all(|byte| byte.is_ascii_digit()) || name.len() < 16 {
            faults.push(format!("{path}: `{name}` is not <14 digits>_<name>"));
        }
        let (twin, way_back) = (
            if engine == "sqlite" { "postgresql" } else { "sqlite" },
            if file == "up.sql" { "down.sql" } else { "up.sql" },
        );
        for wanted in [
            format!("migrations/{twin}/{name}/{file}"),
            format!("migrations/{engine}/{name}/{way_back}"),
        ] {
            if !paths.contains(&wanted) {
                faults.push(format!("{path}: without {wanted}"));
            }
        }
    }
    faults
}

/// The locked dependencies hold nothing that `deny.toml` bans outright, and come from one registry.
/// cargo-deny knows more, and takes minutes to build; this much is checked at every run.
pub fn dependencies(deny: &str, lock: &str) -> Vec<String> {
    let [deny, lock] = [deny, lock].map(|text| text.parse::<toml::Table>().expect("both files are TOML"));
    let banned = tables(&deny["bans"], "deny").filter(|ban| ban.get("wrappers").is_none());
    let banned: Vec<_> = banned.filter_map(|ban| ban["crate"].as_str()).collect();
    let mut faults = Vec::new();
    let mut registries = BTreeSet::new();
    for package in lock["package"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        if banned.contains(&name) {
            faults.push(format!("Cargo.lock: `{name}` is banned by deny.toml"));
        }
        match package.get("source").and_then(toml::Value::as_str) {
            Some(source) if source.starts_with("registry+") => _ = registries.insert(source),
            Some(_) => faults.push(format!("Cargo.lock: `{name}` comes from outside the registry")),
            None if name != env!("CARGO_PKG_NAME") => faults.push(format!("Cargo.lock: `{name}` comes from a path")),
            None => {}
        }
    }
    if registries.len() > 1 {
        faults.push("Cargo.lock: there is more than one registry".to_owned());
    }
    faults
}

fn tables<'a>(value: &'a toml::Value, key: &str) -> impl Iterator<Item = &'a toml::Value> {
    value.get(key).and_then(toml::Value::as_array).into_iter().flatten()
}

/// The room a file of `src/` belongs to: its folder, or itself.
fn room(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
}

fn floor(room: &str) -> Option<u8> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

/// Every first step of a path from the root of the crate, by `crate::` or by enough `super::`, with its line.
fn targets(source: &Source) -> Vec<(usize, &str)> {
    let depth = source.path.split('/').skip(1).filter(|part| *part != "mod.rs").count();
    let mut targets = Vec::new();
    let mut index = 0;
    while index < source.tokens.len() {
        if source.reads(index, &["crate", "::"]) {
            targets.extend(heads(source, index + 2));
        } else if source.reads(index, &["super", "::"]) {
            let mut climbed = 0;
            while source.reads(index, &["super", "::"]) {
                (climbed, index) = (climbed + 1, index + 2);
            }
            if climbed >= depth {
                // A test inside the file stands one module deeper, where the same steps end in the room itself.
                targets.extend(
                    heads(source, index)
                        .into_iter()
                        .filter(|(_, name)| floor(name).is_some()),
                );
            }
            continue;
        }
        index += 1;
    }
    targets
}

/// The names a path goes on with at `index`: one, or those of a group in braces.
fn heads(source: &Source, index: usize) -> Vec<(usize, &str)> {
    let Some(first) = source.tokens.get(index) else {
        return Vec::new();
    };
    if first.text != "{" {
        return vec![(first.line, &first.text)];
    }
    let mut heads = Vec::new();
    let mut depth = 0;
    for at in index..source.tokens.len() {
        match source.word(at) {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        let begins = matches!(source.word(at), "{" | ",") && depth == 1;
        if begins && !matches!(source.word(at + 1), "}" | "") {
            heads.push((source.tokens[at + 1].line, source.word(at + 1)));
        }
    }
    heads
}

fn stands_in(path: &str, place: &str) -> bool {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    inside == place || inside.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether the `::` before `index` goes on from a name, as in `store::ring`, and does not begin a path, as in `::ring`.
fn continues_a_path(source: &Source, index: usize) -> bool {
    let before = index.checked_sub(2).map_or("", |before| source.word(before));
    before
        .chars()
        .next_back()
        .is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '>')
        && before != "use"
}

/// The two uses of actix-web that serve no HTTP: the runtime that a verb starts, and the executor of an async test.
fn is_runtime(source: &Source, index: usize) -> bool {
    let verb = stands_in(&source.path, "cli/serve") || stands_in(&source.path, "cli/demo");
    let test = index >= 2 && source.reads(index - 2, &["#", "[", "actix_web", "::", "test", "]"]);
    test || verb && source.reads(index, &["actix_web", "::", "rt"])
}

/// Whether the `[` at `index` follows `#` or `#!`.
fn opens_attribute(source: &Source, index: usize) -> bool {
    index >= 1 && source.word(index - 1) == "#" || index >= 2 && source.reads(index - 2, &["#", "!"])
}

/// The line of the `#[cfg(test)]` that opens the tests at the end of a file.
fn tests_begin(source: &Source) -> Option<usize> {
    let opening = ["#", "[", "cfg", "(", "test", ")", "]"];
    let index = (0..source.tokens.len()).find(|index| {
        let after = index + opening.len();
        source.reads(*index, &opening)
            && (after..source.tokens.len())
                .find(|at| matches!(source.word(*at), "{" | ";"))
                .is_some_and(|end| source.word(end) == "{" && source.word(end - 2) == "mod")
    })?;
    Some(source.tokens[index].line)
}
