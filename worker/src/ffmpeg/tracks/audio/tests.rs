use common::recipe::{AudioOutput, AudioRule, Container, Downmix, RecipeDraft};

use super::*;
use crate::ffmpeg::samples::stream;

/// An audio track, written as `CODEC CHANNELS LANGUAGE MARKS TITLE`, with `-` for nothing and `+` between marks.
fn track(index: usize, text: &str) -> Stream {
    let mut parts = text.splitn(5, ' ');
    let mut part = || parts.next().filter(|part| *part != "-").unwrap_or_default();
    let mut track = stream(index, StreamKind::Audio, part());
    track.channels = part().parse().expect("channels");
    track.sample_rate = 48_000;
    let (language, marks, title) = (part(), part(), part());
    for (key, value) in [("language", language), ("title", title)] {
        if !value.is_empty() {
            track.tags.insert(key.to_owned(), value.to_owned());
        }
    }
    let marks = marks.split('+').filter(|mark| !mark.is_empty());
    track.dispositions = marks.map(str::to_owned).collect();
    track
}

fn chosen(tracks: &[&str], edit: impl FnOnce(&mut RecipeDraft)) -> Chosen {
    let recipe = Recipe::copy().edit(edit).expect("a sound recipe");
    let media = Media {
        streams: tracks
            .iter()
            .enumerate()
            .map(|(index, text)| track(index + 1, text))
            .collect(),
        ..Media::default()
    };
    choose(&recipe, &media).expect("tracks")
}

/// The tracks in short: the index of the source, `=` for a copy or else codec and channels, `*` for the default one.
fn short(chosen: &Chosen) -> String {
    let tracks = chosen.list.iter().map(|track| {
        let made = match &track.sound {
            None => "=".to_owned(),
            Some(sound) => format!(" {} {}", sound.codec(), sound.channels()),
        };
        let star = if track.dispositions.contains("default") {
            "*"
        } else {
            ""
        };
        format!("{}{made}{star}", track.source.index)
    });
    tracks.collect::<Vec<_>>().join(", ")
}

fn told(chosen: &Chosen) -> Vec<String> {
    chosen.changes.iter().map(ToString::to_string).collect()
}

const DISC: &[&str] = &[
    "truehd 8 eng default Main TrueHD Atmos 7.1",
    "ac3 6 eng - Surround",
    "ac3 2 eng comment -",
    "dts 6 ger - -",
    "aac 2 pt-BR - -",
    "aac 2 - - -",
    "ac3 2 fre original Commentaire audio",
];

#[test]
fn tracks_are_chosen_by_language_in_the_order_of_the_list() {
    for (languages, expected) in [
        ("", "1=*, 2=, 3=, 4=, 5=, 6=, 7="),
        ("deu", "4=*"),
        ("de,en", "4=*, 1=, 2=, 3="),
        ("eng", "1=*, 2=, 3="),
        ("pt", "5=*"),
        ("pt-BR,por", "5=*"),
        ("pt-PT", "1=*"),
        ("und", "6=*"),
        ("ger,any", "4=*, 1=, 2=, 3=, 5=, 6=, 7="),
        ("original", "7=*"),
        ("original,und", "7=, 6=*"),
        ("jpn", "1=*"),
        ("jpn,fra", "7=*"),
    ] {
        let chosen = chosen(DISC, |draft| {
            let languages = languages.split(',').filter(|one| !one.is_empty());
            draft.audio_tracks.languages = languages.map(|one| one.parse().expect(one)).collect();
        });
        assert_eq!(short(&chosen), expected, "{languages}");
        let is_missing = matches!(languages, "jpn" | "pt-PT");
        let missing = told(&chosen)
            .iter()
            .any(|line| line.contains("the first one stays"));
        assert_eq!(missing, is_missing, "{languages}: {:?}", told(&chosen));
    }
}

