//! `openapi`: the description of the admin API and the OAuth endpoints.

use clap::Args;

use super::Invocation;
use super::failure::Failure;
use crate::http::admin;

/// Print the OpenAPI 3.1 description of the admin API and the OAuth endpoints
#[derive(Args, Debug)]
pub(super) struct Openapi {}

impl Openapi {
    #[expect(clippy::unused_self, reason = "every verb is run alike")]
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        invocation.output.bytes(admin::OPENAPI.as_bytes())?;
        Ok(())
    }
}
