//! Estimates of a job before it exists: the bytes of its output and the seconds of its work, by what the farm has done
//! before. Pure.

use serde::{Deserialize, Serialize};

use crate::farm::worker::Heartbeat;
use crate::job::media_info::MediaInfo;
use crate::matching::history::History;
use crate::matching::plan::Candidate;
use crate::recipe::{Rate, Recipe};

/// Pixels of a frame of a test encode.
const TEST_FRAME: f64 = 1280.0 * 720.0;

/// What a job is expected to make and to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Estimate {
    /// Bytes of the output; `None` if nothing tells.
    pub bytes: Option<u64>,
    /// What the bytes are estimated by.
    pub by: SizeBasis,
    /// Seconds of the job on the worker that would be the quickest; `None` if nothing tells.
    pub seconds: Option<f64>,
}

/// What the size of an output is estimated by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SizeBasis {
    /// Nothing: the farm has completed no such job.
    #[default]
    Nothing,
    /// The recipe states the size.
    Recipe,
    /// The shares of the inputs' sizes that so many completed jobs of the same encoder have left.
    Jobs(u64),
}

impl Estimate {
    /// The estimate for a file of this size and content, by the workers that could run its job.
    pub fn of(
        recipe: &Recipe,
        (size, media): (u64, &MediaInfo),
        candidates: &[Candidate],
        history: &History,
    ) -> Self {
        let part = part(recipe, media);
        let size = (size as f64 * part) as u64;
        let pixels = media.film_pixels().map(|pixels| pixels * part);
        let seconds = candidates
            .iter()
            .filter_map(|candidate| seconds(candidate, (size, pixels), history))
            .reduce(f64::min);
        if let Some(Rate::Size(asked)) = recipe.video_encode().map(|video| video.rate) {
            return Self {
                bytes: Some(asked.bytes()),
                by: SizeBasis::Recipe,
                seconds,
            };
        }
        let encoder = candidates.first().and_then(|best| best.encoder.as_ref());
        let left = match candidates {
            [] => None,
            _ => history.size_left(encoder, media.film_codec()),
        };
        Self {
            bytes: left.map(|left| (size as f64 * left.share).round() as u64),
            by: left.map_or(SizeBasis::Nothing, |left| SizeBasis::Jobs(left.jobs)),
            seconds,
        }
    }
}

/// Estimates of several files together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Together {
    /// Files whose outputs have an estimated size.
    pub files: usize,
    /// Bytes of the inputs of these files.
    pub input_bytes: u64,
    /// Bytes of their outputs.
    pub output_bytes: u64,
    /// Seconds until all are done if the farm does nothing else; `None` if the time of a file is not known.
    pub seconds: Option<f64>,
}

impl Together {
    /// Adds up the estimates of files, each with the size of its input, for so many slots.
    pub fn of(files: &[(u64, Estimate)], slots: usize) -> Self {
        let known = || {
            files
                .iter()
                .filter_map(|(size, one)| Some((size, one.bytes?)))
        };
        let times: Option<Vec<f64>> = files.iter().map(|(_, one)| one.seconds).collect();
        let longest = |times: &[f64]| times.iter().copied().fold(0.0, f64::max);
        let at_once = slots.min(files.len()).max(1) as f64;
        Self {
            files: known().count(),
            input_bytes: known().fold(0, |sum, (size, _)| sum.saturating_add(*size)),
            output_bytes: known().fold(0, |sum, (_, bytes)| sum.saturating_add(bytes)),
            seconds: times
                .filter(|times| !times.is_empty())
                .map(|times| longest(&times).max(times.iter().sum::<f64>() / at_once)),
        }
    }
}

/// The part of a file that the recipe keeps, from 0 to 1.
fn part(recipe: &Recipe, media: &MediaInfo) -> f64 {
    match (recipe.trim, media.duration.filter(|whole| *whole > 0.0)) {
        (Some(trim), Some(whole)) => trim.length(whole) / whole,
        _ => 1.0,
    }
}

/// Seconds of the job on a worker: by its completed jobs with the encoder, otherwise by its test encode.
fn seconds(
    candidate: &Candidate,
    (size, pixels): (u64, Option<f64>),
    history: &History,
) -> Option<f64> {
    let average = history.average(&candidate.worker, candidate.encoder.as_ref());
    match (average, pixels) {
        (Some(average), Some(pixels)) if average.pixels() > 0.0 => {
            Some(pixels * average.seconds_per_pixel())
        }
        (Some(average), _) => Some(size as f64 * average.seconds_per_byte()),
        (None, Some(pixels)) => Some(pixels / TEST_FRAME / f64::from(candidate.fps?)),
        (None, None) => None,
    }
}

