//! What holds for all conditions and all files.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::{now, song};
use crate::names::location::Location;
use crate::rules::condition::analysis::{Verdict, verdict};
use crate::rules::condition::expression::{Expression, Is, Pattern, Test, Value};
use crate::rules::condition::field::{Field, Kind};
use crate::rules::condition::{Condition, syntax, typed};
use crate::rules::facts::{AudioFacts, Facts, HdrKind, SubtitleFacts, VideoFacts};

/// Few values, so that comparisons often meet.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..6_u64,
        Just(86_400),
        Just(1_500),
        Just(1 << 20),
        Just(u64::MAX)
    ]
}

fn value(field: Field) -> BoxedStrategy<Value> {
    let of = |words: &'static [&'static str]| {
        let words = prop::sample::select(words);
        words.prop_map(|word| Value::Word(word.to_owned())).boxed()
    };
    match field.kind() {
        Kind::Flag | Kind::Number(_) => number().prop_map(Value::Number).boxed(),
        Kind::Language => of(&["en", "eng", "en-gb", "und", "pt-br"]),
        Kind::Word(_) => match field {
            Field::VideoCodec => of(&["hevc", "h264", "snow"]),
            Field::AudioCodec => of(&["aac", "ac3", "pcm"]),
            Field::SubtitleCodec => of(&["subrip", "ass"]),
            Field::HdrKind => of(&["hdr10", "hlg", "pq"]),
            _ => of(&["matroska", "webm", "mp4"]),
        },
        Kind::Text => of(&["a.mkv", "b's.mkv", "/x/a.mkv", "not"]),
    }
}

fn test() -> impl Strategy<Value = Expression> {
    let field = prop::sample::select(Field::ALL);
    let test = field.prop_flat_map(|field| {
        let values = || vec(value(field), 1..3);
        let listed = prop_oneof![values().prop_map(Is::OneOf), values().prop_map(Is::NoneOf)];
        let is = match field.kind() {
            Kind::Flag => Just(Is::True).boxed(),
            Kind::Number(_) => prop_oneof![
                listed,
                number().prop_map(Is::Less),
                number().prop_map(Is::AtMost),
                number().prop_map(Is::Greater),
                number().prop_map(Is::AtLeast),
            ]
            .boxed(),
            Kind::Text => {
                let pattern = prop::sample::select(&["*.mkv", "a*", "x/*"][..]);
                let pattern =
                    pattern.prop_map(|text| Pattern::new(text.to_owned()).expect("a pattern"));
                prop_oneof![listed, pattern.prop_map(Is::Like)].boxed()
            }
            Kind::Word(_) | Kind::Language => listed.boxed(),
        };
        is.prop_map(move |is| Test { field, is })
    });
    test.prop_map(|mut test| {
        if let Is::OneOf(values) | Is::NoneOf(values) = &mut test.is {
            let mut distinct = Vec::new();
            for value in values.drain(..) {
                if !distinct.contains(&value) {
                    distinct.push(value);
                }
            }
            *values = distinct;
        }
        Expression::Test(test)
    })
}

fn expression() -> impl Strategy<Value = Expression> {
    test().prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Expression::any),
            vec(inner.clone(), 2..4).prop_map(Expression::all),
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
        ]
    })
}

fn facts() -> impl Strategy<Value = Facts> {
    let word = |words: &'static [&'static str]| prop::sample::select(words).prop_map(str::to_owned);
    let language = || option::of(word(&["en", "eng", "en-GB", "pt_BR", "fre"]));
    let hdr = prop::sample::select(&[HdrKind::Hdr10, HdrKind::Hlg, HdrKind::Pq][..]);
    let small = || 0..6_u32;
    let video = (
        word(&["hevc", "h264", "snow", ""]),
        (small(), small(), 0..6_u8),
        option::of(0..3_u8),
        option::of(number()),
        btree_set(hdr, 0..3),
        any::<bool>(),
    );
    let video = video.prop_map(
        |(codec, (width, height, depth), fps, bitrate, hdr, interlaced)| VideoFacts {
            codec,
            width,
            height,
            fps: fps.map(f64::from),
            depth,
            bitrate,
            hdr,
            interlaced,
        },
    );
    let audio = (word(&["aac", "ac3", "pcm_s16le", ""]), small(), language());
    let audio = audio.prop_map(|(codec, channels, language)| AudioFacts {
        codec,
        channels,
        language,
    });
    let subtitle = (word(&["subrip", "ass"]), language());
    let subtitle = subtitle.prop_map(|(codec, language)| SubtitleFacts { codec, language });
    let of_file = (
        word(&["/x/a.mkv", "/x/b's.mkv", "/not", "/x/y/a.webm"]),
        number(),
        option::of(0..3_i64),
        option::of(0..4_u64),
        option::of(0..3_u8),
        option::of(number()),
    );
    let tracks = (option::of(video), vec(audio, 0..3), vec(subtitle, 0..3));
    (of_file, word(&["matroska,webm", "mov,mp4", ""]), tracks).prop_map(
        |(
            (path, size, days, hard_links, duration, bitrate),
            container,
            (video, audio, subtitles),
        )| Facts {
            location: Location::file(path.as_ref()).unwrap_or(song().location),
            size,
            modified: days.and_then(|days| {
                now()
                    .checked_sub(jiff::SignedDuration::from_hours(24 * days))
                    .ok()
            }),
            hard_links,
            container,
            duration: duration.map(f64::from),
            bitrate,
            video,
            audio,
            subtitles,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_shown_condition_is_read_as_the_same(expression in expression()) {
        let shown = expression.to_string();
        let read = syntax::parse(&shown).map(typed::expression);
        let read = match read {
            Ok(Ok(read)) => read,
            other => return Err(TestCaseError::fail(format!("{shown}: {:?}", other.err()))),
        };
        prop_assert_eq!(&read, &expression, "{}", shown);
        prop_assert_eq!(read.to_string(), shown);
    }

    #[test]
    fn a_condition_that_a_file_meets_is_never_called_impossible(
        expression in expression(),
        facts in vec(facts(), 8),
    ) {
        let verdict = verdict(&expression);
        for facts in facts {
            // A comparison that makes no sense is named although the whole may make some.
            let whole = expression.to_string();
            let holds = expression.holds(&facts, now());
            match &verdict {
                Some(Verdict::Never(tests)) if tests.len() > 1 => prop_assert!(!holds, "{whole} {facts:?}"),
                Some(Verdict::Always(what)) if *what == whole => prop_assert!(holds, "{whole} {facts:?}"),
                Some(Verdict::Never(tests)) => for test in expression.tests() {
                    let is_named = tests.contains(&test.to_string());
                    let holds = Expression::Test(test.clone()).holds(&facts, now());
                    prop_assert!(!is_named || !holds, "{test} {facts:?}");
                },
                Some(Verdict::Always(what)) => for test in expression.tests() {
                    let is_named = *what == test.to_string();
                    let holds = Expression::Test(test.clone()).holds(&facts, now());
                    prop_assert!(!is_named || holds, "{test} {facts:?}");
                },
                None => {}
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~é]{0,60}", parts in vec(prop::sample::select(&[
        "codec", "height", "hdr", "and", "or", "not", "in", "like", "[", "]", "(", ")", ",", "=", "<=", "!=", "'", "\"",
        "1080", "4M", "1h30m", "-", "hevc", "99999999999999999999.9", "*", "é",
    ][..]), 0..20)) {
        let _ = text.parse::<Condition>();
        let _ = parts.join(" ").parse::<Condition>();
        let _ = parts.concat().parse::<Condition>();
    }
}
