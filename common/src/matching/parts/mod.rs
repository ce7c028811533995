//! The parts of a split job: how far each of them is, and the job with them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::farm::worker_name::WorkerName;
use crate::job::part::Part;
use crate::job::progress::Progress;
use crate::job::run::report::Report;
use crate::job::run::{Run, RunState};
use crate::job::split::{Plan, SplitReport};
use crate::job::state::JobState;

#[cfg(test)]
mod tests;

/// The share of a job from which on the time that it has taken tells something.
const EARLY: f64 = 0.01;

/// What is known of the parts of one split job.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// When the job was split.
    since: Option<Timestamp>,
    /// The number of all parts; 0 if that is not known yet.
    count: u32,
    /// The parts that the output needs, once the plan is known.
    planned: BTreeMap<Part, Stretch>,
    known: BTreeMap<Part, Known>,
}

/// The part of the film that a part makes.
#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    frames: u64,
    /// Seconds from the beginning of the film; `None` for tracks that are no film.
    at: Option<(f64, f64)>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    run: Option<PartRun>,
    progress: Option<Progress>,
}

/// What the run of a part says.
#[derive(Clone, Debug)]
struct PartRun {
    state: JobState,
    worker: Option<WorkerName>,
    since: Timestamp,
    /// How often it was claimed.
    claims: u32,
    /// The number of its attempt, as people count.
    attempt: u32,
    made: Option<Made>,
}

#[derive(Clone, Copy, Debug)]
struct Made {
    frames: u64,
    encode_seconds: f64,
    size: u64,
}

/// One part of a split job.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartRow {
    /// `chunk-7`, `twin-7` for a second run of that chunk, or `rest` for all tracks but the film.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub part: Part,
    /// Where it stands.
    pub state: JobState,
    /// The worker that runs it, or ran it last.
    pub worker: Option<WorkerName>,
    /// When its state last changed; of a running part, when its attempt began.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub since: Option<Timestamp>,
    /// The number of its attempt; 0 before the first one.
    pub attempt: u32,
    /// Done share, 0 to 1.
    pub fraction: f64,
    /// Video frames, by the plan or as they were made; `None` if neither is known.
    pub frames: Option<u64>,
    /// Wall time of ffmpeg's encode in seconds, once it is done.
    pub encode_seconds: Option<f64>,
    /// Where in the film it begins, in seconds.
    pub start_seconds: Option<f64>,
    /// How much of the film it is, in seconds.
    pub length_seconds: Option<f64>,
}

/// A split job as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SplitSum {
    /// The number of its parts.
    pub parts: u32,
    /// The parts that are done.
    pub done: u32,
    /// The parts that run.
    pub running: u32,
    /// The parts that wait for a worker; a part that waits for its next attempt is none.
    pub waiting: u32,
    /// The workers that run them, by name.
    pub workers: Vec<WorkerName>,
    /// Done share of the encode, 0 to 1.
    pub fraction: f64,
    /// Frames per second of all parts together.
    pub fps: f32,
    /// Multiple of real time of all parts together.
    pub speed: f32,
    /// Bytes of the pieces so far.
    pub size: u64,
}

impl Parts {
    /// The parts of a job that was split then, into so many.
    pub fn new(since: Timestamp, count: u32) -> Self {
        Self {
            since: Some(since),
            count,
            ..Self::default()
        }
    }

    /// Takes the run of the whole job, which is split.
    pub fn split(&mut self, since: Timestamp, count: u32) {
        self.since = Some(since);
        self.count = count;
    }

    /// Whether the plan is known.
    pub fn is_planned(&self) -> bool {
        !self.planned.is_empty()
    }

    /// The number of parts that something is known of.
    pub fn len(&self) -> usize {
        self.known.len().max(self.planned.len())
    }

    /// Whether nothing is known of any part.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the plan.
    pub fn plan(&mut self, plan: &Plan) {
        let (numerator, denominator) = plan.film.time_base;
        let unit = f64::from(numerator) / f64::from(denominator.max(1));
        let first = plan.chunks.first().map_or(0, |chunk| chunk.start);
        let stretch = |part| match plan.chunk(part) {
            Some(chunk) => Stretch {
                frames: chunk.frames,
                at: Some((
                    (chunk.start - first) as f64 * unit,
                    (chunk.end - chunk.start) as f64 * unit,
                )),
            },
            None => Stretch::default(),
        };
        self.planned = plan.parts().map(|part| (part, stretch(part))).collect();
        self.count = u32::try_from(self.planned.len()).unwrap_or(u32::MAX);
    }

