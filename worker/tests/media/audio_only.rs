//! Outputs of sound alone: `--video none`.

use common::job::changes::{Fate, Kind};
use common::job::failure::Fault;
use common::recipe::{AudioOutput, AudioRule, Container, Recipe, Video};

use crate::studio::{self, Studio};

/// A recipe that leaves the video out.
fn audio_only(audio: &str, container: Container) -> Recipe {
    studio::copy()
        .edit(|draft| {
            draft.video = Video::None;
            draft.audio = audio.parse().expect("audio");
            draft.container = container;
        })
        .expect("a sound recipe")
}

#[tokio::test]
async fn the_sound_of_a_film_fills_each_container() {
    for studio in Studio::each() {
        let film = studio.tracks();
        for (container, audio, codecs) in [
            (Container::Mka, "copy", vec!["aac", "ac3"]),
            (Container::M4a, "copy", vec!["aac", "ac3"]),
            (Container::Mp3, "copy,else=mp3:96k", vec!["mp3"]),
            (Container::Flac, "flac", vec!["flac"]),
            (Container::Opus, "opus:64k", vec!["opus"]),
        ] {
            let recipe = audio_only(audio, container);
            let checked = studio.encode(&film, &recipe).await;
            let checked = checked.unwrap_or_else(|failure| panic!("{container}: {failure}"));
            assert_eq!(studio.codecs(), codecs, "{container}");
            assert!(
                (checked.duration - 1.2).abs() < 0.1,
                "{container}: {checked:?}"
            );
            let mut film = checked
                .changes
                .iter()
                .filter(|change| change.track == Some(0));
            let film = film
                .find(|change| change.kind == Kind::Track)
                .expect("told");
            assert!(film.fate == Fate::Lost && film.is_wanted, "{film}");
            let second = checked
                .changes
                .iter()
                .find(|change| change.track == Some(2) && change.kind == Kind::Track)
                .expect("told");
            let is_lost = second.fate == Fate::Lost && !second.is_wanted;
            assert_eq!(is_lost, !container.holds_several_tracks(), "{second}");
        }
    }
}

#[tokio::test]
async fn versions_of_a_track_that_find_no_room_are_told() {
    let studio = Studio::new();
    let film = studio.tracks();
    let outputs = ["128k", "96k"].map(|bitrate| AudioOutput::Encode {
        encoder: "mp3".parse().expect("an encoder"),
        bitrate: Some(bitrate.parse().expect("a bitrate")),
        downmix: None,
        loudness: None,
        title: None,
    });
    let recipe = audio_only("mp3", Container::Mp3).edit(|draft| {
        draft.audio_tracks.rules = vec![AudioRule {
            outputs: outputs.into(),
            ..AudioRule::default()
        }];
    });
    let recipe = recipe.expect("a sound recipe");
    let checked = studio.encode(&film, &recipe).await.expect("passes");
    for changes in [
        checked.changes,
        studio.foresee(&film, &recipe).await.expect("told before"),
    ] {
        let lost: Vec<String> = changes
            .iter()
            .filter(|change| change.is_loss() && change.kind == Kind::Track)
            .map(ToString::to_string)
            .collect();
        assert!(
            lost.iter().any(|lost| lost.contains("MP3 Stereo of 96k")),
            "{lost:?}"
        );
    }
}

#[tokio::test]
async fn sound_files_are_inputs_and_keep_their_covers_and_tags() {
    for studio in Studio::each() {
        let cover = studio.make("cover.png", "-f lavfi -i testsrc2=size=32x32 -frames:v 1");
        let song = studio.make(
            "song.flac",
            &format!(
                "-f lavfi -i sine=duration=1 -i {} -map 0 -map 1 -c:v png -disposition:v attached_pic \
                 -metadata title=Song -metadata artist=Singer",
                cover.display()
            ),
        );
        for (container, audio) in [
            (Container::Mp3, "mp3"),
            (Container::M4a, "aac:96k"),
            (Container::Mka, "copy"),
            (Container::Flac, "copy"),
        ] {
            let checked = studio.encode(&song, &audio_only(audio, container)).await;
            checked.unwrap_or_else(|failure| panic!("{container}: {failure}"));
            let made = studio.judged(&studio.output());
            let tags = made["format"]["tags"].as_object().expect("tags");
            let has = |key: &str, value: &str| {
                tags.iter()
                    .any(|(name, text)| name.eq_ignore_ascii_case(key) && text == value)
            };
            assert!(
                has("title", "Song") && has("artist", "Singer"),
                "{container}: {tags:?}"
            );
            assert!(studio.codecs().contains(&"png".to_owned()), "{container}");
        }
    }
}

#[tokio::test]
async fn sound_that_is_cut_short_is_no_output() {
    let studio = Studio::new();
    let film = studio.tracks();
    let recipe = audio_only("flac", Container::Flac);
    let harmed = studio.encode_and(&film, &recipe, |output| {
        let half = studio
            .ffmpeg()
            .args(["-i"])
            .arg(output)
            .args(["-t", "0.5", "-f", "flac"])
            .arg(studio.path("half.flac"))
            .status();
        assert!(half.expect("ffmpeg runs").success());
        std::fs::copy(studio.path("half.flac"), output).expect("copied");
    });
    let failure = harmed.await.expect_err("half of the sound is missing");
    assert!(
        failure.message.contains("long where the input is"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_film_without_sound_has_nothing_to_give() {
    let studio = Studio::new();
    let silent = studio.clip("silent.mkv", "-frames:v 3 -c:v ffv1");
    let failed = studio
        .encode(&silent, &audio_only("copy", Container::Mka))
        .await;
    let failure = failed.expect_err("no sound");
    assert_eq!(failure.fault, Fault::Input);
    assert!(failure.message.contains("holds no audio"), "{failure}");
}
