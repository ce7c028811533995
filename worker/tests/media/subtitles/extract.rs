//! Subtitle tracks as files beside the output.

use std::path::PathBuf;

use common::job::changes::{Fate, Kind};
use common::recipe::{Audio, Captions, Container, Recipe, RecipeDraft, Subtitles, Video};
use worker::attempt::steps::Verified;

use crate::picture::captions::captioned;
use crate::studio;
use crate::studio::{Studio, bluray};
use crate::subtitles::{film, join, srt, write};

fn recipe(change: impl FnOnce(&mut RecipeDraft)) -> Recipe {
    let edit = |draft: &mut RecipeDraft| {
        draft.subtitle_tracks.extract = true;
        change(draft);
    };
    studio::copy().edit(edit).expect("a sound recipe")
}

/// The files of a job by the ends of their names, with their content.
fn files(verified: &Verified) -> Vec<(String, Vec<u8>)> {
    let made = verified.companions.iter();
    let read = made.map(|made| {
        let bytes = std::fs::read(made.file.path()).expect("it is there");
        (made.suffix.to_string(), bytes)
    });
    read.collect()
}

async fn extracted(
    studio: &Studio,
    source: &std::path::Path,
    recipe: &Recipe,
) -> Vec<(String, Vec<u8>)> {
    let verified = studio.verified(source, recipe).await;
    files(&verified.unwrap_or_else(|failure| panic!("{failure}")))
}

fn text<'a>(files: &'a [(String, Vec<u8>)], name: &str) -> &'a str {
    let file = files.iter().find(|(suffix, _)| suffix == name);
    let (_, bytes) = file.unwrap_or_else(|| panic!("no {name} in {files:?}"));
    std::str::from_utf8(bytes).expect("text")
}

/// When the cues of a SubRip file begin, and what they say.
fn cues(text: &str) -> Vec<(f64, String)> {
    let mut cues = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((start, _)) = line.split_once(" --> ") else {
            continue;
        };
        let (_, seconds) = start.rsplit_once(':').expect("a time");
        let seconds = seconds.replace(',', ".").parse().expect("seconds");
        cues.push((seconds, lines.next().unwrap_or_default().to_owned()));
    }
    cues
}

const STYLED: &str = "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n\
    Style: Top,DejaVu Sans,20\n\n[Events]\nFormat: Layer, Start, End, Style, Text\n\
    Dialogue: 0,0:00:00.40,0:00:00.80,Top,Hallo\n";

/// A film with six subtitle tracks.
fn source(studio: &Studio) -> PathBuf {
    let film = film(studio);
    let english = write(
        studio,
        "en.srt",
        srt(&[(400, 800, "Hello"), (1200, 1600, "<i>Bye</i>")]),
    );
    let forced = write(studio, "forced.srt", srt(&[(600, 700, "Nyet")]));
    let styled = write(studio, "de.ass", STYLED);
    let disc = write(studio, "fr.sup", bluray(400, 800));
    let second = write(studio, "second.srt", srt(&[(500, 600, "again")]));
    let mut arguments = vec![film.as_str()];
    for (more, file) in [
        (&["--language", "0:eng"][..], &english),
        (
            &["--language", "0:eng", "--forced-display-flag", "0:1"],
            &forced,
        ),
        (&["--language", "0:ger"], &styled),
        (
            &["--language", "0:fre", "--hearing-impaired-flag", "0:1"],
            &disc,
        ),
        (&["--language", "0:eng"], &second),
    ] {
        arguments.extend(more);
        arguments.push(file);
    }
    join(studio, "source.mkv", &arguments)
}

