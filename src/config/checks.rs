//! Refusals that no single value explains.

use std::net::SocketAddr;

use super::reading::Reading;
use super::sections::Settings;

/// Holds the settings against each other. A check whose values were refused already says nothing.
pub(super) fn across(settings: &Settings, reading: &mut Reading) {
    listeners_apart(settings, reading);
    no_plain_http_beyond_loopback(settings, reading);
    announced_before_rotated(settings, reading);
}

fn listeners_apart(settings: &Settings, reading: &mut Reading) {
    let listen = &settings.listen;
    let same = listen.public == listen.admin && listen.public.port() != 0;
    if same && reading.sound(&["listen.public", "listen.admin"]) {
        reading.refuse("listen.admin", "is the same address as listen.public");
    }
}

/// Client secrets and operator tokens travel to these listeners (RFC 6749 §3.2: TLS is required).
fn no_plain_http_beyond_loopback(settings: &Settings, reading: &mut Reading) {
    let covered = settings.tls.is_some() || !settings.trusted_proxies.is_empty();
    if covered || !reading.sound(&["tls.certificate_file", "tls.key_file", "trusted_proxies"]) {
        return;
    }
    let listeners = [
        ("listen.public", settings.listen.public),
        ("listen.admin", settings.listen.admin),
    ];
    for (key, address) in listeners {
        if !is_loopback(address) {
            reading.refuse(
                key,
                "would speak plain HTTP beyond this machine: set tls.certificate_file and tls.key_file, \
                 or name in trusted_proxies who terminates TLS before it",
            );
        }
    }
}

fn announced_before_rotated(settings: &Settings, reading: &mut Reading) {
    let too_short = settings.keys.rotate_every <= settings.jwks.max_age;
    if too_short && reading.sound(&["keys.rotate_every", "jwks.max_age"]) {
        reading.refuse(
            "keys.rotate_every",
            "must be longer than jwks.max_age, for which a key is announced before it signs",
        );
    }
}

/// Whether only this machine can reach `address`.
pub(super) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{parse, problems};

    #[test]
    fn plain_http_beyond_loopback_is_refused() {
        let beyond = [("LISTEN__PUBLIC", "0.0.0.0:8080"), ("LISTEN__ADMIN", "[::]:8081")];
        let found = problems("", &beyond);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("listen.public ") && found[0].contains("plain HTTP"));
        assert!(found[1].starts_with("listen.admin ") && found[1].contains("plain HTTP"));
        assert!(parse("trusted_proxies = \"10.0.0.0/8\"", &beyond).is_ok());
        assert!(parse("tls.certificate_file = \"c.pem\"\ntls.key_file = \"k.pem\"", &beyond).is_ok());
        assert!(parse("", &[("LISTEN__PUBLIC", "[::ffff:127.0.0.1]:8080")]).is_ok());

        // What was meant to cover it is wrong itself: one problem, not a second one that follows from it.
        assert_eq!(problems("trusted_proxies = \"10.0.0.1/8\"", &beyond).len(), 1);
    }

    #[test]
    fn settings_at_odds_with_each_other_are_refused() {
        let same = problems("[listen]\npublic = \"127.0.0.1:9\"\nadmin = \"127.0.0.1:9\"", &[]);
        assert_eq!(
            same,
            ["listen.admin (mintmark.toml line 3) is the same address as listen.public"]
        );
        assert!(parse("[listen]\npublic = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"", &[]).is_ok());
        let hasty = problems("keys.rotate_every = \"2h\"\njwks.max_age = \"2h\"", &[]);
        assert_eq!(hasty.len(), 1);
        assert!(hasty[0].starts_with("keys.rotate_every (mintmark.toml line 1) must be longer than jwks.max_age"));
    }
}
