//! Films that are copied without an encode: the options that preserve their properties in the container.

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::Container;

use super::super::build::Build;
use super::clock::Clock;
use super::hdr::UNOFFICIAL;
use super::turn;
use crate::ffmpeg::probe::media::Stream;

/// The options and effects of a copy.
#[derive(Debug, Default)]
pub(in crate::ffmpeg) struct Copied {
    /// Arguments for ffmpeg.
    pub(in crate::ffmpeg) arguments: Vec<String>,
    /// The bitstream filter that corrects the times of packets.
    pub(in crate::ffmpeg) filter: Option<String>,
    /// Properties that the copy does not keep unchanged.
    pub(in crate::ffmpeg) changes: Vec<Change>,
}

/// The options for a copied film, which becomes the output's video stream of this number.
///
/// # Errors
/// If the copy would lose the film's rotation; the input is at fault, and the message gives a way out.
pub(in crate::ffmpeg) fn copied(
    film: &Stream,
    number: usize,
    container: Container,
    build: &Build,
) -> Result<Copied, Failure> {
    let turns = match container {
        Container::Mkv | Container::Webm => build.turns_matroska(),
        _ => true,
    };
    if turn::is_turned(film) && !turns {
        return Err(Failure::input(format!(
            "video track {} is {}, which this worker's ffmpeg does not write to {container}: choose --container mp4, or encode it",
            film.index,
            turn::describe(film)
        )));
    }
    let mut copied = Copied::default();
    if film.dolby_vision.is_some() {
        match container {
            Container::Mov => copied.changes.push(Change::lost(
                Kind::DolbyVision,
                film.index,
                "Dolby Vision",
                "ffmpeg does not mark it in mov: choose --container mp4 or mkv",
            )),
            _ => copied
                .arguments
                .extend(UNOFFICIAL.split(' ').map(str::to_owned)),
        }
    }
    // A time base finer than a millisecond is exact enough.
    let is_coarse = film.time_base.is_some_and(|unit| unit.value() >= 0.001);
    if let Some(clock) = Clock::of(film, container).filter(|_| is_coarse) {
        copied
            .arguments
            .extend([format!("-time_base:v:{number}"), clock.unit().to_string()]);
        copied.filter = Some(clock.filter(1));
    }
    Ok(copied)
}
