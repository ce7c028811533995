//! `producer setup`: creates the streams and buckets of a farm, for workers and people whose broker users may not.

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::output;

/// Creates what is missing. Existing streams and buckets stay as they are.
pub(super) async fn run(settings: &Settings) -> Result<Exit, Error> {
    settings.connect().await?;
    output::print("the broker has all streams and buckets of a farm");
    Ok(Exit::Done)
}
