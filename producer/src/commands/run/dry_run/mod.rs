//! The forecast of a submission: the names of the outputs, the files that would be skipped, and what would be kept,
//! converted or lost. Workers probe the files, because this program may have no ffmpeg.

mod past;

use std::path::PathBuf;

use common::broker::{Broker, PreviewError};
use common::farm::preview::{Forecast, ForecastRequest};
use common::farm::worker::Heartbeat;
use common::job::Job;
use common::job::changes::{Change, Fate};
use common::job::input::Input;
use common::job::run::report::Report;
use common::matching::estimate::{Estimate, SizeBasis, Together};
use common::names::location::Location;
use common::names::printable::printable;
use common::recipe::Recipe;
use common::rules::Rules;
use common::store::Stores;
use common::submit::output_set::OutputSet;
use common::submit::terms::JobTerms;
use futures::StreamExt;
use serde::Serialize;

use self::past::Past;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::{changes, output, units};
use crate::embedded::leftovers;
use crate::submit::destination::Destination;
use crate::submit::entry::advice;
use crate::submit::send::Wanted;
use crate::submit::sources::{Globs, Search, SourceFile};
use crate::submit::submission::Submission;
use crate::submit::{existing_outputs, replace, upload};

/// The most files that are probed at the same time. Each worker probes one file after the other.
const AT_ONCE: usize = 8;

/// What would become of a source.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct InputForecast {
    input: Location,
    /// Unknown to `plan`, which has no output folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Location>,
    would: Would,
    /// Why the file would be skipped or would fail, or why that is unknown.
    why: Option<String>,
    /// The changes, as far as they can be known before the encode.
    changes: Vec<Change>,
    /// What the rules would probably do about the forecast size.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// What the output is expected to take, in bytes and in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<Estimate>,
    input_size: u64,
    /// The runs of ffmpeg, one a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
}

impl InputForecast {
    /// The runs of ffmpeg for the input.
    ///
    /// # Errors
    /// The job would fail, or no worker could tell.
    pub(in crate::commands) fn into_command(self) -> Result<String, Error> {
        let input = printable(&self.input.to_string());
        match (self.command, self.why) {
            (Some(command), None) => Ok(command),
            (_, Some(why)) => Err(Error::failed(format!("{input}: {why}"))),
            (None, None) => Err(Error::failed(format!(
                "{input}: the worker does not tell its command: update it"
            ))),
        }
    }

    /// A source that gets no job.
    pub(in crate::commands) fn skipped(input: &Input, why: String) -> Self {
        Self {
            would: Would::Skip,
            why: Some(why),
            ..Self::of(input, None)
        }
    }

    fn of(input: &Input, output: Option<Location>) -> Self {
        Self {
            input: input.location.clone(),
            input_size: input.size,
            output,
            note: None,
            estimate: None,
            would: Would::Enqueue,
            why: None,
            changes: Vec::new(),
            command: None,
        }
    }

    fn take(&mut self, (recipe, past): (&Recipe, &Past<'_>), seen: Result<Forecast, PreviewError>) {
        match seen {
            Ok(Forecast {
                kept: Some(why), ..
            }) => {
                self.would = Would::Keep;
                self.why = Some(why.foreseen());
            }
            Ok(seen) => {
                if let (Some(media), None) = (&seen.media, &seen.refused) {
                    let estimate = past.estimate(recipe, self.input_size, media);
                    self.note = past.doubt(self.input_size, &estimate);
                    self.estimate = Some(estimate);
                }
                self.would = if seen.refused.is_some() {
                    Would::Fail
                } else {
                    Would::Encode
                };
                (self.why, self.changes) = (seen.refused, seen.changes);
                self.command = seen.command;
            }
            Err(why) => self.why = Some(format!("unknown: {why}")),
        }
    }

    /// The output would not take the place of its source. A source that a rule keeps is not to be replaced anyway.
    fn refuse(&mut self, why: Option<String>) {
        if let Some(why) = why
            && matches!(self.would, Would::Encode | Would::Enqueue)
        {
            self.would = Would::Fail;
            self.why = Some(why);
            self.estimate = None;
        }
    }
}

/// What would become of the sources of a submission.
pub(in crate::commands) struct Forecasts {
    pub files: Vec<InputForecast>,
    /// Slots of the workers that would run the jobs.
    pub slots: usize,
}

/// What would be done to a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Would {
    Encode,
    Skip,
    /// A rule holds: the job would end as kept.
    Keep,
    /// The job would be enqueued and would fail.
    Fail,
    /// The job would be enqueued; no worker has probed the file.
    Enqueue,
}

