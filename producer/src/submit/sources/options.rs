//! What is to be encoded: the options that name it.

use std::path::PathBuf;

use clap::Args;

/// What is to be encoded.
#[derive(Clone, Debug, Args)]
pub(crate) struct SourceOptions {
    /// Files and folders, or s3://bucket/prefix where a farm is used
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What of the folders.
    #[command(flatten)]
    pub globs: Globs,
}

/// Which files of a folder take part.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Globs {
    /// Of folders, take only files whose name or path below the folder matches, e.g. '*.mov'
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<String>,
    /// Of folders, leave out files whose name or path below the folder matches
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
}
