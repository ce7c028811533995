//! The options that name what to encode.

use std::path::PathBuf;

use clap::Args;

#[derive(Clone, Debug, Args)]
pub(crate) struct SourceOptions {
    /// Files, folders, or s3://bucket/prefix with a farm
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub globs: Globs,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Globs {
    /// In folders, take only files whose name or path below the folder matches, e.g. '*.mov'
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<String>,
    /// In folders, skip files whose name or path below the folder matches
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
}
