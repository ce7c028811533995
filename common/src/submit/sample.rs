//! Samples: short parts of a film, each encoded by a job of its own, that tell what the whole would take. Pure.

use std::path::Path;

use serde::Serialize;

use crate::farm::worker::Heartbeat;
use crate::job::batch::SampledFilm;
use crate::job::further::FurtherInput;
use crate::job::id::JobId;
use crate::job::input::Input;
use crate::job::run::quality::OutputQuality;
use crate::job::run::report::Report;
use crate::job::work::Work;
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::recipe::{Companions, Metric, Rate, Recipe, RecipeError, Score, Trim, Video};

/// The share of a film's beginning and of its end that no sample is taken of: logos and credits.
const EDGE: f64 = 0.02;
/// If samples would cover this share of a film, all of it is one sample.
const MOST: f64 = 0.85;

/// A part of a film, in seconds from its beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Where it begins.
    pub from: f64,
    /// Its length.
    pub length: f64,
}

/// Why a film or a recipe cannot be sampled.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// A window begins after the end of the film.
    #[error("there is no sample at {at} s of a film of {length:.0} s")]
    Beyond {
        /// The begin of the window.
        at: f64,
        /// The length of the film.
        length: f64,
    },
    /// There would be no sample, or too many.
    #[error("a film has 1 to {} samples", SampleWish::MOST)]
    Count,
    /// The samples are too short.
    #[error("a sample is at least 1s long")]
    Short,
    /// The recipe asks for a size of the whole output.
    #[error(
        "a size of the whole output says nothing about a sample: give a quality or a bitrate instead"
    )]
    Size,
    /// The recipe makes renditions for streaming.
    #[error("renditions for HLS and DASH cannot be sampled: leave out --container cmaf")]
    Ladder,
    /// The recipe with the window is unsound.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
}

/// Which parts of a film a person wants to see encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleWish {
    /// Number of samples, spread evenly.
    pub count: u32,
    /// Length of each in seconds.
    pub length: f64,
    /// Where samples begin, in seconds, instead of spreading them.
    pub at: Vec<f64>,
}

impl SampleWish {
    /// The most samples of a film.
    pub const MOST: u32 = 100;
    /// Number of samples unless a person wants others.
    pub const COUNT: u32 = 3;
    /// Length of a sample in seconds unless a person wants another.
    pub const LENGTH: f64 = 20.0;

    /// The windows of a film of this length; one `None` if all of it is to be encoded.
    ///
    /// # Errors
    /// If there would be too many or too short samples, or one begins after the end of the film.
    pub fn windows(&self, film: f64) -> Result<Vec<Option<Window>>, SampleError> {
        let many = u32::try_from(self.at.len()).unwrap_or(u32::MAX);
        if !(1..=Self::MOST).contains(&self.count) || many > Self::MOST {
            return Err(SampleError::Count);
        }
        // Also no number is no length.
        if !(self.length >= 1.0 && self.length.is_finite()) {
            return Err(SampleError::Short);
        }
        if let Some(at) = self.at.iter().find(|at| !at.is_finite() || **at < 0.0) {
            let (at, length) = (*at, film);
            return Err(SampleError::Beyond { at, length });
        }
        let windows = match self.at.is_empty() {
            true => windows(film, self.count, self.length),
            false => windows_at(film, &self.at, self.length)?,
        };
        Ok(match windows.is_empty() {
            true => vec![None],
            false => windows.into_iter().map(Some).collect(),
        })
    }
}

/// The metric that every one of these workers has: by what samples are measured.
pub fn metric(workers: &[Heartbeat]) -> Option<Metric> {
    let is_common = |metric: &Metric| workers.iter().all(|one| one.card.metrics.contains(metric));
    let metrics = [Metric::Vmaf, Metric::Xpsnr, Metric::Ssim];
    metrics.into_iter().find(is_common)
}

