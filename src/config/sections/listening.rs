//! What meets the callers: listeners, TLS, limits, and how they are let go at the end.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::key;
use crate::config::reading::Reading;
use crate::config::rule::{Rule, duration, optional_path, whole};
use crate::registry::Budgets;

/// Where the two listeners stand.
#[derive(Clone, Debug)]
pub struct ListenSettings {
    /// OAuth endpoints, discovery, public pages.
    pub public: SocketAddr,
    /// Admin API, metrics.
    pub admin: SocketAddr,
}

impl ListenSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        let address = || {
            Rule::new(
                "an IP address and a port such as `127.0.0.1:8080` or `[::1]:8080`",
                |text| text.parse().ok(),
            )
        };
        Self {
            public: reading.value(
                key(
                    "listen.public",
                    "127.0.0.1:8080",
                    "Where the OAuth endpoints listen. Beyond loopback it takes `tls` or `trusted_proxies`.",
                ),
                &address(),
            ),
            admin: reading.value(
                key(
                    "listen.admin",
                    "127.0.0.1:8081",
                    "Where the admin API and the metrics listen. Keep it away from partners.",
                ),
                &address(),
            ),
        }
    }
}

/// The certificate of the listeners and its private key.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// PEM, the chain with the server's own certificate first.
    pub certificate_file: PathBuf,
    /// PEM.
    pub key_file: PathBuf,
}

impl TlsSettings {
    pub(super) fn read(reading: &mut Reading) -> Option<Self> {
        let certificate_file = reading.value(
            key(
                "tls.certificate_file",
                "",
                "The certificate chain in PEM, the server's own first. With it the listeners speak TLS.",
            ),
            &optional_path(),
        );
        let key_file = reading.value(
            key("tls.key_file", "", "The private key of the certificate in PEM."),
            &optional_path(),
        );
        let known = reading.sound(&["tls.certificate_file", "tls.key_file"]);
        match (certificate_file, key_file) {
            (Some(certificate_file), Some(key_file)) => {
                return Some(Self {
                    certificate_file,
                    key_file,
                });
            }
            (Some(_), None) if known => reading.refuse("tls.key_file", "is missing: tls.certificate_file is set"),
            (None, Some(_)) if known => reading.refuse("tls.certificate_file", "is missing: tls.key_file is set"),
            _ => {}
        }
        None
    }
}

/// The bounds on callers.
#[derive(Clone, Debug)]
pub struct LimitSettings {
    /// Bytes of a request body at the public listener.
    pub body: usize,
    /// Bytes of a request body at the admin listener.
    pub admin_body: usize,
    /// For the whole request head.
    pub header_timeout: Duration,
    /// Between the requests of one connection.
    pub keep_alive: Duration,
    /// For the whole request body.
    pub body_timeout: Duration,
    /// Open at one time, at each listener.
    pub connections: usize,
    /// What anybody may do in a minute.
    pub budgets: Budgets,
}

impl LimitSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            body: reading.value(
                key(
                    "limits.body",
                    "16384",
                    "The largest request body at the public listener, in bytes.",
                ),
                &whole(1024, 1_048_576),
            ),
            admin_body: reading.value(
                key(
                    "limits.admin_body",
                    "65536",
                    "The largest request body at the admin listener, in bytes.",
                ),
                &whole(1024, 16_777_216),
            ),
            header_timeout: reading.value(
                key(
                    "limits.header_timeout",
                    "5s",
                    "How long a caller may take to send the head of a request. Measured to half a second.",
                ),
                &duration("1s", "1m"),
            ),
            keep_alive: reading.value(
                key(
                    "limits.keep_alive",
                    "75s",
                    "How long a connection is kept between requests. A connection on which no request is complete \
                 for this long and `limits.header_timeout` more is shut, whatever it has sent.",
                ),
                &duration("1s", "1h"),
            ),
            body_timeout: reading.value(
                key(
                    "limits.body_timeout",
                    "10s",
                    "How long a caller may take to send the body of a request.",
                ),
                &duration("100ms", "5m"),
            ),
            connections: reading.value(
                key(
                    "limits.connections",
                    "10000",
                    "The most connections open at one time, at each listener.",
                ),
                &whole(16, 1_000_000),
            ),
            budgets: budgets(reading),
        }
    }
}

fn budgets(reading: &mut Reading) -> Budgets {
    Budgets {
        failures_per_minute: reading.value(
            key(
                "limits.failures_per_minute",
                "30",
                "How many failed authentications each pair of client id and source address has in a \
             minute, before it is answered with 429.",
            ),
            &whole(1, 100_000).and_then(NonZeroU32::new),
        ),
        unknown_ids_per_minute: reading.value(
            key(
                "limits.unknown_ids_per_minute",
                "120",
                "How many different client ids may fail from one source address in a minute, before it is \
             answered with 429 unless it authenticates as a client this replica remembers.",
            ),
            &whole(1, 100_000).and_then(NonZeroU32::new),
        ),
        revocations_per_minute: reading.value(
            key(
                "limits.revocations_per_minute",
                "60",
                "How many of its tokens one client may revoke in a minute, on each replica, before it is \
             answered with 429. Each is a row in the journal.",
            ),
            &whole(1, 100_000).and_then(NonZeroU32::new),
        ),
    }
}

/// The end of the process.
#[derive(Clone, Debug)]
pub struct ShutdownSettings {
    /// How long readiness is red before the listeners close, so that whoever sends requests here can notice.
    pub notice: Duration,
    /// How long running requests may take to finish, the notice included.
    pub deadline: Duration,
}

impl ShutdownSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            notice: reading.value(
                key(
                    "shutdown.notice",
                    "500ms",
                    "How long readiness is red before the listeners close, as a part of `shutdown.deadline`. Longer than a load balancer takes to notice.",
                ),
                &duration("0s", "5m"),
            ),
            deadline: reading.value(
                key(
                    "shutdown.deadline",
                    "30s",
                    "How long running requests may take to finish after the first signal.",
                ),
                &duration("0s", "10m"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{parse, problems};

    #[test]
    fn a_head_has_more_time_than_the_clock_behind_it_is_coarse() {
        // The framework's clock ticks every half second: less than that is over before it began.
        assert!(problems("limits.header_timeout = \"500ms\"", &[])[0].contains("from `1s` to `1m`"));
        assert!(parse("limits.header_timeout = \"1s\"", &[]).is_ok());
    }
}
