//! What conditions mean, how they are written, and what is wrong with them.

mod random;
mod refused;

use jiff::{SignedDuration, Timestamp};

use crate::names::location::Location;
use crate::rules::condition::Condition;
use crate::rules::facts::{AudioFacts, Facts, HdrKind, SubtitleFacts, VideoFacts};

fn now() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().expect("a time")
}

/// A film in HEVC with three audio tracks, 40 days old.
fn film() -> Facts {
    let sound = |codec: &str, channels, language: Option<&str>| AudioFacts {
        codec: codec.to_owned(),
        channels,
        language: language.map(str::to_owned),
    };
    Facts {
        location: "file:///films/Anime/Akira%20%281988%29.mkv"
            .parse()
            .expect("a location"),
        size: 4_000_000_000,
        modified: now().checked_sub(SignedDuration::from_hours(40 * 24)).ok(),
        hard_links: Some(2),
        container: "matroska,webm".to_owned(),
        duration: Some(7_200.0),
        bitrate: Some(4_444_444),
        video: Some(VideoFacts {
            codec: "hevc".to_owned(),
            width: 1920,
            height: 1080,
            fps: Some(24_000.0 / 1_001.0),
            depth: 10,
            bitrate: Some(4_000_000),
            hdr: [HdrKind::Pq, HdrKind::Hdr10].into(),
            interlaced: false,
        }),
        audio: vec![
            sound("truehd", 8, Some("jpn")),
            sound("ac3", 6, Some("eng")),
            sound("pcm_s16le", 2, None),
        ],
        subtitles: vec![SubtitleFacts {
            codec: "hdmv_pgs_subtitle".to_owned(),
            language: Some("pt-BR".to_owned()),
        }],
    }
}

/// A file with one audio track and no video, of which little is known.
fn song() -> Facts {
    Facts {
        location: Location::s3("media", "songs/a.flac").expect("a location"),
        size: 30_000_000,
        modified: None,
        hard_links: None,
        container: "flac".to_owned(),
        duration: None,
        bitrate: None,
        video: None,
        audio: vec![AudioFacts {
            codec: "flac".to_owned(),
            channels: 2,
            language: None,
        }],
        subtitles: Vec::new(),
    }
}

#[test]
fn conditions_hold_as_the_table_says() {
    let cases = [
        // condition, film, song
        ("video.codec in [hevc, av1] and height <= 1080", true, false),
        ("codec = h265", true, false),
        ("codec == X265 or codec = flv1", true, false),
        ("codec != h264", true, false),
        ("codec not in [h264, hevc]", false, false),
        // A song has no video: no comparison holds, and its opposite does.
        ("not codec = h264", true, true),
        ("height > 1080", false, false),
        ("not height > 1080", true, true),
        (
            "video.width = 1920 and width >= 1920p and width < 1921 px",
            true,
            false,
        ),
        ("hdr", true, false),
        ("not hdr", false, true),
        ("hdr = false", false, true),
        ("video.hdr = hdr10 and video.hdr = pq", true, false),
        ("video.hdr in [dv, hlg]", false, false),
        ("interlaced", false, false),
        ("fps = 23.976", true, false),
        ("fps > 23.97 and fps < 24", true, false),
        ("depth >= 10 bit", true, false),
        ("size > 3.9 GB", true, false),
        ("size < 28.7 MiB", false, true),
        ("bitrate > 4M and video.bitrate = 4000k", true, false),
        (
            "duration >= 1h 59min 60s and duration <= 120 min",
            true,
            false,
        ),
        ("container = mkv", true, false),
        ("container = webm", false, false),
        ("container in [flac, mp4]", false, true),
        // One track is enough.
        ("audio.codec = ac3 and audio.codec = truehd", true, false),
        ("audio.codec != ac3", true, true),
        ("not audio.codec = ac3", false, true),
        ("audio.codec = pcm", true, false),
        ("audio.channels > 6", true, false),
        ("audio.tracks = 1", false, true),
        ("audio.language = ja", true, false),
        ("audio.language in [de, fre]", false, false),
        ("audio.language = und", true, true),
        (
            "subtitle.language = por and subtitle.language = pt-br",
            true,
            false,
        ),
        ("subtitle.language = pt-PT", false, false),
        ("subtitle.codec = pgs and subtitle.tracks > 0", true, false),
        ("name = 'Akira (1988).mkv'", true, false),
        ("name like '*.MKV'", true, false),
        ("name like '*.flac'", false, true),
        ("path like 'Anime/*'", true, false),
        ("path like 'films/*.mkv'", false, false),
        ("path like '/films/**'", true, false),
        ("path like 'songs/**'", false, true),
        ("age > 30 days and age < 6 weeks", true, false),
        ("not age > 30 days", false, true),
        ("hard_links > 1", true, false),
        ("codec = hevc or codec = av1 and height > 2000", true, false),
        (
            "(codec = hevc or codec = av1) and height > 2000",
            false,
            false,
        ),
        ("NOT (codec = hevc AND height > 2000)", true, true),
        ("not not hdr", true, false),
    ];
    for (text, of_film, of_song) in cases {
        let condition: Condition = text
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(condition.holds(&film(), now()), of_film, "film: {text}");
        assert_eq!(condition.holds(&song(), now()), of_song, "song: {text}");
    }
}

