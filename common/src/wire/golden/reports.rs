//! Samples of reports.

use crate::job::kind::CheckDepth;
use crate::job::ladder::{
    ByteRange, Fraction, LadderStream, LadderStreamKind, SegmentIndex, VideoRange,
};
use crate::job::run::health::{Damage, Health};
use crate::job::run::quality::{FoundQuality, MeasuredQuality, OutputQuality};
use crate::job::run::report::Report;
use crate::names::location::Location;
use crate::recipe::Metric;
use crate::testing;

/// A report of a job with a target and a floor.
pub(super) fn measured() -> Report {
    let worker = || "w1".parse().expect("a name");
    let found = FoundQuality {
        crf: 24.3,
        metric: Metric::Vmaf,
        score: 95.05,
        percent: 41.5,
        predicted_size: Some(415),
        tries: 5,
        encodes: 10,
        workers: vec![worker()],
        seconds: 30.0,
    };
    Report {
        quality: Some(MeasuredQuality {
            found: Some(found),
            output: Some(OutputQuality {
                metric: Metric::Ssim,
                score: 0.9912,
            }),
        }),
        ..testing::report("w1", "libx265", 1000, 2.0)
    }
}

/// A report of a rendition of a ladder.
pub(super) fn streams() -> Report {
    let folder = Location::s3("media", "out").expect("a location");
    let stream = |name: &str, kind, codecs: &str| LadderStream {
        file: folder.join(&format!("{name}.mp4")),
        playlist: folder.join(&format!("{name}.m3u8")),
        kind,
        codecs: codecs.to_owned(),
        peak: 5_000_000,
        average: 4_000_000,
        duration: 60.0,
        segments: Some(SegmentIndex {
            initialization: ByteRange {
                offset: 0,
                length: 800,
            },
            index: ByteRange {
                offset: 800,
                length: 152,
            },
            longest: 6.0,
        }),
    };
    let video = LadderStreamKind::Video {
        width: 1920,
        height: 1080,
        frame_rate: Some(Fraction {
            numerator: 30000,
            denominator: 1001,
        }),
        range: VideoRange::Pq,
    };
    let sound = LadderStreamKind::Sound {
        language: Some("en".to_owned()),
        title: Some("Stereo".to_owned()),
        channels: 2,
        sample_rate: 48000,
        default: true,
    };
    let text = LadderStream {
        segments: None,
        ..stream(
            "a-1080p.subtitles-1",
            LadderStreamKind::Subtitles {
                language: None,
                title: None,
                forced: false,
                default: false,
            },
            "wvtt",
        )
    };
    Report {
        ladder: vec![
            stream("a-1080p", video, "hvc1.2.4.L120.B0"),
            stream("a-1080p.audio-1", sound, "mp4a.40.2"),
            text,
        ],
        ..testing::report("w1", "libx265", 1000, 2.0)
    }
}

/// A report of a check that has found damage.
pub(super) fn health() -> Report {
    let damage = |track, from, to, what: &str| Damage {
        track,
        from,
        to,
        what: what.to_owned(),
    };
    let found = vec![
        damage(Some(0), 723.4, 725.2, "video cannot be decoded"),
        damage(None, 5000.0, 7200.0, "the file breaks off"),
    ];
    Report {
        health: Some(Health {
            more: 3,
            ..Health::new(CheckDepth::Full, found)
        }),
        ..testing::report("w1", "libx265", 1000, 2.0)
    }
}
