//! Inputs that end too early.

use std::path::PathBuf;

use common::job::changes::{Change, Fate, Kind};

use crate::faults::recipes::not_kept;
use crate::faults::{FILM, H264, refused};
use crate::studio;
use crate::studio::Studio;

/// A file cut off after `kept` percent of its bytes.
fn cut(studio: &Studio, name: &str, arguments: &str, kept: usize) -> PathBuf {
    let whole = studio.clip(&format!("whole-{name}"), &format!("{FILM} {arguments}"));
    let bytes = std::fs::read(whole).expect("bytes");
    let path = studio.path(name);
    std::fs::write(&path, &bytes[..bytes.len() * kept / 100]).expect("room");
    path
}

#[tokio::test]
async fn an_input_that_ends_early_is_reported_once_with_its_seconds() {
    for studio in Studio::each() {
        let recipe = studio::recipe("libx264");
        let fragments = format!("{H264} -movflags +frag_keyframe+empty_moov");
        let faststart = format!("{H264} -movflags +faststart");
        let avi = "-c:v mpeg4 -c:a libmp3lame";
        let webm = "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus";
        for (name, arguments, words) in [
            ("cut.mkv", H264, "of 3.0 s"),
            ("cut.webm", webm, "of 3.0 s"),
            ("cut.mp4", &faststart, "of 3.0 s"),
            ("cut.mov", &faststart, "of 3.0 s"),
            ("fragments.mp4", &fragments, "source is damaged: it ends at"),
            ("cut.avi", avi, "of 3.0 s"),
            ("cut.flv", H264, "source is damaged: it ends at"),
            ("no-index.mp4", H264, "moov atom not found"),
        ] {
            let source = cut(&studio, name, arguments, 60);
            refused(&studio, &source, &recipe, words).await;
        }
        // A piece of a broadcast does not state its length, so nothing is missing from it.
        for (name, arguments) in [
            ("cut.ts", H264),
            ("cut.mpg", "-c:v mpeg2video -c:a mp2 -f mpeg"),
        ] {
            let source = cut(&studio, name, arguments, 60);
            let checked = studio.encode(&source, &recipe).await.expect(name);
            assert!(checked.frames > 30, "{name}: {checked:#?}");
        }
        // The end of the file is missing, but not the end of the film.
        let source = cut(&studio, "index.mkv", H264, 100);
        let bytes = std::fs::read(&source).expect("bytes");
        std::fs::write(&source, &bytes[..bytes.len() - 10]).expect("room");
        let checked = studio.encode(&source, &recipe).await.expect("whole enough");
        assert_eq!(checked.frames, 75);
        assert_eq!(not_kept(&checked.changes), Vec::<&Change>::new());
    }
}

#[tokio::test]
async fn an_empty_input_is_refused_at_once() {
    for studio in Studio::each() {
        let recipe = studio::recipe("libx264");
        let whole = studio.clip(
            "whole.mp4",
            &format!("{FILM} {H264} -movflags +frag_keyframe+empty_moov+default_base_moof"),
        );
        let bytes = std::fs::read(whole).expect("bytes");
        let header = bytes
            .windows(4)
            .position(|kind| kind == b"moof")
            .expect("a fragment");
        let files: [(&str, Vec<u8>, &str); 4] = [
            ("header.mp4", bytes[..header - 4].to_vec(), "holds no"),
            (
                "zeros.mp4",
                vec![0; 100_000],
                "no media that ffmpeg can read",
            ),
            (
                "zeros.mkv",
                vec![0; 1 << 20],
                "no media that ffmpeg can read",
            ),
            ("empty.mkv", Vec::new(), "no media that ffmpeg can read"),
        ];
        for (name, bytes, words) in files {
            let source = studio.path(name);
            std::fs::write(&source, bytes).expect("room");
            refused(&studio, &source, &recipe, words).await;
        }
        let whole = studio.clip("whole.mkv", &format!("{FILM} {H264}"));
        let bytes = std::fs::read(whole).expect("bytes");
        let cluster = bytes
            .windows(4)
            .position(|id| id == [0x1f, 0x43, 0xb6, 0x75])
            .expect("a cluster");
        let source = studio.path("header.mkv");
        std::fs::write(&source, &bytes[..cluster]).expect("room");
        refused(&studio, &source, &recipe, "").await;
    }
}

#[tokio::test]
async fn a_wrong_stated_duration_is_not_believed() {
    for studio in Studio::each() {
        let whole = studio.clip("whole.mkv", &format!("{FILM} {H264}"));
        let mut bytes = std::fs::read(whole).expect("bytes");
        // The element Duration, a float of eight bytes, in milliseconds.
        let place = bytes
            .windows(3)
            .position(|id| id == [0x44, 0x89, 0x88])
            .expect("a length");
        bytes[place + 3..place + 11].copy_from_slice(&143_165_640_f64.to_be_bytes());
        let source = studio.path("absurd.mkv");
        std::fs::write(&source, bytes).expect("room");
        let media = studio.probe(&source).await.expect("media");
        assert!(media.duration > Some(143_000.0), "{media:#?}");
        assert_eq!(media.likely_duration(), None);
        let recipe = studio::recipe("libx264");
        let checked = studio.encode(&source, &recipe).await.expect("all of it");
        assert_eq!(checked.frames, 75);
        let [change] = not_kept(&checked.changes)[..] else {
            panic!("{:#?}", checked.changes)
        };
        assert_eq!((change.kind, change.fate), (Kind::Timing, Fate::Converted));
        assert!(change.to_string().contains("143165"), "{change}");
    }
}