#[tokio::test]
async fn each_chosen_track_is_a_file_of_its_form() {
    for studio in Studio::each() {
        let source = source(&studio);
        // Pictures have no place in mp4. As a file, they are not lost.
        let careful = recipe(|draft| {
            draft.container = Container::Mp4;
            draft.refuse_loss = [Kind::Track].into();
        });
        let foreseen = studio.foresee(&source, &careful).await.expect("told");
        let verified = studio.verified(&source, &careful).await.expect("made");
        let files = files(&verified);
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let expected = [
            "en.srt",
            "en.forced.srt",
            "de.ass",
            "fr.sdh.sup",
            "en.2.srt",
        ];
        assert_eq!(names, expected);
        let english = text(&files, "en.srt");
        assert_eq!(
            english,
            srt(&[(400, 800, "Hello"), (1200, 1600, "<i>Bye</i>")])
        );
        assert!(text(&files, "en.forced.srt").contains("Nyet"));
        let styled = text(&files, "de.ass");
        assert!(styled.contains("Style: Top,DejaVu Sans,20"), "{styled}");
        assert!(styled.contains("0:00:00.40,0:00:00.80"), "{styled}");
        let disc = verified.companions[3].file.path();
        assert_eq!(
            studio.judged(disc)["streams"][0]["codec_name"],
            "hdmv_pgs_subtitle"
        );
        let shown = files[3].1.windows(2).filter(|bytes| bytes == b"PG").count();
        assert_eq!(shown, 8, "every segment is there");
        assert_eq!(studio.codecs()[2..], ["mov_text"; 4]);
        let of_pictures = |change: &&common::job::changes::Change| {
            change.kind == Kind::Track && change.track == Some(5)
        };
        for changes in [&foreseen, &verified.checked.changes] {
            let told: Vec<_> = changes.iter().filter(of_pictures).collect();
            assert_eq!(told.len(), 1, "{told:?}");
            assert_eq!((told[0].fate, told[0].is_wanted), (Fate::Converted, true));
            assert!(told[0].to_string().contains("fr.sdh.sup"), "{}", told[0]);
        }
    }
}

#[tokio::test]
async fn tracks_that_the_output_leaves_out_are_files_all_the_same() {
    for studio in Studio::each() {
        let source = source(&studio);
        let english = |draft: &mut RecipeDraft| {
            draft.subtitle_tracks.languages = vec!["eng".parse().expect("a language")];
        };
        let none = recipe(|draft| {
            english(draft);
            draft.subtitles = Subtitles::None;
        });
        let sound = recipe(|draft| {
            english(draft);
            (draft.video, draft.audio) = (Video::None, Audio::Copy);
            draft.container = Container::M4a;
        });
        for recipe in [none, sound] {
            let verified = studio.verified(&source, &recipe).await.expect("made");
            let names: Vec<String> = files(&verified).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["en.srt", "en.forced.srt", "en.2.srt"]);
            assert!(!studio.codecs().contains(&"subrip".to_owned()));
            let mut told = verified.checked.changes.iter();
            let told = told.find(|change| change.track == Some(2) && change.kind == Kind::Track);
            let told = told.expect("it is told").to_string();
            assert!(told.contains("en.srt"), "{told}");
        }
    }
}

#[tokio::test]
async fn other_forms_of_text_become_subrip_and_other_pictures_matroska() {
    for studio in Studio::each() {
        let film = film(&studio);
        let words = write(&studio, "a.srt", srt(&[(400, 800, "Hello")]));
        let mp4 = format!(
            "-i {film} -i {words} -map 0 -map 1 -c copy -c:s mov_text -metadata:s:s:0 language=eng"
        );
        let mp4 = studio.make("text.mp4", &mp4);
        let files = extracted(&studio, &mp4, &recipe(|_| {})).await;
        assert_eq!(text(&files, "en.srt"), srt(&[(400, 800, "Hello")]));
        let browser = write(
            &studio,
            "a.vtt",
            "WEBVTT\n\n00:00:00.400 --> 00:00:00.800 line:0\nHello\n",
        );
        let disc = write(&studio, "disc.sup", bluray(400, 800));
        let disc = join(&studio, "disc.mkv", &[&film, "--language", "0:eng", &disc]);
        let disc = disc.display();
        let dvd =
            format!("-fix_sub_duration -i {disc} -i {browser} -map 0 -map 1 -c copy -c:s:0 dvdsub");
        let dvd = studio.make("dvd.mkv", &dvd);
        let verified = studio.verified(&dvd, &recipe(|_| {})).await.expect("made");
        let made = &verified.companions;
        assert_eq!(made[0].suffix.to_string(), "en.mks");
        let judged = studio.judged(made[0].file.path());
        assert_eq!(judged["streams"].as_array().expect("streams").len(), 1);
        assert_eq!(judged["streams"][0]["codec_name"], "dvd_subtitle");
        assert_eq!(judged["streams"][0]["tags"]["language"], "eng");
        let all = super::extract::files(&verified);
        let browser = text(&all, "vtt");
        assert!(
            browser.starts_with("WEBVTT") && browser.contains("line:0"),
            "{browser}"
        );
    }
}

