//! The output of an ideal encode that loses nothing. A forecast compares the input with it.

use common::recipe::{BitDepth, Pad, Recipe, VideoEncode};

use crate::ffmpeg::picture::Pace;
use crate::ffmpeg::probe::media::{Media, Stream};
use crate::ffmpeg::tracks::{Track, TrackMethod};

/// What the ideal output holds.
pub(crate) fn output(recipe: &Recipe, input: &Media, tracks: &[Track]) -> Media {
    let streams = tracks.iter().enumerate().map(|(index, track)| Stream {
        index,
        ..stream(recipe, track)
    });
    Media {
        format: recipe.container.muxer().to_owned(),
        streams: streams.collect(),
        ..input.clone()
    }
}

fn stream(recipe: &Recipe, track: &Track) -> Stream {
    let mut stream = track.source.clone();
    stream.dispositions.clone_from(&track.dispositions);
    match track.by {
        TrackMethod::Copy | TrackMethod::Attach => {}
        TrackMethod::Audio(encoder) => stream.codec = encoder.codec().to_owned(),
        TrackMethod::Subtitles(form) | TrackMethod::Captions(form) => {
            stream.codec = form.to_owned()
        }
        TrackMethod::Video => {
            if let Some(codec) = recipe.codec() {
                stream.codec = codec.name().to_owned();
            }
            if let Some(video) = recipe.video_encode() {
                apply(&mut stream, video, track.size);
            }
        }
    }
    stream
}

/// Rotates a video stream, and gives it its size, frame rate and bit depth as the recipe says.
fn apply(film: &mut Stream, video: &VideoEncode, size: Option<(u32, u32)>) {
    (film.width, film.height) = size.unwrap_or(film.shown());
    let is_turned = video.rotate.is_some_and(|rotate| rotate.quarters % 2 == 1);
    if film.rotation.is_multiple_of(180) == is_turned
        && let Some(ratio) = &mut film.sample_aspect
    {
        std::mem::swap(&mut ratio.numerator, &mut ratio.denominator);
    }
    (film.rotation, film.is_mirrored) = (0, false);
    if let Some(Pad::Size(..)) = video.pad {
        film.sample_aspect = None;
    }
    let pace = Pace::of(video, film).rate(film);
    if let Some(rate) = pace {
        (film.base_rate, film.mean_rate) = (Some(rate), Some(rate));
    }
    if video.bit_depth == Some(BitDepth::Eight) {
        film.pixel_format = eight_bits(&film.pixel_format);
    }
}

/// The 8-bit pixel format with the same layout as `format`.
fn eight_bits(format: &str) -> String {
    if format.starts_with("p01") {
        return "nv12".to_owned();
    }
    let little = format.strip_suffix("le").or(format.strip_suffix("be"));
    little
        .map_or(format, |deep| {
            deep.trim_end_matches(|c: char| c.is_ascii_digit())
        })
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bits_of_each_form() {
        for (deep, eight) in [
            ("yuv420p10le", "yuv420p"),
            ("yuv422p12be", "yuv422p"),
            ("p010le", "nv12"),
            ("yuv420p", "yuv420p"),
        ] {
            assert_eq!(eight_bits(deep), eight);
        }
    }
}
