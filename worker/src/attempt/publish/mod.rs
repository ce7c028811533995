//! How an output appears: whole, or not at all.

pub mod attributes;
pub mod hidden;
pub mod made;
pub mod publish;
