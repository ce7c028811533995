//! Whether a joined file holds all that its parts hold.

use common::job::failure::{Doubt, Failure};

use crate::attempt::steps::Prepared;
use crate::attempt::steps::join::encode;
use crate::attempt::steps::join::method::Method;
use crate::attempt::steps::join::part::Part;
use crate::ffmpeg::probe::count::{Count, count};
use crate::ffmpeg::probe::survey::{Depth, survey};

/// The frames of a joined film that a cut between two bytes may have made more or fewer: a part of a frame on either
/// side.
const TORN: u64 = 2;

/// The film that the parts make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wanted {
    pub frames: u64,
    /// By how many frames it may differ.
    pub tolerance: u64,
    /// Seconds.
    pub length: f64,
}

impl Wanted {
    fn of(parts: &[Part], method: Method) -> Self {
        let length = parts.iter().map(|part| part.length).sum();
        let packets = parts.iter().map(|part| part.frames).sum();
        match method {
            Method::Stream => {
                // The timestamps go on, so they also tell the time between two parts.
                let end = |part: &Part| part.start + part.length;
                Self {
                    frames: packets,
                    tolerance: TORN * (parts.len() as u64 - 1),
                    length: parts.last().map_or(0.0, end) - parts[0].start,
                }
            }
            Method::List | Method::Tidied => Self {
                frames: packets,
                tolerance: 0,
                length,
            },
            Method::Encode => {
                let (frames, tolerance) = encode::frames(parts);
                Self {
                    frames,
                    tolerance,
                    length,
                }
            }
        }
    }

    fn fits(self, frames: u64, length: f64) -> bool {
        let frame = self.length / self.frames.max(1) as f64;
        frames.abs_diff(self.frames) <= self.tolerance
            && (length - self.length).abs() <= (1.5 + self.tolerance as f64) * frame
    }
}

impl Prepared {
    /// Makes sure that the joined file, which is the source by now, holds all frames of the parts, and is as long as
    /// they are together.
    ///
    /// # Errors
    /// In doubt if it does not: a part may be damaged, or this machine was unsound for a moment.
    pub(super) async fn holds(&self, parts: &mut [Part], method: Method) -> Result<(), Failure> {
        let surveyed = survey(&self.runner, &self.source, Depth::Packets, None).await?;
        let seen = surveyed.streams.get(&0).filter(|seen| seen.packets > 0);
        let seen = seen.ok_or_else(|| in_doubt("the joined file holds no picture".to_owned()))?;
        let length = seen.end - seen.start;
        let mut wanted = Wanted::of(parts, method);
        if !wanted.fits(seen.packets, length) && method == Method::Encode {
            // A packet may hold one field of a frame, or a frame that is never shown. So a decode decides.
            for part in parts.iter_mut() {
                let film = part.film.index;
                let exact = count(&self.runner, &part.source, film, Count::Frames).await?;
                part.frames = exact.frames;
            }
            wanted = Wanted::of(parts, method);
        }
        if wanted.fits(seen.packets, length) {
            return Ok(());
        }
        Err(in_doubt(format!(
            "the parts have {} frames and are {:.3} s long, but joined they have {} and are {length:.3} s long",
            wanted.frames, wanted.length, seen.packets
        )))
    }
}

fn in_doubt(what: String) -> Failure {
    Failure::in_doubt(Doubt::Repetition, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_between_bytes_may_tear_a_frame_and_no_more() {
        let wanted = Wanted {
            frames: 100,
            tolerance: TORN,
            length: 4.0,
        };
        assert!(wanted.fits(100, 4.0) && wanted.fits(99, 3.96) && wanted.fits(102, 4.0));
        assert!(!wanted.fits(97, 4.0), "frames are missing");
        assert!(
            !wanted.fits(100, 3.8) && !wanted.fits(100, 4.5),
            "its time jumps"
        );
    }
}
