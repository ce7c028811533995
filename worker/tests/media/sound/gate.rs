//! The publish gate knows which audio tracks were asked for, and when they are heard.

use std::path::Path;
use std::process::Command;

use common::recipe::Container;

use crate::sound::keeping;
use crate::studio::Studio;

/// A change of an output: what is wrong with it, and the arguments of ffmpeg that make it so.
const WRONGS: &[(&str, &str)] = &[
    (
        "language of the output's audio track 1 is eng where ger was asked for",
        "-map 0 -c copy -metadata:s:a:0 language=eng",
    ),
    (
        "mark of the output's audio track 1 is not default",
        "-map 0 -c copy -disposition:a:0 0 -disposition:a:1 default",
    ),
    (
        "mark of the output's audio track 2 is not comment",
        "-map 0 -c copy -disposition:a:1 0",
    ),
    (
        "layout of the output's audio track 1 is mono",
        "-map 0 -c copy -c:a:0 aac -ac:a:0 1",
    ),
    (
        "output has 4 tracks where 3 were asked for",
        "-map 0 -map 0:a:0 -c copy",
    ),
    (
        "s later than in the input",
        "-itsoffset 0.8 -i OUTPUT -map 0:v -map 1:a -c copy -t 3",
    ),
    (
        "s earlier than in the input",
        "-t 2 -i OUTPUT -map 0:v -map 1:a -c copy",
    ),
];

fn remade(studio: &Studio, output: &Path, arguments: &str) {
    let wrong = output.with_file_name("wrong");
    let words = arguments.split(' ');
    let mut ffmpeg: Command = studio.ffmpeg();
    ffmpeg.arg("-i").arg(output);
    for word in words {
        match word {
            "OUTPUT" => ffmpeg.arg(output),
            word => ffmpeg.arg(word),
        };
    }
    let made = ffmpeg.args(["-f", "matroska"]).arg(&wrong).output();
    let made = made.expect("ffmpeg runs");
    let complaints = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{arguments}: {complaints}");
    std::fs::rename(&wrong, output).expect("replaced");
}

#[tokio::test]
async fn an_output_with_wrong_sound_does_not_pass() {
    for studio in &Studio::each() {
        let source = studio.make(
            "film.mkv",
            "-f lavfi -i testsrc2=size=160x90:rate=25:d=3 -f lavfi -i sine=d=3:r=48000 -map 0 -map 1 -map 1 -map 1 \
             -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a flac -ac 2 -metadata:s:a:0 language=eng \
             -metadata:s:a:1 language=ger -metadata:s:a:2 language=ger -disposition:a:2 comment",
        );
        let recipe = keeping("aac", Container::Mkv)
            .edit(|draft| {
                draft.audio_tracks.languages = vec!["de".parse().expect("a language")];
            })
            .expect("a sound recipe");
        let right = studio.encode(&source, &recipe).await;
        right.unwrap_or_else(|failure| panic!("{failure}"));
        for (why, arguments) in WRONGS {
            let harm = |output: &Path| remade(studio, output, arguments);
            let failure = studio.encode_and(&source, &recipe, harm).await;
            let failure = failure.expect_err(why);
            assert!(failure.message.contains(why), "{why}: {failure}");
        }
    }
}

#[tokio::test]
async fn sound_that_begins_later_than_its_picture_still_does() {
    for studio in &Studio::each() {
        let source = studio.make(
            "late.mkv",
            "-f lavfi -i testsrc2=size=160x90:rate=25:d=3 -itsoffset 1 -f lavfi -i sine=d=1.5:r=48000 \
             -map 0 -map 1 -map 1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a:0 flac -c:a:1 ac3",
        );
        for container in [Container::Mkv, Container::Mp4] {
            for audio in ["copy", "aac", "libopus"] {
                let made = studio.encode(&source, &keeping(audio, container)).await;
                made.unwrap_or_else(|failure| panic!("{audio} in {container}: {failure}"));
                let starts =
                    studio.ask(&["-select_streams", "a", "-show_entries", "stream=start_time"]);
                for start in starts {
                    let start: f64 = start.parse().expect("a time");
                    assert!((start - 1.0).abs() < 0.1, "{audio} in {container}: {start}");
                }
            }
        }
    }
}
