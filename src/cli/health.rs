//! `health`: asks the server of this machine whether it is ready; made for a container's health check.

use clap::Args;
use ureq::http::Method;

use super::Invocation;
use super::failure::{Exit, Failure};
use super::server_address::ServerAddress;
use super::wire::{Request, Trust, Wire};

/// Ask the server of these settings whether it is ready: exits with 0 or 1
#[derive(Args, Debug)]
pub(super) struct Health {}

impl Health {
    #[expect(clippy::unused_self, reason = "every verb is run alike")]
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let url = ServerAddress::of(&invocation.settings()?).at("/readyz", &[]);
        // The certificate names the public host, not this address; the question holds no secret.
        let wire = Wire::new(&Trust::Anyone)?;
        // A health check knows two answers only.
        let answer = wire.send(&Request::new(Method::GET, url)).map_err(|failure| Failure {
            exit: Exit::Failed,
            ..failure
        })?;
        if answer.status == 200 {
            invocation.output.line("ready")?;
            return Ok(());
        }
        let failing = answer.body["checks"].as_object().into_iter().flatten();
        Err(failing
            .filter(|(_, holds)| holds.as_bool() == Some(false))
            .fold(Failure::failed("not ready"), |told, (check, _)| {
                told.and(check.replace('_', " "))
            }))
    }
}
