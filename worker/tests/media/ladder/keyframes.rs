//! Keyframes are at the same times, whichever encoder sets them.

use std::path::Path;

use worker::ffmpeg::containers::cmaf;

use super::{ladder, recipe};
use crate::studio::Studio;

/// The times of all keyframes, in milliseconds, and the number of frames.
fn keyframes(studio: &Studio, file: &Path) -> (Vec<u64>, usize) {
    let told = studio
        .ffprobe()
        .args(["-show_entries", "packet=pts_time,flags"])
        .arg(file)
        .output()
        .expect("ffprobe runs");
    let told = String::from_utf8(told.stdout).expect("text");
    let mut times: Vec<u64> = told
        .lines()
        .filter(|line| line.contains('K'))
        .map(|line| {
            let time = line.split(',').next().expect("a time");
            let time: f64 = time.parse().expect("a number");
            (time * 1000.0).round() as u64
        })
        .collect();
    times.sort_unstable();
    (times, told.lines().filter(|line| !line.is_empty()).count())
}

#[tokio::test]
async fn renditions_of_every_encoder_have_the_same_keyframes() {
    for studio in Studio::each() {
        // A cut to another scene at 1.4 s, a gap over the second 2, and a rate that never meets a whole second.
        let film = studio.make(
            "film.mkv",
            "-f lavfi -i testsrc2=size=128x72:rate=24000/1001:duration=4.4 \
             -vf drawbox=color=red:t=fill:enable='between(t,1.4,1.7)',select='not(between(t,1.9,2.3))',settb=1/1000 \
             -fps_mode passthrough -c:v ffv1",
        );
        let mut first = None;
        for (encoder, codec) in [
            ("libx264", "avc1."),
            ("libx265", "hvc1."),
            ("libsvtav1", "av01."),
        ] {
            let made = ladder(&studio, &film, &recipe(encoder), &["-2x64", "-2x72"]).await;
            for stream in &made.streams {
                assert!(stream.codecs.starts_with(codec), "{}", stream.codecs);
                let file = stream.file.path().expect("a file");
                let (times, frames) = keyframes(&studio, &file);
                // The first frames at or after each second; 2.336 s is the first one after the gap.
                assert_eq!(times, [0, 1001, 2336, 3003, 4004], "{encoder}");
                assert_eq!(*first.get_or_insert(frames), frames, "{encoder}");
            }
        }
    }
}

#[tokio::test]
async fn a_film_without_these_keyframes_is_no_ladder() {
    let studio = &Studio::each()[0];
    let segment = "1s".parse().expect("a length");
    let second = "-f lavfi -i testsrc2=size=160x90:rate=24 -t 3 -pix_fmt yuv420p";
    for (name, how, why) in [
        (
            "none.mp4",
            "-c:v libx264 -sc_threshold 0 -g 250",
            "set no keyframe at 1.000 s",
        ),
        (
            "open.mp4",
            "-c:v mpeg2video -sc_threshold 1000000000 -bf 2 -b_strategy 0 -g 24",
            "needs frames of the segment before it",
        ),
    ] {
        let film = studio.make(name, &format!("{second} {how}"));
        let from = std::fs::File::open(film).expect("a file");
        let into = tempfile::tempfile().expect("a file");
        let refused = cmaf::package(&from, 0, segment, &into, &|| false);
        let refused = refused.expect_err(why).to_string();
        assert!(refused.contains(why), "{refused}");
    }
    let good = studio.make(
        "good.mp4",
        &format!("{second} -c:v libx264 -sc_threshold 0 -g 24 -flags +cgop"),
    );
    let from = std::fs::File::open(good).expect("a file");
    let into = tempfile::tempfile().expect("a file");
    let stopped = cmaf::package(&from, 0, segment, &into, &|| true);
    assert_eq!(
        stopped.expect_err("stopped").kind(),
        std::io::ErrorKind::Interrupted
    );
    let good = cmaf::package(&from, 0, segment, &into, &|| false).expect("a ladder");
    assert_eq!(good.segments.len(), 3);
}