#[test]
fn a_condition_has_one_spelling() {
    for (text, shown) in [
        ("video.codec in [hevc, av1] and height <= 1080", ""),
        ("  codec  IN[ h265,av1,x265 ]", "video.codec in [hevc, av1]"),
        ("codec in [avc]", "video.codec = h264"),
        ("codec not in [avc]", "video.codec != h264"),
        ("hdr = yes and hdr != false", "hdr and hdr"),
        ("interlaced = no", "not interlaced"),
        (
            "((codec = hevc)) and (hdr and interlaced)",
            "video.codec = hevc and hdr and interlaced",
        ),
        ("not (hdr or interlaced)", ""),
        (
            "(hdr or interlaced) and size > 0",
            "(hdr or interlaced) and size > 0",
        ),
        ("size > 1500000000 B", "size > 1.5 GB"),
        ("size > 1024 KiB", "size > 1 MiB"),
        ("bitrate <= 4000 kbps", "bitrate <= 4 Mb/s"),
        ("duration < 1h30min", "duration < 90 min"),
        ("age > 2 weeks", "age > 14 days"),
        ("age > 24 h", "age > 1 day"),
        ("fps = 29.970", "fps = 29.97"),
        ("container = mov", "container = mp4"),
        ("container = 3gp", "container = mp4"),
        ("codec = 'snow'", "video.codec = 'snow'"),
        ("name = \"it's\"", "name = 'it''s'"),
        ("name like a.ts", "name like 'a.ts'"),
        ("name in [and1, 'not', '7']", "name in [and1, 'not', '7']"),
        ("audio.language = ENG", "audio.language = eng"),
    ] {
        let shown = if shown.is_empty() { text } else { shown };
        let condition: Condition = text
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(condition.to_string(), shown, "{text}");
        let stored = serde_json::to_string(&condition).expect("plain data");
        let read: Condition = serde_json::from_str(&stored).expect("it was just written");
        assert_eq!(read, condition);
    }
}

#[test]
fn every_field_has_an_example_that_can_be_used() {
    for (name, meaning, example) in Condition::fields() {
        assert!(!meaning.is_empty());
        let condition: Condition = example
            .parse()
            .unwrap_or_else(|error| panic!("{example}: {error}"));
        assert_eq!(condition.to_string(), example, "{name}");
    }
}

#[test]
fn the_documentation_lists_every_field() {
    let page = include_str!("../../../../../docs/LIBRARIES.md");
    for (name, meaning, example) in Condition::fields() {
        let mut rows = page
            .lines()
            .filter(|line| line.starts_with(&format!("| `{name}`")));
        let row = rows
            .next()
            .unwrap_or_else(|| panic!("{name} is not listed"));
        assert!(
            row.ends_with(&format!("| {meaning} | `{example}` |")),
            "{row}"
        );
    }
}
