//! How fast the farm has been: averages of the jobs that were completed
//! lately, and what they promise for others.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::encoder::Encoder;
use crate::run::Report;
use crate::worker::{Heartbeat, WorkerName};

/// Averages by worker and encoder; `None` stands for copied video.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History(BTreeMap<(WorkerName, Option<Encoder>), Average>);

/// What some completed jobs took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Average {
    /// How many jobs.
    pub jobs: u64,
    /// Frames that they made.
    frames: u64,
    /// Bytes that they read.
    bytes: u64,
    /// Seconds that ffmpeg encoded.
    encode_seconds: f64,
    /// Seconds from claim to end.
    total_seconds: f64,
}

impl Average {
    fn add(&mut self, other: &Self) {
        self.jobs = self.jobs.saturating_add(other.jobs);
        self.frames = self.frames.saturating_add(other.frames);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.encode_seconds += other.encode_seconds;
        self.total_seconds += other.total_seconds;
    }

    /// Frames per second.
    pub fn fps(&self) -> f64 {
        self.frames as f64 / self.encode_seconds.max(f64::MIN_POSITIVE)
    }

    /// Seconds that a job took.
    pub fn seconds(&self) -> f64 {
        self.total_seconds / self.jobs.max(1) as f64
    }

    /// Seconds that a job took for each byte of its input.
    pub fn seconds_per_byte(&self) -> f64 {
        self.total_seconds / self.bytes.max(1) as f64
    }
}

impl<'a> FromIterator<&'a Report> for History {
    fn from_iter<I: IntoIterator<Item = &'a Report>>(reports: I) -> Self {
        let mut averages: BTreeMap<_, Average> = BTreeMap::new();
        for report in reports {
            let key = (report.worker.clone(), report.encoder.clone());
            averages.entry(key).or_default().add(&Average {
                jobs: 1,
                frames: report.frames,
                bytes: report.input_size,
                encode_seconds: report.encode_seconds,
                total_seconds: report.total_seconds,
            });
        }
        Self(averages)
    }
}

impl History {
    /// What jobs of this encoder took on a worker; `None` where it has done none.
    pub fn average(&self, worker: &WorkerName, encoder: Option<&Encoder>) -> Option<&Average> {
        self.0.get(&(worker.clone(), encoder.cloned()))
    }

    /// What all jobs took on a worker; `None` where it has done none.
    fn overall(&self, worker: &WorkerName) -> Option<Average> {
        let mut all = Average::default();
        for ((name, _), average) in &self.0 {
            if name == worker {
                all.add(average);
            }
        }
        (all.jobs > 0).then_some(all)
    }

    /// Jobs that these workers end per second while all their slots are busy.
    /// One that has done none yet counts as the mean of the others; `None`
    /// where nobody has.
    pub fn jobs_per_second(&self, workers: &[&Heartbeat]) -> Option<f64> {
        let (mut sum, mut known, mut slots) = (0.0, 0.0, 0.0);
        for worker in workers {
            slots += f64::from(worker.slots);
            let each = self
                .overall(&worker.name)
                .map(|average| 1.0 / average.seconds());
            if let Some(each) = each.filter(|each| each.is_finite()) {
                sum += each * f64::from(worker.slots);
                known += f64::from(worker.slots);
            }
        }
        (known > 0.0).then(|| sum / known * slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{heartbeat, report};

    #[test]
    fn averages_weigh_jobs_by_what_they_took() {
        let reports = [
            report("w1", "libx265", 1_000, 10.0),
            report("w1", "libx265", 3_000, 30.0),
            report("w1", "libx264", 1_000, 1.0),
        ];
        let history: History = reports.iter().collect();
        let name = "w1".parse().expect("a name");
        let encoder: Encoder = "libx265".parse().expect("an encoder");
        let average = history.average(&name, Some(&encoder)).expect("two jobs");
        assert_eq!(average.jobs, 2);
        assert!((average.seconds() - 20.0).abs() < 1e-9);
        assert!((average.seconds_per_byte() - 0.01).abs() < 1e-9);
        assert!((average.fps() - 10.0).abs() < 1e-9, "{average:?}");
        assert!(history.average(&name, None).is_none());
    }

    #[test]
    fn workers_without_a_past_count_as_the_others() {
        let history: History = [report("w1", "libx265", 100, 10.0)].iter().collect();
        let (one, mut two) = (heartbeat("w1", &["libx265"]), heartbeat("w2", &["libx265"]));
        two.slots = 3;
        let rate = history.jobs_per_second(&[&one]).expect("it has a past");
        assert!((rate - 0.1).abs() < 1e-9);
        let rate = history.jobs_per_second(&[&one, &two]).expect("one has");
        assert!((rate - 0.4).abs() < 1e-9);
        assert!(history.jobs_per_second(&[&two]).is_none());
    }
}
