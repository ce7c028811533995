//! `producer setup`: creates the streams and buckets of a farm, for workers and people whose broker users may not.

use crate::display::output;
use crate::exit::{Error, Exit};
use crate::settings::Settings;

/// Creates what is missing. Existing streams and buckets stay as they are.
pub(super) async fn run(settings: &Settings) -> Result<Exit, Error> {
    settings.connect().await?;
    output::print("the broker has all streams and buckets of a farm");
    Ok(Exit::Done)
}
