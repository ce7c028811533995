//! Whether the output has all frames of the input.

use common::job::failure::Failure;

use crate::attempt::verify::gate::{Gate, blame_output, mismatch};
use crate::ffmpeg::probe::count::{Count, count};
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::tracks::Track;

impl Gate<'_> {
    /// The number of frames of each video track of the input, as its container states it. If it states none, the
    /// number of packets, which is the same for most codecs.
    pub(super) async fn input_frames(&self) -> Result<Vec<u64>, Failure> {
        let mut frames = Vec::new();
        if !self.keeps_frames() {
            return Ok(frames);
        }
        for (_, film) in self.films() {
            frames.push(match film.source.frames.filter(|frames| *frames > 0) {
                Some(stated) => stated,
                None => {
                    count(
                        self.input.runner,
                        self.input.source,
                        film.source.index,
                        Count::Packets,
                    )
                    .await?
                    .frames
                }
            });
        }
        Ok(frames)
    }

    /// Returns the number of frames of the first video track. `decoded` is that number if it is already known.
    /// `complaints` receives the complaints of a further decode of the input.
    pub(super) async fn compare_frames(
        &self,
        mut decoded: Option<u64>,
        stated: &[u64],
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
            if stated
                .get(number)
                .is_some_and(|stated| !fits(film, *stated, made))
            {
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
        let exact = count(
            self.input.runner,
            self.input.source,
            film.source.index,
            self.unit(),
        )
        .await?;
        complaints.extend(exact.complaints);
        if fits(film, exact.frames, made) {
            return Ok(());
        }
        let of_them = if film.is_detelecined {
            ", of which it should have four of five"
        } else {
            ""
        };
        Err(mismatch(format!(
            "output has {made} frames where the input has {}{of_them}",
            exact.frames
        )))
    }
}

/// Whether an output may have so many frames of a track with so many.
fn fits(film: &Track, frames: u64, made: u64) -> bool {
    if film.is_detelecined {
        // The first and the last group of five may be cut short.
        (frames * 4 / 5).abs_diff(made) <= 2
    } else {
        frames == made
    }
}
