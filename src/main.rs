//! The binary: verbs only.

use std::io;
use std::process::ExitCode;

use mintmark::cli::{self, Output};
use mintmark::config::process_environment;

fn main() -> ExitCode {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    cli::run(
        std::env::args_os(),
        process_environment(),
        Output::new(&mut out, &mut err),
    )
    .into()
}
