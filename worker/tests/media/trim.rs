//! A part of an input: picture, sound, subtitles, chapters and timecode are cut together.

use std::path::{Path, PathBuf};

use common::job::changes::{Change, Fate, Kind};
use common::job::failure::Fault;
use common::recipe::{Audio, Container, Recipe};

use crate::studio;
use crate::studio::Studio;
use crate::times::{Sync, flash, pictures};

fn trimmed(recipe: Recipe, trim: &str, container: Container) -> Recipe {
    let edited = recipe.edit(|draft| {
        draft.trim = Some(trim.parse().expect("a part"));
        draft.container = container;
    });
    edited.expect("a sound recipe")
}

/// Encodes pictures without loss.
fn lossless(trim: &str, container: Container) -> Recipe {
    trimmed(studio::recipe("ffv1"), trim, container)
}

/// The change that says what was cut.
fn cut(changes: &[Change]) -> &Change {
    let mut cuts = changes
        .iter()
        .filter(|change| change.kind == Kind::Timing && change.track.is_none());
    cuts.next()
        .unwrap_or_else(|| panic!("no cut in {changes:#?}"))
}

fn times(studio: &Studio) -> Vec<f64> {
    let times = studio.times();
    times
        .iter()
        .map(|time| time.parse().expect("a time"))
        .collect()
}

/// A film of this length in seconds at 25 frames a second, with B-frames, a key frame every 0.8 s, and sound.
fn film(studio: &Studio, name: &str, length: u32, more: &str) -> PathBuf {
    studio.make(
        name,
        &format!(
            "-f lavfi -i testsrc2=size=64x36:rate=25:d={length} -f lavfi -i sine=d={length} -c:v libx264 -preset \
             ultrafast -bf 2 -g 20 -sc_threshold 0 -pix_fmt yuv420p -c:a aac {more}"
        ),
    )
}

#[tokio::test]
async fn the_pictures_are_exactly_those_of_the_part() {
    for studio in Studio::each() {
        let long_ts = film(&studio, "long.ts", 25, "");
        let late = film(&studio, "late.mkv", 4, "-output_ts_offset 7");
        let mkv = film(&studio, "film.mkv", 4, "");
        let mp4 = film(&studio, "film.mp4", 4, "");
        for (source, trim, from, to) in [
            (&mp4, "1-2", 25, 50),
            (&mp4, "0.36-2.6", 9, 65),
            (&mp4, "-1.5", 0, 38),
            (&mp4, "3-", 75, 100),
            (&mp4, "3.9-10", 98, 100),
            (&mkv, "1.96-3.08", 49, 77),
            (&late, "2-3", 50, 75),
            (&long_ts, "22.5-23.5", 562, 587),
        ] {
            let all = pictures(&studio, source);
            let checked = studio.encode(source, &lossless(trim, Container::Mkv)).await;
            let checked = checked.unwrap_or_else(|failure| panic!("{trim}: {failure}"));
            let made = pictures(&studio, &studio.output());
            // A file may begin with its sound, and count from there.
            let is_cut = [0, 1].iter().any(|off| {
                let (from, to) = (from + off, (to + off).min(all.len()));
                made == all[from..to]
            });
            assert!(
                is_cut,
                "{} {trim}: {} pictures",
                source.display(),
                made.len()
            );
            assert_eq!(checked.frames as usize, made.len());
            assert!(times(&studio)[0] < 0.041, "{trim}");
            let change = cut(&checked.changes);
            assert!(change.is_wanted && change.to.is_some(), "{change}");
        }
        // A frame that is missing is noticed.
        let short = studio.clip("short.mkv", "-frames:v 24 -c:v ffv1");
        let harmed = studio
            .encode_and(
                &mp4,
                &lossless("1-2", Container::Mkv)
                    .edit(|draft| draft.audio = Audio::None)
                    .expect("a sound recipe"),
                |output| drop(std::fs::copy(&short, output)),
            )
            .await;
        harmed.expect_err("it is another film");
    }
}

