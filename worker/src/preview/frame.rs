//! One frame of a job's input and of its output, so that both show the same picture of the film.
//!
//! Times are those of the output, from its first picture on. The frame of the input is found by the times of both files'
//! packets: the output begins with the first frame that the recipe keeps, and its clock runs as the input's does.

use anyhow::{Context, bail};
use bytes::Bytes;
use common::farm::preview::{FrameTimes, JobFile};
use common::job::Job;
use common::job::input::Input;
use common::job::kind::JobKind;
use common::wire;
use tokio_util::sync::CancellationToken;

use super::{LONGEST, picture_at};
use crate::attempt::executor::Executor;
use crate::attempt::input;
use crate::attempt::scratch::AttemptFolder;
use crate::attempt::verify::damage::is_recording;
use crate::cli::config::ReadMode;
use crate::ffmpeg::Source;
use crate::ffmpeg::part::Part;
use crate::ffmpeg::picture::still as picture;
use crate::ffmpeg::probe::media::{Media, Ratio, Stream};
use crate::ffmpeg::probe::packets::packets;
use crate::ffmpeg::probe::probe;
use crate::ffmpeg::run::runner::Runner;

/// The most pixels across a frame.
const WIDEST: u32 = 1280;
/// Seconds of film before and after a frame whose packets are read.
const AROUND: f64 = 2.0;
/// Seconds by which a time may be rounded in a file.
const ROUNDING: f64 = 0.0015;
/// The frame rate of a film that does not state it.
const USUAL_RATE: f64 = 25.0;

/// A film that can be looked at.
struct Film {
    runner: Runner,
    source: Source,
    media: Media,
    index: usize,
}

impl Film {
    async fn open(
        executor: &Executor,
        file: &Input,
        scratch: &AttemptFolder,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let to = scratch.path().join(input::NAME);
        let mode = ReadMode::InPlace;
        let source = input::open(executor.places(), file, mode, &to, &|_| {}).await?;
        let mut runner = executor.runner([&source], scratch.path(), stop);
        runner.limits.stall = LONGEST;
        let media = probe(&runner, &source).await?;
        let film = media.films().next().context("it holds no video")?;
        Ok(Self {
            index: film.index,
            runner,
            source,
            media,
        })
    }

    fn stream(&self) -> anyhow::Result<&Stream> {
        let mut films = self.media.films();
        films.next().context("it holds no video")
    }

    /// Seconds from one frame to the next, as a rule.
    fn usual(&self) -> f64 {
        let rate = self.media.films().find_map(|film| film.mean_rate);
        1.0 / rate.map_or(USUAL_RATE, Ratio::value)
    }

    /// The time of the first picture, by the file's clock.
    fn first(&self) -> f64 {
        let film = self.media.films().next().and_then(|film| film.start);
        film.or(self.media.start).unwrap_or(0.0)
    }

    /// The times of the frames around a time, by the file's clock, in their order.
    async fn times(&self, around: f64) -> anyhow::Result<Vec<f64>> {
        let mut times = Vec::new();
        let from = Some(around - AROUND).filter(|from| *from > self.first());
        let to = Some(around + AROUND);
        packets(
            &self.runner,
            &self.source,
            Some("v"),
            (from, to),
            |packet| {
                if packet.stream == self.index {
                    times.push(packet.time);
                }
            },
        )
        .await?;
        times.sort_by(f64::total_cmp);
        times.dedup();
        Ok(times)
    }

    /// The picture of the frame that is shown at a time.
    async fn picture(
        &self,
        times: &[f64],
        at: f64,
        scratch: &AttemptFolder,
    ) -> anyhow::Result<Bytes> {
        let shown = shown(times, at).context("there is no picture at that time")?;
        let before = shown.checked_sub(1).map(|before| times[before]);
        let before = before.unwrap_or(times[shown] - self.usual());
        // A little before the frame, and after the one before it.
        let seek = (before + times[shown]) / 2.0;
        let begin = self.media.start.unwrap_or(0.0);
        let width = WIDEST.min(picture::own_width(self.stream()?).round() as u32);
        let source = (&self.runner, &self.source, &self.media);
        picture_at(source, (seek - begin).max(0.0), width, scratch).await
    }
}

