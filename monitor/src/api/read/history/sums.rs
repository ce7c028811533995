//! Sums over ended jobs: over time, by worker and encoder, and by reason of failure. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use common::farm::worker_name::WorkerName;
use common::job::failure::Fault;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::index::{Done, Index, Who};
use crate::snapshot::moment::Moment;

/// Points of a curve: as many as a chart shows.
const POINTS: i64 = 48;
/// The most pairs of worker and encoder with a curve: as many as a chart can tell apart.
const PAIRS: usize = 8;
/// The most reasons of failure in the answer.
const REASONS: usize = 20;

/// What the farm has done in a time span.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::api) struct History {
    /// The start of the time span.
    since: Moment,
    /// Seconds that each point of a curve stands for.
    step: i64,
    /// Sums over equal intervals, the earliest first.
    curve: Vec<Point>,
    /// Curves of the pairs of worker and encoder that were busy for the most
    /// time, the busiest first; eight at the most.
    pairs: Vec<Curves>,
    /// Sums by worker and encoder.
    by_worker: Vec<WorkerSum>,
    /// Completed and failed jobs of each worker.
    workers: Vec<Tally>,
    /// Why jobs failed, the most frequent first.
    failures: Vec<FailureSum>,
    /// Completed jobs by the size of the output relative to the input: a count for each tenth up to
    /// the same size, then one for larger outputs.
    ratios: Vec<usize>,
}

/// Sums over completed jobs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(in crate::api) struct Sum {
    completed: u64,
    frames: u64,
    /// Seconds of media that were encoded.
    length: f64,
    encode_seconds: f64,
    total_seconds: f64,
    input_bytes: u64,
    output_bytes: u64,
}

/// One interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(in crate::api) struct Point {
    #[serde(flatten)]
    sum: Sum,
    /// Jobs that failed for good.
    failed: u64,
}

/// A worker with an encoder over time: one value for each point of the curve, `null` if no job was
/// completed.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::api) struct Curves {
    worker: String,
    encoder: String,
    /// Frames per second of an encode.
    fps: Vec<Option<f32>>,
    /// Seconds from claim to end of a job.
    seconds: Vec<Option<f32>>,
}

/// A worker with an encoder, over the whole time span.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::api) struct WorkerSum {
    worker: String,
    /// `copy` if nothing was encoded.
    encoder: String,
    sum: Sum,
}

/// How the jobs of a worker ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(in crate::api) struct Tally {
    worker: String,
    completed: u64,
    /// Jobs that failed for good, by the worker of the last attempt.
    failed: u64,
}

/// Why jobs failed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::api) struct FailureSum {
    fault: Fault,
    /// The reason of the latest of these jobs; others may differ in numbers.
    reason: String,
    jobs: usize,
    latest: Moment,
}

/// Equal intervals up to now.
struct Times {
    since: Timestamp,
    step: i64,
    points: i64,
}

impl Times {
    fn of(hours: u32, now: Timestamp) -> Self {
        let span = i64::from(hours.clamp(1, 24 * 366)) * 3600;
        let step = (span / POINTS).max(60);
        let points = (span + step - 1) / step;
        Self {
            since: now - SignedDuration::from_secs(points * step),
            step,
            points,
        }
    }

    /// The interval of a time: `None` before the first; a time in the future counts as now.
    fn nth(&self, moment: Timestamp) -> Option<usize> {
        if moment < self.since {
            return None;
        }
        let nth = moment.duration_since(self.since).as_secs() / self.step;
        usize::try_from(nth.min(self.points - 1)).ok()
    }

    /// A default value for each interval.
    fn each<T: Clone + Default>(&self) -> Vec<T> {
        vec![T::default(); usize::try_from(self.points).unwrap_or_default()]
    }
}

impl Sum {
    fn add(&mut self, done: &Done<'_>) {
        self.completed += 1;
        self.frames = self.frames.saturating_add(done.frames);
        self.length += f64::from(done.length);
        self.encode_seconds += f64::from(done.encode_seconds);
        self.total_seconds += f64::from(done.total_seconds);
        self.input_bytes = self.input_bytes.saturating_add(done.input_size);
        self.output_bytes = self.output_bytes.saturating_add(done.output_size);
    }

    fn fps(&self) -> Option<f32> {
        (self.encode_seconds > 0.0).then(|| (self.frames as f64 / self.encode_seconds) as f32)
    }

    fn seconds(&self) -> Option<f32> {
        (self.completed > 0).then(|| (self.total_seconds / self.completed as f64) as f32)
    }
}

