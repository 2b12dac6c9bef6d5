//! The credentials of the `Authorization` header (RFC 7617, RFC 6749 §2.3.1): any text is parsed or refused, none panics.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|credentials: &str| {
    let _ = mintmark::http::basic::parse(credentials);
});
