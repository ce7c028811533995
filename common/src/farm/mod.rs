//! The farm: its queues and workers, and the orders that people give them.

pub mod card;
pub mod film;
pub mod hours;
pub mod orders;
pub mod places;
pub mod preview;
pub mod queue;
pub mod retention;
pub mod sample;
pub mod worker;
pub mod worker_name;
