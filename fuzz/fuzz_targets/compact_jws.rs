//! A token before its signature is looked at (RFC 7515 §3.1): any text is parsed or refused, none panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mintmark::jose::{CompactJws, TokenType};

fuzz_target!(|token: &str| {
    let _ = CompactJws::parse(token, TokenType::AccessToken);
});