/// An output that is wanted of a source, and why it would be skipped.
pub(in crate::commands) struct PlannedFile {
    wanted: Wanted,
    skipped: Option<String>,
    /// Why the output would not take the place of its source.
    refused: Option<String>,
    /// Whether the source is uploaded first, so that no worker can probe it yet.
    is_uploaded: bool,
}

/// Names the outputs of a submission and decides what would be skipped, as submitting does. A private broker forgets the
/// outdated jobs of earlier commands first.
pub(in crate::commands) async fn decide(
    broker: &Broker,
    stores: &Stores,
    submission: &mut Submission,
    destination: &Destination,
    (set, terms): (&OutputSet, &JobTerms),
    store: Option<&Location>,
    is_private: bool,
) -> Result<Vec<PlannedFile>, Error> {
    let (wanted, mut jobs_by_output) = submission.name(broker, destination, set).await?;
    if is_private {
        leftovers::take_outdated(&wanted, &mut jobs_by_output, terms);
    }
    let (folder, target) = (&destination.folder, destination.download_to.as_ref());
    let existing = existing_outputs::look(stores, folder, target, &wanted, jobs_by_output).await?;
    let batch = broker.new_batch("", folder, existing, terms);
    let job = |one: &Wanted| {
        let source = upload::expected(store, &one.source, &batch, &one.output);
        batch.job(one.work_from(&source))
    };
    let jobs: Vec<Job> = wanted.iter().map(job).collect();
    let results = batch.dry_run(&jobs).await?;
    let mut decided = Vec::with_capacity(wanted.len());
    for ((wanted, job), result) in wanted.into_iter().zip(&jobs).zip(results) {
        decided.push(PlannedFile {
            is_uploaded: store.is_some() && !wanted.source.input.location.is_remote(),
            skipped: result.as_ref().and_then(|result| advice(result, job)),
            refused: replace::refusal(job).await,
            wanted,
        });
    }
    Ok(decided)
}

/// What would become of all sources of a submission, with what completed jobs have reported.
pub(in crate::commands) async fn forecast(
    broker: &Broker,
    decided: Vec<PlannedFile>,
    terms: &JobTerms,
    reports: &[Report],
) -> Result<Forecasts, Error> {
    let mut workers = broker.workers().await?;
    if let Some(name) = &terms.worker {
        workers.retain(|one| one.name == *name);
    }
    let mut forecasts = Vec::with_capacity(decided.len());
    let (mut open, mut asked) = (Vec::new(), Vec::new());
    let mut refused = Vec::new();
    for (index, one) in decided.into_iter().enumerate() {
        let Wanted {
            source,
            recipe,
            output,
            ..
        } = one.wanted;
        let mut forecast = InputForecast::of(&source.input, Some(output));
        if one.skipped.is_some() {
            (forecast.would, forecast.why) = (Would::Skip, one.skipped);
        } else if one.is_uploaded {
            let why = "uploaded first, so no worker can probe it yet";
            forecast.why = Some(why.to_owned());
        } else {
            open.push(index);
            asked.push(source.asks(&recipe, &terms.rules));
        }
        refused.push(one.refused);
        forecasts.push(forecast);
    }
    let past = Past {
        workers: &workers,
        history: reports.iter().collect(),
        rules: &terms.rules,
    };
    let recipes: Vec<Recipe> = asked.iter().map(|asked| asked.recipe.clone()).collect();
    let seen = probe(broker, &workers, asked).await;
    for ((index, recipe), seen) in open.into_iter().zip(&recipes).zip(seen) {
        forecasts[index].take((recipe, &past), seen);
        forecasts[index].refuse(refused[index].take());
    }
    let slots = recipes.first().map_or(0, |recipe| past.slots(recipe));
    Ok(Forecasts {
        files: forecasts,
        slots,
    })
}

