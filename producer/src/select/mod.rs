//! Selecting jobs, and changing each of them.

pub(crate) mod bulk;
pub(crate) mod filter;
pub(crate) mod globs;
pub(crate) mod lookup;
pub(crate) mod selection;
