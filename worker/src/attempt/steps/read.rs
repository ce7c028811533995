//! Reading: makes the input readable for ffmpeg, and gives the attempt a folder to work in.

use std::path::PathBuf;
use std::sync::Arc;

use common::job::changes::Change;
use common::job::failure::Failure;
use common::job::further::FurtherRole;
use common::recipe::Recipe;

use crate::attempt::input;
use crate::attempt::publish::attributes::Attributes;
use crate::attempt::scratch::AttemptFolder;
use crate::attempt::steps::{Attempt, Unfinished};
use crate::ffmpeg::Source;
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::run::runner::Runner;
use crate::report::load::free_space;

/// The name of an output while it is made.
pub(super) const OUTPUT: &str = "output";

/// An input that ffmpeg can read, and what is needed to work on it.
pub struct Prepared {
    pub recipe: Recipe,
    pub source: Source,
    /// The tables of a source in a bucket, and what ffmpeg reads of it whenever it opens it, if they were brought here.
    pub outline: Option<Source>,
    /// The further inputs, in their order.
    pub further: Vec<(FurtherRole, Source)>,
    /// What the input holds, if it was probed already.
    pub seen: Option<Media>,
    /// What was lost when parts were joined.
    pub lost: Vec<Change>,
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

    /// A runner that may write the output, as large as there is room for. A little is left for everybody else.
    pub(super) fn writing(&self) -> Runner {
        let mut runner = self.runner.writing(self.folder.work_path());
        let free = free_space(self.folder.path());
        runner.sandbox.resources.file_size = free.map(|free| free - free / 20);
        runner
    }
}

impl Attempt<'_> {
    pub(super) async fn read(&self) -> Result<Prepared, Unfinished> {
        let Self { executor, job, .. } = self;
        let folder = executor
            .scratch
            .attempt(&job.id, self.number)
            .map_err(|error| Failure::worker(format!("no scratch folder can be made: {error}")))?;
        let opened = async {
            let mut opened = Vec::new();
            for (number, input) in job.inputs().enumerate() {
                let mode = input::mode(job, number, executor.read);
                // The first file has no number.
                let name = match number {
                    0 => input::NAME.to_owned(),
                    number => format!("{}{number}", input::NAME),
                };
                let to = folder.path().join(name);
                let places = executor.places();
                opened.push(input::open(places, input, mode, &to, &|_| {}).await?);
                executor.reach.seen(&input.location);
            }
            Ok::<_, Failure>(opened)
        };
        let sources = tokio::select! {
            opened = opened => opened?,
            () = self.stop.cancelled() => {
                return Err(Failure::passing("broken off while reading").into());
            }
        };
        let runner = executor.runner(&sources, folder.path(), self.stop.clone());
        let mut sources = sources.into_iter();
        let source = sources
            .next()
            .ok_or_else(|| Failure::worker("the job has no input"))?;
        let roles = job.further.iter().map(|further| further.role.clone());
        Ok(Prepared {
            recipe: job.recipe.clone(),
            attributes: Attributes::at(&executor.stores, &job.input.location).await,
            runner,
            source,
            outline: None,
            further: roles.zip(sources).collect(),
            seen: None,
            lost: Vec::new(),
            folder: Arc::new(folder),
        })
    }
}
