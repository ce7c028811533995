//! What conditions mean, how they are written, and what is wrong with them.

mod random;

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
fn what_is_wrong_is_said_with_its_place() {
    for (text, at, wanted) in [
        ("", Some(0), "the condition is empty"),
        ("  ", Some(2), "the condition is empty"),
        (
            "heigt <= 1080",
            Some(0),
            "at character 1: 'heigt' is no field of a file: did you mean height?",
        ),
        ("hdr and hight > 2", Some(8), "did you mean height?"),
        ("language = eng", Some(0), "did you mean audio.language?"),
        ("hard-links > 1", Some(0), "did you mean hard_links?"),
        (
            "colour = red",
            Some(0),
            "'colour' is no field of a file: fields are e.g.",
        ),
        ("height = hevc", Some(9), "height is a number, e.g. 1080"),
        (
            "codec = 1080",
            Some(8),
            "video.codec is a video codec, e.g. h264",
        ),
        (
            "codec = hevk",
            Some(8),
            "'hevk' is no known video codec: did you mean hevc?",
        ),
        ("codec in [av1, h625]", Some(15), "did you mean h265?"),
        (
            "codec < hevc",
            Some(6),
            "video.codec can only be compared by =, !=, in and not in",
        ),
        (
            "height like 1080",
            Some(7),
            "height can only be compared by",
        ),
        ("name > a", Some(5), "name can only be compared by"),
        ("hdr > 3", Some(4), "hdr can only be compared by = true"),
        ("hdr = hlg", Some(6), "hdr is true or false"),
        (
            "height",
            Some(0),
            "height needs a comparison, e.g. 'height <= 1080'",
        ),
        ("size > 100", Some(7), "size needs a unit, e.g. 500 MB"),
        ("size > 4 min", Some(7), "size has other units: TB, GB"),
        ("size > 4 Mb", Some(7), "size has other units"),
        (
            "bitrate > 4000",
            Some(10),
            "bitrate needs a unit, e.g. 4 Mb/s",
        ),
        (
            "audio.channels = 2 ch",
            Some(17),
            "audio.channels has no unit",
        ),
        ("height = 10.5", Some(9), "height is a whole number"),
        ("height > -1", Some(9), "height is never below zero"),
        (
            "size < 99999999999999999999 TB",
            Some(7),
            "the number is too large",
        ),
        (
            "audio.language = english",
            Some(17),
            "a language is a code such as eng",
        ),
        ("name like '['", Some(10), "the pattern cannot be used"),
        (
            "codec hevc",
            Some(6),
            "expected a comparison, and, or, or the end, found 'hevc'",
        ),
        ("codec is hevc", Some(6), "found 'is': write '='"),
        ("hdr && interlaced", Some(4), "found '&&': write 'and'"),
        ("!hdr", Some(0), "found '!hdr': write 'not'"),
        (
            "height >",
            Some(8),
            "expected a value, and the condition ends",
        ),
        (
            "codec in hevc",
            Some(9),
            "expected a list such as [hevc, av1], found 'hevc'",
        ),
        (
            "codec in [hevc",
            Some(14),
            "expected a comma or ], and the condition ends",
        ),
        ("codec in []", Some(10), "expected a value"),
        ("codec not hevc", Some(10), "expected in, after not"),
        ("(hdr", Some(4), "expected a closing parenthesis"),
        ("hdr)", Some(3), "found ')'"),
        ("hdr and", Some(7), "expected a field such as video.codec"),
        ("name = 'a", Some(9), "expected the closing quotation mark"),
        (
            "name like *.ts",
            Some(10),
            "put patterns into quotation marks",
        ),
        ("size > 10 %", Some(10), "numbers here are no percents"),
        (
            "name = 'é' and heigt = 1",
            Some(15),
            "at character 16: 'heigt'",
        ),
    ] {
        let error = text.parse::<Condition>().expect_err(text);
        let said = error.to_string();
        assert!(said.contains(wanted), "{text}: {said}");
        assert_eq!(error.at(), at, "{text}: {said}");
        assert!(!said.contains('\n'), "{said}");
    }
    let deep = format!("{}hdr{}", "(".repeat(500), ")".repeat(500));
    let error = deep.parse::<Condition>().expect_err("too deep");
    assert!(error.to_string().contains("fewer levels"), "{error}");
    let not = format!("{}hdr", "not ".repeat(900));
    assert!(not.parse::<Condition>().is_err());
    let long = "hdr or ".repeat(1000);
    let error = long.parse::<Condition>().expect_err("too long");
    assert!(error.to_string().contains("longer than"), "{error}");
}

#[test]
fn what_can_never_hold_and_what_always_holds_is_refused() {
    for (text, wanted) in [
        (
            "height > 1080 and height < 720",
            "can never hold: no file meets 'height > 1080' and 'height < 720' at once",
        ),
        ("height > 1080 and height < 1081", "can never hold"),
        ("height in [720, 1080] and height > 1080", "can never hold"),
        ("codec = hevc and codec = av1", "can never hold"),
        (
            "codec = hevc and not codec in [h265, av1]",
            "can never hold",
        ),
        (
            "codec in [hevc, h264] and codec not in [h264, hevc]",
            "can never hold",
        ),
        ("height < 0", "'height < 0' can never hold"),
        ("hdr or height < 0", "'height < 0' can never hold"),
        ("hdr and not hdr", "can never hold"),
        (
            "(codec = hevc or codec = av1) and (codec = h264 or codec = vp9)",
            "can never hold",
        ),
        (
            "not audio.codec = aac and audio.codec = aac",
            "can never hold",
        ),
        (
            "not audio.codec != aac and audio.codec in [dts, ac3]",
            "can never hold",
        ),
        ("name = 'a.mkv' and name like '*.mp4'", "can never hold"),
        (
            "name like '*.mp4' and not name like '*.mp4'",
            "can never hold",
        ),
        ("not age >= 0 and age > 3 days", "can never hold"),
        ("size >= 0", "'size >= 0' holds for every file"),
        (
            "audio.tracks >= 0 and hdr",
            "'audio.tracks >= 0' holds for every file",
        ),
        ("size < 1 GB or size > 500 MB", "holds for every file"),
        ("hdr or not hdr", "holds for every file"),
        ("codec = hevc or not codec = hevc", "holds for every file"),
        ("not (size < 1 GB and size > 2 GB)", "holds for every file"),
    ] {
        let error = text.parse::<Condition>().expect_err(text);
        assert!(error.to_string().contains(wanted), "{text}: {error}");
        // A stored condition is read all the same.
        let stored = serde_json::to_string(text).expect("plain data");
        assert!(serde_json::from_str::<Condition>(&stored).is_ok(), "{text}");
    }
    for sensible in [
        // Two tracks.
        "audio.codec = aac and audio.codec = ac3",
        "audio.language = en and audio.language = en-GB",
        "not audio.language != en-GB and audio.language = en",
        // A file without video meets neither.
        "codec = hevc or codec != hevc",
        "not codec = hevc and not codec != hevc",
        "height >= 0",
        "name like '*.mp4' and name like 'a*'",
        "size > 1 GB and size < 1.1 GB",
        // Too large to be judged.
        &["(hdr or interlaced or size > 1 GB)"; 12].join(" and "),
    ] {
        if let Err(error) = sensible.parse::<Condition>() {
            panic!("{sensible}: {error}");
        }
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
