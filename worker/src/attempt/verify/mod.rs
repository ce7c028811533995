//! The publish gate, and damage of inputs.

pub mod damage;
pub mod gaps;
pub mod gate;
