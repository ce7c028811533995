//! Which jobs a command is about, and carrying it out for each.

pub(crate) mod bulk;
pub(crate) mod filter;
pub(crate) mod lookup;
pub(crate) mod selection;
