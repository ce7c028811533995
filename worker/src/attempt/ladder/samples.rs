//! Streams of a ladder, for tests.

use common::job::ladder::{
    ByteRange, Fraction, LadderStream, LadderStreamKind, SegmentIndex, VideoRange,
};
use common::names::location::Location;

pub(super) fn at(name: &str) -> Location {
    Location::s3("media", &format!("out/{name}")).expect("a location")
}

fn stream(name: &str, kind: LadderStreamKind, codecs: &str, peak: u64) -> LadderStream {
    LadderStream {
        file: at(&format!("{name}.mp4")),
        playlist: at(&format!("{name}.m3u8")),
        kind,
        codecs: codecs.to_owned(),
        peak,
        average: peak / 2,
        duration: 60.5,
        segments: Some(SegmentIndex {
            initialization: ByteRange {
                offset: 0,
                length: 800,
            },
            index: ByteRange {
                offset: 800,
                length: 152,
            },
            longest: 6.006,
        }),
    }
}

pub(super) fn video(name: &str, height: u32, peak: u64, range: VideoRange) -> LadderStream {
    let kind = LadderStreamKind::Video {
        width: height * 16 / 9,
        height,
        frame_rate: Some(Fraction {
            numerator: 30000,
            denominator: 1001,
        }),
        range,
    };
    stream(name, kind, "hvc1.2.4.L93.B0", peak)
}

pub(super) fn sound(name: &str, language: &str, title: Option<&str>, peak: u64) -> LadderStream {
    let kind = LadderStreamKind::Sound {
        language: Some(language.to_owned()),
        title: title.map(str::to_owned),
        channels: 6,
        sample_rate: 48000,
        default: false,
    };
    stream(name, kind, "mp4a.40.2", peak)
}

pub(super) fn text(name: &str) -> LadderStream {
    let kind = LadderStreamKind::Subtitles {
        language: Some("de".to_owned()),
        title: None,
        forced: true,
        default: false,
    };
    LadderStream {
        file: at(&format!("{name}.vtt")),
        segments: None,
        ..stream(name, kind, "wvtt", 800)
    }
}
