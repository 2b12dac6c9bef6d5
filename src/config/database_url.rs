//! Where the store is. A PostgreSQL URL may hold a password, so the whole of it is a secret: printed are its scheme, hosts
//! and database name only.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::domain::Invalid;

/// The store to open: a SQLite file or a PostgreSQL database.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The file that holds the store (`sqlite:data/mintmark.db`).
    Sqlite(PathBuf),
    /// A PostgreSQL database (`postgres://user:password@host/name`).
    Postgres(PostgresUrl),
}

/// A PostgreSQL connection URI. It prints without user, password, ports and parameters, and is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    whole: Zeroizing<String>,
    shown: String,
}

impl PostgresUrl {
    /// The URI with its password: for the connection only, never for a text that people read.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.whole
    }
}

impl DatabaseUrl {
    /// The SQLite file, if the store is one.
    #[must_use]
    pub fn sqlite_file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.split_once(':') {
            Some(("sqlite", rest)) => sqlite(rest).map(Self::Sqlite),
            Some((scheme @ ("postgres" | "postgresql"), rest)) => {
                let shown = postgres(rest)?;
                Ok(Self::Postgres(PostgresUrl {
                    whole: Zeroizing::new(text.to_owned()),
                    shown: format!("{scheme}://{shown}"),
                }))
            }
            _ => Err(Invalid::new("begins with none of sqlite:, postgres:, postgresql:")),
        }
    }
}

/// `sqlite:path` and `sqlite:///absolute/path`. A store in memory would be empty at every start, so it is no store.
fn sqlite(rest: &str) -> Result<PathBuf, Invalid> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.ends_with('/') || path.contains(":memory:") || path.contains(['?', '#']) {
        Err(Invalid::new("names no file after sqlite:"))
    } else {
        Ok(path.into())
    }
}

/// Checks `//[user[:password]@][hosts][/name][?parameters]` and returns `hosts/name`.
///
/// The check is strict so that the print-out is safe: were a `/`, `?` or `@` of a password not percent-encoded, a part of
/// the password would be taken for the host. Such a URL has a second `@`, or a port that is no number, and is refused.
fn postgres(rest: &str) -> Result<String, Invalid> {
    let ambiguous = Invalid::new("holds a user or password whose characters / ? @ : % are not percent-encoded");
    let rest = rest
        .strip_prefix("//")
        .ok_or_else(|| Invalid::new("lacks the // after its scheme"))?;
    let (before, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, name) = before.split_once('/').unwrap_or((before, ""));
    let hosts = authority.split_once('@').map_or(authority, |(_, hosts)| hosts);
    if name.contains('@') || parameters.contains('@') || !percent_escapes_are_whole(rest) {
        return Err(ambiguous);
    }
    let hosts = hosts
        .split(',')
        .map(|host| without_port(host).ok_or(ambiguous.clone()))
        .collect::<Result<Vec<_>, _>>()?;
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-%".contains(&byte))
    };
    if plain(name) {
        Ok(format!("{}/{name}", hosts.join(",")))
    } else {
        Err(Invalid::new(
            "has a database name with other characters than letters, digits and . _ - %",
        ))
    }
}

fn percent_escapes_are_whole(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(position, byte)| {
        *byte != b'%'
            || bytes
                .get(position + 1..position + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// The host of `host[:port]` or `[IPv6][:port]`; none when it is neither.
fn without_port(host: &str) -> Option<&str> {
    let name_ends = match host.strip_prefix('[') {
        Some(inner) => inner.find(']')? + 2,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(name_ends);
    let inner = name.trim_matches(['[', ']']);
    let legal = if name.starts_with('[') {
        inner.parse::<std::net::Ipv6Addr>().is_ok()
    } else {
        inner
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-%".contains(&byte))
    };
    let port_is_one = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.parse::<u16>().is_ok());
    (legal && port_is_one).then_some(name)
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_url_names_a_file() {
        for (text, file) in [
            ("sqlite:data/mintmark.db", "data/mintmark.db"),
            ("sqlite:/data/mintmark.db", "/data/mintmark.db"),
            ("sqlite:///data/mintmark.db", "/data/mintmark.db"),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.sqlite_file(), Some(Path::new(file)));
            assert_eq!(url.to_string(), format!("sqlite:{file}"));
        }
        for bad in [
            "sqlite:",
            "sqlite://",
            "sqlite::memory:",
            "sqlite:data/",
            "sqlite:a?mode=ro",
        ] {
            assert!(bad.parse::<DatabaseUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_postgres_url_prints_scheme_host_and_name_only() {
        for (text, shown) in [
            (
                "postgres://ada:hunter2@db.internal:5432/mintmark?sslmode=require",
                "postgres://db.internal/mintmark",
            ),
            (
                "postgresql://ada:hunter2@h1:5432,h2:5433/mintmark",
                "postgresql://h1,h2/mintmark",
            ),
            (
                "postgres:///mintmark?host=/run/postgresql&password=hunter2",
                "postgres:///mintmark",
            ),
            (
                "postgres://ada:hunter2%40%2f@[::1]:5432/mintmark",
                "postgres://[::1]/mintmark",
            ),
            ("postgres://ada:hunter2#!@db", "postgres://db/"),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
            assert_eq!(url.sqlite_file(), None);
            let DatabaseUrl::Postgres(url) = url else {
                panic!("{text} is a PostgreSQL URL")
            };
            assert_eq!(url.expose(), text);
        }
    }

    #[test]
    fn a_url_that_could_be_misread_is_refused() {
        let bad = [
            "postgres:db/mintmark",
            "postgres://ada:hunter/2@db/mintmark",
            "postgres://ada:123/2@db/mintmark",
            "postgres://ada:hunter?2@db/mintmark",
            "postgres://ada:hunt@er2@db/mintmark",
            "postgres://db/mintmark?password=hunter@2",
            "postgres://ada:100%@db/mintmark",
            "postgres://db:port/mintmark",
            "postgres://db:99999/mintmark",
            "postgres://[::1/mintmark",
            "postgres://[nonsense]/mintmark",
            "postgres://db/mint mark",
            "mysql://db/mintmark",
            "/var/lib/mintmark.db",
            "",
        ];
        for text in bad {
            let refused = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(!refused.to_string().contains("hunter"), "{text}");
        }
    }
}
