//! Encoding on this machine, with a private farm.

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::broker::Broker;
use common::job::replacement::Replacement;
use common::job::run::Run;
use common::names::location::Location;
use common::names::printable::printable;
use common::recipe::encoder::{Codec, Encoder, EncoderKind};
use common::recipe::{Choice, Recipe};
use common::store::Stores;
use common::submit::output_set::OutputSet;
use common::submit::result::SubmitResult;
use common::submit::terms::{JobTerms, Renew};
use tokio_util::sync::CancellationToken;

use super::options::MachineOptions;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::dry_run;
use crate::commands::run::dry_run::{Forecasts, InputForecast};
use crate::commands::run::summary::{Counts, Summary, print_refused};
use crate::display::units;
use crate::embedded::farm::{PrivateFarm, Ran, RunningFarm};
use crate::embedded::memory::Memory;
use crate::embedded::state::State;
use crate::embedded::{broker, leftovers, scratch, sweep, trash, worker};
use crate::notify::Told;
use crate::recipe::known::check_known;
use crate::submit::destination::Destination;
use crate::submit::entry::Entry;
use crate::submit::existing_outputs;
use crate::submit::replace::Replacing;
use crate::submit::send::submit;
use crate::submit::sources::SourceFile;
use crate::submit::submission::{Order, Submission};
use crate::submit::terms::JobOptions;
use crate::wait::ended::{WaitEnd, Waited, wait_until_ended};
use crate::wait::follow::Follower;
use crate::wait::masters;
use crate::wait::masters::MasterEnd;

/// An encode on this machine, checked as far as possible before anything is made.
pub(in crate::commands::run) struct Encode {
    machine: MachineOptions,
    /// The output folder.
    output: PathBuf,
    destination: Destination,
    outputs: OutputSet,
    terms: JobTerms,
    label: String,
    submission: Submission,
    inputs: Vec<Location>,
    stores: Stores,
    server: PathBuf,
    program: PathBuf,
    ack_wait: Duration,
    is_dry_run: bool,
    json: bool,
}

/// Tells which split jobs go on where an interrupted command has left them.
async fn tell_kept_parts(broker: &Broker, entries: &[Entry]) -> Result<(), Error> {
    for (plan, state) in broker.plans().await? {
        let is_meant = |entry: &&Entry| entry.is_open() && entry.job.id == plan.job.id;
        let done = plan.parts().filter(|part| state.has(*part)).count();
        if let Some(entry) = entries.iter().find(is_meant)
            && done > 0
        {
            let parts = units::count(plan.parts().count(), "part");
            let name = printable(&entry.name);
            eprintln!("{name}: {done} of {parts} are done already, and are kept");
        }
    }
    Ok(())
}

/// The jobs after the encode.
struct Done {
    end: WaitEnd,
    masters: Vec<MasterEnd>,
    entries: Vec<Entry>,
    counts: Counts,
}

impl Encode {
    /// Finds the sources and the programs.
    ///
    /// # Errors
    /// If the options make no sense, there is nothing to encode, or a program is missing.
    pub(in crate::commands::run) async fn prepare(
        order: Order<'_>,
        destination: Destination,
        (machine, jobs): (&MachineOptions, &JobOptions),
        outputs: OutputSet,
        settings: &Settings,
    ) -> Result<Self, Error> {
        let Some(output) = destination.folder.path() else {
            let folder = &destination.folder;
            return Err(Error::usage(format!(
                "{folder} is not a local folder: name the farm with --nats, or use `producer enqueue`"
            )));
        };
        if jobs.worker.is_some() {
            return Err(Error::usage("--worker needs a farm: name it with --nats"));
        }
        check_known(outputs.first(), &[])?;
        let outputs = destination.fit(outputs)?;
        let terms = jobs.terms(&outputs, Renew::Ended)?;
        let stores = Stores::new();
        let folders = destination.folders()?;
        let submission = order.find(outputs.first(), &folders, &stores).await?;
        let server = broker::find(machine.nats_server.as_deref()).await?;
        let program = worker::find(machine.worker_program.as_deref())?;
        let inputs = submission.sources.iter().flat_map(SourceFile::inputs);
        let inputs = inputs.map(|input| input.location.clone());
        let replacing = destination.replacing.as_ref();
        let trash = replacing.and_then(Replacing::trash).cloned();
        // The worker may write in the folder that holds a trash.
        let trash = trash.map(|folder| Replacement::trash_in(&folder));
        let inputs = inputs.chain(trash).collect();
        Ok(Self {
            machine: machine.clone(),
            output,
            destination,
            outputs,
            terms,
            label: order.label(),
            submission,
            inputs,
            stores,
            server,
            program,
            ack_wait: settings.ack_wait,
            is_dry_run: jobs.dry_run,
            json: jobs.json,
        })
    }