impl History {
    /// The history of the last hours. Reads all jobs twice.
    pub(crate) fn of(index: &Index, hours: u32, now: Timestamp) -> Self {
        let times = Times::of(hours, now);
        let mut curve: Vec<Point> = times.each();
        let mut by_worker: BTreeMap<Who, WorkerSum> = BTreeMap::new();
        let mut ratios = vec![0; 11];
        for done in index.done() {
            let Some(nth) = times.nth(done.ended) else {
                continue;
            };
            curve[nth].sum.add(&done);
            let of_worker = by_worker.entry(done.who).or_insert_with(|| {
                let (worker, encoder) = who(&done);
                let sum = Sum::default();
                WorkerSum {
                    worker,
                    encoder,
                    sum,
                }
            });
            of_worker.sum.add(&done);
            let ratio = done.output_size as f64 / done.input_size.max(1) as f64;
            ratios[((ratio * 10.0) as usize).min(10)] += 1;
        }
        let (failures, failed) = failures(index, &times, &mut curve);
        let pairs = pairs(index, &times, &by_worker);
        let mut by_worker: Vec<WorkerSum> = by_worker.into_values().collect();
        by_worker.sort_by(|a, b| (&a.worker, &a.encoder).cmp(&(&b.worker, &b.encoder)));
        Self {
            since: Moment(times.since),
            step: times.step,
            curve,
            pairs,
            workers: tallies(&by_worker, failed),
            by_worker,
            failures,
            ratios,
        }
    }
}

/// The busiest pairs of worker and encoder over time.
fn pairs(index: &Index, times: &Times, sums: &BTreeMap<Who, WorkerSum>) -> Vec<Curves> {
    let mut busiest: Vec<(&Who, &WorkerSum)> = sums.iter().collect();
    busiest.sort_by(|(_, a), (_, b)| {
        let busier = b.sum.total_seconds.total_cmp(&a.sum.total_seconds);
        busier.then_with(|| (&a.worker, &a.encoder).cmp(&(&b.worker, &b.encoder)))
    });
    busiest.truncate(PAIRS);
    let mut over_time: BTreeMap<Who, Vec<Sum>> = busiest
        .iter()
        .map(|(who, _)| (**who, times.each()))
        .collect();
    for done in index.done() {
        if let Some(sums) = over_time.get_mut(&done.who)
            && let Some(nth) = times.nth(done.ended)
        {
            sums[nth].add(&done);
        }
    }
    let curves = |(who, whole): (&Who, &WorkerSum)| Curves {
        worker: whole.worker.clone(),
        encoder: whole.encoder.clone(),
        fps: over_time[who].iter().map(Sum::fps).collect(),
        seconds: over_time[who].iter().map(Sum::seconds).collect(),
    };
    busiest.into_iter().map(curves).collect()
}

/// The reasons of failures, and the failures of each worker. Counts failures into the curve, too.
fn failures(
    index: &Index,
    times: &Times,
    curve: &mut [Point],
) -> (Vec<FailureSum>, BTreeMap<WorkerName, u64>) {
    let mut reasons: BTreeMap<(u8, String), FailureSum> = BTreeMap::new();
    let mut workers: BTreeMap<&WorkerName, u64> = BTreeMap::new();
    for broken in index.broken() {
        let Some(nth) = times.nth(broken.ended) else {
            continue;
        };
        curve[nth].failed += 1;
        if let Some(worker) = broken.worker {
            *workers.entry(worker).or_default() += 1;
        }
        let sum = reasons
            .entry((broken.fault as u8, without_numbers(broken.reason)))
            .or_insert_with(|| FailureSum {
                fault: broken.fault,
                reason: broken.reason.to_owned(),
                jobs: 0,
                latest: Moment(broken.ended),
            });
        sum.jobs += 1;
        if sum.latest < Moment(broken.ended) {
            sum.latest = Moment(broken.ended);
            broken.reason.clone_into(&mut sum.reason);
        }
    }
    let mut reasons: Vec<FailureSum> = reasons.into_values().collect();
    reasons.sort_by_key(|sum| (Reverse(sum.jobs), Reverse(sum.latest)));
    reasons.truncate(REASONS);
    let workers = workers
        .into_iter()
        .map(|(worker, jobs)| (worker.clone(), jobs))
        .collect();
    (reasons, workers)
}

/// The reason with every number replaced: reasons that differ only in numbers count as one.
fn without_numbers(reason: &str) -> String {
    let mut kept = String::with_capacity(reason.len());
    for c in reason.chars() {
        match c {
            '0'..='9' if kept.ends_with('#') => {}
            '0'..='9' => kept.push('#'),
            c => kept.push(c),
        }
    }
    kept
}

/// How the jobs of each worker ended, by name.
fn tallies(sums: &[WorkerSum], failed: BTreeMap<WorkerName, u64>) -> Vec<Tally> {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for row in sums {
        tallies.entry(row.worker.clone()).or_default().completed += row.sum.completed;
    }
    for (worker, jobs) in failed {
        tallies.entry(worker.to_string()).or_default().failed = jobs;
    }
    let named = |(worker, tally)| Tally { worker, ..tally };
    tallies.into_iter().map(named).collect()
}

/// The names of worker and encoder.
pub(crate) fn who(done: &Done<'_>) -> (String, String) {
    (
        done.worker.map(ToString::to_string).unwrap_or_default(),
        done.encoder
            .map_or_else(|| "copy".to_owned(), ToString::to_string),
    )
}

