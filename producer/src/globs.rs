//! Globs of the command line.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::exit::Error;

/// The globs that an option gives; `*` matches no `/`.
///
/// # Errors
/// Where one cannot be read.
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