#[tokio::test]
async fn sound_and_picture_stay_together_at_both_ends() {
    for studio in Studio::each() {
        for (name, codecs) in [
            ("flash.mkv", "-c:v libx264 -preset ultrafast -bf 2 -c:a aac"),
            ("flash.mp4", "-c:v libx264 -preset ultrafast -bf 2 -c:a aac"),
            ("flash.ts", "-c:v libx264 -preset ultrafast -bf 2 -c:a mp2"),
        ] {
            let source = flash(&studio, name, codecs);
            for audio in ["copy", "flac", "libopus:96k"] {
                let recipe = trimmed(studio::recipe("ffv1"), "0.6-2", Container::Mkv)
                    .edit(|draft| draft.audio = audio.parse().expect("audio"))
                    .expect("a sound recipe");
                let checked = studio.encode(&source, &recipe).await;
                let checked = checked.unwrap_or_else(|failure| panic!("{name} {audio}: {failure}"));
                assert!(
                    (checked.duration - 1.4).abs() < 0.05,
                    "{name}: {}",
                    checked.duration
                );
                let sync = Sync::of(&studio, &studio.output());
                assert!(
                    (sync.flash - sync.beep).abs() < 0.02,
                    "{name} {audio}: {sync:?}"
                );
                assert!((sync.flash - 0.4).abs() < 0.06, "{name} {audio}: {sync:?}");
                assert!(sync.sound_starts < 0.05, "{name} {audio}: {sync:?}");
            }
        }
        // The end: both last as long as the part.
        let source = flash(
            &studio,
            "flash.mp4",
            "-c:v libx264 -preset ultrafast -bf 2 -c:a aac",
        );
        let recipe = trimmed(studio::recipe("ffv1"), "0.48-1.12", Container::Mkv)
            .edit(|draft| draft.audio = "flac".parse().expect("audio"))
            .expect("a sound recipe");
        studio.encode(&source, &recipe).await.expect("passes");
        assert_eq!(times(&studio).len(), 16);
        let samples = samples(&studio);
        assert!(samples.abs_diff(48 * 640) <= 48 * 20, "{samples}");
    }
}

/// The number of samples of the output's sound.
fn samples(studio: &Studio) -> usize {
    let sound = studio
        .ffmpeg()
        .arg("-i")
        .arg(studio.output())
        .args([
            "-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "s16le", "-",
        ])
        .output()
        .expect("ffmpeg runs");
    sound.stdout.len() / 2
}

#[tokio::test]
async fn a_picture_that_stays_long_is_shown_from_the_cut_on() {
    for studio in Studio::each() {
        let slides = studio.make(
            "slides.mkv",
            "-f lavfi -i testsrc2=size=64x36:rate=25 -f lavfi -i sine=d=12 -frames:v 3 -vf setpts=4*N/TB \
             -fps_mode passthrough -enc_time_base 1/1000 -c:v ffv1 -c:a aac",
        );
        let all = pictures(&studio, &slides);
        assert_eq!(all.len(), 3);
        studio
            .encode(&slides, &lossless("5-9", Container::Mkv))
            .await
            .expect("passes");
        assert_eq!(pictures(&studio, &studio.output()), all[1..]);
        let times = times(&studio);
        assert!(
            times[0] < 0.03 && (times[1] - 3.0).abs() < 0.03,
            "{times:?}"
        );
    }
}

#[tokio::test]
async fn copied_video_is_cut_at_key_frames_and_says_so() {
    for studio in Studio::each() {
        for name in ["film.mkv", "film.mp4"] {
            let source = film(&studio, name, 4, "");
            let all = pictures(&studio, &source);
            for container in [Container::Mkv, Container::Mp4] {
                let recipe = trimmed(studio::copy(), "1-2.2", container);
                let foreseen = studio.foresee(&source, &recipe).await.expect("told");
                let checked = studio.encode(&source, &recipe).await;
                let checked = checked.unwrap_or_else(|failure| panic!("{name}: {failure}"));
                assert_eq!(
                    pictures(&studio, &studio.output()),
                    all[20..60],
                    "{name} {container}"
                );
                assert!((checked.duration - 1.6).abs() < 0.1, "{}", checked.duration);
                let change = cut(&checked.changes);
                assert_eq!(change.fate, Fate::Converted);
                assert!(!change.is_wanted, "{change}");
                assert_eq!(cut(&foreseen), change);
                let samples = samples(&studio);
                assert!(samples.abs_diff(48 * 1600) <= 48 * 50, "{samples}");
            }
            // Where key frames are, nothing moves. Old versions begin the picture of an mkv a little later.
            if name == "film.mp4" {
                let recipe = trimmed(studio::copy(), "0.8-2.4", Container::Mp4);
                let checked = studio.encode(&source, &recipe).await.expect("passes");
                assert_eq!(pictures(&studio, &studio.output()).len(), 40);
                let change = cut(&checked.changes);
                assert!(change.is_wanted, "{change}");
            }
        }
        let source = flash(
            &studio,
            "flash.mp4",
            "-c:v libx264 -preset ultrafast -bf 2 -sc_threshold 0 -c:a aac",
        );
        let recipe = trimmed(studio::copy(), "0.9-", Container::Mp4);
        studio.encode(&source, &recipe).await.expect("passes");
        let sync = Sync::of(&studio, &studio.output());
        assert!((sync.flash - sync.beep).abs() < 0.02, "{sync:?}");
        assert!((sync.flash - 0.2).abs() < 0.06, "{sync:?}");
    }
}

