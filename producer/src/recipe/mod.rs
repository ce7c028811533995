//! From options to a recipe.

pub mod options;
pub mod presets;
