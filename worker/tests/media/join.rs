//! Joining parts: by copy where they are alike, else brought to the shape of the first and encoded.

use std::path::PathBuf;

use common::job::failure::Fault;
use common::job::further::Join;

use crate::studio::{self, Studio};

/// Sound of one frequency, as 8 kHz mono.
const RATE: usize = 8000;

/// A second of film with a tone of `pitch` Hz that lasts `sound` seconds.
fn part(studio: &Studio, name: &str, pitch: u32, sound: f64) -> PathBuf {
    let picture = "-f lavfi -i testsrc2=size=160x90:rate=25:duration=1";
    let tone = format!("-f lavfi -i sine=frequency={pitch}:duration={sound}");
    let how = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac";
    studio.make(name, &format!("{picture} {tone} {how}"))
}

/// The pitch of the output's sound around a time, from its zero crossings; 0 for silence.
fn pitch(studio: &Studio, at: f64) -> u32 {
    let sound = studio.pcm(RATE);
    let window = RATE / 20;
    let from = (at * RATE as f64) as usize;
    let samples = sound.get(from..from + window).expect("sound there");
    if samples.iter().all(|sample| sample.unsigned_abs() < 300) {
        return 0;
    }
    let is_crossing = |pair: &&[i16]| (pair[0] < 0) != (pair[1] < 0);
    let crossings = samples.windows(2).filter(is_crossing).count();
    (crossings * RATE / window / 2) as u32
}

fn is_near(pitch: u32, wanted: u32) -> bool {
    pitch.abs_diff(wanted) <= 40
}

/// Makes sure that the tone of the first part ends, and that of the second begins, within a frame of the join.
fn changes_at(studio: &Studio, join: f64, (before, after): (u32, u32)) {
    // A decoder needs a few frames of sound to be in tune again.
    let (earlier, later) = (pitch(studio, join - 0.12), pitch(studio, join + 0.1));
    assert!(is_near(earlier, before), "{earlier} before {join}");
    assert!(is_near(later, after), "{later} after {join}");
}

#[tokio::test]
async fn alike_parts_are_copied_and_each_is_a_chapter() {
    for studio in Studio::each() {
        let parts = [
            part(&studio, "it's one.mp4", 400, 1.0),
            part(&studio, "two.mp4", 800, 1.0),
            part(&studio, "three.mp4", 1600, 1.0),
        ];
        let recipe = studio::recipe("libx265");
        let checked = studio.join(&parts, &recipe, Join::CopyIfAlike).await;
        let checked = checked.expect("joined");
        assert_eq!(studio.codecs(), ["h264", "aac"], "copied");
        assert_eq!(checked.frames, 75);
        assert!((checked.duration - 3.0).abs() < 0.05, "{checked:?}");
        let chapters = studio.chapters();
        let titles: Vec<&str> = chapters.iter().map(|(title, _)| title.as_str()).collect();
        assert_eq!(titles, ["it's one", "two", "three"]);
        for (nth, (_, start)) in chapters.iter().enumerate() {
            assert!((start - nth as f64).abs() < 0.05, "{chapters:?}");
        }
        changes_at(&studio, 1.0, (400, 800));
        changes_at(&studio, 2.0, (800, 1600));
    }
}

#[tokio::test]
async fn sound_that_outlasts_its_picture_is_not_heard_over_the_next_part() {
    for studio in Studio::each() {
        let parts = [
            part(&studio, "one.mkv", 400, 1.6),
            part(&studio, "two.mkv", 800, 1.0),
        ];
        let checked = studio.join(&parts, &studio::copy(), Join::ByRecipe).await;
        assert_eq!(checked.expect("joined").frames, 50);
        changes_at(&studio, 1.0, (400, 800));
    }
}

#[tokio::test]
async fn parts_that_differ_are_brought_to_the_shape_of_the_first() {
    for studio in Studio::each() {
        let video = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
        let small = studio.make(
            "small.mp4",
            &format!(
                "-f lavfi -i testsrc2=size=128x96:rate=50:duration=1 -f lavfi -i sine=frequency=800:duration=1.4:sample_rate=48000 \
                 {video} -c:a aac -ac 2"
            ),
        );
        let silent = studio.clip("silent.mp4", &format!("-frames:v 25 {video}"));
        let parts = [part(&studio, "one.mp4", 400, 0.7), small, silent];
        let refused = studio.join(&parts, &studio::copy(), Join::ByRecipe).await;
        let refused = refused.expect_err("they differ");
        assert_eq!(refused.fault, Fault::Input);
        let why = "small cannot follow one by copy, because its size is 128x96, not 160x90";
        assert!(refused.message.contains(why), "{refused}");

        let recipe = studio::recipe("libx264");
        let checked = studio.join(&parts, &recipe, Join::CopyIfAlike).await;
        let checked = checked.expect("joined");
        assert_eq!(studio.codecs(), ["h264", "aac"]);
        assert_eq!(checked.frames, 75, "50 frames a second become 25");
        assert!((checked.duration - 3.0).abs() < 0.05, "{checked:?}");
        assert_eq!(pitch(&studio, 0.8), 0, "padded");
        assert!(is_near(pitch(&studio, 0.4), 400));
        assert!(is_near(pitch(&studio, 1.1), 800));
        assert!(is_near(pitch(&studio, 1.85), 800));
        assert_eq!(pitch(&studio, 2.2), 0, "cut, and silence where no sound is");
    }
}

#[tokio::test]
async fn a_stream_of_a_disc_that_was_cut_anywhere_is_whole_again() {
    for studio in Studio::each() {
        let whole = studio.make(
            "whole.vob",
            "-f lavfi -i testsrc2=size=160x96:rate=25:duration=4 -f lavfi -i sine=frequency=800:duration=4 \
             -c:v mpeg2video -g 12 -bf 2 -c:a ac3 -f vob",
        );
        let bytes = std::fs::read(&whole).expect("bytes");
        let cut = bytes.len() / 2 / 2048 * 2048;
        let parts = ["VTS_01_1.VOB", "VTS_01_2.VOB"].map(|name| studio.path(name));
        std::fs::write(&parts[0], &bytes[..cut]).expect("written");
        std::fs::write(&parts[1], &bytes[cut..]).expect("written");
        let checked = studio.join(&parts, &studio::copy(), Join::ByRecipe).await;
        assert_eq!(checked.expect("joined").frames, 100);
        assert!(is_near(pitch(&studio, 1.9), 800));
    }
}