#[tokio::test]
async fn a_part_after_the_end_is_the_inputs_fault() {
    let studio = Studio::new();
    let source = film(&studio, "film.mkv", 2, "");
    for recipe in [
        lossless("2.5-4", Container::Mkv),
        lossless("1:00-", Container::Mkv),
        trimmed(studio::copy(), "9-10", Container::Mp4),
    ] {
        let failure = studio
            .encode(&source, &recipe)
            .await
            .expect_err("nothing is left");
        assert_eq!(failure.fault, Fault::Input, "{failure}");
        assert!(failure.message.contains("is only 2."), "{failure}");
        let failure = studio
            .foresee(&source, &recipe)
            .await
            .expect_err("told before");
        assert_eq!(failure.fault, Fault::Input, "{failure}");
    }
}

/// Subtitles, chapters and a picture of three seconds.
fn texts(studio: &Studio) -> PathBuf {
    let (text, chapters) = (studio.path("text.srt"), studio.path("chapters.txt"));
    std::fs::write(
        &text,
        "1\n00:00:00,200 --> 00:00:01,500\nlasts into\n\n2\n00:00:00,300 --> 00:00:00,800\nends before\n\n\
         3\n00:00:01,600 --> 00:00:02,000\nwithin\n\n4\n00:00:02,200 --> 00:00:02,900\nlasts beyond\n\n",
    )
    .expect("written");
    std::fs::write(
        &chapters,
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=one\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\n\
         END=1800\ntitle=two\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1800\nEND=3000\ntitle=three\n",
    )
    .expect("written");
    studio.make(
        "texts.mkv",
        &format!(
            "-f lavfi -i testsrc2=size=64x36:rate=25:d=3 -i {} -i {} -map 0 -map 1 -map_chapters 2 -c:v libx264 -preset \
             ultrafast -g 20 -pix_fmt yuv420p -c:s srt",
            text.display(),
            chapters.display()
        ),
    )
}

#[tokio::test]
async fn subtitles_and_chapters_are_cut_with_the_picture() {
    for studio in Studio::each() {
        let source = texts(&studio);
        for container in [Container::Mkv, Container::Mp4] {
            let recipe = trimmed(studio::recipe("libx264"), "1-2.5", container);
            let checked = studio.encode(&source, &recipe).await.expect("passes");
            let text = studio.text();
            let cuts = container == Container::Mkv || studio.is_recent();
            for (shown, is_there) in [
                ("00:00:00,000 --> 00:00:00,500\nlasts into", cuts),
                ("00:00:00,600 --> 00:00:01,000\nwithin", true),
                ("00:00:01,200 --> 00:00:01,500\nlasts beyond", cuts),
                ("ends before", false),
            ] {
                assert_eq!(
                    text.contains(shown),
                    is_there,
                    "{container}: {shown}: {text}"
                );
            }
            let lost = checked.changes.iter().any(|change| {
                change.kind == Kind::Timing && change.is_loss() && change.track == Some(1)
            });
            assert_eq!(lost, !cuts, "{:#?}", checked.changes);
            let chapters: Vec<(f64, f64, String)> = checked
                .media
                .chapters
                .iter()
                .map(|chapter| (chapter.start, chapter.end, chapter.title.clone()))
                .collect();
            let named: Vec<&str> = chapters
                .iter()
                .map(|(_, _, title)| title.as_str())
                .collect();
            assert_eq!(named, ["two", "three"], "{container}");
            assert!(
                chapters[0].0 < 0.01 && (chapters[1].0 - 0.8).abs() < 0.01,
                "{chapters:?}"
            );
            let kept = checked
                .changes
                .iter()
                .find(|change| change.kind == Kind::Chapters);
            assert_eq!(kept.map(|change| change.fate), Some(Fate::Kept));
        }
    }
}

