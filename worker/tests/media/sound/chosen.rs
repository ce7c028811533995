//! Which tracks an output has: by language, by rules, and in any case.

use std::path::PathBuf;

use common::job::changes::{Change, Kind};
use common::recipe::{AudioOutput, AudioRule, Container, Recipe, RecipeDraft};
use serde_json::Value;

use crate::sound::keeping;
use crate::studio::Studio;

/// A film with five audio tracks.
fn film(studio: &Studio) -> PathBuf {
    let tracks = [
        ("ac3", 6, "eng", "default", "5.1"),
        ("aac", 2, "eng", "comment", "Commentary"),
        ("aac", 2, "ger", "0", "Deutsch"),
        ("aac", 1, "pt-BR", "0", ""),
        ("flac", 6, "jpn", "original", "Surround"),
    ];
    let mut line =
        "-f lavfi -i testsrc2=size=160x90:rate=25 -f lavfi -i sine=r=48000 -map 0".to_owned();
    let mut options = String::new();
    for (number, (codec, channels, language, marks, title)) in tracks.iter().enumerate() {
        line.push_str(" -map 1");
        options.push_str(&format!(
            " -c:a:{number} {codec} -ac:a:{number} {channels} -metadata:s:a:{number} language={language} \
             -disposition:a:{number} {marks}"
        ));
        if !title.is_empty() {
            options.push_str(&format!(" -metadata:s:a:{number} title={title}"));
        }
    }
    let video = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    studio.make("film.mkv", &format!("{line} -t 0.8 {video}{options}"))
}

/// The audio tracks of the output in short: codec, channels, language, `*` for the default one, title.
fn tracks(studio: &Studio) -> Vec<String> {
    let probed = studio.judged(&studio.output());
    let streams = probed["streams"].as_array().expect("streams").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_one = |stream: &Value| {
        let star = if stream["disposition"]["default"] == 1 {
            "*"
        } else {
            ""
        };
        let tags = &stream["tags"];
        let handler = text(&tags["handler_name"]);
        let title = match (text(&tags["title"]), handler.as_str()) {
            (title, _) if !title.is_empty() => title,
            (_, "SoundHandler") => String::new(),
            (_, handler) => handler.to_owned(),
        };
        let line = format!(
            "{} {} {}{star} {}",
            text(&stream["codec_name"]),
            stream["channels"],
            text(&tags["language"]),
            title
        );
        line.trim_end().to_owned()
    };
    let sounds = streams.filter(|stream| stream["codec_type"] == "audio");
    sounds.map(of_one).collect()
}

fn edited(audio: &str, container: Container, edit: impl FnOnce(&mut RecipeDraft)) -> Recipe {
    keeping(audio, container)
        .edit(edit)
        .expect("a sound recipe")
}

fn news(changes: &[Change]) -> Vec<String> {
    let news = changes.iter().filter(|change| change.is_news());
    news.map(ToString::to_string).collect()
}

#[tokio::test]
async fn languages_decide_which_tracks_there_are_and_which_comes_first() {
    for studio in &Studio::each() {
        let source = film(studio);
        let main = "ac3 6 eng 5.1";
        let comment = "aac 2 eng Commentary";
        for (container, languages, expected) in [
            (
                Container::Mkv,
                "de,en",
                vec!["aac 2 ger* Deutsch", main, comment],
            ),
            (
                Container::Mp4,
                "deu,eng",
                vec!["aac 2 deu* Deutsch", main, comment],
            ),
            (Container::Mkv, "pt", vec!["aac 1 por*"]),
            (
                Container::Mkv,
                "original,ger",
                vec!["flac 6 jpn* Surround", "aac 2 ger Deutsch"],
            ),
            (Container::Mkv, "fra", vec!["ac3 6 eng* 5.1"]),
        ] {
            let recipe = edited("copy", container, |draft| {
                let languages = languages.split(',').map(|one| one.parse().expect(one));
                draft.audio_tracks.languages = languages.collect();
            });
            let made = studio.encode(&source, &recipe).await;
            let made = made.unwrap_or_else(|failure| panic!("{languages}: {failure}"));
            let found: Vec<String> = tracks(studio)
                .iter()
                .map(|track| match container {
                    // ffmpeg 5.1 writes a language of Matroska in another way than ffmpeg 9 reads it.
                    Container::Mp4 => track.replace(" ger", " deu"),
                    _ => track.replace(" deu", " ger").replace(" pt-BR", " por"),
                })
                .collect();
            assert_eq!(found, expected, "{languages} in {container}");
            let told = news(&made.changes);
            let is_missing = told
                .iter()
                .any(|line| line.contains("the first one stays (eng)"));
            assert_eq!(is_missing, languages == "fra", "{told:?}");
            assert_eq!(told.len(), usize::from(is_missing), "{languages}: {told:?}");
            let foreseen = studio.foresee(&source, &recipe).await.expect("a forecast");
            assert_eq!(news(&foreseen), told, "{languages}");
        }
    }
}