#[test]
fn what_is_left_out_on_request_is_no_loss() {
    let chosen = chosen(DISC, |draft| {
        draft.audio_tracks.languages = vec!["ger".parse().expect("a language")];
    });
    let lost = chosen
        .changes
        .iter()
        .filter(|change| change.kind == Kind::Track);
    assert_eq!(lost.clone().count(), 6, "{:?}", told(&chosen));
    assert!(lost.clone().all(|change| change.is_wanted));
    let without = "lost: track 1 (audio truehd): another language is asked for";
    assert!(told(&chosen).iter().any(|line| line == without));
}

#[test]
fn without_a_marked_one_the_first_track_is_the_original() {
    let chosen = chosen(&["aac 2 jpn - -", "aac 2 eng default -"], |draft| {
        draft.audio_tracks.languages = vec!["original".parse().expect("a language")];
    });
    assert_eq!(short(&chosen), "1=*");
    let moved = "lost: disposition of track 2 (default)";
    assert!(!told(&chosen).iter().any(|line| line.starts_with(moved)));
}

fn rule(rule: AudioRule, outputs: &[AudioOutput]) -> AudioRule {
    AudioRule {
        outputs: outputs.to_vec(),
        ..rule
    }
}

fn encode(encoder: &str, downmix: Option<Downmix>) -> AudioOutput {
    AudioOutput::Encode {
        encoder: encoder.parse().expect("an encoder"),
        bitrate: None,
        downmix,
        loudness: None,
        title: None,
    }
}

#[test]
fn the_first_rule_that_a_track_matches_decides() {
    let commentary = AudioRule {
        commentary: Some(true),
        ..AudioRule::default()
    };
    let many = AudioRule {
        channels: Some("8+".parse().expect("channels")),
        ..AudioRule::default()
    };
    let dolby = AudioRule {
        codecs: vec!["ac3".to_owned()],
        languages: vec!["en".parse().expect("a language")],
        ..AudioRule::default()
    };
    let surround = AudioRule {
        title: Some("surr*".to_owned()),
        ..AudioRule::default()
    };
    let stereo = encode("aac", Some(Downmix::Stereo));
    let rules = vec![
        rule(commentary, &[]),
        rule(many, &[AudioOutput::Copy, stereo.clone()]),
        rule(surround, &[encode("libopus", None), stereo]),
        rule(dolby, &[]),
    ];
    let made = chosen(DISC, |draft| draft.audio_tracks.rules = rules);
    // The French track is a commentary by its title, the third one by its mark.
    assert_eq!(short(&made), "1=*, 1 aac 2, 2 opus 6, 2 aac 2, 4=, 5=, 6=");
    let titles: Vec<_> = made
        .list
        .iter()
        .map(|track| track.title.as_deref())
        .collect();
    let stereo = [None, Some("Main AAC Stereo"), None, Some("Stereo")];
    assert_eq!(titles[..4], stereo);
    assert!(
        made.changes.iter().all(|change| !change.is_news()),
        "{:?}",
        told(&made)
    );
    assert!(
        told(&made)
            .contains(&"lost: track 3 (audio ac3): a rule drops it, as asked for".to_owned())
    );
}

#[test]
fn a_rule_copies_where_all_others_are_encoded_and_encodes_where_a_copy_is_impossible() {
    let lossless = AudioRule {
        codecs: vec!["truehd".to_owned(), "flac".to_owned()],
        ..AudioRule::default()
    };
    let copied = rule(lossless, &[AudioOutput::Copy]);
    for (container, audio, expected) in [
        (Container::Mkv, "aac", "1=*, 2 aac 2"),
        (Container::Mov, "ac3", "1 ac3 6*, 2 ac3 2"),
        (Container::Mov, "copy", "1 aac 8*, 2="),
        (Container::Mov, "none", "1 aac 8*"),
    ] {
        let made = chosen(&["truehd 8 eng default -", "ac3 2 - - -"], |draft| {
            draft.container = container;
            draft.audio = audio.parse().expect("audio");
            draft.audio_tracks.rules = vec![copied.clone()];
        });
        assert_eq!(short(&made), expected, "{container}, {audio}");
        let converted = told(&made)
            .iter()
            .any(|line| line.contains("mov holds no truehd"));
        assert_eq!(converted, container == Container::Mov);
    }
}

