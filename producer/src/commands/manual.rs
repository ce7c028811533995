//! `producer manual`: for those who make packages.

use std::path::PathBuf;

use clap::Args;
use common::program::manual;
use common::say;

use crate::cli::exit::Exit;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Folder for the pages
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn run(options: &Options, command_line: clap::Command) -> Exit {
    match manual::write(command_line, &options.folder) {
        Ok(()) => Exit::Done,
        Err(error) => {
            let folder = options.folder.display();
            say!("error: cannot write the manual pages to {folder}: {error}");
            Exit::Failed
        }
    }
}
