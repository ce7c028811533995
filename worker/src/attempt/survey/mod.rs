//! The survey: looks at the pictures of an input, and listens to its sound, before its command line is made. It does
//! only what the recipe needs. Each file asks one question; [`Findings`] has the answers.

mod borders;
mod pictures;

use std::future::Future;
use std::time::Duration;

use common::job::failure::Failure;
use common::recipe::Recipe;

use crate::ffmpeg::Source;
use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::run::runner::Runner;

/// An input, and the recipe that asks about it.
struct Asked<'a> {
    recipe: &'a Recipe,
    media: &'a Media,
    /// Reads the input, and writes nowhere.
    runner: &'a Runner,
    source: &'a Source,
}

/// Asks all that the recipe needs to know about the input. Within a `limit`, a question that takes longer gets no
/// answer.
///
/// # Errors
/// If ffmpeg cannot be run, is stopped, or cannot reach the input. An input that cannot be decoded is no error: the
/// encode will tell.
pub async fn survey(
    recipe: &Recipe,
    media: &Media,
    runner: &Runner,
    source: &Source,
    limit: Option<Duration>,
) -> Result<Findings, Failure> {
    let asked = &Asked {
        recipe,
        media,
        runner,
        source,
    };
    let borders = if borders::is_asked(recipe) {
        within(limit, borders::of_films(asked)).await?
    } else {
        None
    };
    Ok(Findings { borders })
}

/// The answer; `None` if it takes longer than `limit`.
async fn within<T>(
    limit: Option<Duration>,
    question: impl Future<Output = Result<T, Failure>>,
) -> Result<Option<T>, Failure> {
    match limit {
        None => question.await.map(Some),
        Some(limit) => tokio::time::timeout(limit, question).await.ok().transpose(),
    }
}
