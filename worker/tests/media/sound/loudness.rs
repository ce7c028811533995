//! Loudness: what `ebur128` hears in outputs.

use std::path::{Path, PathBuf};

use common::job::changes::{Fate, Kind};
use common::recipe::{Container, Recipe};

use crate::sound::keeping;
use crate::studio::Studio;

/// What an audio track is made of, and how it is made as loud as asked for.
const TRACKS: &[(&str, Levelled)] = &[
    ("anoisesrc=d=12:a=0.05:seed=3:r=48000", Levelled::ByOneGain),
    // Sound that is far too loud, at another sample rate.
    ("anoisesrc=d=12:a=0.9:seed=5:r=44100", Levelled::ByOneGain),
    // Soft, with short and loud peaks.
    (
        "aevalsrc=exprs=if(lt(mod(t\\,1)\\,0.002)\\,0.7\\,0.03)*sin(2*PI*300*t):d=12:s=48000",
        Levelled::OverTime,
    ),
    // Half of it much softer than the other half.
    (
        "anoisesrc=d=12:a=0.1:seed=7:r=48000,volume=if(lt(t\\,6)\\,0.14\\,1):eval=frame",
        Levelled::OverTime,
    ),
    ("anoisesrc=d=12:a=0.004:seed=9:r=48000", Levelled::Not),
    ("anullsrc=d=12:r=48000", Levelled::Not),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Levelled {
    ByOneGain,
    OverTime,
    Not,
}

fn film(studio: &Studio) -> PathBuf {
    let mut line = "-f lavfi -i testsrc2=size=160x90:rate=5:d=12".to_owned();
    let mut maps = "-map 0".to_owned();
    for (number, (source, _)) in TRACKS.iter().enumerate() {
        line.push_str(&format!(" -f lavfi -i {source}"));
        maps.push_str(&format!(" -map {}", number + 1));
    }
    let codecs = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a flac -ac 2";
    studio.make("levels.mkv", &format!("{line} {maps} {codecs}"))
}

/// The integrated loudness in LUFS, the loudness range in LU and the true peak in dBTP of an audio track.
fn heard(studio: &Studio, file: &Path, track: usize) -> [f64; 3] {
    let map = format!("0:a:{track}");
    let heard = studio
        .ffmpeg()
        .args(["-v", "info", "-i"])
        .arg(file)
        .args(["-map", &map, "-af", "ebur128=peak=true:framelog=verbose"])
        .args(["-f", "null", "-"])
        .output()
        .expect("ffmpeg runs");
    let log = String::from_utf8_lossy(&heard.stderr);
    let (_, summary) = log.rsplit_once("Summary:").expect("a summary");
    ["I:", "LRA:", "Peak:"].map(|name| {
        let mut lines = summary
            .lines()
            .filter_map(|line| line.trim().strip_prefix(name));
        let value = lines.next().and_then(|line| line.split_whitespace().next());
        value.and_then(|value| value.parse().ok()).expect("a level")
    })
}

fn levelling(audio: &str, loudness: &str) -> Recipe {
    keeping(audio, Container::Mkv)
        .edit(|draft| draft.audio_tracks.loudness = Some(loudness.parse().expect("a loudness")))
        .expect("a sound recipe")
}

#[tokio::test]
async fn encoded_tracks_are_as_loud_as_asked_for() {
    for studio in &Studio::each() {
        let source = film(studio);
        let before: Vec<[f64; 3]> = (0..TRACKS.len())
            .map(|track| heard(studio, &source, track))
            .collect();
        for audio in ["flac", "aac:256k"] {
            let made = studio.encode(&source, &levelling(audio, "-23/7/-2")).await;
            let made = made.unwrap_or_else(|failure| panic!("{audio}: {failure}"));
            // Encoders with a loss may raise single peaks.
            let most = if audio == "flac" { -1.8 } else { -1.0 };
            for (track, (source, levelled)) in TRACKS.iter().enumerate() {
                let now = heard(studio, &studio.output(), track);
                let what = format!("{source} by {audio}: {:?} became {now:?}", before[track]);
                let told = made.changes.iter().find(|change| {
                    change.kind == Kind::Loudness && change.track == Some(track + 1)
                });
                let told = told.unwrap_or_else(|| panic!("{what}: {:?}", made.changes));
                if *levelled == Levelled::Not {
                    assert_eq!(told.fate, Fate::Kept, "{what}: {told}");
                    assert!((now[0] - before[track][0]).abs() < 0.8, "{what}");
                    continue;
                }
                assert!((now[0] + 23.0).abs() <= 0.5, "{what}: {told}");
                assert!(now[2] <= most, "{what}: {told}");
                assert!(
                    told.is_wanted && told.fate == Fate::Converted,
                    "{what}: {told}"
                );
                assert!(
                    told.from.contains(&format!("{} LUFS", before[track][0])),
                    "{what}: {told}"
                );
                let is_over_time = told.to_string().contains("changes over time");
                assert_eq!(
                    is_over_time,
                    *levelled == Levelled::OverTime,
                    "{what}: {told}"
                );
                if *levelled == Levelled::ByOneGain {
                    assert!((now[1] - before[track][1]).abs() < 0.3, "{what}: {told}");
                }
            }
            let rates: Vec<u32> = studio.made().await.streams[1..]
                .iter()
                .map(|stream| stream.sample_rate)
                .collect();
            assert_eq!(
                rates,
                [48_000, 44_100, 48_000, 48_000, 48_000, 48_000],
                "{audio}"
            );
        }
        let foreseen = studio.foresee(&source, &levelling("flac", "-23")).await;
        let foreseen = foreseen.expect("a forecast");
        let told = foreseen
            .iter()
            .filter(|change| change.kind == Kind::Loudness);
        assert_eq!(told.count(), TRACKS.len(), "{foreseen:?}");
    }
}

#[tokio::test]
async fn the_loudness_is_that_of_the_mixed_down_track() {
    for studio in &Studio::each() {
        let tone = "0.02*sin(2*PI*440*t)";
        let source = studio.make(
            "surround.mkv",
            &format!(
                "-f lavfi -i testsrc2=size=160x90:rate=25:d=3 \
                 -f lavfi -i aevalsrc=exprs={tone}|{tone}|{tone}|0.5*sin(2*PI*60*t)|{tone}|{tone}:c=5.1:d=3:s=48000 \
                 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a flac"
            ),
        );
        let recipe = levelling("flac", "-30")
            .edit(|draft| draft.audio_tracks.downmix = Some("stereo".parse().expect("a name")))
            .expect("a sound recipe");
        studio.encode(&source, &recipe).await.expect("an encode");
        let now = heard(studio, &studio.output(), 0);
        assert!((now[0] + 30.0).abs() <= 0.2, "{now:?}");
    }
}

/// ffmpeg reports of all tracks at the end of a run. Since version 7, it may do so from several threads.
#[tokio::test]
async fn reports_of_tracks_that_end_at_once_are_not_mixed() {
    const VOLUMES: [f64; 6] = [0.02, 0.04, 0.08, 0.16, 0.32, 0.64];
    for studio in &Studio::each() {
        let mut inputs = "-f lavfi -i testsrc2=size=160x90:rate=5:d=1".to_owned();
        let mut maps = "-map 0".to_owned();
        for (number, volume) in VOLUMES.iter().enumerate() {
            inputs += &format!(" -f lavfi -i anoisesrc=d=1:a={volume}:seed=3:r=48000");
            maps += &format!(" -map {}", number + 1);
        }
        let codecs = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a flac";
        let source = studio.make("together.mkv", &format!("{inputs} {maps} {codecs}"));
        let levels: Vec<f64> = (0..VOLUMES.len())
            .map(|track| heard(studio, &source, track)[0])
            .collect();
        for _ in 0..6 {
            let foreseen = studio.foresee(&source, &levelling("flac", "-9/7/-2")).await;
            let foreseen = foreseen.expect("a forecast");
            for (track, level) in levels.iter().enumerate() {
                let told = foreseen.iter().find(|change| {
                    change.kind == Kind::Loudness && change.track == Some(track + 1)
                });
                let told = told.expect("each track has a loudness");
                assert!(
                    told.from.starts_with(&format!("{level} LUFS")),
                    "{level}: {told}"
                );
            }
        }
    }
}

/// The tracks of the output are counted, not those of the whole input.
#[tokio::test]
async fn a_track_that_ends_before_the_part_does_not_count() {
    let studio = Studio::new();
    let source = studio.make(
        "parts.mkv",
        "-f lavfi -i testsrc2=size=160x90:rate=5:d=9 -f lavfi -i anoisesrc=d=1:a=0.9:seed=5:r=48000 \
         -f lavfi -i anoisesrc=d=9:a=0.05:seed=3:r=48000 -map 0 -map 1 -map 2 -c:v libx264 -preset ultrafast \
         -pix_fmt yuv420p -c:a flac -ac 2",
    );
    let recipe = levelling("flac", "-23/7/-2")
        .edit(|draft| draft.trim = Some("2-8".parse().expect("a part")))
        .expect("a sound recipe");
    studio.encode(&source, &recipe).await.expect("encoded");
    let [loudness, ..] = heard(&studio, &studio.output(), 0);
    assert!((loudness + 23.0).abs() < 0.6, "{loudness}");
}
