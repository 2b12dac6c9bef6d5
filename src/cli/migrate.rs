//! `migrate`: the tables, brought to the form this program knows.

use clap::Args;

use super::Invocation;
use super::failure::Failure;
use crate::store;

/// Bring the store's tables to the form this program knows
#[derive(Args, Debug)]
pub(super) struct Migrate {
    /// Change nothing: list what is to be done, and exit with 1 if that is anything
    #[arg(long)]
    check: bool,
}

impl Migrate {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let database = invocation.settings()?.database;
        if self.check {
            let pending = store::pending_migrations(&database.url, database.timeout)?;
            pending.iter().try_for_each(|stamp| invocation.output.line(stamp))?;
            return match pending.len() {
                0 => Ok(invocation.output.note("The store is up to date.")?),
                1 => Err(Failure::failed("1 migration is to be run: run `mintmark migrate`")),
                several => Err(Failure::failed(format!(
                    "{several} migrations are to be run: run `mintmark migrate`"
                ))),
            };
        }
        let ran = store::migrate(&database.url, database.timeout)?;
        ran.iter().try_for_each(|stamp| invocation.output.line(stamp))?;
        invocation.output.note("The store is up to date.")?;
        Ok(())
    }
}
