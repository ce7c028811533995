//! The output of an ideal encode that loses nothing. A forecast compares the input with it.

use common::recipe::{BitDepth, Pad, Recipe, VideoEncode};

use crate::ffmpeg::picture::Pace;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::{Track, TrackMethod};

/// What the ideal output holds.
pub(crate) fn output(recipe: &Recipe, input: &Media, tracks: &[Track]) -> Media {
    let streams = tracks.iter().enumerate().map(|(index, track)| Stream {
        index,
        ..stream(recipe, track)
    });
    let mut ideal = Media {
        format: recipe.container.muxer().to_owned(),
        streams: streams.collect(),
        ..input.clone()
    };
    if recipe.container.is_ladder() {
        as_in_a_ladder(&mut ideal);
    }
    ideal
}

/// Takes out what the files of a ladder do not hold. Their texts are WebVTT.
fn as_in_a_ladder(ideal: &mut Media) {
    ideal.chapters.clear();
    ideal.tags.clear();
    for stream in &mut ideal.streams {
        stream.tags.remove("timecode");
        if stream.kind == StreamKind::Subtitle {
            stream.codec = "webvtt".to_owned();
        }
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
    use common::recipe::encoder::Codec;
    use common::recipe::{Choice, Container};

    use super::*;
    use crate::ffmpeg::probe::media::Chapter;

    #[test]
    fn a_ladder_has_no_chapters_and_no_tags_of_a_file() {
        let mut film = Media {
            chapters: vec![Chapter::default()],
            ..Media::default()
        };
        film.tags.insert("title".to_owned(), "My Film".to_owned());
        let recipe = Recipe::encode(VideoEncode::new(Choice::Codec(Codec::H264)));
        let recipe = recipe.expect("sound");
        assert_eq!(output(&recipe, &film, &[]).chapters.len(), 1);
        let ladder = recipe.edit(|draft| draft.container = Container::Cmaf);
        let ideal = output(&ladder.expect("sound"), &film, &[]);
        assert!(ideal.chapters.is_empty() && ideal.tags.is_empty());
    }

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
