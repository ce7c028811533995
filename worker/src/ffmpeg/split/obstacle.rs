//! Why a film is not split: its frames cannot be told apart, or the recipe asks for what holds for the whole film only.

use common::recipe::encoder::Encoder;
use common::recipe::{Argument, Rate, Recipe, RecipeDraft, Video, VideoEncode};

use crate::ffmpeg::arguments::Arguments;
use crate::ffmpeg::picture::Pace;
use crate::ffmpeg::probe::media::{Media, Stream};
use crate::ffmpeg::split::lookback;
use crate::ffmpeg::tracks::TrackMethod;

/// A reason why a film is not split, as a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error("no video is encoded")]
    NoEncode,
    #[error("the recipe asks for a quality that is searched for")]
    Target,
    #[error("the recipe asks for a bitrate or a size, which holds for the film as a whole")]
    Bits,
    #[error(
        "{0} spreads bits over the film as a whole by default: a split needs --crf or --quality"
    )]
    NoQuality(Encoder),
    #[error("the recipe limits the bitrate, and a limit holds across the ends of chunks, too")]
    Limit,
    #[error("the encoder sees the film twice")]
    TwoPasses,
    #[error("{0} needs the frames before and after a chunk")]
    Encoder(Encoder),
    #[error(
        "argument '{0}' depends on the place of a frame in the film, or on the bits of all frames"
    )]
    Argument(String),
    #[error("the frame rate changes")]
    FrameRate,
    #[error("filter '{0}' depends on all frames before, or on their times")]
    Filter(String),
    #[error("the film is interlaced, and in this format a packet may hold one field of a frame")]
    Fields,
    #[error("subtitles are drawn into the picture")]
    BurnIn,
    #[error("the closed captions inside the film become a subtitle track")]
    Captions,
    #[error("the film has Dolby Vision")]
    DolbyVision,
    #[error("{0} keeps the transparency of the film, which pieces of it cannot hold")]
    Alpha(Encoder),
    #[error("the recipe cuts out a part of the input")]
    Trim,
    #[error("the output is a rendition of a ladder")]
    Ladder,
    #[error("the input has {0} films")]
    Films(usize),
    #[error("the film is too short, or has too few keyframes, to be cut")]
    Short,
    #[error("not all frames of the film have a time in the file")]
    NoTimes,
    #[error("two frames of the film have the same time")]
    SameTimes,
    #[error("the file's clock jumps within the film")]
    Jump,
    #[error("the film begins with frames that depend on frames before it")]
    NoKeyAtStart,
    #[error("the file's edit list hides frames in the middle of the film")]
    HiddenInside,
    #[error("the file marks some frames of the film as damaged")]
    Damaged,
    #[error("what the file holds is not one packet for each frame of the film")]
    NotFrames,
}

/// Options that set limits of bits, or make the encoder see the film twice.
const OF_BITS: &[&str] = &["bufsize", "maxrate", "minrate", "multipass", "rc"];

/// Keys of encoders' own lists that do so, or that name frames by their number.
const OF_THE_WHOLE: &[&str] = &[
    "abr",
    "bitrate",
    "buf-sz",
    "crf-max",
    "frames",
    "hrd",
    "max-bitrate",
    "maxrate",
    "mbr",
    "nal-hrd",
    "rc",
    "seek",
    "skip",
    "strict-cbr",
    "target-bitrate",
    "tbr",
    "vbv-bufsize",
    "vbv-maxrate",
    "zones",
];

/// Why the film of an encode is not split, as far as the recipe and the command line tell; the first reason of several.
/// The further inputs of a job are for the caller, and the frames of the film for [`crate::ffmpeg::split::index`].
pub fn obstacle(
    recipe: &Recipe,
    media: &Media,
    encoder: &Encoder,
    arguments: &Arguments,
) -> Option<Obstacle> {
    let video = match of_draft(recipe) {
        Ok(video) => video,
        Err(obstacle) => return Some(obstacle),
    };
    let films: Vec<&Stream> = media.films().collect();
    let &[film] = films.as_slice() else {
        return Some(Obstacle::Films(films.len()));
    };
    of_video(video, encoder)
        .or_else(|| of_film(film, &media.format, video, encoder))
        .or_else(|| of_line(film, arguments))
}

