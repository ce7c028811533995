//! The bitrate of the video in an output of a given size.

use common::job::failure::Failure;
use common::recipe::{Container, Rate, Recipe, Size, Video};

use crate::ffmpeg::probe::media::{Media, Stream};
use crate::ffmpeg::sound::Sound;
use crate::ffmpeg::tracks::{Track, TrackMethod};

/// The part of the size that is aimed at: encoders miss by a little, and must not miss upwards.
const AIM: f64 = 0.985;

/// The least share of the size that an output has, if its video can use up the bits.
const LEAST_SHARE: f64 = 0.95;

/// The most share of the size that an output may have: nothing more than it.
const MOST_SHARE: f64 = 1.0;

/// The share that the gate lets pass.
const TOLERATED_SHARE: f64 = 1.01;

/// Bits per second below which a film is no film any more.
const LEAST_BITRATE: f64 = 20_000.0;

/// The most bits per second that any encoder is asked for.
const MOST_BITRATE: f64 = 2e9;

/// The least share of its bitrate that encoded sound takes: quiet sound takes less than it may.
const LEAST_OF_SOUND: f64 = 0.5;

/// What an output of a given size has room for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// The size of the whole output.
    size: Size,
    /// Seconds of the output.
    seconds: f64,
    /// The number of encoded films, which share the bits.
    films: usize,
    /// Bytes that the container needs to hold the films' frames.
    overhead: f64,
    /// The bits per second of each film as far as they are known before the other tracks are measured.
    pub estimate: u64,
}

impl Budget {
    /// The budget of a recipe that asks for a size; `None` for other recipes.
    ///
    /// # Errors
    /// The input's fault if its length is unknown, or if it certainly does not fit.
    pub(in crate::ffmpeg) fn of(
        recipe: &Recipe,
        media: &Media,
        tracks: &[Track],
    ) -> Result<Option<Self>, Failure> {
        let Video::Encode(video) = &recipe.video else {
            return Ok(None);
        };
        let Rate::Size(size) = video.rate else {
            return Ok(None);
        };
        // A part of the input is described as if it were the whole of it.
        let seconds = media
            .likely_duration()
            .filter(|seconds| *seconds > 0.0)
            .ok_or_else(|| {
                Failure::input(
                    "the input does not say how long it is, so no bitrate can be computed for --target-size: \
                     give --bitrate or --quality",
                )
            })?;
        let films = || tracks.iter().filter(|track| track.by == TrackMethod::Video);
        let frames: f64 = films().map(|track| frames(&track.source, seconds)).sum();
        let mut budget = Self {
            estimate: 0,
            size,
            seconds,
            films: films().count().max(1),
            overhead: frames * bytes_of_frame(recipe.container),
        };
        budget.estimate = budget.bitrate(budget.least_rest(tracks))?;
        Ok(Some(budget))
    }

    /// The least bytes of encoded sound, each track at its own bitrate.
    fn least_rest(&self, tracks: &[Track]) -> u64 {
        let encoded = tracks.iter().filter_map(|track| track.sound.as_ref());
        let bits: u64 = encoded.filter_map(Sound::bitrate).sum();
        (bits as f64 * self.seconds / 8.0 * LEAST_OF_SOUND) as u64
    }

    /// The bits per second of each film if all other tracks take `rest` bytes.
    ///
    /// # Errors
    /// The input's fault if nothing sensible is left for the films.
    pub fn bitrate(&self, rest: u64) -> Result<u64, Failure> {
        let left = self.size.bytes() as f64 * AIM - rest as f64 - self.overhead;
        let bitrate = left * 8.0 / self.seconds.max(0.001) / self.films as f64;
        if bitrate < LEAST_BITRATE {
            let video = LEAST_BITRATE * self.seconds / 8.0 * self.films as f64;
            let least = (video + rest as f64 + self.overhead) / AIM;
            return Err(Failure::input(format!(
                "{:.0} s of video do not fit into {} bytes beside {rest} bytes of sound and other tracks: give \
                 --target-size {}k or more, or fewer tracks",
                self.seconds,
                self.size.bytes(),
                (least / 1000.0).ceil(),
            )));
        }
        Ok(bitrate.min(MOST_BITRATE) as u64)
    }