    /// Takes what else is known of the same parts.
    pub fn learn(&mut self, other: Self) {
        self.since = self.since.or(other.since);
        self.count = other.count;
        self.planned = other.planned;
        for (part, theirs) in other.known {
            let known = self.known.entry(part).or_default();
            known.run = theirs.run.or(known.run.take());
        }
    }

    /// Whether the run of a part is known.
    pub fn knows(&self, part: Part) -> bool {
        let known = self.known.get(&part);
        known.is_some_and(|known| known.run.is_some())
    }

    /// Whether any part runs.
    pub fn is_any_running(&self) -> bool {
        self.sum().running > 0
    }

    /// Whether this worker runs any part.
    pub fn run_on(&self, worker: &WorkerName) -> bool {
        let mut runs = self.known.values().filter_map(|known| known.run.as_ref());
        runs.any(|run| run.state == JobState::Running && run.worker.as_ref() == Some(worker))
    }

    /// Takes the run of a part, or that it is gone. The run of anything else is no news.
    pub fn ran(&mut self, part: Part, run: Option<&Run>) {
        if part == Part::Whole {
            return;
        }
        let Some(run) = run else {
            self.known.remove(&part);
            return;
        };
        let made = match &run.state {
            RunState::Completed { report } => Some(Made {
                frames: report.frames,
                encode_seconds: report.encode_seconds,
                size: report.output_size,
            }),
            _ => None,
        };
        let since = match &run.state {
            RunState::Running { since, .. } => *since,
            _ => run.changed,
        };
        let known = self.known.entry(part).or_default();
        known.run = Some(PartRun {
            state: JobState::from(&run.state),
            worker: run.worker().cloned(),
            since,
            claims: run.attempt,
            attempt: run.tries(),
            made,
        });
    }

    /// Takes the progress of a part. It may come before the part's run.
    pub fn progressed(&mut self, progress: Progress) {
        let part = progress.job.part();
        if part != Part::Whole {
            self.known.entry(part).or_default().progress = Some(progress);
        }
    }

    /// The job as a whole.
    pub fn sum(&self) -> SplitSum {
        let mut sum = SplitSum {
            parts: self.count,
            ..SplitSum::default()
        };
        let mut workers = BTreeSet::new();
        for (part, known) in &self.known {
            let Some(run) = &known.run else { continue };
            let is_twin = matches!(part, Part::Twin(_));
            match run.state {
                JobState::Running => {
                    sum.running += u32::from(!is_twin);
                    workers.extend(run.worker.clone());
                    let encode = known.current().and_then(|progress| progress.encode);
                    // Twins make nothing new.
                    if let Some(encode) = encode.filter(|_| !is_twin) {
                        sum.fps += encode.fps;
                        sum.speed += encode.speed;
                        sum.size += encode.size;
                    }
                }
                JobState::Completed => sum.size += run.made.map_or(0, |made| made.size),
                _ => {}
            }
        }
        sum.done = u32::try_from(self.needed().filter(|part| self.is_done(*part)).count())
            .unwrap_or(u32::MAX);
        let taken = match self.is_planned() {
            true => self.needed().filter(|part| self.is_taken(*part)).count(),
            false => self.known.values().filter(|known| known.is_taken()).count(),
        };
        sum.waiting = sum
            .parts
            .saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX));
        sum.workers = workers.into_iter().collect();
        let (done, all) = self.frames();
        sum.fraction = if all > 0.0 { done / all } else { 0.0 };
        sum
    }

    /// Seconds until all parts are done; `None` if there is nothing to estimate by.
    pub fn seconds_left(&self, now: Timestamp) -> Option<f64> {
        let (done, all) = self.frames();
        let fps = f64::from(self.sum().fps);
        let by_rate = (self.is_planned() && fps > 0.0).then(|| (all - done) / fps);
        let by_time = || {
            let so_far = now.duration_since(self.since?).as_secs_f64();
            let share = done / all;
            (share >= EARLY && so_far > 0.0).then(|| so_far / share * (1.0 - share))
        };
        let longest = self.known.values().filter_map(Known::seconds_left);
        // At the end, the last parts decide.
        let longest = longest.fold(None, |most: Option<f64>, left| {
            Some(most.map_or(left, |most| most.max(left)))
        });
        match (by_rate.or_else(by_time), longest) {
            (Some(left), Some(longest)) => Some(left.max(longest)),
            (left, _) => left,
        }
    }

    /// Every part of which something is known or planned.
    pub fn rows(&self) -> Vec<PartRow> {
        let parts: BTreeSet<Part> = self
            .planned
            .keys()
            .chain(self.known.keys())
            .copied()
            .collect();
        parts.into_iter().map(|part| self.row(part)).collect()
    }

    fn row(&self, part: Part) -> PartRow {
        let of_chunk = part.chunk().map_or(part, Part::Chunk);
        let stretch = self.planned.get(&of_chunk).copied();
        let stretch = stretch.unwrap_or_default();
        let known = self.known.get(&part);
        let run = known.and_then(|known| known.run.as_ref());
        let made = run.and_then(|run| run.made);
        let planned = (stretch.frames > 0).then_some(stretch.frames);
        PartRow {
            part,
            state: run.map_or(JobState::Pending, |run| run.state),
            worker: run.and_then(|run| run.worker.clone()),
            since: run.map(|run| run.since),
            attempt: run.map_or(0, |run| run.attempt),
            // Finer steps are not worth sending.
            fraction: (known.map_or(0.0, Known::share) * 1e4).round() / 1e4,
            frames: planned.or(made.map(|made| made.frames)),
            encode_seconds: made.map(|made| made.encode_seconds),
            start_seconds: stretch.at.map(|(start, _)| start),
            length_seconds: stretch.at.map(|(_, length)| length),
        }
    }

    /// The parts that the output needs, as far as they are known.
    fn needed(&self) -> impl Iterator<Item = Part> {
        let is_needed = |part: &Part| !matches!(part, Part::Twin(_));
        let known = self.known.keys().filter(|_| !self.is_planned());
        self.planned.keys().chain(known).copied().filter(is_needed)
    }

    /// Whether a part is done, by itself or by its twin.
    fn is_done(&self, part: Part) -> bool {
        self.runs_of(part).any(Known::is_done)
    }

    /// Whether a part needs no worker now: one has it or had it, or its twin is done.
    fn is_taken(&self, part: Part) -> bool {
        let is_own = self.known.get(&part).is_some_and(Known::is_taken);
        is_own || self.is_done(part)
    }

    /// What is known of a part and its twin.
    fn runs_of(&self, part: Part) -> impl Iterator<Item = &Known> {
        let twin = part.chunk().map(Part::Twin);
        [Some(part), twin]
            .into_iter()
            .flatten()
            .filter_map(|part| self.known.get(&part))
    }

    /// The frames that are done, and all of them; without a plan, the parts instead.
    fn frames(&self) -> (f64, f64) {
        let weight = |part: Part| match self.planned.get(&part) {
            Some(stretch) => stretch.frames as f64,
            None => 1.0,
        };
        let share = |part: Part| self.runs_of(part).map(Known::share).fold(0.0, f64::max);
        let done = self.needed().map(|part| weight(part) * share(part)).sum();
        let all = match self.is_planned() {
            true => self.needed().map(weight).sum(),
            false => f64::from(self.count),
        };
        (done, all)
    }
}