/// Which of the frames at these times is shown at a time; the first one before it begins.
fn shown(times: &[f64], at: f64) -> Option<usize> {
    let after = times.partition_point(|time| *time <= at + ROUNDING);
    (!times.is_empty()).then(|| after.saturating_sub(1))
}

/// What is added to a time of the output to get the time of the input: by the beginnings of both, unless the picture at
/// the beginning of the output is from long before.
fn shift(output_first: f64, kept_first: f64, begin: f64, usual: f64) -> f64 {
    let by_frames = kept_first - output_first;
    match (by_frames - begin).abs() <= 1.5 * usual {
        true => by_frames,
        false => begin,
    }
}

impl Executor {
    /// The frame that the output shows at `at` seconds from its first picture, of one of the job's files.
    pub(super) async fn frame(
        &self,
        job: &Job,
        files: (&Input, &Input),
        side: JobFile,
        at: f64,
        stop: CancellationToken,
    ) -> anyhow::Result<Bytes> {
        if !(at.is_finite() && at >= 0.0) {
            bail!("{at} is no time");
        }
        if job.kind != JobKind::Encode || job.is_joined() {
            bail!("the input and the output of this job do not show the same film");
        }
        let scratch = self.scratch.preview()?;
        let output = Film::open(self, files.1, &scratch, stop.clone()).await?;
        let target = output.first() + at;
        let times = output.times(target).await?;
        if side == JobFile::Output {
            return output.picture(&times, target, &scratch).await;
        }
        let frame = shown(&times, target).context("there is no picture at that time")?;
        let input = Film::open(self, files.0, &scratch, stop).await?;
        if is_recording(&input.media) {
            bail!("ffmpeg finds no exact frame of a recording, which has no index");
        }
        let (begin, kept) = match job.recipe.trim {
            None => (input.media.start.unwrap_or(0.0), Some(input.first())),
            Some(trim) => {
                let begin = Part::asked(trim, &input.media).from;
                let near = input.times(begin).await?;
                (
                    begin,
                    near.into_iter().find(|time| *time >= begin - ROUNDING),
                )
            }
        };
        let usual = input.usual();
        let shift = shift(output.first(), kept.unwrap_or(begin), begin, usual);
        // A frame of the output may be made of two of the input's, or of half of one.
        let wanted = times[frame] + shift + usual / 4.0;
        let times = input.times(wanted).await?;
        input.picture(&times, wanted, &scratch).await
    }

    /// The times of the output's frames around `at`, in seconds from its first picture.
    pub(super) async fn frame_times(
        &self,
        file: &Input,
        at: f64,
        stop: CancellationToken,
    ) -> anyhow::Result<Bytes> {
        let scratch = self.scratch.preview()?;
        let output = Film::open(self, file, &scratch, stop).await?;
        let first = output.first();
        let times = output.times(first + at).await?;
        let relative = times
            .into_iter()
            .map(|time| ((time - first) * 1e6).round() / 1e6);
        Ok(wire::encode(&FrameTimes {
            times: relative.filter(|time| *time >= 0.0).collect(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_frame_that_has_begun_is_shown() {
        let times = [1.0, 1.04, 1.2];
        for (at, frame) in [(0.0, 0), (1.0, 0), (1.039, 1), (1.1, 1), (1.2, 2), (9.0, 2)] {
            assert_eq!(shown(&times, at), Some(frame), "{at}");
        }
        assert_eq!(shown(&[], 1.0), None);
    }

    #[test]
    fn both_files_begin_with_the_same_frame_unless_it_was_held() {
        assert_eq!(shift(0.0, 0.0, 0.0, 0.04), 0.0);
        assert_eq!(shift(0.0, 100.02, 100.0, 0.04), 100.02);
        // The picture at the cut was shown since long before.
        assert_eq!(shift(0.0, 12.0, 10.0, 0.04), 10.0);
    }
}
