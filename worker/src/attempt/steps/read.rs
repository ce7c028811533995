//! Reading: makes the input readable for ffmpeg, and gives the attempt a folder to work in.

use std::path::PathBuf;
use std::sync::Arc;

use common::job::failure::Failure;
use common::recipe::{Captions, Recipe};

use crate::attempt::input;
use crate::attempt::publish::attributes::Attributes;
use crate::attempt::scratch::AttemptFolder;
use crate::attempt::steps::{Attempt, Unfinished};
use crate::cli::config::ReadMode;
use crate::ffmpeg::Source;
use crate::ffmpeg::run::runner::Runner;

/// The name of an output while it is made.
pub(super) const OUTPUT: &str = "output";

/// An input that ffmpeg can read, and what is needed to work on it.
pub struct Prepared {
    pub recipe: Recipe,
    pub source: Source,
    /// The attributes of the input; `None` for an object.
    pub attributes: Option<Attributes>,
    pub folder: Arc<AttemptFolder>,
    /// A runner that reads the input, and may write nowhere.
    pub runner: Runner,
}

impl Prepared {
    /// The path where ffmpeg writes the output.
    pub fn output_path(&self) -> PathBuf {
        self.folder.work_path().join(OUTPUT)
    }

    /// A runner that may write the output.
    pub(super) fn writing(&self) -> Runner {
        self.runner.writing(self.folder.work_path())
    }
}

impl Attempt<'_> {
    pub(super) async fn read(&self) -> Result<Prepared, Unfinished> {
        let Self { executor, job, .. } = self;
        let folder = executor
            .scratch
            .attempt(&job.id, self.number)
            .map_err(|error| Failure::worker(format!("no scratch folder can be made: {error}")))?;
        // With captions, ffmpeg reads the input at two places at once, so a local copy is needed.
        let mode = match job.recipe.captions {
            Captions::Srt => ReadMode::Download,
            Captions::Keep => executor.read,
        };
        let opened = input::open(&executor.stores, &job.input, mode, folder.path(), &|_| {});
        let source = tokio::select! {
            opened = opened => opened?,
            () = self.stop.cancelled() => {
                return Err(Failure::passing("broken off while reading").into());
            }
        };
        let location = &job.input.location;
        executor.reach.seen(location);
        Ok(Prepared {
            recipe: job.recipe.clone(),
            attributes: Attributes::at(&executor.stores, location).await,
            runner: executor.runner(&source, folder.path(), self.stop.clone()),
            source,
            folder: Arc::new(folder),
        })
    }
}