    pub(in crate::commands::run) async fn run(
        mut self,
        told: &Told,
        shutdown: &CancellationToken,
    ) -> Result<Exit, Error> {
        if self.is_dry_run {
            let forecasts = self.dry_run(shutdown).await?;
            return Ok(self.submission.exit(dry_run::print(&forecasts, self.json)?));
        }
        let Done {
            end,
            masters,
            mut entries,
            counts,
        } = self.encode(shutdown).await?;
        if end == WaitEnd::Interrupted {
            // The worker has given back its jobs by now.
            for entry in entries.iter_mut().filter(|entry| entry.is_open()) {
                entry.state = SubmitResult::Pending;
            }
        }
        let summary = Summary {
            entries: &entries,
            counts,
            left_out: &self.submission.left_out,
            destination: &self.destination,
            masters: &masters,
        };
        let done = summary.done(&self.label);
        let exit = summary.conclude(end, self.json, "run the same command again to resume")?;
        told.tell(done, shutdown).await;
        Ok(self.submission.exit(exit))
    }

    /// The runs of ffmpeg for each source, one a line; nothing is encoded.
    pub(super) async fn commands(
        mut self,
        shutdown: &CancellationToken,
    ) -> Result<Vec<String>, Error> {
        let forecasts = self.dry_run(shutdown).await?;
        let files = forecasts.files.into_iter();
        files.map(InputForecast::into_command).collect()
    }

    /// What would be done. The state of the output folder knows the jobs of earlier commands. The worker that probes the
    /// files runs over a temporary state, so that it does not run the jobs that an interrupted command has left.
    async fn dry_run(&mut self, shutdown: &CancellationToken) -> Result<Forecasts, Error> {
        let output = self.output.clone();
        let known = output.is_dir().then(|| State::open(&output)).transpose()?;
        let temporary = State::temporary()?;
        let mut worth = None;
        let forecasts = tokio::select! {
            forecasts = self.forecast(known.as_ref(), &temporary, &mut worth) => forecasts,
            () = shutdown.cancelled() => Err(Error::interrupted("interrupted")),
        };
        temporary.remove();
        if let Some(known) = known {
            close(known, worth);
        }
        forecasts
    }

    async fn forecast(
        &mut self,
        known: Option<&State>,
        temporary: &State,
        worth: &mut Option<Memory>,
    ) -> Result<Forecasts, Error> {
        let state = known.unwrap_or(temporary);
        let roots = worker::roots(temporary.output(), self.inputs.iter());
        let looking = self.farm(state, Vec::new())?;
        let submission = &mut self.submission;
        let jobs = (&self.outputs, &self.terms);
        let ran = looking
            .run(async |_, broker| {
                let decided = dry_run::decide(
                    broker,
                    &self.stores,
                    submission,
                    &self.destination,
                    jobs,
                    None,
                    true,
                );
                let decided = decided.await?;
                let runs = broker.runs().await?;
                let reports = runs.iter().filter_map(Run::report).cloned();
                Ok((decided, reports.collect::<Vec<_>>()))
            })
            .await?;
        *worth = ran.worth;
        let (decided, reports) = ran.done?;
        let ran = self
            .farm(temporary, roots)?
            .run(async |farm, broker| {
                farm.start(broker, self.outputs.first()).await?;
                dry_run::forecast(broker, decided, &self.terms, &reports).await
            })
            .await?;
        ran.done
    }

    async fn encode(&mut self, shutdown: &CancellationToken) -> Result<Done, Error> {
        let replacing = self.destination.replacing.as_ref();
        let trash = replacing
            .and_then(Replacing::trash)
            .and_then(Location::path);
        for folder in trash.iter().chain([&self.output]) {
            std::fs::create_dir_all(folder).map_err(|error| {
                Error::usage(format!(
                    "cannot make the folder {}: {error}",
                    folder.display()
                ))
            })?;
        }
        let state = State::open(&self.output)?;
        scratch::clear(&state, &worker::name())?;
        let roots = worker::roots(&self.output, self.inputs.iter());
        let Ran { done, worth } = self
            .farm(&state, roots)?
            .run(async |farm, broker| self.jobs(farm, broker, shutdown).await)
            .await?;
        close(state, worth);
        if let Ok(done) = &done {
            trash::empty_old(done.entries.iter().map(|entry| &entry.job)).await;
        }
        done
    }