#[tokio::test]
async fn files_are_cut_with_the_film() {
    const CUES: [(u32, u32, &str); 4] = [
        (200, 1300, "lasts into"),
        (300, 800, "ends before"),
        (1400, 1500, "within"),
        (1700, 1900, "lasts beyond"),
    ];
    for studio in Studio::each() {
        let film = film(&studio);
        let words = write(&studio, "a.srt", srt(&CUES));
        let disc = write(&studio, "disc.sup", bluray(1200, 1600));
        let source = join(&studio, "cut.mkv", &[&film, &words, &disc]);
        // mp4 ends a cue where the next one begins.
        let apart = write(&studio, "b.srt", srt(&[CUES[0], CUES[2], CUES[3]]));
        let mp4 = format!("-i {film} -i {apart} -map 0 -map 1 -c copy -c:s mov_text");
        let mp4 = studio.make("cut.mp4", &mp4);
        let late = format!("-i {} -map 0 -c copy -output_ts_offset 7", source.display());
        let late = studio.make("late.mkv", &late);
        let cut = studio::with(studio::recipe("libx264"), |video| {
            video.preset = Some("ultrafast".parse().expect("a token"));
        });
        let cut = cut.edit(|draft| {
            draft.subtitle_tracks.extract = true;
            draft.trim = Some("1-1.8".parse().expect("a part"));
        });
        let cut = cut.expect("a sound recipe");
        let whole = srt(&[
            (0, 300, "lasts into"),
            (400, 500, "within"),
            (700, 800, "lasts beyond"),
        ]);
        for source in [&source, &late] {
            let verified = studio.verified(source, &cut).await.expect("made");
            let made = files(&verified);
            // The clock of the film that begins late counts from its sound, which is a little earlier.
            let (found, expected) = (cues(text(&made, "srt")), cues(&whole));
            assert_eq!(found.len(), 3, "{found:?}");
            for (cue, expected) in found.iter().zip(&expected) {
                assert_eq!(cue.1, expected.1);
                assert!((cue.0 - expected.0).abs() < 0.03, "{cue:?}");
            }
            let disc = studio.judged(verified.companions[1].file.path());
            let start: f64 = disc["streams"][0]["start_time"]
                .as_str()
                .and_then(|start| start.parse().ok())
                .expect("a time");
            assert!((start - 0.2).abs() < 0.03, "{start}");
        }
        // Old versions of ffmpeg cannot cut the times of a text that they convert, and this is told.
        let verified = studio.verified(&mp4, &cut).await.expect("made");
        let made = files(&verified);
        let said: Vec<String> = cues(text(&made, "srt"))
            .into_iter()
            .map(|(_, words)| words)
            .collect();
        let is_lost = !studio.is_recent();
        let expected: &[&str] = match is_lost {
            // The last one lasts as long as in the film.
            true => &["within", "lasts beyond"],
            false => &["lasts into", "within", "lasts beyond"],
        };
        assert_eq!(said, expected);
        let mut changes = verified.checked.changes.iter();
        let told = changes.any(|change| change.kind == Kind::Timing && change.is_loss());
        assert_eq!(told, is_lost);
    }
}

#[tokio::test]
async fn captions_become_a_file_too() {
    for studio in Studio::each() {
        let source = captioned(&studio);
        let recipe = recipe(|draft| draft.captions = Captions::Srt);
        let files = extracted(&studio, &source, &recipe).await;
        assert_eq!(files.len(), 1, "{files:?}");
        assert!(text(&files, "srt").contains("HELLO"), "{files:?}");
    }
}

#[tokio::test]
async fn a_track_without_a_text_makes_no_file() {
    for studio in Studio::each() {
        let film = film(&studio);
        let words = write(&studio, "a.srt", srt(&[(1500, 1900, "later")]));
        let source = join(&studio, "later.mkv", &[&film, &words]);
        // With the video as it is, the part would end at the next key frame.
        let part = studio::recipe("libx264").edit(|draft| {
            draft.subtitle_tracks.extract = true;
            draft.trim = Some("0-1".parse().expect("a part"));
        });
        let files = extracted(&studio, &source, &part.expect("a sound recipe")).await;
        assert!(files.is_empty(), "{files:?}");
    }
}
