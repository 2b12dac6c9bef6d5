//! The body of a request to the OAuth endpoints (RFC 6749 appendix B): any bytes are parsed or refused, none panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let _ = mintmark::http::form::parse(body);
});
