//! Bringing results home.

pub mod bring;
pub mod home;
