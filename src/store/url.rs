//! Where the store is: a file of SQLite or a server of PostgreSQL. Read strictly, shown without its password.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::domain::Invalid;

/// `sqlite:path/to/file` or `postgresql://user:password@host/database`. Neither `Display` nor `Debug` shows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Place);

/// Which engine, and where.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// The URL of a server (PostgreSQL manual §34.1.1.2).
    Postgres(Zeroizing<String>),
}

/// What is said of every misshapen URL, whatever is wrong with it.
const SHAPE: Invalid = Invalid::new(
    "is not a URL of PostgreSQL such as postgresql://user:password@host:5432/database; reserved characters in a user's name \
     or password are written as %40 for @, %2F for /, and so on",
);

impl DatabaseUrl {
    /// The file at `path`.
    #[must_use]
    pub fn sqlite(path: &Path) -> Self {
        Self(Place::Sqlite(path.to_owned()))
    }

    pub(super) const fn place(&self) -> &Place {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            return sqlite_path(path).map(|path| Self(Place::Sqlite(path)));
        }
        let rest = text
            .strip_prefix("postgresql://")
            .or_else(|| text.strip_prefix("postgres://"))
            .ok_or_else(|| Invalid::new("begins with neither \"sqlite:\" nor \"postgresql://\""))?;
        if is_postgres_shape(rest) {
            Ok(Self(Place::Postgres(Zeroizing::new(text.to_owned()))))
        } else {
            Err(SHAPE)
        }
    }
}

fn sqlite_path(text: &str) -> Result<PathBuf, Invalid> {
    let path = text.strip_prefix("//").unwrap_or(text);
    if path.is_empty() || path.ends_with('/') {
        Err(Invalid::new("names no file: write sqlite:data/mintmark.db"))
    } else if path.contains(['?', '#', '\0']) || path.starts_with(':') {
        Err(Invalid::new(
            "must be a plain path after \"sqlite:\", without options; there is no store in memory only",
        ))
    } else {
        Ok(PathBuf::from(path))
    }
}

/// Whether what follows `postgresql://` can be read in one way only. libpq is more lenient, takes an unescaped `/` or `@` of a
/// password for the end of it, and then repeats the rest of the password in its error as if it were a host or a port.
fn is_postgres_shape(rest: &str) -> bool {
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    is_escaped(rest)
        && !rest.contains('#')
        && !user.contains('@')
        && !tail.contains('@')
        && hosts.split(',').all(is_host)
        && !path.trim_start_matches('/').contains('/')
        && (query.is_empty() || query.split('&').all(|pair| pair.contains('=')))
}

/// A name or address, perhaps in brackets, perhaps with a port; or nothing, for the local socket.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address, port),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port_is_number = port
        .strip_prefix(':')
        .map_or(port.is_empty(), |digits| digits.parse::<u16>().is_ok());
    let bracketed = host.starts_with('[');
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-_%".contains(&byte) || (bracketed && byte == b':');
    port_is_number && name.bytes().all(legal)
}

/// Visible ASCII in which every `%` begins an escape of anything but the zero byte.
fn is_escaped(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
        && text.split('%').skip(1).all(|after| {
            after
                .get(..2)
                .is_some_and(|digits| digits != "00" && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        })
}

/// The URL for libpq, with what it should do when the network falls silent. What the operator wrote stands later and so wins.
pub(super) fn with_network_limits(url: &str, timeout: Duration) -> Zeroizing<String> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let seconds = timeout.as_secs().max(2);
    let milliseconds = timeout.as_millis();
    Zeroizing::new(format!(
        "{base}?application_name=mintmark&connect_timeout={seconds}&tcp_user_timeout={milliseconds}\
         &keepalives_idle={seconds}&keepalives_interval=1&keepalives_count=3&{query}"
    ))
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Place::Postgres(url) => {
                let (base, _) = url.split_once('?').unwrap_or((url, ""));
                let (_, place) = base.rsplit_once(['@']).unwrap_or_else(|| {
                    let after_scheme = base.split_once("://").map_or("", |(_, rest)| rest);
                    ("", after_scheme)
                });
                write!(f, "postgresql://{place}")
            }
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
    fn both_engines_are_recognised_by_their_scheme() {
        for (text, shown) in [
            ("sqlite:data/mintmark.db", "sqlite:data/mintmark.db"),
            ("sqlite:///var/lib/mintmark.db", "sqlite:/var/lib/mintmark.db"),
            (
                "postgres://u:hunter2@db.example:5433/mint",
                "postgresql://db.example:5433/mint",
            ),
            ("postgresql://db/mint?password=hunter2", "postgresql://db/mint"),
            (
                "postgresql://u@%2Ftmp%2Fs/mint?options=-csearch_path%3Dx",
                "postgresql://%2Ftmp%2Fs/mint",
            ),
            (
                "postgresql://u:hunter2@[::1]:5432,two:5433/mint",
                "postgresql://[::1]:5432,two:5433/mint",
            ),
            ("postgresql:///mint?host=/tmp", "postgresql:///mint"),
        ] {
            let url = text.parse::<DatabaseUrl>().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
        }
    }

    #[test]
    fn what_libpq_would_take_apart_wrongly_is_refused_without_being_repeated() {
        for bad in [
            "mysql://u:hunter2@h/d",
            "hunter2",
            "postgresql://u:hunter2/x@h/d",
            "postgresql://u:12/hunter2@h/d",
            "postgresql://u:hunter2@x@h/d",
            "postgresql://u:12?hunter2@h/d",
            "postgresql://u:hunter2#@h/d",
            "postgresql://u:hunter2%@h/d",
            "postgresql://u:hunter2%00@h/d",
            "postgresql://u:hunter2 @h/d",
            "postgresql://h:hunter2/d",
            "postgresql://h/d?hunter2",
            "postgresql://h/d/hunter2",
        ] {
            let refusal = bad.parse::<DatabaseUrl>().unwrap_err();
            assert!(!refusal.reason().contains("hunter2"), "{bad}");
        }
    }

    #[test]
    fn a_file_of_sqlite_is_a_plain_path() {
        for bad in [
            "sqlite:",
            "sqlite://",
            "sqlite::memory:",
            "sqlite:data/",
            "sqlite:a?mode=memory",
        ] {
            assert!(bad.parse::<DatabaseUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_of_the_network_come_before_what_the_operator_wrote() {
        let url = with_network_limits("postgresql://h/d?connect_timeout=9", Duration::from_secs(5));
        assert!(url.starts_with("postgresql://h/d?application_name=mintmark&connect_timeout=5&tcp_user_timeout=5000&"));
        assert!(url.ends_with("&connect_timeout=9"));
        assert!(with_network_limits("postgresql://h/d", Duration::from_millis(10)).contains("connect_timeout=2&"));
    }
}
