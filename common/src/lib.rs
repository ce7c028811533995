//! The contract between the programs of the farm: the words they share, how
//! those go over the wire, and the few broker operations that both sides must
//! perform in exactly the same way. No policy, no ffmpeg, no command line.
//!
//! Reading order: [`job`] is what is asked for, [`recipe`] how, [`card`] who
//! can, [`queue`] where it waits, [`run`] what became of it, [`subject`] what
//! all of that is called on the broker, and [`broker`] the operations.

pub mod batch;
pub mod broker;
pub mod card;
pub mod changes;
pub mod control;
pub mod digest;
pub mod encoder;
pub mod event;
pub mod failure;
pub mod fence;
pub mod fit;
pub mod history;
pub mod hours;
pub mod id;
pub mod job;
pub mod location;
pub mod marked;
pub mod media_info;
pub mod naming;
pub mod outlook;
pub mod peek;
pub mod pin;
pub mod places;
pub mod plan;
pub mod preset;
pub mod printable;
pub mod progress;
pub mod queue;
pub mod recipe;
pub mod retention;
pub mod roots;
pub mod run;
pub mod scratch;
pub mod shutdown;
pub mod store;
pub mod subject;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod why;
pub mod wire;
pub mod worker;
