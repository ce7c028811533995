//! What the farm has done: averages over recently completed jobs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::farm::worker_name::WorkerName;
use crate::job::media_info::MediaInfo;
use crate::job::run::report::Report;
use crate::matching::ratios::{Ratios, SizeLeft};
use crate::recipe::Recipe;
use crate::recipe::encoder::Encoder;

/// Averages by worker and encoder; `None` stands for copied video.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    averages: BTreeMap<(WorkerName, Option<Encoder>), Average>,
    /// By encoder.
    sizes: BTreeMap<Option<Encoder>, Ratios>,
}

/// Sums over completed jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Average {
    /// Number of jobs.
    pub jobs: u64,
    /// Frames of the outputs.
    frames: u64,
    /// Bytes of the inputs.
    bytes: u64,
    /// Pixels of all frames of the inputs whose reports tell them.
    pixels: f64,
    /// Seconds from claim to end of the jobs with these inputs.
    pixel_seconds: f64,
    /// Seconds of ffmpeg's encodes.
    encode_seconds: f64,
    /// Seconds from claim to end.
    total_seconds: f64,
}

impl Average {
    fn add(&mut self, other: &Self) {
        self.jobs = self.jobs.saturating_add(other.jobs);
        self.frames = self.frames.saturating_add(other.frames);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.pixels += other.pixels;
        self.pixel_seconds += other.pixel_seconds;
        self.encode_seconds += other.encode_seconds;
        self.total_seconds += other.total_seconds;
    }

    /// Mean frames per second of an encode.
    pub fn fps(&self) -> f64 {
        self.frames as f64 / self.encode_seconds.max(f64::MIN_POSITIVE)
    }

    /// Mean seconds of a job.
    pub fn seconds(&self) -> f64 {
        self.total_seconds / self.jobs.max(1) as f64
    }

    /// Pixels of all frames of the inputs; 0 if no report tells them.
    pub fn pixels(&self) -> f64 {
        self.pixels
    }

    /// Mean seconds of a job for each pixel of a frame of its input.
    pub fn seconds_per_pixel(&self) -> f64 {
        self.pixel_seconds / self.pixels.max(f64::MIN_POSITIVE)
    }

    /// Mean seconds of a job for each byte of its input.
    pub fn seconds_per_byte(&self) -> f64 {
        self.total_seconds / self.bytes.max(1) as f64
    }
}

impl<'a> FromIterator<&'a Report> for History {
    fn from_iter<I: IntoIterator<Item = &'a Report>>(reports: I) -> Self {
        let mut averages: BTreeMap<_, Average> = BTreeMap::new();
        let mut sizes: BTreeMap<_, Ratios> = BTreeMap::new();
        for report in reports.into_iter().filter(|report| !is_sound_alone(report)) {
            let part = part(report);
            let input_size = (report.input_size as f64 * part) as u64;
            let pixels = report.input_media.as_ref().and_then(MediaInfo::film_pixels);
            let pixels = pixels.map(|pixels| pixels * part);
            if let Some(codec) = report.input_media.as_ref().and_then(MediaInfo::film_codec) {
                let ratios = sizes.entry(report.encoder.clone()).or_default();
                ratios.add(codec, input_size, report.output_size);
            }
            let key = (report.worker.clone(), report.encoder.clone());
            averages.entry(key).or_default().add(&Average {
                jobs: 1,
                frames: report.frames,
                bytes: input_size,
                pixels: pixels.unwrap_or(0.0),
                pixel_seconds: pixels.map_or(0.0, |_| report.total_seconds),
                encode_seconds: report.encode_seconds,
                total_seconds: report.total_seconds,
            });
        }
        Self { averages, sizes }
    }
}

/// The part of the input that became the output, from 0 to 1: less than 1 for recipes that trim.
fn part(report: &Report) -> f64 {
    let whole = report.input_media.as_ref().and_then(|media| media.duration);
    match whole.filter(|whole| *whole > 0.0) {
        Some(whole) => (report.duration / whole).clamp(0.0, 1.0),
        None => 1.0,
    }
}

/// Whether the output holds no video. Such an output says nothing about copies of video, which have no encoder either.
fn is_sound_alone(report: &Report) -> bool {
    let media = report.output_media.as_ref();
    media.is_some_and(|media| media.film_codec().is_none())
}

impl History {
    /// The sums of an encoder on a worker; `None` if it has completed no job.
    pub fn average(&self, worker: &WorkerName, encoder: Option<&Encoder>) -> Option<&Average> {
        self.averages.get(&(worker.clone(), encoder.cloned()))
    }

    /// The share of the size that an encoder leaves of inputs of this codec; `None` if no such job was completed.
    pub fn size_left(&self, encoder: Option<&Encoder>, codec: Option<&str>) -> Option<SizeLeft> {
        self.sizes.get(&encoder.cloned())?.left(codec?)
    }

    /// What outputs of this recipe are measured by: those with one of its encoders, or with any encoder of its codec.
    pub fn ratios(&self, recipe: &Recipe) -> Ratios {
        let choice = recipe.video_encode().map(|encode| &encode.with);
        let is_alike = |encoder: &Option<Encoder>| match (choice, encoder) {
            (None, None) => true,
            (Some(choice), Some(encoder)) => match choice.encoders() {
                [] => choice.codec() == encoder.codec(),
                encoders => encoders.contains(encoder),
            },
            _ => false,
        };
        let mut ratios = Ratios::default();
        let alike = self.sizes.iter().filter(|(encoder, _)| is_alike(encoder));
        alike.for_each(|(_, some)| ratios.extend(some));
        ratios
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::report;

    #[test]
    fn averages_weigh_jobs_by_their_sizes() {
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
}
