//! Further inputs of jobs: found in stores, and looked at. So a job knows the version of each.

mod recipe_files;
mod subtitles;

pub use recipe_files::{RecipeFileError, check_recipe_file};
pub use subtitles::{SubtitleFiles, SubtitleSearch};