#[tokio::test]
async fn texts_in_an_old_encoding_are_kept_in_a_part() {
    for studio in Studio::each() {
        let source = texts(&studio);
        let mut bytes = std::fs::read(&source).expect("bytes");
        let at = bytes.windows(6).position(|six| six == b"within");
        let at = at.expect("the text is there");
        // An ö in Latin 1, which is no UTF-8.
        bytes[at + 1] = 0xF6;
        std::fs::write(&source, bytes).expect("written");
        let recipe = trimmed(studio::recipe("libx264"), "1.5-2.5", Container::Mp4);
        studio.encode(&source, &recipe).await.expect("passes");
        let made = std::fs::read(studio.output()).expect("bytes");
        assert!(made.windows(6).any(|six| six == b"w\xF6thin"));
    }
}

#[tokio::test]
async fn a_raw_stream_has_no_times_to_cut_at() {
    let studio = Studio::new();
    let source = studio.clip(
        "raw.h264",
        "-frames:v 20 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    for trim in ["0.1-", "30-"] {
        let failure = studio
            .foresee(&source, &lossless(trim, Container::Mkv))
            .await;
        let failure = failure.expect_err("it cannot be cut");
        assert_eq!(failure.fault, Fault::Input);
        assert!(failure.message.contains("without --trim"), "{failure}");
    }
}

#[tokio::test]
async fn subtitles_from_long_before_the_part_are_found() {
    let studio = Studio::new();
    let text = studio.path("long.srt");
    std::fs::write(&text, "1\n00:00:01,000 --> 00:00:09,000\nall along\n\n").expect("written");
    let source = studio.make(
        "long.mkv",
        &format!(
            "-f lavfi -i testsrc2=size=64x36:rate=5:d=10 -i {} -map 0 -map 1 -c:v libx264 -preset ultrafast -g 5 -pix_fmt \
             yuv420p -c:s srt",
            text.display()
        ),
    );
    let recipe = trimmed(studio::recipe("libx264"), "6-8", Container::Mkv);
    studio.encode(&source, &recipe).await.expect("passes");
    let text = studio.text();
    assert!(
        text.contains("00:00:00,000 --> 00:00:02,000\nall along"),
        "{text}"
    );
}

#[tokio::test]
async fn the_timecode_is_that_of_the_first_picture() {
    for studio in Studio::each() {
        let source = film(&studio, "coded.mov", 3, "-timecode 01:00:00:00");
        let recipe = trimmed(studio::recipe("libx264"), "1.2-2", Container::Mov);
        studio.encode(&source, &recipe).await.expect("passes");
        let told = studio.ask(&["-show_entries", "stream_tags=timecode"]);
        assert!(
            told.iter().all(|timecode| timecode == "01:00:01:05"),
            "{told:?}"
        );
        assert!(!told.is_empty());
    }
}

/// Where a byte of a file lies that only the picture at this time needs.
fn damage(studio: &Studio, file: &Path, frame: usize) {
    let packets = studio.packets(file, "v");
    let (at, size) = packets[frame];
    let mut bytes = std::fs::read(file).expect("bytes");
    bytes[at + size / 4..at + size].fill(0x55);
    std::fs::write(file, bytes).expect("written");
}

#[tokio::test]
async fn damage_elsewhere_in_the_input_does_not_matter() {
    let studio = Studio::new();
    let source = studio.make(
        "damaged.mp4",
        "-f lavfi -i testsrc2=size=160x90:rate=25:d=4 -c:v mpeg4 -g 5 -q:v 3",
    );
    damage(&studio, &source, 80);
    let strict = |trim: &str| {
        trimmed(studio::recipe("libx264"), trim, Container::Mkv)
            .edit(|draft| draft.strict_input = true)
            .expect("a sound recipe")
    };
    studio
        .encode(&source, &strict("0.4-2"))
        .await
        .expect("the damage is elsewhere");
    let failure = studio
        .encode(&source, &strict("2-4"))
        .await
        .expect_err("it is here");
    assert_eq!(failure.fault, Fault::Input, "{failure}");
}
