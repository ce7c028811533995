//! Joining parts: by copy where they are alike, else brought to the shape of the first and encoded.

use std::path::PathBuf;

use common::job::changes::{Fate, Kind};
use common::job::failure::Fault;
use common::job::further::Join;
use common::recipe::{AudioOutput, AudioRule, QualityTarget, Rate};

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

/// The pitch of one of the output's audio tracks in the middle of its second part.
fn pitch_of(studio: &Studio, track: usize) -> u32 {
    let heard = studio
        .ffmpeg()
        .args(["-ss", "1.3", "-t", "0.4", "-i"])
        .arg(studio.output())
        .args(["-map", &format!("0:a:{track}"), "-ar", &RATE.to_string()])
        .args(["-ac", "1", "-f", "s16le", "-"])
        .output()
        .expect("ffmpeg runs");
    let samples = heard.stdout.chunks_exact(2);
    let samples: Vec<i16> = samples
        .map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]]))
        .collect();
    let is_crossing = |pair: &&[i16]| (pair[0] < 0) != (pair[1] < 0);
    let crossings = samples.windows(2).filter(is_crossing).count();
    (crossings * RATE / samples.len().max(1) / 2) as u32
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

/// The mean red, green and blue of the output's picture at a time.
fn colour(studio: &Studio, at: &str) -> [u8; 3] {
    let shown = studio
        .ffmpeg()
        .args(["-ss", at, "-i"])
        .arg(studio.output())
        .args(["-frames:v", "1", "-vf", "scale=1:1:flags=area,format=rgb24"])
        .args(["-f", "rawvideo", "-"])
        .output()
        .expect("ffmpeg runs");
    <[u8; 3]>::try_from(shown.stdout.as_slice()).expect("one pixel")
}

#[tokio::test]
async fn wide_pixels_of_the_first_part_stay_and_no_part_gets_black_borders() {
    for studio in Studio::each() {
        let plain = |name: &str, colour: &str, size: &str, pixel: &str| {
            let how = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
            let source = format!("color={colour}:size={size}:rate=25:duration=1");
            studio.make(
                name,
                &format!("-f lavfi -i {source} -vf setsar={pixel} {how}"),
            )
        };
        // Both pictures are 128 to 72.
        let wide = plain("wide.mkv", "white", "90x72", "64/45");
        let square = plain("square.mkv", "blue", "160x90", "1");
        let parts = [wide, square];
        let recipe = studio::recipe("libx264");
        let checked = studio.join(&parts, &recipe, Join::ByRecipe).await;
        assert_eq!(checked.expect("joined").frames, 50);
        assert_eq!(
            studio.describe("width,height,sample_aspect_ratio"),
            "90,72,64:45"
        );
        let first = colour(&studio, "0.5");
        assert!(first.iter().all(|level| *level > 245), "{first:?}");
        let [red, green, blue] = colour(&studio, "1.5");
        assert!(red < 10 && green < 10 && blue > 245, "{red} {green} {blue}");
    }
}

#[tokio::test]
async fn packets_that_hold_no_frame_to_show_are_not_missed() {
    for studio in Studio::each() {
        // Only two passes make the frames that others refer to and nobody sees.
        let statistics = studio.path("statistics");
        let of_pass = |pass: u32| {
            let name = format!("pass{pass}.mkv");
            let how = "-t 2 -pix_fmt yuv420p -c:v libvpx -b:v 100k -deadline good -cpu-used 4 -auto-alt-ref 1";
            let files = format!(
                "-lag-in-frames 16 -pass {pass} -passlogfile {}",
                statistics.display()
            );
            studio.clip(&name, &format!("{how} {files}"))
        };
        of_pass(1);
        let hidden = of_pass(2);
        let packets = studio.count_packets(&hidden, "v");
        assert!(packets > 50, "{packets} packets of 50 frames");
        let parts = [hidden, part(&studio, "two.mkv", 400, 1.0)];
        let recipe = studio::recipe("libx264");
        let checked = studio.join(&parts, &recipe, Join::ByRecipe).await;
        assert_eq!(checked.expect("joined").frames, 75);
    }
}

#[tokio::test]
async fn a_recording_that_goes_on_in_another_size_is_no_stream_that_was_cut() {
    for studio in Studio::each() {
        let recorded = |name: &str, size: &str, from: u32| {
            let source = format!("-f lavfi -i testsrc2=size={size}:rate=25:duration=1");
            let how = format!("-c:v mpeg2video -output_ts_offset {from} -muxdelay 0 -muxpreload 0");
            studio.make(name, &format!("{source} {how}"))
        };
        let parts = [
            recorded("one.ts", "160x96", 0),
            recorded("two.ts", "128x96", 1),
        ];
        let refused = studio.join(&parts, &studio::copy(), Join::ByRecipe).await;
        let refused = refused.expect_err("they differ");
        assert_eq!(refused.fault, Fault::Input);
        let why = "two cannot follow one by copy, because its size is 128x96, not 160x96";
        assert!(refused.message.contains(why), "{refused}");
        let parts = [parts[0].clone(), recorded("three.ts", "160x96", 1)];
        let checked = studio.join(&parts, &studio::copy(), Join::ByRecipe).await;
        assert_eq!(checked.expect("one stream").frames, 50);
    }
}

