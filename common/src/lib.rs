//! The contract between the programs of the farm: the words they share, how
//! those go over the wire, and the few broker operations that both sides must
//! perform in exactly the same way. No policy, no ffmpeg, no command line.
//!
//! Reading order: [`job`] is what is asked for, [`recipe`] how, [`card`] who
//! can, [`queue`] where it waits, [`run`] what became of it, [`subject`] what
//! all of that is called on the broker, and [`broker`] the operations.

// Programs have no readers of their documentation; this crate has three.
#![warn(missing_docs)]

pub mod broker;
pub mod farm;
pub mod job;
pub mod matching;
pub mod names;
pub mod program;
pub mod recipe;
pub mod store;
pub mod submit;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod wire;
