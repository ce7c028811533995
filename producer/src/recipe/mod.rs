//! From options to a recipe.

pub(crate) mod import;
pub(crate) mod known;
pub(crate) mod options;
pub(crate) mod presets;
