//! `producer setup`: makes the streams and buckets of a farm, for workers and people
//! whose broker users may not.

use crate::display::output;
use crate::exit::{Error, Exit};
use crate::settings::Settings;

/// Makes what is missing. What exists stays as it is.
///
/// # Errors
/// Where the broker is out of reach, or its user may not make streams.
pub(super) async fn run(settings: &Settings) -> Result<Exit, Error> {
    settings.connect().await?;
    output::print("the broker has all streams and buckets of a farm");
    Ok(Exit::Done)
}