    /// A better bitrate after a try: its bitrate, and the bytes of the output that came of it. `None` if the output is
    /// as it should be. `rest` are the bytes of all other tracks.
    pub fn better(&self, tried: u64, made: u64, rest: u64) -> Option<u64> {
        let share = made as f64 / self.size.bytes() as f64;
        if (LEAST_SHARE..=MOST_SHARE).contains(&share) {
            return None;
        }
        let fixed = rest as f64 + self.overhead;
        let wanted = (self.size.bytes() as f64 * AIM - fixed).max(1.0);
        let factor = wanted / (made as f64 - fixed).max(1.0);
        let better = (tried as f64 * factor.clamp(0.1, 4.0)).clamp(1000.0, MOST_BITRATE);
        Some(better as u64)
    }

    /// Whether an output of so many bytes is larger than asked for.
    pub fn is_exceeded_by(&self, made: u64) -> bool {
        made as f64 > self.size.bytes() as f64 * MOST_SHARE
    }

    /// Refuses an output that is too large.
    ///
    /// # Errors
    /// The input's fault if the encoder could not make it smaller.
    pub fn check(&self, made: u64) -> Result<(), Failure> {
        if made as f64 <= self.size.bytes() as f64 * TOLERATED_SHARE {
            return Ok(());
        }
        Err(Failure::input(format!(
            "the output would be {made} bytes, more than the {} asked for, and the encoder makes it no smaller: give \
             --target-size {}k or more, a smaller --scale, or another encoder",
            self.size.bytes(),
            made.div_ceil(1000),
        )))
    }
}

/// The number of frames of a film in so many seconds.
fn frames(film: &Stream, seconds: f64) -> f64 {
    let rate = film.mean_rate.or(film.base_rate);
    let by_rate = || rate.map(|rate| rate.value() * seconds);
    film.frames
        .map(|frames| frames as f64)
        .or_else(by_rate)
        .unwrap_or(25.0 * seconds)
}

/// The bytes of a container for each frame: headers of blocks, or entries in tables.
fn bytes_of_frame(container: Container) -> f64 {
    match container {
        Container::Mp4 | Container::Mov | Container::Cmaf => 16.0,
        _ => 9.0,
    }
}

#[cfg(test)]
mod tests {
    use common::recipe::AudioEncoder;

    use super::*;
    use crate::ffmpeg::probe::media::StreamKind;
    use crate::ffmpeg::samples::stream;
    use crate::ffmpeg::sound::SoundTask;

    fn budget(size: &str, seconds: f64) -> Budget {
        Budget {
            size: size.parse().expect("a size"),
            seconds,
            films: 1,
            overhead: 0.0,
            estimate: 0,
        }
    }

    #[test]
    fn the_video_gets_what_the_rest_leaves() {
        let bitrate = budget("10M", 80.0).bitrate(1_850_000).expect("it fits");
        assert_eq!(bitrate, 800_000);
    }

    #[test]
    fn sound_counts_at_the_bitrate_of_each_track() {
        let mut source = stream(1, StreamKind::Audio, "dts");
        (source.channels, source.layout) = (6, "5.1(side)".to_owned());
        let encoded = |encoder, bitrate: &str| {
            let task = SoundTask {
                encoder,
                bitrate: Some(bitrate.parse().expect("a bitrate")),
                downmix: None,
                loudness: None,
            };
            let sound = Sound::plan(&source, &task, Container::Mkv).expect("a layout");
            Track {
                sound: Some(sound),
                ..Track::new(&source, TrackMethod::Audio(encoder))
            }
        };
        let tracks = [
            encoded(AudioEncoder::Libopus, "64k"),
            encoded(AudioEncoder::Eac3, "640k"),
            // The most that the encoder takes.
            encoded(AudioEncoder::Ac3, "2M"),
            Track::new(&source, TrackMethod::Copy),
        ];
        let least = budget("1G", 100.0).least_rest(&tracks);
        assert_eq!(least, (64_000 + 640_000 + 640_000) * 100 / 8 / 2);
    }

    #[test]
    fn a_size_that_is_too_small_names_the_least_one() {
        let failure = budget("300k", 100.0).bitrate(150_000).expect_err("tight");
        assert!(failure.message.contains("--target-size 407k"), "{failure}");
        budget("407k", 100.0).bitrate(150_000).expect("the least");
    }

    #[test]
    fn a_miss_is_corrected_in_proportion() {
        let budget = budget("1M", 10.0);
        assert_eq!(budget.better(800_000, 960_000, 0), None);
        assert_eq!(budget.better(800_000, 1_970_000, 0), Some(400_000));
        assert_eq!(budget.better(800_000, 492_500, 0), Some(1_600_000));
        assert!(budget.check(1_009_000).is_ok() && budget.check(1_011_000).is_err());
    }
}