/// The windows of a film of this length: in the middle of equal parts, outside the first and last 2 %. None if they
/// would cover most of the film: then all of it is encoded.
fn windows(film: f64, count: u32, length: f64) -> Vec<Window> {
    let count = count.max(1);
    if f64::from(count) * length >= MOST * film {
        return Vec::new();
    }
    let part = film / f64::from(count);
    let (first, last) = (EDGE * film, ((1.0 - EDGE) * film - length).max(0.0));
    (0..count)
        .map(|nth| (f64::from(nth) + 0.5) * part - length / 2.0)
        .map(|from| Window {
            from: rounded(from.clamp(first.min(last), last)),
            length,
        })
        .collect()
}

/// The windows that begin at these times.
///
/// # Errors
/// If one begins after the end of the film.
fn windows_at(film: f64, times: &[f64], length: f64) -> Result<Vec<Window>, SampleError> {
    let window = |at: &f64| match film - at {
        left if left > 0.0 => Ok(Window {
            from: *at,
            length: rounded(length.min(left)),
        }),
        _ => Err(SampleError::Beyond {
            at: *at,
            length: film,
        }),
    };
    times.iter().map(window).collect()
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// The recipe of a sample: of the whole film if there is no window. It makes no files beside its output, and measures
/// its quality by `metric`: a floor that every picture reaches has it measured.
///
/// # Errors
/// If the recipe cannot be sampled.
pub fn recipe(
    recipe: &Recipe,
    window: Option<Window>,
    metric: Option<Metric>,
) -> Result<Recipe, SampleError> {
    if recipe.container.is_ladder() {
        return Err(SampleError::Ladder);
    }
    let encode = recipe.video_encode();
    if encode.is_some_and(|encode| matches!(encode.rate, Rate::Size(_))) {
        return Err(SampleError::Size);
    }
    let begins = recipe.trim.map_or(0.0, |trim| trim.from);
    let own = encode
        .and_then(|encode| encode.floor)
        .map(|floor| floor.metric);
    let metric = own.or(metric);
    let edited = recipe.clone().edit(|draft| {
        draft.companions = Companions::default();
        if let Some(window) = window {
            draft.trim = Some(Trim {
                from: begins + window.from,
                to: Some(rounded(begins + window.from + window.length)),
            });
        }
        if let (Video::Encode(encode), Some(metric)) = (&mut draft.video, metric) {
            encode.floor = Some(Score::least(metric));
        }
    });
    Ok(edited?)
}

/// The name of a sample's output: `Film.sample-00h10m20s.mkv`.
fn name(stem: &str, window: Option<Window>, recipe: &Recipe) -> String {
    let extension = recipe.container.extension();
    let Some(window) = window else {
        return format!("{stem}.sample-whole.{extension}");
    };
    let seconds = window.from as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let part = window.from - window.from.floor();
    let part = match (part * 1000.0).round() as u64 {
        0 => String::new(),
        part => format!(".{part:03}"),
    };
    format!(
        "{stem}.sample-{hours:02}h{minutes:02}m{:02}{part}s.{extension}",
        seconds % 60
    )
}

/// A sample that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedSample {
    /// The part of the film; `None` for all of it.
    pub window: Option<Window>,
    /// The recipe of its job.
    pub recipe: Recipe,
}

/// What the jobs of samples do, and the folder of their clips: one below `place`. Another film, recipe or choice of
/// samples has another folder, so that no order is in the way of a later one, and that a clip in it is of the same order.
pub fn works(
    (input, further): (&Input, &[FurtherInput]),
    samples: &[PlannedSample],
    place: &Location,
) -> (Location, Vec<Work>) {
    let film = input.location.name();
    let stem = Path::new(&film).file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy();
    let works_in = |folder: &Location| -> Vec<Work> {
        let work = |PlannedSample { window, recipe }: &PlannedSample| Work {
            further: further.to_vec(),
            ..Work::new(
                input.clone(),
                recipe.clone(),
                folder.join(&name(&stem, *window, recipe)),
            )
        };
        samples.iter().map(work).collect()
    };
    let ids: Vec<String> = works_in(place)
        .iter()
        .map(|work| JobId::of(work, None).to_string())
        .collect();
    let digest = Digest::of(ids.concat().as_bytes()).to_string();
    let folder = place.join(&format!("{stem}-{}", &digest[..8]));
    let works = works_in(&folder);
    (folder, works)
}

