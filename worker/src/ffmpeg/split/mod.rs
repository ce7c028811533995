//! Splitting a film: which frames it has, where it is cut, whether that pays, and whether the
//! pieces fit together.

pub mod cut;
pub mod gain;
pub mod header;
pub mod index;
pub mod lookback;
pub mod obstacle;
pub mod order;
pub mod places;
pub mod reset;
pub mod sizes;
pub mod stated;