#[test]
fn an_ensured_track_is_made_of_the_best_one_unless_there_is_one_like_it() {
    let ensure = |tracks: &[&str], wanted: &[&str], audio: &str| {
        chosen(tracks, |draft| {
            draft.audio = audio.parse().expect("audio");
            let wanted = wanted.iter().map(|track| track.parse().expect("a track"));
            draft.audio_tracks.ensure = wanted.collect();
        })
    };
    let film = &[
        "aac 2 eng comment -",
        "ac3 6 eng default 5.1",
        "dts 8 eng - -",
        "ac3 6 ger - -",
    ];
    for (tracks, wanted, audio, expected) in [
        (
            &film[..],
            &["aac:2"][..],
            "copy",
            "1=, 2=*, 3=, 4=, 3 aac 2",
        ),
        (film, &["ac3:6"], "copy", "1=, 2=*, 3=, 4="),
        (
            film,
            &["aac:2:ger", "aac:2:deu"],
            "copy",
            "1=, 2=*, 3=, 4=, 4 aac 2",
        ),
        (film, &["aac:2", "aac:2:160k"], "none", "3 aac 2*"),
        (film, &["aac:2:any"], "none", "3 aac 2*"),
        (
            &["ac3 6 jpn - -", "ac3 6 eng - -"],
            &["aac:2:original"],
            "none",
            "1 aac 2*",
        ),
        (
            &["ac3 6 eng - -", "ac3 6 jpn original -"],
            &["aac:2:original"],
            "none",
            "2 aac 2*",
        ),
        (film, &["aac:2:jpn"], "copy", "1=, 2=*, 3=, 4="),
        (film, &[], "aac", "1 aac 2, 2 aac 6*, 3 aac 8, 4 aac 6"),
        (&["aac 2 - - -"], &["aac:2"], "copy", "1=*"),
        (&["aac 2 - - -"], &["aac:6"], "copy", "1=*"),
        (&["mp3 1 - - -"], &["aac:2"], "copy", "1=*, 1 aac 1"),
        (&["aac 2 eng - -"], &["aac:2"], "none", "1=*"),
        (&[], &["aac:2"], "copy", ""),
    ] {
        let made = ensure(tracks, wanted, audio);
        assert_eq!(short(&made), expected, "{wanted:?} of {tracks:?}");
    }
    let missing = told(&ensure(film, &["aac:2:jpn"], "copy"));
    assert!(missing[0].contains("lost: language (jpn)"), "{missing:?}");
}

#[test]
fn titles_stay_true() {
    for (source, encoder, title) in [
        ("ac3 6 - - Surround 5.1", "aac:2", Some("Stereo")),
        ("dts 6 - - DTS-HD MA 5.1", "aac:2", Some("AAC Stereo")),
        (
            "ac3 6 - - English (Dolby Digital 5.1)",
            "aac:2",
            Some("English (AAC Stereo)"),
        ),
        ("truehd 8 - - Atmos [7.1]", "aac:1", Some("Mono")),
        (
            "eac3 6 - - E-AC-3 5.1 @ 640k",
            "ac3:6",
            Some("AC-3 5.1 @ 640k"),
        ),
        ("ac3 6 - - Director's cut", "aac:2", None),
        ("ac3 6 - - HD Plus", "aac:2", None),
        ("ac3 6 - - -", "aac:2", None),
    ] {
        let made = chosen(&[source], |draft| {
            draft.audio = Audio::None;
            draft.audio_tracks.ensure = vec![encoder.parse().expect("a track")];
        });
        assert_eq!(made.list[0].title.as_deref(), title, "{source}");
    }
}
