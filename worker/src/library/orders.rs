//! Jobs of a library: enqueued like those of everybody, held while it is closed.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use common::broker::{BrokerError, NamesError, Outputs};
use common::farm::orders::Target;
use common::job::Job;
use common::job::further::FurtherInput;
use common::job::id::{BatchId, JobId};
use common::job::kind::CheckDepth;
use common::job::record::JobRecord;
use common::job::work::Work;
use common::library::file::{FileRecord, FileState};
use common::library::next::Sight;
use common::library::{Library, check};
use common::names::location::Location;
use common::names::token::Token;
use common::store::{StoreError, SubtitleSearch};
use common::submit::existing_outputs::{ExistingFile, ExistingOutputs};
use common::submit::naming::{NamedSource, NamingError};
use common::submit::output_set::OutputSet;
use common::submit::result::SubmitResult;
use common::submit::terms::JobTerms;
use futures::StreamExt;
use jiff::civil::Date;
use uuid::Uuid;

use crate::attempt::executor::Executor;
use crate::library::lease::Held;

/// Outputs that are looked at together.
const AT_ONCE: usize = 16;

/// Gives the orders of one library.
pub(super) struct Orders<'a> {
    executor: &'a Arc<Executor>,
    name: &'a Token,
    library: &'a Library,
}

impl<'a> Orders<'a> {
    pub(super) fn new(executor: &'a Arc<Executor>, name: &'a Token, library: &'a Library) -> Self {
        Self {
            executor,
            name,
            library,
        }
    }

    /// Whether jobs are enqueued now.
    pub(super) fn is_open(&self) -> bool {
        let now = self.executor.broker.now();
        self.library
            .is_open(&now.to_zoned(jiff::tz::TimeZone::system()))
    }

    /// Enqueues jobs for these files as one batch. Returns their records with what has become of them, and the number
    /// of new jobs.
    pub(super) async fn submit(
        &self,
        files: Vec<FileRecord>,
    ) -> anyhow::Result<(Vec<FileRecord>, usize)> {
        let (broker, stores) = (&self.executor.broker, &self.executor.stores);
        let library = self.library;
        let set = check::outputs(library)?;
        let folder = library.output_folder();
        let (files, named, mut found) = self.named(files, &set).await?;
        let recipe = set.first();
        let recipe_files = stores.recipe_files(recipe).await?;
        let mut subtitles = recipe
            .subtitle_tracks
            .external
            .then(|| SubtitleSearch::new(stores));
        let outputs = named.outputs.iter().flatten().cloned();
        let existing = ExistingOutputs {
            files: self.existing(outputs).await?,
            jobs: named.jobs_by_output,
        };
        let terms = library.terms();
        let signature = &library.signature;
        let label = format!("library {}", self.name);
        let batch = broker.new_batch(&label, folder, existing, &terms);
        let batch = batch.of_library(self.name);
        let (mut jobs, mut ready) = (Vec::new(), Vec::new());
        for (file, output) in files.into_iter().zip(named.outputs) {
            let further = match &mut subtitles {
                Some(search) => further(search, &file.input.location).await?,
                None => Ok(Vec::new()),
            };
            match (output, further) {
                (Err(why), _) => found.push(refused(file, why.to_string())),
                (_, Err(why)) => found.push(refused(file, why)),
                (Ok(output), Ok(mut further)) => {
                    further.extend(recipe_files.iter().cloned());
                    let job = batch.job(Work {
                        further,
                        replacement: library.replacement().cloned(),
                        ..Work::new(file.input.clone(), recipe.clone(), output)
                    });
                    jobs.push(Job {
                        signature: signature.clone(),
                        ..job
                    });
                    ready.push(file);
                }
            }
        }
        let submitted = batch.submit(jobs).await?;
        let mut added = 0;
        for (file, submitted) in ready.into_iter().zip(submitted) {
            let job = submitted.job.id;
            let state = match &submitted.result {
                SubmitResult::Added => {
                    added += 1;
                    FileState::Queued { job }
                }
                SubmitResult::Pending => FileState::Queued { job },
                SubmitResult::Run(run) => match Sight::from(run.as_ref()) {
                    Sight::Ended(state) => state,
                    _ => FileState::Queued { job },
                },
                SubmitResult::Occupied(why) => FileState::Refused {
                    why: why.to_string(),
                },
                SubmitResult::OutputTaken(holder) => FileState::Refused {
                    why: holder.to_string(),
                },
            };
            found.push(FileRecord { state, ..file });
        }
        Ok((found, added))
    }

    /// Enqueues checks of these files for damage as one batch; returns the job of each, in their order. Asked twice on a
    /// day, it finds the same jobs.
    pub(super) async fn check(
        &self,
        files: &[FileRecord],
        day: Date,
    ) -> anyhow::Result<Vec<JobId>> {
        let terms = JobTerms {
            priority: self.library.priority,
            ..JobTerms::new()
        };
        let batch = self
            .executor
            .broker
            .new_batch_of_checks(&format!("checks of library {}", self.name), &terms)
            .of_library(self.name);
        let salt = Uuid::new_v5(
            &Uuid::NAMESPACE_OID,
            format!("{} {day}", self.name).as_bytes(),
        );
        let job = |file: &FileRecord| {
            let work = Work::check(file.input.clone(), CheckDepth::Full);
            Job {
                id: JobId::of(&work, Some(salt)),
                signature: self.library.signature.clone(),
                ..batch.job(work)
            }
        };
        let jobs = files.iter().map(job).collect();
        let submitted = batch.submit(jobs).await?;
        Ok(submitted.iter().map(|file| file.job.id).collect())
    }