impl Known {
    fn is_taken(&self) -> bool {
        let run = self.run.as_ref();
        run.is_some_and(|run| run.state != JobState::Pending)
    }

    fn is_done(&self) -> bool {
        let state = self.run.as_ref().map(|run| run.state);
        state == Some(JobState::Completed)
    }

    /// The progress of the attempt that the run names: a worker that lost the part may still send.
    fn current(&self) -> Option<&Progress> {
        let run = self.run.as_ref()?;
        let is_running = run.state == JobState::Running;
        self.progress
            .as_ref()
            .filter(|progress| is_running && progress.attempt == run.claims)
    }

    fn share(&self) -> f64 {
        match self.is_done() {
            true => 1.0,
            false => self.current().map_or(0.0, Progress::share),
        }
    }

    fn seconds_left(&self) -> Option<f64> {
        let run = self.run.as_ref()?;
        self.current()?.seconds_left(run.since)
    }
}

impl PartRow {
    /// The parts of a completed job; none if it was not split.
    pub fn of_report(report: &Report) -> Vec<Self> {
        let Some(SplitReport::Parts(parts)) = &report.split else {
            return Vec::new();
        };
        let chunks = || parts.iter().filter(|part| part.part.chunk().is_some());
        let all: u64 = chunks().map(|part| part.frames).sum();
        let seconds = |frames: u64| frames as f64 / all.max(1) as f64 * report.duration;
        let mut rows: Vec<Self> = parts
            .iter()
            .map(|part| {
                let before = chunks().filter(|other| other.part.chunk() < part.part.chunk());
                let before: u64 = before.map(|other| other.frames).sum();
                let is_film = part.part.chunk().is_some();
                Self {
                    part: part.part,
                    state: JobState::Completed,
                    worker: Some(part.worker.clone()),
                    since: None,
                    attempt: part.attempt,
                    fraction: 1.0,
                    frames: Some(part.frames),
                    encode_seconds: Some(part.encode_seconds),
                    start_seconds: is_film.then(|| seconds(before)),
                    length_seconds: is_film.then(|| seconds(part.frames)),
                }
            })
            .collect();
        rows.sort_by_key(|row| row.part);
        rows
    }
}
