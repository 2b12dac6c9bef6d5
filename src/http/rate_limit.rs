//! `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers): what a client may do, and what is left of it. Both are
//! lists of structured fields (RFC 9651 §3.1): quoted names, whole numbers.

use std::fmt::Write as _;

use actix_web::HttpResponseBuilder;
use actix_web::http::header::HeaderName;

use crate::registry::{Policy, Remainder};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Says what is left after a request that was served; nothing where there is no limit.
pub(super) fn served(response: &mut HttpResponseBuilder, left: &[Remainder]) {
    if left.is_empty() {
        return;
    }
    let (mut policies, mut limits) = (String::new(), String::new());
    for Remainder { policy, remaining } in left {
        separate(&mut policies, &mut limits);
        write_policy(&mut policies, *policy);
        write!(limits, "\"{}\";r={remaining}", policy.limit.as_str()).expect(MEMORY);
    }
    response.insert_header((RATE_LIMIT_POLICY, policies));
    response.insert_header((RATE_LIMIT, limits));
}

/// Says which limit is used up, and that something is there again after `wait` seconds, which is also what `Retry-After` says.
pub(super) fn refused(response: &mut HttpResponseBuilder, policy: Policy, wait: u64) {
    let mut policies = String::new();
    write_policy(&mut policies, policy);
    response.insert_header((RATE_LIMIT_POLICY, policies));
    response.insert_header((RATE_LIMIT, format!("\"{}\";r=0;t={wait}", policy.limit.as_str())));
}

fn separate(policies: &mut String, limits: &mut String) {
    if !policies.is_empty() {
        policies.push_str(", ");
        limits.push_str(", ");
    }
}

fn write_policy(policies: &mut String, policy: Policy) {
    let Policy { limit, quota, window } = policy;
    write!(policies, "\"{}\";q={quota};w={window}", limit.as_str()).expect(MEMORY);
}

const MEMORY: &str = "memory takes it";
