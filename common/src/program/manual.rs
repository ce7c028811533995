//! Manual pages: one for a program, and one for each of its commands, as `man` reads them.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

/// Writes the pages of a program into a folder, which is made if it is missing: `worker.1`, `worker-check-config.1`, ….
/// Hidden commands have none.
///
/// # Errors
/// The folder cannot be made, or a page not written.
pub fn write(program: Command, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let source = format!(
        "ffmpeg-easy {}",
        program.get_version().unwrap_or(env!("CARGO_PKG_VERSION"))
    );
    // `help` would have a page for every command once more.
    let mut program = program.disable_help_subcommand(true);
    program.build();
    pages(program, &source, folder)
}

fn pages(command: Command, source: &str, folder: &Path) -> io::Result<()> {
    let shown = command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set());
    for inner in shown.cloned().collect::<Vec<_>>() {
        pages(inner, source, folder)?;
    }
    // Options that short help leaves out would have no text.
    let command = command.mut_args(|argument| argument.hide_short_help(false));
    let page = Man::new(command).source(source).manual("ffmpeg-easy");
    page.generate_to(folder).map(drop)
}
