//! `producer completions`.

use clap::Args;
use clap_complete::Shell;

use crate::cli::exit::Exit;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Shell
    pub shell: Shell,
}

pub(super) fn run(options: &Options, mut command_line: clap::Command) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command_line, "producer", &mut script);
    crate::display::output::print(&String::from_utf8_lossy(&script));
    Exit::Done
}