/// What would become of sources whose outputs have no names yet.
pub(in crate::commands) async fn look_at(
    broker: &Broker,
    workers: &[Heartbeat],
    (recipe, rules): (&Recipe, &Rules),
    sources: &[SourceFile],
    reports: &[Report],
) -> Forecasts {
    let past = Past {
        workers,
        history: reports.iter().collect(),
        rules,
    };
    let asked = sources.iter();
    let asked = asked.map(|source| source.asks(recipe, rules)).collect();
    let seen = probe(broker, workers, asked).await;
    let forecasts = sources.iter().zip(seen).map(|(source, seen)| {
        let mut one = InputForecast::of(&source.input, None);
        one.take((recipe, &past), seen);
        one
    });
    Forecasts {
        files: forecasts.collect(),
        slots: past.slots(recipe),
    }
}

/// The runs of ffmpeg for files that workers of the farm read.
///
/// # Errors
/// A job would fail, or no worker can tell.
pub(in crate::commands) async fn commands(
    recipe: &Recipe,
    paths: &[PathBuf],
    settings: &Settings,
) -> Result<Vec<String>, Error> {
    let stores = settings.stores();
    let found = Search::new(&Globs::default(), &[], &stores)?
        .for_recipe(recipe)
        .run(paths)
        .await?;
    let broker = settings.connect().await?;
    let workers = broker.workers().await?;
    look_at(
        &broker,
        &workers,
        (recipe, &Rules::default()),
        &found.sources,
        &[],
    )
    .await
    .files
    .into_iter()
    .map(InputForecast::into_command)
    .collect()
}

/// Has each input probed by a worker that has proved the encoder and reaches the input.
async fn probe(
    broker: &Broker,
    workers: &[Heartbeat],
    asked: Vec<ForecastRequest>,
) -> Vec<Result<Forecast, PreviewError>> {
    let looks = asked.into_iter().enumerate();
    let looks = looks.map(|(turn, asked)| broker.forecast(workers, turn, asked));
    let at_once = workers.len().clamp(1, AT_ONCE);
    futures::stream::iter(looks)
        .buffered(at_once)
        .collect()
        .await
}

/// Prints what would be done.
pub(in crate::commands) fn print(forecasts: &Forecasts, json: bool) -> Result<Exit, Error> {
    let files = &forecasts.files;
    if json {
        output::print_json(files)?;
    } else {
        for one in files {
            output::print(&lines(one).join("\n"));
        }
        output::print(&totals(files, forecasts.slots));
    }
    let fails = files.iter().any(|one| one.would == Would::Fail);
    Ok(if fails { Exit::Failed } else { Exit::Done })
}

