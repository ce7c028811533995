//! The option `--sidecars`: what becomes of the files beside the sources.

use clap::ValueEnum;
use common::job::sidecar::Sidecars;
use common::submit::terms::JobTerms;

use crate::cli::exit::Error;
use crate::submit::destination::Destination;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SidecarOption {
    /// They get the stem of the output: as copies with -o, and by new names with --replace
    Carry,
    /// They stay as they are
    Leave,
}

impl From<SidecarOption> for Sidecars {
    fn from(chosen: SidecarOption) -> Self {
        match chosen {
            SidecarOption::Carry => Self::Carry,
            SidecarOption::Leave => Self::Leave,
        }
    }
}

/// Checks that workers find the sidecars that they are to copy, and that these end up where the outputs do.
///
/// # Errors
/// Sources are uploaded, or results downloaded.
pub(crate) fn check_sidecars(
    terms: &JobTerms,
    destination: &Destination,
    is_uploaded: bool,
) -> Result<(), Error> {
    let is_moved = is_uploaded || destination.download_to.is_some();
    match terms.sidecars == Sidecars::Carry && is_moved {
        true => Err(Error::usage(
            "--sidecars carry has workers copy files beside the sources, and only media are uploaded and downloaded: \
             use folders that the workers reach (--root), or an s3://… source and output",
        )),
        false => Ok(()),
    }
}
