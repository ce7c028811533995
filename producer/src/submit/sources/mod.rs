//! Finding media in files, folders and buckets.

mod camera;
mod found;
mod merge;
mod options;
mod search;

pub(crate) use camera::recordings;
pub(crate) use found::SourceFile;
pub(crate) use merge::{Into, Merge};
pub(crate) use options::{Globs, SourceOptions};
pub(crate) use search::Search;