/// Slots of the live workers that could run the jobs.
pub fn slots(candidates: &[Candidate], workers: &[Heartbeat]) -> usize {
    let able = |one: &&Heartbeat| candidates.iter().any(|able| able.worker == one.name);
    let slots = workers.iter().filter(able).map(|one| one.slots as usize);
    slots.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::media_info::TrackInfo;
    use crate::job::run::report::Report;
    use crate::matching::plan::Plan;
    use crate::recipe::{Choice, VideoEncode};
    use crate::testing::{heartbeat, report};

    fn media(codec: &str, seconds: f64) -> MediaInfo {
        let video = TrackInfo::Video {
            codec: codec.to_owned(),
            width: 100,
            height: 100,
            fps: Some(10.0),
            depth: 8,
        };
        MediaInfo {
            format: "mov".to_owned(),
            duration: Some(seconds),
            tracks: vec![video],
        }
    }

    /// A job of libx265 that took `seconds` for 10 s of film, and left this share of 1000 bytes.
    fn done(codec: &str, share: f64, seconds: f64) -> Report {
        Report {
            output_size: (1000.0 * share) as u64,
            input_media: Some(media(codec, 10.0)),
            duration: 10.0,
            ..report("w1", "libx265", 1000, seconds)
        }
    }

    fn estimate(reports: &[Report], codec: &str) -> Estimate {
        let with = Choice::Encoder("libx265".parse().expect("an encoder"));
        let recipe = Recipe::encode(VideoEncode::new(with)).expect("sound");
        let workers = [heartbeat("w1", &["libx265"])];
        let plan = Plan::of(&recipe, &workers);
        assert_eq!(slots(&plan.candidates, &workers), 1);
        let history = reports.iter().collect();
        Estimate::of(
            &recipe,
            (500, &media(codec, 20.0)),
            &plan.candidates,
            &history,
        )
    }

    #[test]
    fn sizes_go_by_completed_jobs_from_the_same_codec() {
        let reports = [
            done("h264", 0.5, 5.0),
            done("h264", 0.3, 5.0),
            done("mpeg2video", 0.1, 5.0),
        ];
        let of = |codec| {
            let made = estimate(&reports, codec);
            (made.bytes, made.by)
        };
        assert_eq!(of("h264"), (Some(200), SizeBasis::Jobs(2)));
        assert_eq!(of("mpeg2video"), (Some(50), SizeBasis::Jobs(1)));
        // No job has had such an input: nothing tells.
        assert_eq!(of("hevc"), (None, SizeBasis::Nothing));
        assert_eq!(estimate(&[], "h264").bytes, None);
    }

    #[test]
    fn times_go_by_pixels_of_completed_jobs_and_otherwise_by_the_test_encode() {
        let seconds = |reports: &[Report]| estimate(reports, "h264").seconds.expect("known");
        assert!((seconds(&[done("h264", 0.5, 5.0)]) - 10.0).abs() < 1e-9);
        let encoder = "libx265".parse().expect("an encoder");
        let fps = heartbeat("w1", &["libx265"])
            .card
            .proof(&encoder)
            .expect("proved")
            .fps;
        let by_test = 200.0 * 10_000.0 / TEST_FRAME / f64::from(fps);
        assert!((seconds(&[]) - by_test).abs() < 1e-9);
        let without_media = report("w1", "libx265", 1000, 4.0);
        assert!((seconds(&[without_media]) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_part_of_a_film_counts_as_a_part() {
        // 1 s of the 10 s was made.
        let sample = Report {
            duration: 1.0,
            ..done("h264", 0.05, 0.5)
        };
        let whole = estimate(&[sample], "h264");
        assert_eq!(whole.bytes, Some(250));
        assert!(
            (whole.seconds.expect("known") - 10.0).abs() < 1e-9,
            "{whole:?}"
        );
    }

    #[test]
    fn files_together_take_their_sum_over_the_slots_and_at_least_the_longest() {
        let file = |bytes, seconds| {
            let one = Estimate {
                bytes,
                by: SizeBasis::Recipe,
                seconds,
            };
            (100, one)
        };
        let all = [
            file(Some(40), Some(10.0)),
            file(None, Some(50.0)),
            file(Some(10), Some(20.0)),
        ];
        let together = Together::of(&all, 2);
        assert_eq!(
            (together.files, together.input_bytes, together.output_bytes),
            (2, 200, 50)
        );
        assert_eq!(together.seconds, Some(50.0));
        assert_eq!(Together::of(&all, 1).seconds, Some(80.0));
        assert_eq!(Together::of(&[file(None, None)], 1).seconds, None);
        assert_eq!(Together::of(&[], 1).seconds, None);
    }
}
