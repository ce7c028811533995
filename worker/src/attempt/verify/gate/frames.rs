//! Whether the output has the input's frames, all of them.

use common::job::failure::Failure;

use crate::attempt::verify::gate::{Gate, blame_output, mismatch};
use crate::ffmpeg::probe::count::{Count, count};
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::tracks::Track;

impl Gate<'_> {
    /// Frames of each film of the input as its container states them; where it
    /// does not, its packets, which are the same for all but a few codecs.
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

    /// Gives the frames of the first film. `decoded` are those already counted; `complaints` gets
    /// what a further look at the input brings up.
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
                    // Encoders write a packet a frame.
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
            if stated.get(number).is_some_and(|stated| *stated != made) {
                self.recount_input(film, made, complaints).await?;
            }
        }
        Ok(first.unwrap_or(0))
    }

    /// What the container says is not always what a decoder gives: edit lists,
    /// fields, hidden frames, damage. So a full decode of the input decides.
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
        if exact.frames == made {
            return Ok(());
        }
        Err(mismatch(format!(
            "output has {made} frames where the input has {}",
            exact.frames
        )))
    }
}
