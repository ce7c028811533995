//! Whether the output has all frames of the input that the recipe asks for.

use common::job::failure::Failure;

use crate::attempt::verify::damage::Inspected;
use crate::attempt::verify::gate::Gate;
use crate::attempt::verify::output::{blame_output, mismatch};
use crate::ffmpeg::picture::Pace;
use crate::ffmpeg::probe::count::{Count, count};
use crate::ffmpeg::probe::packets::{Packet, packets};
use crate::ffmpeg::probe::survey::Depth;
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::tracks::Track;

/// How many frames more or less than computed may be made of a film whose frames move to other times: the first and
/// the last one are rounded.
const ROUNDED: u64 = 2;

/// The number of frames that the output has of a film.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    frames: u64,
    is_exact: bool,
}

impl Wanted {
    fn of(pace: Pace, film: &Track, times: &[f64], end: f64) -> Self {
        let wanted = Self {
            frames: pace.frames(times, end),
            is_exact: pace.keeps_times(),
        };
        match pace {
            // A constant rate fills what detelecine leaves out.
            Pace::Constant(_) => wanted,
            _ => wanted.found_again(film),
        }
    }

    /// Of a telecined film, four of five frames are left. The first and the last group of five may be cut short.
    fn found_again(self, film: &Track) -> Self {
        match film.is_detelecined {
            true => Self {
                frames: self.frames * 4 / 5,
                is_exact: false,
            },
            false => self,
        }
    }

    fn fits(self, made: u64) -> bool {
        let off = if self.is_exact { 0 } else { ROUNDED };
        self.frames.abs_diff(made) <= off
    }
}

impl Gate<'_> {
    /// The number of frames that the output should have of each video track of the input. Containers state how many
    /// frames there are, or packets tell, which are as many for most codecs.
    pub(super) async fn wanted_frames(&self) -> Result<Vec<Wanted>, Failure> {
        let mut wanted = Vec::new();
        if !self.counts_frames() {
            return Ok(wanted);
        }
        for (_, film) in self.films() {
            let pace = self.pace(film);
            let stated = film.source.frames.filter(|frames| *frames > 0);
            wanted.push(match (pace, stated) {
                (Pace::Keep, Some(frames)) => Wanted {
                    frames,
                    is_exact: true,
                }
                .found_again(film),
                _ => {
                    let (times, end) = self.packet_times(film.source.index).await?;
                    Wanted::of(pace, film, &times, end)
                }
            });
        }
        Ok(wanted)
    }

    /// When the packets of a film are shown, and when the last one ends.
    async fn packet_times(&self, film: usize) -> Result<(Vec<f64>, f64), Failure> {
        let stretch = self.input.part.map(|part| part.stretch(self.input.media));
        let (mut times, mut end) = (Vec::new(), f64::NEG_INFINITY);
        let on_packet = |packet: Packet| {
            if packet.stream == film && stretch.is_none_or(|stretch| stretch.holds(packet.time)) {
                times.push(packet.time);
                end = f64::max(end, packet.time + packet.length);
            }
        };
        let (from, to) = stretch.map_or((None, None), |stretch| (stretch.read_from, stretch.to));
        packets(
            self.input.runner,
            self.input.tables,
            None,
            (from, to),
            on_packet,
        )
        .await?;
        Ok((times, end))
    }

    /// Returns the number of frames of the first video track. `decoded` is that number if it is already known.
    /// `complaints` receives the complaints of a further decode of the input.
    pub(super) async fn compare_frames(
        &self,
        mut decoded: Option<u64>,
        wanted: &[Wanted],
        complaints: &mut Complaints,
    ) -> Result<u64, Failure> {
        let mut first = None;
        for (number, (index, film)) in self.films().enumerate() {
            let made = match decoded.take() {
                Some(frames) => frames,
                None => {
                    // Encoders write one packet for each frame.
                    count(self.input.runner, &self.output, index, Count::Packets)
                        .await
                        .map_err(blame_output)?
                        .frames
                }
            };
            first.get_or_insert(made);
            if made == 0 {
                self.input.holds_frames().await?;
                return Err(mismatch("output holds no frame"));
            }
            if wanted.get(number).is_some_and(|wanted| !wanted.fits(made)) {
                self.recount_input(film, made, complaints).await?;
            }
        }
        Ok(first.unwrap_or(0))
    }

    /// The stated number of frames may differ from the number that a decoder returns, because of edit lists, fields,
    /// hidden frames or damage. So a full decode of the input decides.
    async fn recount_input(
        &self,
        film: &Track,
        made: u64,
        complaints: &mut Complaints,
    ) -> Result<(), Failure> {
        let (index, pace) = (film.source.index, self.pace(film));
        let wanted = if pace == Pace::Keep && self.input.part.is_none() {
            let Inspected { runner, source, .. } = self.input;
            let exact = count(runner, source, index, self.unit()).await?;
            complaints.extend(exact.complaints);
            Wanted {
                frames: exact.frames,
                is_exact: true,
            }
            .found_again(film)
        } else {
            let found = self.input.survey(Depth::Frames).await?;
            match found.streams.get(&index) {
                Some(found) => Wanted::of(pace, film, &found.frames, found.end),
                None => return Err(mismatch("the input holds no frame")),
            }
        };
        if wanted.fits(made) {
            return Ok(());
        }
        let is_all = pace == Pace::Keep && self.input.part.is_none() && !film.is_detelecined;
        Err(mismatch(if is_all {
            format!(
                "output has {made} frames where the input has {}",
                wanted.frames
            )
        } else {
            format!(
                "output has {made} frames where {} were asked for",
                wanted.frames
            )
        }))
    }

    fn pace(&self, film: &Track) -> Pace {
        let video = self.recipe.video_encode();
        video.map_or(Pace::Keep, |video| Pace::of(video, &film.source))
    }
}
