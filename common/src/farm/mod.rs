//! The farm: its queues and workers, and the orders that people give them.
//!
//! More than 12 entries: one for each thing that people and workers tell each other.

pub mod card;
pub mod confinement;
pub mod film;
pub mod hours;
pub mod orders;
pub mod places;
pub mod preview;
pub mod queue;
pub mod retention;
pub mod sample;
pub mod trash;
pub mod worker;
pub mod worker_name;
