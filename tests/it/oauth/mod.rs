//! What the RFCs bind the OAuth endpoints to, requirement by requirement. The name of each test begins with the id under which
//! `docs/RFC.md` lists the requirement.

mod access_token;
mod allocations;
mod around;
mod client_authentication;
mod coalescing;
mod discovery;
mod errors;
mod herd;
mod introspection;
mod jwks;
mod limits;
mod model;
mod never_an_echo;
mod order_of_checks;
mod quota;
mod remembered;
mod resource_indicators;
mod revocation;
mod room;
mod stores;
mod token_request;
mod token_response;
mod usage;
mod warm;
