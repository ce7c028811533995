//! What is an obstacle, and what is none.

use common::farm::card::Proof;
use common::recipe::encoder::EncoderKind;
use common::recipe::{Choice, Container, Rate, VideoEncode};

use super::recipe::of_draft;
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
    let cases: [(Change, Obstacle); 12] = [
        (
            |video| video.rate = Rate::Bitrate("2M".parse().expect("one")),
            Obstacle::Bits,
        ),
        (
            |video| video.rate = Rate::Size("700M".parse().expect("one")),
            Obstacle::Bits,
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
