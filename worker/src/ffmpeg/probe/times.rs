//! Times of packets that are kept as they are: what some formats do not say, and what edit lists hide.

use common::job::failure::Failure;
use common::recipe::Container;

use crate::ffmpeg::probe::media::{Media, Stream};

/// Seconds that an edit list may hide because decoders need them to begin with.
const LEAD: f64 = 0.1;

/// Formats that say in which order frames are decoded, but not when they are shown.
fn is_untimed(media: &Media) -> bool {
    matches!(
        media.format.as_str(),
        "avi" | "h264" | "hevc" | "m4v" | "mpegvideo" | "vc1" | "vvc"
    )
}

/// What ffmpeg is told before an input of which films are kept: to work out when frames are shown that say it not
/// themselves, or were not decoded in that order.
pub(crate) fn reading(media: &Media) -> Option<&'static str> {
    // Program streams, as of DVDs, have a time now and then.
    let is_partly_timed = matches!(media.format.as_str(), "mpeg" | "mpegts");
    let reorders = media.films().any(|film| film.is_reordered);
    (is_partly_timed || (is_untimed(media) && reorders)).then_some("-fflags +genpts")
}

/// # Errors
/// The input's fault where a film cannot be kept as it is, since nothing that the container holds would say when its
/// frames are shown.
pub(crate) fn can_keep(film: &Stream, media: &Media, container: Container) -> Result<(), Failure> {
    let index = film.index;
    // ffmpeg works out the times of simpler codecs only.
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

/// The bitstream filter for a film that is kept.
pub(crate) fn film_filter(film: &Stream, media: &Media) -> Option<&'static str> {
    // Two frames in one packet, as DivX put them into AVI.
    (media.format == "avi" && film.codec == "mpeg4").then_some("mpeg4_unpack_bframes")
}

/// Whether an edit list hides more of a track than decoders need to begin with, and the container has none.
pub(crate) fn is_cut(track: &Stream, container: Container) -> bool {
    let has_edits = matches!(container, Container::Mp4 | Container::Mov);
    track.hidden > LEAD && !has_edits
}
