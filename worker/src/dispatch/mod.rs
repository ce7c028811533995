//! Which jobs this worker takes, and when.

pub mod admission;
pub mod availability;
pub mod dispatcher;
pub mod health;
pub mod orders;
pub mod search;