#[tokio::test]
async fn rules_copy_encode_and_drop_each_track_for_itself() {
    for studio in &Studio::each() {
        let source = film(studio);
        let stereo = AudioOutput::Encode {
            encoder: "aac".parse().expect("an encoder"),
            bitrate: Some("96k".parse().expect("a bitrate")),
            downmix: Some("dialogue".parse().expect("a downmix")),
            loudness: None,
            title: None,
        };
        let named = AudioOutput::Encode {
            encoder: "libopus".parse().expect("an encoder"),
            bitrate: None,
            downmix: None,
            loudness: None,
            title: Some("Für unterwegs".to_owned()),
        };
        let rules = [
            ("commentary", vec![]),
            ("many", vec![AudioOutput::Copy, stereo]),
            ("german", vec![named]),
        ]
        .map(|(what, outputs)| AudioRule {
            commentary: (what == "commentary").then_some(true),
            channels: (what == "many").then(|| "6+".parse().expect("channels")),
            languages: match what {
                "german" => vec!["de".parse().expect("a language")],
                _ => Vec::new(),
            },
            outputs,
            ..AudioRule::default()
        });
        for container in [Container::Mkv, Container::Mp4] {
            let recipe = edited("aac", container, |draft| {
                draft.audio_tracks.rules = rules.to_vec();
            });
            let made = studio.encode(&source, &recipe).await.expect("an encode");
            let found: Vec<String> = tracks(studio)
                .iter()
                .map(|track| track.replace("deu", "ger").replace("pt-BR", "por"))
                .collect();
            assert_eq!(
                found,
                [
                    "ac3 6 eng* 5.1",
                    "aac 2 eng Stereo",
                    "opus 2 ger Für unterwegs",
                    "aac 1 por",
                    "flac 6 jpn Surround",
                    "aac 2 jpn Stereo",
                ],
                "{container}"
            );
            // mp4 holds no mark of an original, and no region of a language.
            let told = news(&made.changes);
            let is_loss_of_mp4 =
                |line: &String| line.contains("original") || line.contains("pt-BR");
            assert!(
                container == Container::Mp4 && told.iter().all(is_loss_of_mp4) || told.is_empty(),
                "{told:?}"
            );
            let layouts = made
                .changes
                .iter()
                .filter(|change| change.kind == Kind::Layout);
            assert!(layouts.clone().all(|change| !change.is_loss()), "{told:?}");
        }
    }
}

#[tokio::test]
async fn an_ensured_track_is_made_once() {
    for studio in &Studio::each() {
        let source = film(studio);
        let recipe = edited("copy", Container::Mkv, |draft| {
            draft.audio_tracks.languages = vec!["eng".parse().expect("a language")];
            draft.audio_tracks.ensure = vec!["aac:2:96k".parse().expect("a track")];
        });
        studio.encode(&source, &recipe).await.expect("an encode");
        let expected = ["ac3 6 eng* 5.1", "aac 2 eng Commentary", "aac 2 eng Stereo"];
        assert_eq!(tracks(studio), expected);
        // The output is an input that already has such a track.
        let again = studio.path("again.mkv");
        std::fs::copy(studio.output(), &again).expect("a copy");
        studio.encode(&again, &recipe).await.expect("an encode");
        assert_eq!(tracks(studio), expected);
    }
}