fn lines(one: &InputForecast) -> Vec<String> {
    let input = printable(&one.input.to_string());
    let to = one.output.as_ref().map_or_else(String::new, |output| {
        format!(" -> {}", printable(&output.to_string()))
    });
    let why = one.why.as_deref().map(printable).unwrap_or_default();
    let mut lines = vec![match one.would {
        Would::Encode => format!("{input}{to}{}", estimated(one)),
        Would::Enqueue => format!("{input}{to} ({why})"),
        Would::Skip => format!("skipped: {input}: {why}"),
        Would::Keep => format!("would be kept: {input}: {why}"),
        Would::Fail => format!("would fail: {input}: {why}"),
    }];
    lines.extend(one.note.iter().map(|note| format!("  {note}")));
    let (kept, others): (Vec<Change>, Vec<Change>) = one
        .changes
        .iter()
        .cloned()
        .partition(|change| change.fate == Fate::Kept && change.why.is_none());
    lines.extend(
        changes::list(&others)
            .into_iter()
            .map(|line| format!("  {line}")),
    );
    let mut kinds: Vec<&str> = kept.iter().map(|change| change.kind.name()).collect();
    kinds.dedup();
    kinds.sort_unstable();
    kinds.dedup();
    if !kinds.is_empty() {
        lines.push(format!("  kept: {}", kinds.join(", ")));
    }
    lines
}

/// `34 files: 120 GB -> about 55 GB (46%), by 12 completed jobs; about 3h 20m`.
fn together(forecasts: &[InputForecast], slots: usize) -> Option<String> {
    let estimated = |one: &InputForecast| Some((one.input_size, one.estimate?));
    let estimates: Vec<_> = forecasts.iter().filter_map(estimated).collect();
    let all = Together::of(&estimates, slots);
    let by = estimates.iter().filter_map(|(_, one)| match one.by {
        SizeBasis::Jobs(jobs) => Some(jobs),
        SizeBasis::Nothing | SizeBasis::Recipe => None,
    });
    let by = by.max().map_or_else(String::new, |jobs| {
        format!(", as in {}", units::count(jobs as usize, "completed job"))
    });
    let size = (all.files > 0).then(|| {
        format!(
            "{}: {} -> about {} ({}){by}",
            units::count(all.files, "file"),
            units::bytes(all.input_bytes),
            units::bytes(all.output_bytes),
            units::ratio(all.input_bytes, all.output_bytes)
        )
    });
    let unknown = estimates.len() - all.files;
    let unknown = (unknown > 0).then(|| {
        format!(
            "size of {} not known: no such job has completed yet; `producer sample` measures",
            units::count(unknown, "output")
        )
    });
    let time = all
        .seconds
        .map(|seconds| format!("about {} in all", units::seconds(seconds)));
    let parts: Vec<String> = [size, unknown, time].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// `, about 1.2 GB (45% of the input), about 12m`.
fn estimated(one: &InputForecast) -> String {
    let Some(estimate) = &one.estimate else {
        return String::new();
    };
    let size = estimate.bytes.map(|bytes| {
        let change = units::ratio(one.input_size, bytes);
        format!(", about {} ({change} of the input)", units::bytes(bytes))
    });
    let time = estimate
        .seconds
        .map(|seconds| format!(", about {}", units::seconds(seconds)));
    [size, time].into_iter().flatten().collect()
}

/// Lines for each source whose job would fail.
pub(in crate::commands) fn failing(forecasts: &[InputForecast]) -> Vec<String> {
    let failing = forecasts.iter().filter(|one| one.would == Would::Fail);
    failing.flat_map(lines).collect()
}

/// `3 files would be encoded, 1 skipped`, what they would take in bytes and time, and what they would lose.
pub(in crate::commands) fn totals(forecasts: &[InputForecast], slots: usize) -> String {
    let count = |would| forecasts.iter().filter(|one| one.would == would).count();
    let encode = count(Would::Encode) + count(Would::Enqueue);
    let mut parts = vec![format!("{} would be encoded", units::count(encode, "file"))];
    let others = [
        (Would::Skip, "skipped"),
        (Would::Keep, "would be kept"),
        (Would::Fail, "would fail"),
        (Would::Enqueue, "of them not probed"),
    ];
    for (would, words) in others {
        let count = count(would);
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    let lists = forecasts.iter().map(|one| one.changes.as_slice());
    let mut lines = vec![parts.join(", ")];
    lines.extend(together(forecasts, slots));
    lines.extend(changes::lines(lists));
    lines.join("\n")
}
