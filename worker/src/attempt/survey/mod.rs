//! The survey: looks at the pictures of an input, and listens to its sound, before its command line is made. It does
//! only what the recipe needs. Each file asks one question; [`Findings`] has the answers.

mod borders;
mod combing;
mod foreign;
mod loudness;
mod part;
mod pictures;
mod steady;

use std::future::Future;
use std::time::Duration;

use common::job::failure::Failure;
use common::recipe::Recipe;
use tokio::time::Instant;

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

/// Asks all that the recipe needs to know about the input. What has no answer within a `limit` stays unknown.
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
    let deadline = limit.map(|limit| Instant::now() + limit);
    let (borders, combing) = (borders::of_films(asked), combing::of_films(asked));
    let part = async {
        match recipe.trim {
            Some(trim) => asked.part(trim).await.map(Some),
            None => Ok(None),
        }
    };
    let mut known = Findings {
        part: answer(recipe.trim.is_some(), deadline, part)
            .await?
            .flatten(),
        ..Findings::default()
    };
    // Only the part that is kept tells which tracks the output has.
    let media = &known.applied_to(recipe, media);
    let kept = &Asked { media, ..*asked };
    let loudness = loudness::of_tracks(kept);
    let foreign = foreign::track(asked);
    Ok(Findings {
        borders: answer(borders::is_asked(recipe), deadline, borders).await?,
        combing: answer(combing::is_asked(recipe), deadline, combing).await?,
        loudness: answer(loudness::is_asked(kept), deadline, loudness).await?,
        steady: answer(steady::is_asked(recipe), deadline, asked.steady_films()).await?,
        foreign: answer(foreign::is_asked(recipe), deadline, foreign).await?,
        ..known
    })
}

/// The answer; `None` if the question is not asked, or if there is no answer at the deadline.
async fn answer<T>(
    is_asked: bool,
    deadline: Option<Instant>,
    question: impl Future<Output = Result<T, Failure>>,
) -> Result<Option<T>, Failure> {
    match deadline {
        _ if !is_asked => Ok(None),
        None => question.await.map(Some),
        Some(deadline) => tokio::time::timeout_at(deadline, question)
            .await
            .ok()
            .transpose(),
    }
}
