//! Finding media in files, folders and buckets.

mod found;
mod options;
mod search;

pub(crate) use found::SourceFile;
pub(crate) use options::{Globs, SourceOptions};
pub(crate) use search::Search;
