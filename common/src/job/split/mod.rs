//! Splitting: one file that is encoded in parts, by as many workers as there are.
//!
//! A plan says where the chunks of a film begin and end. Each chunk is claimed and run like a job of its own, and so is
//! the rest: all tracks but the film. Once all parts are done, the whole job joins their pieces.

mod choice;
mod plan;
mod report;
mod state;

pub use choice::{Split, SplitError};
pub use plan::{Chunk, Film, PIECES, Plan, Stated, folder_of_piece};
pub use report::{PartReport, PieceReport, SplitReport};
pub use state::{Fits, SplitState};
