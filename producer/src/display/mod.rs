//! How results are printed, for people and for programs.

pub(crate) mod bar;
pub(crate) mod changes;
pub(crate) mod job;
pub(crate) mod output;
pub(crate) mod shortened;
pub(crate) mod state;
pub(crate) mod table;
pub(crate) mod times;
pub(crate) mod units;
