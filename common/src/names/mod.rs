//! Names and addresses: names on the broker, locations of files, digests of content, keys of users.

pub mod digest;
pub mod language;
pub mod location;
pub mod media;
pub mod nkey;
pub mod printable;
pub(crate) mod similar;
pub mod subject;
pub mod token;
pub mod unknown;
