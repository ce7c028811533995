//! Tracks chosen by language, by the forced flag and as SDH.

use std::path::{Path, PathBuf};
use std::process::Command;

use common::job::changes::{Fate, Kind};
use common::recipe::{Container, Flagged, Recipe, RecipeDraft, SubtitleTracks};
use serde_json::Value;

use crate::studio;
use crate::studio::Studio;
use crate::subtitles::{film, join, srt, write};

/// A film with five subtitle tracks: English (default), German, English forced, English SDH by its flag, and English
/// SDH by its title.
fn source(studio: &Studio) -> PathBuf {
    let film = film(studio);
    let words = write(studio, "a.srt", srt(&[(100, 900, "Hallo")]));
    let mut arguments = vec![film.as_str()];
    for track in [
        &[
            "--language",
            "0:eng",
            "--default-track-flag",
            "0:1",
            "--track-name",
            "0:Full",
        ][..],
        &[
            "--language",
            "0:ger",
            "--default-track-flag",
            "0:0",
            "--track-name",
            "0:Deutsch",
        ],
        &[
            "--language",
            "0:eng",
            "--default-track-flag",
            "0:0",
            "--forced-display-flag",
            "0:1",
        ],
        &[
            "--language",
            "0:eng",
            "--default-track-flag",
            "0:0",
            "--hearing-impaired-flag",
            "0:1",
        ],
        &[
            "--language",
            "0:eng",
            "--default-track-flag",
            "0:0",
            "--track-name",
            "0:English (SDH)",
        ],
    ] {
        arguments.extend(track);
        arguments.push(&words);
    }
    join(studio, "source.mkv", &arguments)
}

fn recipe(container: Container, change: impl FnOnce(&mut SubtitleTracks)) -> Recipe {
    let edit = |draft: &mut RecipeDraft| {
        draft.container = container;
        change(&mut draft.subtitle_tracks);
    };
    studio::copy().edit(edit).expect("a sound recipe")
}

/// The subtitle tracks of the output, as mkvmerge identifies them: language, name, and flags.
fn identified(output: &Path) -> Vec<String> {
    let said = Command::new("mkvmerge").arg("-J").arg(output).output();
    let said: Value = serde_json::from_slice(&said.expect("mkvmerge").stdout).expect("JSON");
    let tracks = said["tracks"].as_array().expect("tracks").iter();
    let subtitles = tracks.filter(|track| track["type"] == "subtitles");
    let words = subtitles.map(|track| {
        let of = &track["properties"];
        let flag = |key: &str| of[format!("{key}_track").as_str()] == true || of[key] == true;
        let mut words = vec![of["language"].as_str().unwrap_or("none")];
        words.extend(of["track_name"].as_str());
        words.extend(flag("default").then_some("default"));
        words.extend(flag("forced").then_some("forced"));
        words.extend(flag("flag_hearing_impaired").then_some("sdh"));
        words.join(" ")
    });
    words.collect()
}

#[tokio::test]
async fn tracks_are_chosen_by_language_forced_flag_and_sdh() {
    const FULL: &str = "eng Full default";
    const GERMAN: &str = "ger Deutsch";
    const FORCED: &str = "eng forced";
    const SDH: [&str; 2] = ["eng sdh", "eng English (SDH)"];
    for studio in Studio::each() {
        let source = source(&studio);
        let languages = |list: &[&str]| list.iter().map(|one| one.parse().expect("one")).collect();
        for (change, left) in [
            (
                &(|tracks: &mut SubtitleTracks| tracks.languages = languages(&["deu", "en"]))
                    as &dyn Fn(&mut SubtitleTracks),
                vec![GERMAN, FULL, FORCED, SDH[0], SDH[1]],
            ),
            (
                &|tracks| tracks.languages = languages(&["ger"]),
                // The default track was left out, and this one takes its place.
                vec!["ger Deutsch default"],
            ),
            (&|tracks| tracks.forced = Flagged::Only, vec![FORCED]),
            (
                &|tracks| tracks.sdh = Flagged::Only,
                vec!["eng default sdh", SDH[1]],
            ),
            (
                &|tracks| {
                    tracks.sdh = Flagged::Drop;
                    tracks.forced = Flagged::Drop;
                },
                vec![FULL, GERMAN],
            ),
            (&|tracks| tracks.languages = languages(&["fra"]), vec![]),
        ] {
            let recipe = recipe(Container::Mkv, change);
            let checked = studio.encode(&source, &recipe).await.expect("made");
            assert_eq!(identified(&studio.output()), left);
            let dropped = checked
                .changes
                .iter()
                .filter(|change| change.fate == Fate::Lost);
            let dropped: Vec<_> = dropped.collect();
            let are_wanted = dropped
                .iter()
                .all(|change| change.is_wanted && change.kind == Kind::Track);
            assert!(are_wanted, "{dropped:?}");
            assert_eq!(dropped.len(), 5 - left.len());
            // What was foreseen is what came about.
            let foreseen = studio.foresee(&source, &recipe).await.expect("foreseen");
            for change in dropped {
                let told = foreseen.iter().find(|told| told.track == change.track);
                assert_eq!(told.expect("foreseen").why, change.why);
            }
        }
    }
}

#[tokio::test]
async fn a_dropped_track_is_no_loss_that_a_recipe_forbids() {
    for studio in Studio::each() {
        let source = source(&studio);
        let careful = recipe(Container::Mp4, |tracks| tracks.forced = Flagged::Only)
            .edit(|draft| draft.refuse_loss = [Kind::Track].into())
            .expect("a sound recipe");
        studio.encode(&source, &careful).await.expect("made");
        let made = studio.made().await;
        let marks: Vec<_> = made
            .streams
            .iter()
            .map(|stream| &stream.dispositions)
            .collect();
        assert_eq!(marks.len(), 3);
        assert!(marks[2].contains("forced"), "{marks:?}");
        assert_eq!(made.streams[2].tags["language"], "eng");
    }
}
