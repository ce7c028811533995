//! Which jobs a command is about, and carrying it out for each.

pub mod bulk;
pub mod filter;
pub mod lookup;
pub mod selection;