/// The label of a batch of samples, by the name of the film.
pub fn label(film: &str) -> String {
    format!("samples of {film}")
}

/// A sample that was encoded.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Clip {
    /// Its job.
    pub job: JobId,
    /// The clip, which is kept.
    pub output: Location,
    /// Where it begins, in seconds of the input.
    pub from: f64,
    /// Its length in seconds.
    pub length: f64,
    /// Its size in bytes.
    pub size: u64,
    /// Its encode in seconds.
    pub seconds: f64,
    /// Its measured quality.
    pub quality: Option<OutputQuality>,
}

impl Clip {
    /// The clip of a completed job.
    pub fn new(job: JobId, output: Location, recipe: &Recipe, report: &Report) -> Self {
        Self {
            job,
            output,
            from: recipe.trim.map_or(0.0, |trim| trim.from),
            length: report.duration,
            size: report.output_size,
            seconds: report.encode_seconds,
            quality: report.quality.as_ref().and_then(|quality| quality.output),
        }
    }
}

/// What the whole film would take, by its samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SampleForecast {
    /// Bytes of the input, as far as it would be encoded.
    pub input_size: u64,
    /// Bytes of the output.
    pub size: u64,
    /// Bytes if all of the film were like its smallest sample.
    pub least: u64,
    /// Bytes if all of the film were like its largest sample.
    pub most: u64,
    /// What is saved of the input, in percent; less than 0 if the output is larger.
    pub saving: f64,
    /// Seconds of one encode on the worker that made the samples.
    pub seconds: f64,
    /// The mean quality of the samples.
    pub mean: Option<OutputQuality>,
    /// The quality of the worst sample.
    pub lowest: Option<OutputQuality>,
}

