//! Splitting a film: which frames it has, where it is cut, and whether that pays.

pub mod cut;
pub mod gain;
pub mod index;
pub mod lookback;
pub mod obstacle;
pub mod sizes;
