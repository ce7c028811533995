//! Looks at new and changed files: a few at a time, confined like the probes of jobs, and
//! at the lowest priority.

use std::sync::Arc;
use std::time::Duration;

use common::job::failure::{Failure, Fault};
use common::job::input::Input;
use common::rules::facts::Facts;
use tokio_util::sync::CancellationToken;

use crate::attempt::executor::Executor;
use crate::attempt::input;
use crate::cli::config::ReadMode;
use crate::ffmpeg::probe;

/// How long one probe may make no progress.
const STALL: Duration = Duration::from_secs(60);

/// What a file holds.
///
/// # Errors
/// The failure; if the input is at fault, the file holds no media that can be read.
async fn look(
    executor: &Executor,
    input: &Input,
    stop: &CancellationToken,
) -> Result<Facts, Failure> {
    let scratch = executor
        .scratch
        .probe()
        .map_err(|error| Failure::worker(format!("no scratch folder: {error}")))?;
    let (mode, folder) = (ReadMode::InPlace, scratch.path());
    let to = folder.join(input::NAME);
    let source = input::open(executor.places(), input, mode, &to, &|_| {}).await?;
    let mut runner = executor.runner([&source], folder, stop.child_token());
    runner.limits.stall = STALL;
    // Nobody waits for a scan as people wait for encodes.
    runner.sandbox.background = true;
    let media = probe::probe(&runner, &source).await?;
    let file = executor.stores.stored_file(&input.location).await;
    Ok(media.facts(file.map_err(input::failure)?))
}

/// What was found in a file.
pub(super) enum Probed {
    Facts(Box<Facts>),
    /// The file holds no media that can be read.
    Unreadable(String),
    /// ffprobe failed, and it may be the machine's fault.
    Doubtful(String),
    /// The file has changed since it was listed.
    Changing,
    /// It was not found out: the file is looked at again by the next scan.
    Later(String),
}

pub(super) async fn probe(
    executor: Arc<Executor>,
    input: Input,
    stop: CancellationToken,
) -> (Input, Probed) {
    let probed = match executor.stores.head(&input.location).await {
        Ok(now) if now == input => look(&executor, &input, &stop).await,
        Ok(_) => return (input, Probed::Changing),
        Err(error) => return (input, Probed::Later(error.to_string())),
    };
    let probed = match probed {
        Ok(facts) => Probed::Facts(Box::new(facts)),
        Err(failure) if failure.doubt.is_some() => Probed::Doubtful(failure.message),
        Err(failure) if failure.fault == Fault::Input => Probed::Unreadable(failure.message),
        Err(failure) => Probed::Later(failure.message),
    };
    (input, probed)
}
