//! Names and addresses: of things on the broker, of files, of content.

pub mod digest;
pub mod location;
pub mod printable;
pub mod subject;
pub mod token;
pub mod unknown;
