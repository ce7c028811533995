//! Which jobs this worker takes, and when.

pub mod admission;
pub mod availability;
pub mod dispatcher;
pub mod drain;
pub mod health;
pub mod orders;
pub mod reach;
pub mod search;
