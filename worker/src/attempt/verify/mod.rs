//! The publish gate, and the damage of inputs.

pub mod damage;
pub mod gaps;
pub mod gate;
pub mod output;
