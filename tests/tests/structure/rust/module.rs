//! A module of a Rust crate, as it is read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A path of names, e.g. `crate::job::Job`. The last name of a glob is `*`.
pub(crate) type Names = Vec<String>;

/// A module: a file, or a part of one.
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    /// Where the files of its children lie.
    pub(crate) folder: PathBuf,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    pub(crate) defined: BTreeSet<String>,
    /// What `use` lines bind: the name here, and the path.
    pub(crate) bound: Vec<(String, Names)>,
    /// What the code names, and what `use` lines bring without handing it on.
    pub(crate) named: Vec<Names>,
    /// What `pub use` lines hand on.
    pub(crate) handed_on: Vec<Names>,
}