/// The video encode of a recipe that may be split.
fn of_draft(draft: &RecipeDraft) -> Result<&VideoEncode, Obstacle> {
    // All fields by name: whoever adds one decides here whether it can be kept in chunks.
    let RecipeDraft {
        video,
        container,
        trim,
        captions: _,
        // The part for all other tracks makes these.
        audio: _,
        audio_tracks: _,
        subtitles: _,
        subtitle_tracks: _,
        // These are about the whole output, which the join makes and looks at.
        companions: _,
        refuse_loss: _,
        strict_input: _,
        // Only ladders have segments.
        segment_seconds: _,
    } = draft;
    let Video::Encode(video) = video else {
        return Err(Obstacle::NoEncode);
    };
    match (container.is_ladder(), trim) {
        (true, _) => Err(Obstacle::Ladder),
        (_, Some(_)) => Err(Obstacle::Trim),
        _ => Ok(video),
    }
}

/// What the recipe asks of the encoder.
fn of_video(video: &VideoEncode, encoder: &Encoder) -> Option<Obstacle> {
    let VideoEncode {
        rate,
        max_bitrate,
        two_pass,
        arguments,
        // The encoder is given.
        with: _,
        // The join measures the whole output.
        floor: _,
        // These hold for each frame.
        speed: _,
        preset: _,
        bit_depth: _,
        chroma: _,
        // These are filters, or options for each frame; see `of_line`.
        hdr: _,
        tone_map: _,
        crop: _,
        deinterlace: _,
        detelecine: _,
        denoise: _,
        sharpen: _,
        deband: _,
        rotate: _,
        scale: _,
        scale_up: _,
        pad: _,
        lut: _,
        watermark: _,
        filters: _,
        // See `of_film`.
        frame_rate: _,
        // See `of_line`.
        burn_in: _,
    } = video;
    if max_bitrate.is_some() {
        return Some(Obstacle::Limit);
    }
    if *two_pass {
        return Some(Obstacle::TwoPasses);
    }
    match rate {
        Rate::Bitrate(_) | Rate::Size(_) => return Some(Obstacle::Bits),
        Rate::Target(_) => return Some(Obstacle::Target),
        Rate::Default if !has_default_quality(encoder) => {
            return Some(Obstacle::NoQuality(encoder.clone()));
        }
        Rate::Default | Rate::Crf(_) | Rate::Quality(_) | Rate::Lossless => {}
    }
    if encoder.as_str() == "libvvenc" {
        return Some(Obstacle::Encoder(encoder.clone()));
    }
    let whole = arguments.iter().find(|argument| is_of_the_whole(argument));
    whole.map(|argument| Obstacle::Argument(argument.to_string()))
}

/// Whether the encoder's own default is a constant quality and no number of bits per second.
fn has_default_quality(encoder: &Encoder) -> bool {
    matches!(
        encoder.as_str(),
        "libx264"
            | "libx265"
            | "libsvtav1"
            | "libaom-av1"
            | "librav1e"
            | "ffv1"
            | "prores_ks"
            | "prores"
            | "prores_aw"
            | "dnxhd"
            | "ffvhuff"
            | "utvideo"
    )
}

fn is_of_the_whole(argument: &Argument) -> bool {
    let option = argument.option().trim_end_matches(":v");
    let keys = argument.value().split(':');
    let mut keys = keys.filter_map(|entry| Some(entry.split_once('=')?.0));
    OF_BITS.contains(&option)
        || !argument.keeps_frames()
        || keys.any(|key| OF_THE_WHOLE.contains(&key))
}