#[tokio::test]
async fn sound_that_was_decoded_keeps_its_title_and_is_never_copied() {
    for studio in Studio::each() {
        let tracks = "-map 0 -map 1 -map 2 -metadata:s:a:0 language=eng -metadata:s:a:1 language=deu \
                      -metadata:s:a:1 title=Stereo -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac";
        let film = |name: &str, size: &str| {
            let picture = format!("-f lavfi -i testsrc2=size={size}:rate=25:duration=1");
            let tones = "-f lavfi -i sine=400:duration=1 -f lavfi -i sine=800:duration=1";
            studio.make(name, &format!("{picture} {tones} {tracks}"))
        };
        let parts = [film("one.mkv", "160x90"), film("two.mkv", "128x72")];
        let by_rules = |rules: Vec<AudioRule>| {
            let recipe = studio::recipe("libx264").edit(|draft| draft.audio_tracks.rules = rules);
            recipe.expect("a sound recipe")
        };
        let copied = |codec: &str| AudioRule {
            codecs: vec![codec.to_owned()],
            outputs: vec![AudioOutput::Copy],
            ..AudioRule::default()
        };
        let german = AudioRule {
            languages: vec!["deu".parse().expect("a language")],
            outputs: vec![AudioOutput::Copy],
            ..AudioRule::default()
        };
        // No track has this codec.
        let recipe = by_rules(vec![copied("dts"), german]);
        let checked = studio.join(&parts, &recipe, Join::ByRecipe).await;
        checked.expect("joined");
        assert_eq!(studio.codecs(), ["h264", "aac", "aac"]);
        let judged = studio.judged(&studio.output());
        assert_eq!(judged["streams"][2]["tags"]["title"], "Stereo", "{judged}");
        let german = pitch_of(&studio, 1);
        assert!(is_near(german, 800), "{german}");
        // All have this one.
        let recipe = by_rules(vec![copied("aac")]);
        let checked = studio.join(&parts, &recipe, Join::ByRecipe).await;
        checked.expect("joined");
        assert_eq!(studio.codecs(), ["h264", "aac", "aac"]);
    }
}

#[tokio::test]
async fn what_a_join_loses_is_told_after_a_search_too_and_statistics_of_a_part_are_not_kept() {
    let studio = Studio::new();
    let texts = studio.path("texts.srt");
    std::fs::write(&texts, "1\n00:00:00,100 --> 00:00:00,900\nHi\n").expect("written");
    let film = |name: &str, more: &str| {
        let picture = "-f lavfi -i testsrc2=size=160x90:rate=25:duration=1";
        let how = "-c:v libx264 -preset ultrafast -qp 4 -pix_fmt yuv420p -c:s srt";
        let tags = "-metadata:s:v NUMBER_OF_FRAMES=25 -metadata:s:v BPS-eng=1000";
        studio.make(name, &format!("{picture} {more} {how} {tags}"))
    };
    let texts = format!("-i {}", texts.display());
    let parts = [film("one.mkv", &texts), film("two.mkv", "")];
    let recipe = studio::with(studio::recipe("libx264"), |video| {
        video.preset = Some("ultrafast".parse().expect("a word"));
        video.rate = Rate::Target(QualityTarget {
            score: "ssim=0.9".parse().expect("a score"),
            max_percent: 1000,
        });
    });
    let checked = studio.join(&parts, &recipe, Join::ByRecipe).await;
    let checked = checked.expect("joined");
    let lost = |change: &&common::job::changes::Change| {
        change.kind == Kind::Track && change.fate == Fate::Lost
    };
    let lost = checked.changes.iter().find(lost);
    let lost = lost.unwrap_or_else(|| panic!("{:?}", checked.changes));
    assert_eq!(lost.from, "subrip subtitles of one");

    let checked = studio.join(&parts, &studio::copy(), Join::ByRecipe).await;
    assert_eq!(checked.expect("joined").frames, 50);
    let tags = studio.judged(&studio.output())["streams"][0]["tags"].to_string();
    assert!(
        !tags.contains("NUMBER_OF_FRAMES") && !tags.contains("BPS"),
        "{tags}"
    );
}

#[tokio::test]
async fn a_truncated_part_is_refused_before_it_is_joined() {
    for studio in Studio::each() {
        let whole = part(&studio, "one.mp4", 400, 1.0);
        let picture = "-f lavfi -i testsrc2=size=160x90:rate=25:duration=4";
        let cut = studio.make(
            "cut.mkv",
            &format!("{picture} -c:v libx264 -preset ultrafast -pix_fmt yuv420p"),
        );
        let bytes = std::fs::read(&cut).expect("bytes");
        std::fs::write(&cut, &bytes[..bytes.len() / 3]).expect("written");
        for parts in [[whole.clone(), cut.clone()], [cut, whole]] {
            let refused = studio
                .join(&parts, &studio::copy(), Join::CopyIfAlike)
                .await;
            let refused = refused.expect_err("truncated");
            assert_eq!(refused.fault, Fault::Input);
            let told = refused.message;
            assert!(told.contains("source is damaged: it ends at"), "{told}");
        }
    }
}
