//! A module of a Rust crate, as read from its source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A path of names, e.g. `crate::job::Job`. The last name of a glob is `*`.
pub(crate) type Names = Vec<String>;

/// A module: a file, or a part of one.
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    /// The folder of the files of its child modules.
    pub(crate) folder: PathBuf,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    pub(crate) defined: BTreeSet<String>,
    /// The names that `use` lines bind here, each with its path.
    pub(crate) bound: Vec<(String, Names)>,
    /// The names in the code, and those of `use` lines that re-export nothing.
    pub(crate) named: Vec<Names>,
    /// The names that `pub use` lines re-export.
    pub(crate) handed_on: Vec<Names>,
}
