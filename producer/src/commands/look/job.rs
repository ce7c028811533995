//! `producer job`.

use clap::Args;
use common::broker::LadderView;
use common::job::event::{Event, What};
use common::job::failure::Failure;
use common::job::further::FurtherRole;
use common::job::input::Input;
use common::job::progress::EncodeProgress;
use common::job::record::JobRecord;
use common::job::run::health::Health;
use common::job::run::{Run, RunState};
use common::job::sidecar::Sidecar;
use common::job::split::SplitReport;
use common::job::state::JobState;
use common::matching::parts::PartRow;
use serde::Serialize;

use super::parts::{parts, parts_table};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::{changes, job as job_line, output, state, times, units};
use crate::select::lookup::OneJob;
use common::names::printable::printable;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub job: OneJob,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    state: JobState,
    #[serde(flatten)]
    record: &'a JobRecord,
    events: &'a [Event],
    dead_letter: Option<&'a Run>,
    /// The ladder that the job makes a rendition of.
    #[serde(skip_serializing_if = "Option::is_none")]
    ladder: Option<LadderView>,
    /// The parts of a split job.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    parts: &'a [PartRow],
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let record = options.job.find(&broker).await?;
    let id = record.job().id;
    let (events, dead_letter) = futures::try_join!(broker.events(&id), broker.dead_letter(&id))?;
    let ladder = record.job().ladder.iter().cloned().collect();
    let ladder = broker.ladders(ladder).await?;
    let ladder = ladder.first().map(LadderView::from);
    let parts = parts(&broker, &record).await?;
    if options.json {
        output::print_json(&Shown {
            state: record.state(),
            record: &record,
            events: &events,
            dead_letter: dead_letter.as_ref(),
            ladder,
            parts: &parts,
        })?;
    } else {
        output::print(&text(
            &record,
            &events,
            dead_letter.is_some(),
            ladder.as_ref(),
        ));
        if !parts.is_empty() {
            output::print(&parts_table(&parts, broker.now()));
        }
    }
    Ok(Exit::Done)
}

fn text(
    record: &JobRecord,
    events: &[Event],
    is_dead: bool,
    ladder: Option<&LadderView>,
) -> String {
    let job = record.job();
    let file = |input: &Input| {
        let (name, size) = (input.location.to_string(), units::bytes(input.size));
        format!("{} ({size})", printable(&name))
    };
    let mut lines = vec![
        format!("job       {}", job.id),
        format!("state     {}", state::word(record.state())),
        format!(
            "queue     {} at priority {}",
            record.queue(),
            record.priority()
        ),
        format!("input     {}", file(&job.input)),
    ];
    lines.extend(job.further.iter().map(|further| {
        let what = match &further.role {
            FurtherRole::Continuation(_) => "then      ",
            FurtherRole::Subtitles(_) => "subtitles ",
            FurtherRole::Lut => "colours   ",
            FurtherRole::Watermark => "watermark ",
        };
        format!("{what}{}", file(&further.input))
    }));
    lines.extend([
        format!("output    {}", printable(&job.output.to_string())),
        format!("batch     {}", job.batch),
        format!("enqueued  {}", times::local(job.enqueued)),
    ]);
    if let Some(ladder) = ladder {
        let master = printable(&ladder.master.to_string());
        lines.push(format!("ladder    {master}: {}", ladder.progress));
    }
    if let Some(run) = record.run() {
        lines.extend(of_run(run));
    }
    if is_dead {
        lines.push(format!(
            "retry     `producer retry {}` retries the job",
            job.id
        ));
    }
    let mut priority = None;
    for event in Event::history(job, events.to_vec()) {
        let mut told = what(&event.what);
        if let (Some(before), Some(after)) = (priority, event.priority)
            && before != after
        {
            told += &format!(", priority {before} to {after}");
        }
        priority = event.priority.or(priority);
        if event.attempt > 1 {
            told += &format!(" (attempt {})", event.attempt);
        }
        lines.push(format!("          {} {told}", times::local(event.at)));
    }
    lines.join("\n")
}