    /// The path of a file below the library's folder.
    fn below(&self, file: &FileRecord) -> String {
        let (key, base) = (file.input.location.key(), self.library.location.key());
        let path = key.strip_prefix(&base).unwrap_or(&key);
        path.trim_start_matches('/').to_owned()
    }

    /// The files that are at these outputs.
    async fn existing(
        &self,
        outputs: impl Iterator<Item = Location>,
    ) -> Result<HashMap<Location, ExistingFile>, StoreError> {
        let stores = &self.executor.stores;
        let look = async |output: Location| match stores.head(&output).await {
            Ok(file) => Ok(Some((
                output,
                ExistingFile {
                    size: file.size,
                    is_download: false,
                },
            ))),
            Err(StoreError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        };
        let looked: Vec<Result<_, StoreError>> = futures::stream::iter(outputs)
            .map(look)
            .buffered(AT_ONCE)
            .collect()
            .await;
        looked.into_iter().filter_map(Result::transpose).collect()
    }

    /// Has the waiting jobs of the library wait while it is closed, and go on once it is open.
    pub(super) async fn hold(
        &self,
        held: &Held,
        jobs: &HashMap<JobId, JobRecord>,
    ) -> Result<(), BrokerError> {
        let before = held.record().await.held;
        if self.is_open() {
            for batch in &before {
                self.pause(*batch, false).await?;
            }
            return held.tell(|record| record.held.clear()).await;
        }
        let live = jobs.values().filter(|record| !record.state().has_ended());
        let batches: HashSet<BatchId> = live.map(|record| record.job().batch).collect();
        let new = batches.into_iter().filter(|batch| !before.contains(batch));
        let new: HashSet<BatchId> = new.collect();
        if new.is_empty() {
            return Ok(());
        }
        // A job of the library may be in the batch of a person, whose other jobs go on.
        let batches = self.executor.broker.batches().await?.into_iter();
        let own = batches.filter(|batch| batch.library.as_ref() == Some(self.name));
        let new = own.map(|batch| batch.id).filter(|id| new.contains(id));
        let new: Vec<BatchId> = new.collect();
        // A batch that a person has paused is resumed by a person.
        let orders = self.executor.broker.orders().await?;
        let is_paused = |batch: &BatchId| orders.is_paused(&Target::Batch(*batch));
        let new: Vec<BatchId> = new.into_iter().filter(|batch| !is_paused(batch)).collect();
        // Noted first: what is noted and not paused is resumed without harm.
        held.tell(|record| record.held.extend(&new)).await?;
        for batch in new {
            self.pause(batch, true).await?;
        }
        Ok(())
    }

    async fn pause(&self, batch: BatchId, paused: bool) -> Result<(), BrokerError> {
        let target = Target::Batch(batch);
        self.executor.broker.pause_target(&target, paused).await
    }

    /// The files whose outputs would be no sources, with the names of these outputs, and the records of the others, which
    /// are refused: one file must not stop the whole library.
    async fn named(
        &self,
        mut files: Vec<FileRecord>,
        set: &OutputSet,
    ) -> anyhow::Result<(Vec<FileRecord>, Outputs, Vec<FileRecord>)> {
        let mut others = Vec::new();
        loop {
            let names: Vec<PathBuf> = files.iter().map(|file| self.below(file).into()).collect();
            let sources: Vec<NamedSource<'_>> = files
                .iter()
                .zip(&names)
                .map(|(file, name)| NamedSource {
                    name,
                    location: &file.input.location,
                })
                .collect();
            let folder = self.library.output_folder();
            let named = self
                .executor
                .broker
                .name_outputs(&sources, folder, set)
                .await;
            let (why, at) = match named {
                Err(NamesError::Naming(error)) => match &error {
                    NamingError::IsSource(output) => (error.to_string(), vec![output.to_string()]),
                    _ => return Err(error.into()),
                },
                Err(error) => return Err(error.into()),
                Ok(named) => return Ok((files, named, others)),
            };
            let before = files.len();
            let (clashing, rest): (Vec<_>, Vec<_>) = files
                .into_iter()
                .partition(|file| at.contains(&file.input.location.to_string()));
            others.extend(clashing.into_iter().map(|file| refused(file, why.clone())));
            files = rest;
            anyhow::ensure!(files.len() < before, "{why}");
        }
    }
}

/// The subtitle files of a film; or why they cannot become tracks.
async fn further(
    search: &mut SubtitleSearch<'_>,
    film: &Location,
) -> Result<Result<Vec<FurtherInput>, String>, StoreError> {
    let beside = search.beside(film).await?;
    let in_the_way = beside
        .unreadable
        .into_iter()
        .chain(beside.unsupported)
        .next();
    Ok(match in_the_way {
        Some(why) => Err(why),
        None => Ok(beside.files),
    })
}

fn refused(file: FileRecord, why: String) -> FileRecord {
    FileRecord {
        state: FileState::Refused { why },
        ..file
    }
}