/// What the film is.
fn of_film(
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
fn of_line(film: &Stream, arguments: &Arguments) -> Option<Obstacle> {
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

#[cfg(test)]
mod tests {
    use common::farm::card::Proof;
    use common::recipe::encoder::EncoderKind;
    use common::recipe::{Choice, Container, QualityTarget};

    use super::*;
    use crate::ffmpeg::Source;
    use crate::ffmpeg::arguments;
    use crate::ffmpeg::build::Build;
    use crate::ffmpeg::findings::Findings;
    use crate::ffmpeg::probe::media::{DolbyVision, Ratio, StreamKind};

    fn media(change: impl FnOnce(&mut Stream)) -> Media {
        let ratio = |numerator, denominator| {
            Some(Ratio {
                numerator,
                denominator,
            })
        };
        let mut film = Stream {
            kind: StreamKind::Video,
            codec: "h264".to_owned(),
            width: 1920,
            height: 1080,
            pixel_format: "yuv420p".to_owned(),
            time_base: ratio(1, 12800),
            mean_rate: ratio(50, 1),
            base_rate: ratio(50, 1),
            is_steady: true,
            ..Stream::default()
        };
        change(&mut film);
        Media {
            duration: Some(7200.0),
            streams: vec![film],
            ..Media::default()
        }
    }

    fn recipe(encoder: &str, change: impl FnOnce(&mut VideoEncode)) -> Recipe {
        let mut video = VideoEncode::new(Choice::Encoder(encoder.parse().expect("a name")));
        change(&mut video);
        Recipe::encode(video).expect("a sound recipe")
    }

    fn of(recipe: &Recipe, media: &Media) -> Option<Obstacle> {
        let video = recipe.video_encode().expect("an encode");
        let Choice::Encoder(encoder) = &video.with else {
            panic!("these tests name encoders");
        };
        let proof = Proof {
            kind: EncoderKind::Software,
            pixel_formats: vec!["yuv420p".to_owned(), "yuv420p10le".to_owned()],
            largest: (4096, 2160),
            fps: 1.0,
            sessions: None,
            device_arguments: Vec::new(),
            encoder_arguments: Vec::new(),
        };
        let source = Source::File("/in.mp4".into());
        let build = Build::new("5.1.9", [], []);
        let arguments = arguments::encode(
            recipe,
            media,
            &Findings::default(),
            Some((encoder, &proof)),
            &build,
            &source,
            std::path::Path::new("/scratch/out"),
        );
        obstacle(recipe, media, encoder, &arguments.expect("a line"))
    }

    #[test]
    fn what_is_done_to_each_frame_alone_is_no_obstacle() {
        let changes: [fn(&mut VideoEncode); 7] = [
            |_| {},
            |video| video.rate = Rate::Crf(24.0),
            |video| video.scale = Some("720p".parse().expect("a size")),
            |video| video.denoise = Some("nlmeans:light".parse().expect("a strength")),
            |video| video.filters = Some("crop=1280:536,eq=contrast=1.1".parse().expect("filters")),
            |video| video.frame_rate = "peak:60".parse().expect("a rate"),
            |video| video.arguments = vec!["x264-params=keyint=96:bframes=3".parse().expect("one")],
        ];
        for change in changes {
            let found = of(&recipe("libx264", change), &media(|_| {}));
            assert_eq!(found, None);
        }
    }

    #[test]
    fn what_holds_for_the_whole_film_is_an_obstacle() {
        type Change = fn(&mut VideoEncode);
        let argument = |text: &str| Obstacle::Argument(text.to_owned());
        let filter = |name: &str| Obstacle::Filter(name.to_owned());
        let cases: [(Change, Obstacle); 13] = [
            (
                |video| video.rate = Rate::Bitrate("2M".parse().expect("one")),
                Obstacle::Bits,
            ),
            (
                |video| video.rate = Rate::Size("700M".parse().expect("one")),
                Obstacle::Bits,
            ),
            (
                |video| {
                    let score = "vmaf=95".parse().expect("a score");
                    video.rate = Rate::Target(QualityTarget {
                        score,
                        max_percent: QualityTarget::MAX_PERCENT,
                    });
                },
                Obstacle::Target,
            ),
            (
                |video| video.max_bitrate = Some("4M".parse().expect("one")),
                Obstacle::Limit,
            ),
            (
                |video| video.denoise = Some("light".parse().expect("a strength")),
                filter("hqdn3d"),
            ),
            (
                |video| video.filters = Some("scale=640:-2,tmix".parse().expect("filters")),
                filter("tmix"),
            ),
            (
                |video| video.filters = Some("fps=25".parse().expect("filters")),
                filter("fps"),
            ),
            (
                |video| video.frame_rate = "half".parse().expect("a rate"),
                Obstacle::FrameRate,
            ),
            (
                |video| video.frame_rate = "peak:30".parse().expect("a rate"),
                Obstacle::FrameRate,
            ),
            (
                |video| video.arguments = vec!["maxrate=4M".parse().expect("one")],
                argument("maxrate=4M"),
            ),
            (
                |video| video.arguments = vec!["r=25".parse().expect("one")],
                argument("r=25"),
            ),
            (
                |video| {
                    let zones = "x264-params=keyint=96:zones=0,99,crf=40";
                    video.arguments = vec![zones.parse().expect("one")];
                },
                argument("x264-params=keyint=96:zones=0,99,crf=40"),
            ),
            (
                |video| {
                    let limit = "x264-params=vbv-maxrate=4000:vbv-bufsize=4000";
                    video.arguments = vec![limit.parse().expect("one")];
                },
                argument("x264-params=vbv-maxrate=4000:vbv-bufsize=4000"),
            ),
        ];
        for (change, expected) in cases {
            let found = of(&recipe("libx264", change), &media(|_| {}));
            assert_eq!(found, Some(expected));
        }
        let found = of(&recipe("mpeg4", |_| {}), &media(|_| {}));
        assert!(matches!(found, Some(Obstacle::NoQuality(_))), "{found:?}");
        let quality = recipe("mpeg4", |video| video.rate = Rate::Crf(4.0));
        assert_eq!(of(&quality, &media(|_| {})), None);
    }

    #[test]
    fn films_that_chunks_cannot_hold_are_an_obstacle() {
        let plain = recipe("libx264", |_| {});
        let found = |change: fn(&mut Stream)| of(&plain, &media(change));
        let vision = found(|film| film.dolby_vision = Some(DolbyVision::default()));
        assert_eq!(vision, Some(Obstacle::DolbyVision));
        let fields = |format: &str, codec: &str| {
            let film = media(|film| {
                film.is_interlaced = true;
                film.codec = codec.to_owned();
            });
            let format = format.to_owned();
            of(&plain, &Media { format, ..film })
        };
        assert_eq!(fields("mpegts", "h264"), Some(Obstacle::Fields));
        assert_eq!(fields("mpegts", "mpeg2video"), None);
        assert_eq!(fields("matroska,webm", "h264"), None);
        let mut two = media(|_| {});
        let second = Stream {
            index: 1,
            ..two.streams[0].clone()
        };
        two.streams.push(second);
        assert_eq!(of(&plain, &two), Some(Obstacle::Films(2)));
        let cut = plain.clone().edit(|draft| {
            draft.trim = Some("10-20".parse().expect("a part"));
        });
        assert_eq!(of_draft(&cut.expect("sound")), Err(Obstacle::Trim));
        let copy = Recipe::copy();
        assert_eq!(of_draft(&copy), Err(Obstacle::NoEncode));
        let captions = plain.edit(|draft| {
            draft.captions = common::recipe::Captions::Srt;
            draft.container = Container::Mkv;
        });
        let captions = captions.expect("sound");
        let found = of(&captions, &media(|film| film.has_captions = true));
        assert_eq!(found, Some(Obstacle::Captions));
    }
}