    /// Submits the jobs and waits until they have ended.
    async fn jobs(
        &mut self,
        farm: &mut RunningFarm<'_>,
        broker: &Broker,
        shutdown: &CancellationToken,
    ) -> Result<Done, Error> {
        let interrupted = || Error::interrupted("interrupted; nothing has been encoded yet");
        let (follower, mut entries) = tokio::select! {
            result = self.submit(broker) => result?,
            () = shutdown.cancelled() => return Err(interrupted()),
        };
        let counts = Counts::of(&entries);
        print_counts(counts);
        tell_kept_parts(broker, &entries).await?;
        let is_open =
            entries.iter().any(Entry::is_open) || masters::are_due(broker, &entries).await?;
        let (end, masters) = if is_open {
            tokio::select! {
                proved = farm.start(broker, self.outputs.first()) => proved?,
                () = shutdown.cancelled() => return Err(interrupted()),
            }
            let supervise = farm.supervise();
            let follower = Some(follower);
            let waiting =
                wait_until_ended(broker, follower, None, &mut entries, shutdown, supervise);
            let Waited { end, masters } = waiting.await?;
            (end, masters)
        } else {
            (
                WaitEnd::AllEnded,
                masters::end(broker, &entries, false, None).await?,
            )
        };
        Ok(Done {
            end,
            masters,
            entries,
            counts,
        })
    }

    async fn submit(&mut self, broker: &Broker) -> Result<(Follower, Vec<Entry>), Error> {
        leftovers::release_claims(broker).await?;
        let follower = Follower::start(broker).await?;
        let (wanted, mut jobs_by_output) = self
            .submission
            .name(broker, &self.destination, &self.outputs)
            .await?;
        leftovers::forget_outdated(broker, &wanted, &mut jobs_by_output, &self.terms).await?;
        let folder = &self.destination.folder;
        let existing =
            existing_outputs::look(&self.stores, folder, None, &wanted, jobs_by_output).await?;
        let batch = broker.new_batch(&self.label, folder, existing, &self.terms);
        let entries = submit(batch, wanted).await?;
        print_refused(&entries);
        leftovers::forget_others(broker, &entries).await?;
        Ok((follower, entries))
    }

    fn farm<'a>(&self, state: &'a State, roots: Vec<PathBuf>) -> Result<PrivateFarm<'a>, Error> {
        let machine = &self.machine;
        let absolute = |path: &Path| {
            std::path::absolute(path)
                .map_err(|error| Error::usage(format!("{}: {error}", path.display())))
        };
        let worker = worker::Setup {
            program: self.program.clone(),
            ffmpeg: machine.ffmpeg.clone(),
            max_jobs: machine.max_jobs,
            roots,
            scratch: match &machine.scratch {
                Some(scratch) => absolute(scratch)?,
                None => scratch::make(state)?,
            },
            encoders: encoders_to_prove(self.outputs.first()),
        };
        Ok(PrivateFarm {
            server: self.server.clone(),
            ack_wait: self.ack_wait,
            state,
            worker,
        })
    }
}

/// Reduces a state to what is to be remembered, if nothing is left to do.
fn close(state: State, worth: Option<Memory>) {
    if let Some(memory) = worth.filter(|_| scratch::is_clear(&state))
        && let Err(error) = state.forget(&memory)
    {
        tracing::warn!(%error, "the state of this encode stays; the next command tidies it up");
    }
    sweep::sweep();
}

/// The encoders that the worker tests. Hardware may be missing, so its alternatives are tested as well.
pub(in crate::commands::run) fn encoders_to_prove(recipe: &Recipe) -> Option<Vec<Encoder>> {
    let Some(video) = recipe.video_encode() else {
        // Copies need none, and to test all of them takes longer than most copies.
        return Some(Encoder::of(Codec::H264).take(1).collect());
    };
    match &video.with {
        Choice::Encoder(encoder) if encoder.kind() == EncoderKind::Software => {
            Some(vec![encoder.clone()])
        }
        _ => Some(Encoder::of(recipe.codec()?).collect()),
    }
}

fn print_counts(counts: Counts) {
    let open = counts.added + counts.pending + counts.running;
    let mut line = match open {
        0 => "nothing to encode".to_owned(),
        open => format!("{} to encode", units::count(open, "file")),
    };
    let others = [
        (counts.done, "done already"),
        (counts.kept, "kept already"),
        (counts.skipped, counts.why_skipped()),
    ];
    for (count, what) in others {
        if count > 0 {
            line += &format!(", {count} {what}");
        }
    }
    eprintln!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_waits_for_the_proof_of_one_encoder_only() {
        let proved = encoders_to_prove(&Recipe::copy()).expect("not all");
        assert_eq!(proved.len(), 1);
    }
}