#[cfg(test)]
mod tests {
    use common::job::failure::Failure;
    use common::job::run::Run;
    use common::job::run::report::Report;

    use super::*;
    use crate::index::tests::{at, job, lane, report, worker};

    /// A job completed so many seconds after the beginning.
    fn completed(index: &mut Index, by: &str, encoder: &str, seconds: f64, ended: i64) {
        let report = Report {
            worker: worker(by),
            encoder: Some(encoder.parse().expect("an encoder")),
            total_seconds: seconds,
            ..report()
        };
        let job = job(&format!("{by}-{encoder}-{ended}.mkv"), 0);
        let run = Run::first(job, &lane(5), 1, worker(by), at(0));
        index.run(&run.complete(report, at(ended)));
    }

    #[test]
    fn the_busiest_pairs_have_curves_with_gaps_where_nothing_was_done() {
        let mut index = Index::default();
        let hour = 3600;
        completed(&mut index, "atelier", "libx265", 4.0, 60);
        completed(&mut index, "atelier", "libx265", 8.0, 61);
        completed(&mut index, "atelier", "libx265", 5.0, 24 * hour - 1);
        for nth in 0..9 {
            let seconds = 1.0 + f64::from(nth) / 10.0;
            completed(&mut index, &format!("w{nth}"), "libx264", seconds, 90);
        }
        // One long before, and one by a clock that is ahead.
        completed(&mut index, "atelier", "libx265", 100.0, -hour);
        completed(&mut index, "ahead", "libx264", 9.0, 25 * hour);

        let history = History::of(&index, 24, at(24 * hour));
        assert_eq!(history.curve.len(), 48);
        let names: Vec<&str> = history
            .pairs
            .iter()
            .map(|pair| pair.worker.as_str())
            .collect();
        let busiest = ["atelier", "ahead", "w8", "w7", "w6", "w5", "w4", "w3"];
        assert_eq!(names, busiest);
        let atelier = &history.pairs[0];
        assert_eq!(atelier.encoder, "libx265");
        assert_eq!(atelier.seconds[0], Some(6.0));
        assert_eq!(atelier.fps[0], Some(50.0));
        assert!(atelier.seconds[1..47].iter().all(Option::is_none));
        assert_eq!(atelier.seconds[47], Some(5.0));
        assert_eq!(history.pairs[1].seconds[47], Some(9.0));
        assert_eq!(history.by_worker.len(), 11);
        assert_eq!(history.curve[0].sum.completed, 11);
    }

    #[test]
    fn each_worker_answers_for_what_it_completed_and_what_failed_on_it() {
        let mut index = Index::default();
        completed(&mut index, "atelier", "libx265", 4.0, 60);
        completed(&mut index, "atelier", "libx264", 4.0, 61);
        for (name, by) in [("a.mkv", "atelier"), ("b.mkv", "mini-pc")] {
            let run = Run::first(job(name, 0), &lane(5), 1, worker(by), at(0));
            let failure = Failure::input("no video in it");
            index.run(&run.fail(failure, SignedDuration::ZERO, at(70)));
        }
        let history = History::of(&index, 1, at(100));
        let tally = |worker: &str, completed, failed| Tally {
            worker: worker.to_owned(),
            completed,
            failed,
        };
        let tallies = [tally("atelier", 2, 1), tally("mini-pc", 0, 1)];
        assert_eq!(history.workers, tallies);
        assert_eq!(history.failures.len(), 1);
        assert_eq!(history.failures[0].jobs, 2);
        let failed: u64 = history.curve.iter().map(|point| point.failed).sum();
        assert_eq!(failed, 2);
        let sum = &history.by_worker[0].sum;
        assert_eq!((sum.length, sum.encode_seconds), (4.0, 2.0));
    }

    #[test]
    fn failures_for_the_same_reason_are_one_whatever_their_paths_and_numbers() {
        let mut index = Index::default();
        let messages = [
            "source is damaged: it ends at 7.7 s of 15.0 s: s3://media/in/a.mkv",
            "source is damaged: it ends at 1200.0 s of 1500.0 s: s3://media/in/b.mkv",
            "s3://media/out/The Long Dark Show (2019) - S01E03.mkv: source is damaged: it ends at 3 s of 4 s",
            "no video in it: s3://media/in/c.mkv",
        ];
        for (nth, message) in (0..).zip(messages) {
            let run = Run::first(
                job(&format!("{nth}.mkv"), 0),
                &lane(5),
                1,
                worker("w1"),
                at(0),
            );
            let failure = Failure::input(message);
            index.run(&run.fail(failure, SignedDuration::ZERO, at(60 + nth)));
        }
        let failures = History::of(&index, 1, at(100)).failures;
        let shown: Vec<_> = failures
            .iter()
            .map(|sum| (sum.jobs, sum.reason.as_str()))
            .collect();
        let expected = [
            (2, "source is damaged: it ends at 1200.0 s of 1500.0 s"),
            (1, "no video in it"),
            (1, "source is damaged: it ends at 3 s of 4 s"),
        ];
        assert_eq!(shown, expected);
    }
}