fn of_run(run: &Run) -> Vec<String> {
    let mut lines = vec![format!("attempt   {} of {}", run.tries(), run.job.attempts)];
    match &run.state {
        RunState::Running { worker, since, .. } => {
            lines.push(format!(
                "worker    {worker}, since {}",
                times::local(*since)
            ));
        }
        RunState::Split { since, parts } => lines.push(format!(
            "split     into {parts} parts, since {}",
            times::local(*since)
        )),
        RunState::Waiting { until, .. } => {
            lines.push(format!("until     {}", times::local(*until)))
        }
        RunState::Completed { report } => {
            lines.push(format!(
                "result    {}",
                job_line::result(&run.job.recipe, report)
            ));
            if let Some(quality) = &report.quality {
                let found = quality.found.iter().map(ToString::to_string);
                let output = quality
                    .output
                    .iter()
                    .map(|output| format!("output: {output}"));
                lines.extend(found.chain(output).map(|line| format!("quality   {line}")));
            }
            if let Some(replaced) = &report.replaced {
                lines.push(format!(
                    "original  {}, kept until {}: `producer undo {}` brings it back",
                    printable(&replaced.original.to_string()),
                    times::local(replaced.until),
                    run.job.id
                ));
            }
            lines.extend(
                report
                    .notes()
                    .map(|note| format!("note      {}", printable(&note))),
            );
            if let Some(SplitReport::Whole(why)) = &report.split {
                lines.push(format!("note      not split: {}", printable(why)));
            }
            let carried = Sidecar::carried(&report.sidecars);
            if !carried.is_empty() {
                let ends: Vec<String> = carried.into_iter().map(String::from).collect();
                lines.push(format!("sidecars  {}", printable(&ends.join(", "))));
            }
            if let Some(health) = &report.health {
                lines.extend(of_health(health));
            }
            let list = changes::list(&report.changes);
            lines.extend(list.into_iter().map(|change| format!("change    {change}")));
        }
        RunState::Kept { report } => lines.push(format!("kept      {}", report.sentence())),
        RunState::Failed { failure } => lines.push(format!("error     {}", reason(failure))),
        RunState::Queued { .. } | RunState::Cancelled => {}
    }
    for attempt in &run.failures {
        lines.push(format!(
            "failed    attempt {} on {} after {}: {}",
            attempt.number,
            attempt.worker,
            units::seconds(attempt.ended.duration_since(attempt.started).as_secs_f64()),
            reason(&attempt.failure)
        ));
        let log = attempt.failure.log.iter();
        lines.extend(log.map(|line| format!("          | {}", printable(line))));
    }
    lines
}

fn of_health(health: &Health) -> Vec<String> {
    if !health.is_damaged() {
        return vec!["health    no damage was found".to_owned()];
    }
    let damage = health.damage.iter().map(ToString::to_string);
    let more = (health.more > 0).then(|| format!("and {} more places", health.more));
    let lines = damage
        .chain(more)
        .map(|line| format!("damaged   {}", printable(&line)));
    lines.collect()
}

fn reason(failure: &Failure) -> String {
    format!("{} ({})", printable(&failure.message), failure.fault)
}

fn what(what: &What) -> String {
    match what {
        What::Queued => "enqueued".to_owned(),
        What::Command(line) => format!("encoded by {}", printable(line)),
        What::Progress(EncodeProgress { frame, fps, .. }) if *fps > 0.0 => {
            format!("{frame} frames encoded, at {}", units::fps(f64::from(*fps)))
        }
        // ffmpeg measures no speed before its first second is over.
        What::Progress(progress) => format!("{} frames encoded", progress.frame),
        What::Moved(queue) => format!("moved to the queue {queue}"),
        What::Requeued => "queued again by a person".to_owned(),
        What::Claimed(worker) => format!("claimed by {worker}"),
        What::Released(worker) => format!("released by {worker}"),
        What::Retried(failure) => {
            format!("failed, will be retried: {}", printable(&failure.message))
        }
        What::Split(parts) => format!("split into {parts} parts"),
        What::Completed(_) => "completed".to_owned(),
        What::Kept(report) => format!("kept: {}", report.sentence()),
        What::Failed(failure) => format!("failed for good: {}", printable(&failure.message)),
        What::Cancelled => "cancelled".to_owned(),
    }
}
