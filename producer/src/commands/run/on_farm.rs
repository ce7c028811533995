//! Submitting files to a farm and, if asked, waiting for their jobs: for `enqueue`, and for `encode` with `--nats`.

use std::pin::pin;
use std::time::Duration;

use common::broker::Broker;
use common::job::id::BatchId;
use common::job::input::Input;
use common::names::location::Location;
use common::rules::Original;
use common::say;
use common::store::Stores;
use common::submit::output_set::OutputSet;
use common::submit::terms::{JobTerms, Renew};
use tokio_util::sync::CancellationToken;

use super::dry_run;
use super::summary::{Counts, Summary, print_refused};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::download::downloads::Downloads;
use crate::download::target::DownloadTarget;
use crate::notify::Told;
use crate::submit::destination::Destination;
use crate::submit::entry::Entry;
use crate::submit::send::{Wanted, submit};
use crate::submit::sidecars::check_sidecars;
use crate::submit::sources::SourceFile;
use crate::submit::submission::{Order, Submission};
use crate::submit::terms::JobOptions;
use crate::submit::{existing_outputs, preflight, upload};
use crate::wait::ended::{Waited, wait_until_ended};
use crate::wait::follow::Follower;

/// How long uploads may take to stop.
const GIVE_UP: Duration = Duration::from_secs(3);

/// A submission, once the options are read.
pub(super) struct Request<'a> {
    pub order: Order<'a>,
    pub destination: Destination,
    pub outputs: OutputSet,
    pub jobs: &'a JobOptions,
    /// The store that local files are uploaded to, if there is one.
    pub upload_to: Option<Location>,
    /// Whether to refuse jobs that no live worker can run.
    pub require_worker: bool,
    /// Whether to wait until all jobs have ended.
    pub wait: bool,
    /// Who is told at the end.
    pub told: Told,
    pub renew: Renew,
}

struct Submitted {
    broker: Broker,
    follower: Follower,
    stores: Stores,
    entries: Vec<Entry>,
    submission: Submission,
}

