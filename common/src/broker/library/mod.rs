//! Libraries: what people set, who scans, and what is known of each file.

pub(super) mod catalog;
pub(super) mod files;
pub(super) mod scans;
