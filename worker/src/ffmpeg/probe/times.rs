//! Timestamps of copied packets: those that some formats lack, and those that edit lists hide.

use common::job::failure::Failure;
use common::recipe::Container;

use crate::ffmpeg::probe::media::{Media, Stream};

/// Seconds that an edit list may hide, because decoders need them to start.
const LEAD: f64 = 0.1;

/// Formats that are a stream of frames and nothing else. Nothing says when each frame is shown, and no index says where
/// it is.
pub(crate) fn is_raw(media: &Media) -> bool {
    matches!(
        media.format.as_str(),
        "h264" | "hevc" | "m4v" | "mpegvideo" | "vc1" | "vvc" | "obu"
    )
}

/// Formats that store the order of decoding, but not the time at which each frame is shown.
fn is_untimed(media: &Media) -> bool {
    media.format == "avi" || is_raw(media)
}

/// The input option that makes ffmpeg compute missing presentation times, for films that are copied. A format that has
/// none at all needs the option only if frames are decoded in another order than they are shown.
pub(crate) fn reading(media: &Media) -> Option<&'static str> {
    // MPEG program and transport streams have a timestamp only for some frames.
    let is_partly_timed = matches!(media.format.as_str(), "mpeg" | "mpegts");
    let reorders = media.films().any(|film| film.is_reordered);
    (is_partly_timed || (is_untimed(media) && reorders)).then_some("-fflags +genpts")
}

/// # Errors
/// If a film cannot be copied, because nothing in the container would say when its frames are shown; the input is at
/// fault.
pub(crate) fn can_keep(film: &Stream, media: &Media, container: Container) -> Result<(), Failure> {
    let index = film.index;
    // ffmpeg can compute the times of simpler codecs only.
    let is_deep = matches!(film.codec.as_str(), "h264" | "hevc" | "vvc");
    if is_deep && film.is_reordered && is_untimed(media) {
        return Err(Failure::input(format!(
            "video track {index} cannot be kept as it is: {} does not say when {} frames that are not in order are \
             shown: encode it, without --video copy",
            media.format, film.codec,
        )));
    }
    if is_cut(film, container) {
        return Err(Failure::input(format!(
            "video track {index} cannot be kept as it is: an edit list hides its first {:.1} s, and {container} would \
             show them: choose --container mp4, or encode it",
            film.hidden,
        )));
    }
    Ok(())
}

/// The bitstream filter for a copied film.
pub(crate) fn film_filter(film: &Stream, media: &Media) -> Option<&'static str> {
    // DivX puts two frames into one packet in AVI.
    (media.format == "avi" && film.codec == "mpeg4").then_some("mpeg4_unpack_bframes")
}

/// Whether an edit list hides more of a track than decoders need to start, and the container has no edit lists.
pub(crate) fn is_cut(track: &Stream, container: Container) -> bool {
    let has_edits = container.is_mp4();
    track.hidden > LEAD && !has_edits
}