impl Request<'_> {
    pub(super) async fn run(
        &self,
        settings: &Settings,
        shutdown: &CancellationToken,
    ) -> Result<Exit, Error> {
        if self.jobs.dry_run {
            return tokio::select! {
                result = self.forecast(settings) => result,
                () = shutdown.cancelled() => Err(Error::interrupted("interrupted")),
            };
        }
        let submitted = {
            let mut submitting = pin!(self.submit(settings, shutdown));
            tokio::select! {
                result = &mut submitting => result?,
                () = shutdown.cancelled() => {
                    // Uploads that are under way remove what they sent.
                    let _ = tokio::time::timeout(GIVE_UP, submitting).await;
                    return Err(Error::interrupted(
                        "interrupted; run the same command again to resume",
                    ));
                }
            }
        };
        let counts = Counts::of(&submitted.entries);
        say!("{}", counts.in_words());
        if self.wait {
            self.wait(submitted, counts, shutdown).await
        } else {
            self.leave(&submitted, counts)
        }
    }

    /// # Errors
    /// If the options make no sense together.
    fn terms(&self) -> Result<JobTerms, Error> {
        let terms = self.jobs.terms(&self.outputs, self.renew)?;
        if terms.rules.original == Original::Copy && self.destination.download_to.is_some() {
            return Err(Error::usage(
                "--original copy makes copies on the farm, and only outputs are downloaded: use -o s3://… or --original leave",
            ));
        }
        let mut paths = self.order.paths().iter();
        let is_any_local = paths.any(|path| !path.to_string_lossy().contains("://"));
        let is_uploaded = self.upload_to.as_ref().is_some_and(Location::is_remote) && is_any_local;
        check_sidecars(&terms, &self.destination, is_uploaded)?;
        Ok(terms)
    }

    /// Prints what would be done.
    async fn forecast(&self, settings: &Settings) -> Result<Exit, Error> {
        let terms = self.terms()?;
        let stores = settings.stores();
        let folders = self.destination.folders()?;
        let recipe = self.outputs.first();
        let mut submission = self.order.find(recipe, &folders, &stores).await?;
        let broker = settings.connect().await?;
        let store = self.upload_to.as_ref();
        let decided = dry_run::decide(
            &broker,
            &stores,
            &mut submission,
            &self.destination,
            (&self.outputs, &terms),
            store,
            false,
        );
        let reports = broker.recent_reports().await?;
        let forecasts = dry_run::forecast(&broker, decided.await?, &terms, &reports).await?;
        Ok(submission.exit(dry_run::print(&forecasts, self.jobs.json)?))
    }

    async fn submit(
        &self,
        settings: &Settings,
        shutdown: &CancellationToken,
    ) -> Result<Submitted, Error> {
        let terms = self.terms()?;
        let stores = settings.stores();
        let Destination {
            folder,
            download_to,
            ..
        } = &self.destination;
        let store = self.upload_to.as_ref();
        for location in [Some(folder), store].into_iter().flatten() {
            preflight::reach(location, &stores).await?;
        }
        let folders = self.destination.folders()?;
        let recipe = self.outputs.first();
        let mut submission = self.order.find(recipe, &folders, &stores).await?;
        let read_from = |input: &Input| upload::read_from(store, &input.location);
        let inputs = submission.sources.iter().flat_map(SourceFile::inputs);
        let inputs: Vec<Location> = inputs.map(read_from).collect();
        self.destination.refuse_scattered(&inputs)?;
        let broker = settings.connect().await?;
        let (wanted, jobs_by_output) = submission
            .name(&broker, &self.destination, &self.outputs)
            .await?;
        let needed = |one: &Wanted| {
            let inputs = one.source.inputs().map(read_from);
            let trash = one.replacement.iter().map(|wanted| wanted.trash.clone());
            inputs.chain([one.output.clone()]).chain(trash).collect()
        };
        let jobs: Vec<Vec<Location>> = wanted.iter().map(needed).collect();
        let recipe = self.outputs.first();
        preflight::check_served(&broker, recipe, &terms, &jobs, self.require_worker).await?;
        let follower = Follower::start(&broker).await?;
        let target = download_to.as_ref();
        let existing =
            existing_outputs::look(&stores, folder, target, &wanted, jobs_by_output).await?;
        let label = self.order.label();
        let batch = broker.new_batch(&label, folder, existing, &terms);
        let wanted = upload::upload_needed(&stores, store, wanted, &batch, shutdown).await?;
        let entries = submit(batch, wanted).await?;
        print_refused(&entries);
        Ok(Submitted {
            broker: broker.clone(),
            follower,
            stores,
            entries,
            submission,
        })
    }

    fn summary<'a>(&'a self, submitted: &'a Submitted, counts: Counts) -> Summary<'a> {
        Summary {
            entries: &submitted.entries,
            counts,
            left_out: &submitted.submission.left_out,
            destination: &self.destination,
            masters: &[],
        }
    }

    /// Leaves the jobs to the farm.
    fn leave(&self, submitted: &Submitted, counts: Counts) -> Result<Exit, Error> {
        if let Some(target) = &self.destination.download_to {
            say!("{}", how_to_download(target, &submitted.entries));
        }
        if self.jobs.json {
            self.summary(submitted, counts).print_json()?;
        }
        let is_done = counts.skipped + counts.refused == 0;
        let exit = if is_done { Exit::Done } else { Exit::Failed };
        Ok(submitted.submission.exit(exit))
    }

    /// Waits until all jobs have ended and their results are downloaded.
    async fn wait(
        &self,
        mut submitted: Submitted,
        counts: Counts,
        shutdown: &CancellationToken,
    ) -> Result<Exit, Error> {
        let overwrite = self.jobs.overwrite || self.jobs.again;
        let downloads = match self.destination.download_to.clone() {
            Some(target) => Some(Downloads::start(&submitted.stores, target, overwrite)?),
            None => None,
        };
        let (follower, entries) = (Some(submitted.follower), &mut submitted.entries);
        let (broker, supervise) = (&submitted.broker, std::future::pending());
        let waiting = wait_until_ended(broker, follower, downloads, entries, shutdown, supervise);
        let Waited { end, masters } = waiting.await?;
        let carry_on = match &self.destination.download_to {
            None => "the farm continues without this program".to_owned(),
            Some(target) => format!(
                "the farm continues without this program; {}",
                how_to_download(target, &submitted.entries)
            ),
        };
        let summary = Summary {
            entries: &submitted.entries,
            counts,
            left_out: &submitted.submission.left_out,
            destination: &self.destination,
            masters: &masters,
        };
        let done = summary.done(&self.order.label());
        let exit = summary.conclude(end, self.jobs.json, &carry_on)?;
        self.told.tell(done, shutdown).await;
        Ok(submitted.submission.exit(exit))
    }
}

/// The command that downloads results which this command does not wait for.
fn how_to_download(target: &DownloadTarget, entries: &[Entry]) -> String {
    let mut batches: Vec<BatchId> = Vec::new();
    for entry in entries {
        if entry.refusal().is_none() && !batches.contains(&entry.job.batch) {
            batches.push(entry.job.batch);
        }
    }
    let dir = target.dir().display();
    match batches.as_slice() {
        [batch] => format!(
            "results are made in {}; `producer download {batch} {dir}` downloads them",
            target.folder()
        ),
        _ => format!(
            "results are made in {}; the same command with --wait downloads them to {dir}",
            target.folder()
        ),
    }
}
