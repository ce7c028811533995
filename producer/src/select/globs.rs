//! Globs from the command line.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::cli::exit::Error;

/// The globs of an option; `*` does not match `/`.
pub(crate) fn glob_set(option: &str, globs: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let parsed = GlobBuilder::new(glob)
            .literal_separator(true)
            .case_insensitive(cfg!(any(windows, target_os = "macos")))
            .build()
            .map_err(|error| Error::usage(format!("{option}: {error}")))?;
        set.add(parsed);
    }
    set.build()
        .map_err(|error| Error::usage(format!("{option}: {error}")))
}
