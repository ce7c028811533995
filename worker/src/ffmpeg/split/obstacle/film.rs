//! What a film is, and what is done to it, that chunks cannot hold.

use common::recipe::VideoEncode;
use common::recipe::encoder::Encoder;

use super::Obstacle;
use crate::ffmpeg::arguments::Arguments;
use crate::ffmpeg::picture::Pace;
use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::split::lookback;
use crate::ffmpeg::tracks::TrackMethod;

/// What the film is.
pub(super) fn of_film(
    film: &Stream,
    format: &str,
    video: &VideoEncode,
    encoder: &Encoder,
) -> Option<Obstacle> {
    if film.dolby_vision.is_some() {
        return Some(Obstacle::DolbyVision);
    }
    // Matroska and mp4 hold whole frames. Elsewhere ffmpeg takes frames apart, but it joins the fields of MPEG-2.
    let is_whole = ["matroska", "mov"]
        .iter()
        .any(|one| format.starts_with(one));
    if film.is_interlaced && !is_whole && film.codec != "mpeg2video" {
        return Some(Obstacle::Fields);
    }
    if Pace::of(video, film) != Pace::Keep {
        return Some(Obstacle::FrameRate);
    }
    // Matroska holds it beside the picture; pieces are in another format.
    let is_beside = matches!(encoder.as_str(), "libvpx" | "libvpx-vp9");
    (film.has_alpha && is_beside).then(|| Obstacle::Alpha(encoder.clone()))
}

/// What the command line does.
pub(super) fn of_line(film: &Stream, arguments: &Arguments) -> Option<Obstacle> {
    if arguments.burn_in.is_some() {
        return Some(Obstacle::BurnIn);
    }
    if arguments.first_pass.is_some() {
        return Some(Obstacle::TwoPasses);
    }
    let tracks = &arguments.tracks;
    let is_of = |by: fn(&TrackMethod) -> bool| tracks.iter().filter(move |one| by(&one.by)).count();
    if is_of(|by| matches!(by, TrackMethod::Captions(_))) > 0 {
        return Some(Obstacle::Captions);
    }
    match is_of(|by| *by == TrackMethod::Video) {
        1 => {}
        films => return Some(Obstacle::Films(films)),
    }
    lookback::lead(film, &arguments.filters)
        .err()
        .map(Obstacle::Filter)
}