impl SampleForecast {
    /// The forecast for a film; `None` without a clip.
    pub fn of(clips: &[Clip], film: &SampledFilm) -> Option<Self> {
        let (input_size, length) = (film.size, film.length);
        let rates = clips.iter().filter(|clip| clip.length > 0.0);
        let rates: Vec<f64> = rates.map(|clip| clip.size as f64 / clip.length).collect();
        let sum = |of: fn(&Clip) -> f64| clips.iter().map(of).sum::<f64>();
        let sampled = sum(|clip| clip.length);
        if rates.is_empty() || sampled <= 0.0 {
            return None;
        }
        let whole = |rate: f64| (rate * length).round() as u64;
        let size = whole(sum(|clip| clip.size as f64) / sampled);
        let scores: Vec<OutputQuality> = clips.iter().filter_map(|clip| clip.quality).collect();
        let mean = scores.first().map(|first| OutputQuality {
            metric: first.metric,
            score: scores.iter().map(|one| one.score).sum::<f64>() / scores.len() as f64,
        });
        let worse =
            |one: &&OutputQuality, other: &&OutputQuality| one.score.total_cmp(&other.score);
        Some(Self {
            input_size,
            size,
            least: whole(rates.iter().copied().fold(f64::INFINITY, f64::min)),
            most: whole(rates.iter().copied().fold(0.0, f64::max)),
            saving: match input_size {
                0 => 0.0,
                before => (1.0 - size as f64 / before as f64) * 100.0,
            },
            seconds: sum(|clip| clip.seconds) / sampled * length,
            mean,
            lowest: scores.iter().min_by(worse).copied(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::id::JobId;
    use crate::recipe::{Choice, VideoEncode};

    fn by_x265() -> Recipe {
        let encoder = "libx265".parse().expect("an encoder");
        Recipe::encode(VideoEncode::new(Choice::Encoder(encoder))).expect("sound")
    }

    #[test]
    fn samples_lie_in_the_middle_of_equal_parts() {
        let starts = |film, count, length| -> Vec<f64> {
            let windows = windows(film, count, length);
            windows.iter().map(|window| window.from).collect()
        };
        assert_eq!(starts(600.0, 3, 20.0), [90.0, 290.0, 490.0]);
        assert_eq!(starts(100.0, 1, 20.0), [40.0]);
        // The last one would reach into the last 2 %.
        assert_eq!(starts(100.0, 4, 20.0), [2.5, 27.5, 52.5, 77.5]);
        assert_eq!(starts(72.0, 3, 20.0), [2.0, 26.0, 50.0]);
        assert_eq!(starts(70.0, 3, 20.0), [0.0; 0]);
        assert_eq!(starts(5.0, 3, 20.0), [0.0; 0]);
    }

    #[test]
    fn a_person_may_say_where_samples_begin() {
        let windows = windows_at(100.0, &[0.0, 90.0], 20.0).expect("within");
        assert_eq!((windows[1].from, windows[1].length), (90.0, 10.0));
        assert!(windows_at(100.0, &[100.0], 20.0).is_err());
        let wish = |count, length, at: &[f64]| {
            let at = at.to_vec();
            SampleWish { count, length, at }.windows(100.0)
        };
        assert_eq!(wish(3, 20.0, &[]).expect("sound").len(), 3);
        assert_eq!(wish(3, 40.0, &[]).expect("all of it"), [None]);
        for (count, length, at) in [
            (0, 20.0, &[][..]),
            (101, 1.0, &[]),
            (3, 0.9, &[]),
            (3, f64::NAN, &[]),
            (3, 20.0, &[-1.0]),
            (3, 20.0, &[f64::NAN]),
        ] {
            assert!(wish(count, length, at).is_err(), "{count} {length} {at:?}");
        }
    }

    #[test]
    fn the_recipe_of_a_sample_cuts_and_measures() {
        let window = Window {
            from: 620.0,
            length: 20.0,
        };
        let sample = recipe(&by_x265(), Some(window), Some(Metric::Ssim)).expect("sound");
        let trim = sample.trim.expect("a part");
        assert_eq!((trim.from, trim.to), (620.0, Some(640.0)));
        let floor = sample.video_encode().and_then(|encode| encode.floor);
        assert_eq!(floor.map(|floor| floor.metric), Some(Metric::Ssim));
        assert_eq!(
            name("Film", Some(window), &sample),
            "Film.sample-00h10m20s.mkv"
        );
        let odd = Window {
            from: 3661.5,
            ..window
        };
        assert_eq!(
            name("Film", Some(odd), &sample),
            "Film.sample-01h01m01.500s.mkv"
        );
        assert_eq!(name("Film", None, &sample), "Film.sample-whole.mkv");
    }

    #[test]
    fn the_whole_is_as_its_samples_are() {
        let clip = |size, seconds, score| Clip {
            job: JobId::NIL,
            output: "s3://media/a.mkv".parse().expect("a location"),
            from: 0.0,
            length: 20.0,
            size,
            seconds,
            quality: Some(OutputQuality {
                metric: Metric::Vmaf,
                score,
            }),
        };
        let clips = [clip(1000, 5.0, 95.0), clip(3000, 15.0, 91.0)];
        let film = SampledFilm {
            size: 400_000,
            length: 2000.0,
            jobs: Vec::new(),
        };
        let forecast = SampleForecast::of(&clips, &film).expect("clips");
        assert_eq!(
            (forecast.least, forecast.size, forecast.most),
            (100_000, 200_000, 300_000)
        );
        assert_eq!((forecast.saving, forecast.seconds), (50.0, 1000.0));
        let scores = [forecast.mean, forecast.lowest].map(|one| one.map(|one| one.score));
        assert_eq!(scores, [Some(93.0), Some(91.0)]);
        assert_eq!(SampleForecast::of(&[], &film), None);
    }
}
