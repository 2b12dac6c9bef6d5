//! No refusal repeats what was sent (RFC 6749 §5.2): a property over everything a caller can put anywhere.

use std::sync::OnceLock;

use mintmark::domain::Environment::Qa;
use proptest::prelude::*;

use crate::support::installation::Installation;
use crate::support::oauth::Request;
use crate::support::registration::Credentials;

/// From this length on, a piece of the input in an answer is no coincidence.
const TELLING: usize = 8;

/// One installation for the whole property, with a client that may do something.
fn standing() -> &'static (Installation, Credentials) {
    static STANDING: OnceLock<(Installation, Credentials)> = OnceLock::new();
    STANDING.get_or_init(|| {
        let installation = Installation::start();
        let client = installation.client("acme").register();
        (installation, client)
    })
}

/// A request with `input` in one of the places that have room for it, and what of it was sent there.
fn put(place: usize, input: &str) -> (Request<'static>, String) {
    let (installation, client) = standing();
    let by_client = |endpoint| installation.form(Qa, endpoint).basic(client);
    let granted = |request: Request<'static>| request.param("grant_type", "client_credentials");
    let plain = plain(input);
    let request = match place {
        0 => by_client("token").param("grant_type", input),
        1 => installation.token(client).param("scope", input),
        2 => installation.token(client).param("resource", input),
        3 => installation.token(client).param("client_id", input),
        4 => installation.token(client).raw(input).raw("x=%"),
        5 => granted(installation.form(Qa, "token").param("client_id", input)),
        6 => granted(installation.form(Qa, "token").posting(&named(input))),
        7 => granted(installation.form(Qa, "token").basic_octets(input.as_bytes())),
        8 => granted(installation.form(Qa, "token").basic(&named(input))),
        9 => by_client("revoke").param("token", input).param("token", input),
        10 => by_client("introspect").param("token", input),
        11 => installation
            .token(client)
            .body(input.to_owned())
            .header("Content-Type", "text/plain"),
        12 => return (installation.request("POST", &format!("/qa/{plain}")), plain),
        13 => return (installation.request("GET", &format!("/qa/token?{plain}")), plain),
        _ => return (installation.token(client).header("Content-Type", &plain), plain),
    };
    (request, input.to_owned())
}

/// Credentials that nobody has.
fn named(input: &str) -> Credentials {
    Credentials {
        client_id: input.to_owned(),
        secret: input.to_owned(),
        ..standing().1.clone()
    }
}

/// What of the input can stand in a path or a header.
fn plain(input: &str) -> String {
    input.chars().filter(char::is_ascii_alphanumeric).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn tok_25_no_answer_repeats_its_request(
        place in 0_usize..15,
        input in prop_oneof!["[A-Za-z0-9]{8,60}", "[A-Za-z0-9+/=%&;:<>\"'\\\\ é\u{7}-]{8,60}"],
    ) {
        let (request, sent) = put(place, &input);
        let answer = request.send();
        prop_assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.text());
        let headers: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let said = format!("{headers}{}", answer.text());
        let characters: Vec<char> = sent.chars().collect();
        for piece in characters.windows(TELLING) {
            let piece: String = piece.iter().collect();
            prop_assert!(!said.contains(&piece), "{piece:?} of the request stands in the answer");
        }
    }
}
