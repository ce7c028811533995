//! Conditions that are refused, and the words for it.

use crate::rules::condition::Condition;

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
    // The spelling that is stored has a blank after each comma.
    let names: Vec<String> = (0..760).map(|number| format!("f{number:03}")).collect();
    let names = format!("name in [{}]", names.join(","));
    assert!(names.len() < 4000, "{}", names.len());
    let error = names
        .parse::<Condition>()
        .expect_err("too long once it is stored");
    assert!(error.to_string().contains("longer than"), "{error}");
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
        ("age > 99999999999 days", "can never hold"),
        ("path like '/films/../other/*'", "can never hold"),
        ("name like ''", "holds for every file"),
        ("path like '**/*'", "holds for every file"),
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
        "age > 40 days or path like '/films/**'",
        "name like '?'",
        // Too large to be judged.
        &["(hdr or interlaced or size > 1 GB)"; 12].join(" and "),
    ] {
        if let Err(error) = sensible.parse::<Condition>() {
            panic!("{sensible}: {error}");
        }
    }
}
