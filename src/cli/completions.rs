//! `completions`: a script that teaches a shell the verbs and their options.

use clap::Args;
use clap_complete::Shell;

use super::Invocation;
use super::failure::Failure;

/// Print a completion script for a shell
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "mintmark", &mut script);
        invocation.output.bytes(&script)?;
        Ok(())
    }
}
