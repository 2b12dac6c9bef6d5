//! `serve`: the server itself.

use std::sync::Arc;

use actix_web::rt::System;
use clap::Args;

use super::Invocation;
use super::failure::Failure;
use crate::app;
use crate::config::Severity;
use crate::telemetry;

/// Run the server until a signal comes; a second signal ends it at once
#[derive(Args, Debug)]
pub(super) struct Serve {}

impl Serve {
    #[expect(clippy::unused_self, reason = "every verb is run alike")]
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let settings = invocation.settings()?;
        let clock = Arc::clone(&invocation.ambient.clock);
        telemetry::start_logging(settings.log.level, settings.log.format, clock)
            .map_err(|error| Failure::failed(error.to_string()))?;
        for finding in settings.findings() {
            match finding.severity {
                Severity::Note => log::info!("{finding}"),
                Severity::Warning => log::warn!("{finding}"),
            }
        }
        System::new().block_on(async {
            let running = app::start(&settings, invocation.ambient.clone()).await?;
            if let Some(link) = running.set_up_link() {
                invocation.output.line(&format!("Make the first owner at {link}"))?;
            }
            Ok(running.until_signal().await?)
        })
    }
}
