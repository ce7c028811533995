//! Sound: each channel is heard where it was, by one tone a channel; and what containers hold.

use std::collections::BTreeMap;
use std::path::Path;

use common::job::changes::{Fate, Kind};
use common::recipe::{Container, Recipe, Video};

use crate::studio;
use crate::studio::Studio;

/// Samples a second that are listened to, and how many of them: tones of a multiple of 5 Hz do not disturb each other.
const RATE: usize = 8000;
const HEARD: std::ops::Range<usize> = 1000..2600;
const LOUDNESS: f64 = 0.1;

/// The tone of a speaker, Hz.
fn tone(speaker: &str) -> usize {
    const SPEAKERS: &str = "FL FR FC BL BR FLC FRC BC SL SR TC TFL TFC TFR TBL TBC TBR DL DR WL WR SDL SDR TSL TSR \
                            BFC BFL BFR SSL SSR TTL TTR BIL BIR";
    match speaker {
        "LFE" => 60,
        "LFE2" => 90,
        _ => {
            let place = SPEAKERS.split_whitespace().position(|one| one == speaker);
            200 + 100 * place.expect("a speaker that ffmpeg knows")
        }
    }
}

/// How loud a tone is, by Goertzel: 1 is as loud as it was made.
fn loudness(samples: &[f32], hertz: usize) -> f64 {
    let turn = 2.0 * std::f64::consts::PI * hertz as f64 / RATE as f64;
    let (mut now, mut before) = (0.0, 0.0);
    for &sample in samples {
        (now, before) = (f64::from(sample) + 2.0 * turn.cos() * now - before, now);
    }
    let power = now * now + before * before - 2.0 * turn.cos() * now * before;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64 / LOUDNESS
}

/// The layouts that an ffmpeg knows, as it lists them: name and speakers.
fn layouts(studio: &Studio) -> BTreeMap<String, Vec<String>> {
    let list = studio.ffmpeg().arg("-layouts").output().expect("a list");
    let list = String::from_utf8(list.stdout).expect("text");
    let (_, layouts) = list.split_once("DECOMPOSITION").expect("layouts");
    let words = layouts.lines().filter_map(|line| {
        let (name, speakers) = line.trim().split_once(' ')?;
        let speakers = speakers.trim().split('+').map(str::to_owned).collect();
        Some((name.to_owned(), speakers))
    });
    words.collect()
}

/// A clip with a track of sound for each layout: one tone a channel.
fn clip(studio: &Studio, name: &str, layouts: &[(&String, &Vec<String>)]) -> std::path::PathBuf {
    let mut line = "-f lavfi -i testsrc2=size=160x90:rate=25:d=0.4".to_owned();
    let mut maps = "-map 0".to_owned();
    for (number, (layout, speakers)) in layouts.iter().enumerate() {
        let tones: Vec<String> = speakers
            .iter()
            .map(|speaker| format!("sin(2*PI*{}*t)*{LOUDNESS}", tone(speaker)))
            .collect();
        let tones = tones.join("|");
        line.push_str(&format!(
            " -f lavfi -i aevalsrc=exprs={tones}:c={layout}:d=0.4:s=48000"
        ));
        maps.push_str(&format!(" -map {}", number + 1));
    }
    let codecs = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a pcm_s16le";
    studio.make(name, &format!("{line} {maps} {codecs}"))
}

/// What is heard from each track of a file: its layout, and from each speaker how loud each of the tones.
struct Heard {
    layout: String,
    speakers: Vec<(String, Vec<f32>)>,
}

impl Heard {
    fn from(&self, speaker: &str, hertz: usize) -> f64 {
        let of = self.speakers.iter().find(|(name, _)| name == speaker);
        of.map_or(0.0, |(_, samples)| loudness(samples, hertz))
    }

    /// Speakers that a tone is heard from, and how loud.
    fn places(&self, hertz: usize) -> Vec<(&str, f64)> {
        let places = self
            .speakers
            .iter()
            .map(|(name, _)| (name.as_str(), self.from(name, hertz)));
        places.filter(|(_, loud)| *loud > 0.04).collect()
    }
}

/// Decodes all tracks of sound.
fn listen(studio: &Studio, file: &Path) -> Vec<Heard> {
    let names = layouts(studio);
    let answer = studio
        .ffprobe()
        .args([
            "-select_streams",
            "a",
            "-show_entries",
            "stream=channels,channel_layout",
        ])
        .arg(file)
        .output()
        .expect("ffprobe runs");
    let answer = String::from_utf8(answer.stdout).expect("text");
    let tracks: Vec<(usize, &str)> = answer
        .lines()
        .filter_map(|line| line.split_once(','))
        .map(|(channels, layout)| {
            (
                channels.parse().expect("a number"),
                layout.trim_matches(['"', ',']),
            )
        })
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let raw = |number: usize| folder.path().join(format!("{number}.raw"));
    let mut ffmpeg = studio.ffmpeg();
    ffmpeg.arg("-i").arg(file);
    for number in 0..tracks.len() {
        ffmpeg.args([
            "-map",
            &format!("0:a:{number}"),
            "-ar",
            &RATE.to_string(),
            "-f",
            "f32le",
        ]);
        ffmpeg.arg(raw(number));
    }
    let decoded = ffmpeg.output().expect("ffmpeg runs");
    assert!(
        decoded.status.success(),
        "{}",
        String::from_utf8_lossy(&decoded.stderr)
    );
    let heard = tracks
        .iter()
        .enumerate()
        .map(|(number, &(channels, layout))| {
            let bytes = std::fs::read(raw(number)).expect("samples");
            let samples: Vec<f32> = bytes
                .chunks_exact(4)
                .map(|four| f32::from_le_bytes(four.try_into().expect("four bytes")))
                .collect();
            let speakers = match (names.get(layout), layout.split_once(" channels (")) {
                (Some(speakers), _) => speakers.clone(),
                (None, Some((_, speakers))) => speakers
                    .trim_end_matches(')')
                    .split('+')
                    .map(str::to_owned)
                    .collect(),
                (None, None) => panic!("track {number} says no layout but {layout:?}"),
            };
            let of = |channel: usize| {
                let all = samples.iter().skip(channel).step_by(channels).copied();
                all.collect::<Vec<f32>>()[HEARD].to_vec()
            };
            let of_each = speakers
                .into_iter()
                .enumerate()
                .map(|(channel, name)| (name, of(channel)));
            Heard {
                layout: layout.to_owned(),
                speakers: of_each.collect(),
            }
        });
    heard.collect()
}

/// The speaker of another pair that stands for one, in layouts that have one pair only.
fn alias(speaker: &str) -> &str {
    match speaker {
        "SL" => "BL",
        "SR" => "BR",
        "BL" => "SL",
        "BR" => "SR",
        "DL" | "BIL" => "FL",
        "DR" | "BIR" => "FR",
        other => other,
    }
}

#[tokio::test]
async fn each_channel_is_heard_where_it_was() {
    let [old, recent] = &Studio::each();
    for (studio, other) in [(old, recent), (recent, old)] {
        let all = layouts(studio);
        let small: Vec<_> = all
            .iter()
            .filter(|(_, speakers)| speakers.len() <= 8)
            .collect();
        assert!(small.len() >= 27, "{small:?}");
        let source = clip(studio, "tones.mov", &small);
        for (encoder, container) in [
            ("aac", Container::Mp4),
            ("libmp3lame", Container::Mkv),
            ("libopus", Container::Mp4),
            ("libvorbis", Container::Mkv),
            ("flac", Container::Mkv),
            ("flac", Container::Mp4),
            ("ac3", Container::Mov),
            ("eac3", Container::Mkv),
        ] {
            let recipe = Recipe {
                video: Video::Copy,
                container,
                audio: encoder.parse().expect("audio"),
                ..studio::copy()
            };
            studio.encode(&source, &recipe).await.expect(encoder);
            // The gate has decoded it by the same ffmpeg: another one must hear what its layouts say.
            let heard = listen(other, &studio.output());
            assert_eq!(heard.len(), small.len());
            for ((layout, speakers), heard) in small.iter().zip(heard) {
                let what = format!("{layout} by {encoder} in {container} as {}", heard.layout);
                judge(&what, speakers, &heard);
            }
        }
    }
}

fn judge(what: &str, speakers: &[String], heard: &Heard) {
    let has = |speaker: &str| heard.speakers.iter().any(|(name, _)| name == speaker);
    let there = |speaker: &str| match alias(speaker) {
        _ if has(speaker) => Some(speaker.to_owned()),
        alias if has(alias) && !speakers.iter().any(|of| of == alias) => Some(alias.to_owned()),
        _ => None,
    };
    let all_there = speakers.iter().all(|speaker| there(speaker).is_some());
    for speaker in speakers {
        let places = heard.places(tone(speaker));
        let what = format!("{what}: {speaker} is heard from {places:?}");
        assert!(!places.is_empty(), "{what}");
        if let Some(place) = there(speaker) {
            assert_eq!(places.len(), 1, "{what}");
            assert_eq!(places[0].0, place, "{what}");
            assert!(!all_there || (0.75..1.35).contains(&places[0].1), "{what}");
        }
    }
    for (speaker, samples) in &heard.speakers {
        let peak = samples
            .iter()
            .fold(0.0_f32, |most, sample| most.max(sample.abs()));
        assert!(
            f64::from(peak) < LOUDNESS * 1.5 * speakers.len() as f64,
            "{what}: {speaker}"
        );
    }
}

/// A recipe that keeps video and does this with sound.
fn keeping(audio: &str, container: Container) -> Recipe {
    Recipe {
        audio: audio.parse().expect("audio"),
        container,
        ..studio::copy()
    }
}

/// The samples of a file's only sound, in one digest.
fn digest(studio: &Studio, file: &Path) -> String {
    let sound = studio
        .ffmpeg()
        .arg("-i")
        .arg(file)
        .args(["-map", "0:a", "-c:a", "pcm_s24le", "-f", "md5", "-"])
        .output()
        .expect("ffmpeg runs");
    String::from_utf8(sound.stdout).expect("text")
}

const CLIP: &str = "-f lavfi -i testsrc2=size=160x90:rate=25:d=0.6";

#[tokio::test]
async fn containers_hold_what_they_are_said_to_hold() {
    for studio in Studio::each() {
        // Codec, what makes it, and where a copy goes.
        let codecs = [
            ("aac", "aac", "mkv mp4 mov"),
            ("mp2", "mp2", "mkv mp4 mov"),
            ("mp3", "libmp3lame", "mkv mp4 mov"),
            ("flac", "flac", "mkv mp4"),
            ("alac", "alac", "mkv mp4 mov"),
            ("opus", "libopus", "mkv mp4"),
            ("vorbis", "libvorbis", "mkv mp4"),
            ("ac3", "ac3", "mkv mp4 mov"),
            ("eac3", "eac3", "mkv mp4 mov"),
            ("dts", "dca", "mkv mp4 mov"),
            ("truehd", "truehd", "mkv mp4"),
            ("wavpack", "wavpack", "mkv"),
            ("tta", "tta", "mkv"),
            ("mlp", "mlp", "mkv"),
            ("wmav2", "wmav2", "mkv"),
            ("adpcm_ms", "adpcm_ms", "mkv"),
            ("pcm_s16be", "pcm_s16be", "mkv mov"),
            ("pcm_s24le", "pcm_s24le", "mkv mov"),
            ("pcm_f32le", "pcm_f32le", "mkv mov"),
            ("pcm_alaw", "pcm_alaw", "mkv mov"),
            ("pcm_f32be", "pcm_f32be", "mov"),
            ("pcm_s8", "pcm_s8", "mov"),
            ("pcm_u16le", "pcm_u16le", ""),
            ("pcm_s16le_planar", "pcm_s16le_planar", ""),
        ];
        for container in [Container::Mkv, Container::Mp4, Container::Mov] {
            let mut held = Vec::new();
            let mut line = format!("{CLIP} -f lavfi -i sine=d=0.6:r=48000 -map 0:v");
            for (codec, encoder, holders) in codecs {
                let is_held = holders
                    .split(' ')
                    .any(|holder| holder == container.extension());
                assert_eq!(
                    container.holds_audio(codec),
                    is_held,
                    "{codec} in {container}"
                );
                if is_held {
                    line.push_str(&format!(" -map 1:a -c:a:{} {encoder}", held.len()));
                    held.push(codec);
                }
            }
            line.push_str(" -c:v libx264 -preset ultrafast -pix_fmt yuv420p -ac 2 -strict -2");
            let from = if container == Container::Mov {
                "mov"
            } else {
                "mkv"
            };
            let source = studio.make(&format!("for-{container}.{from}"), &line);
            let made = studio.encode(&source, &keeping("copy", container)).await;
            made.unwrap_or_else(|failure| panic!("{container}: {failure}"));
            let made = studio.codecs();
            for (made, codec) in made.iter().skip(1).zip(&held) {
                let is_mpeg = container == Container::Mp4 && *codec == "mp2" && made == "mp3";
                assert!(made == codec || is_mpeg, "{codec} in {container} is {made}");
            }
            assert_eq!(made.len(), held.len() + 1, "{container}");
        }
    }
}

#[tokio::test]
async fn what_no_container_holds_is_encoded_and_nothing_is_lost_that_was_not_lost() {
    for studio in Studio::each() {
        let make = |file: &str, arguments: &str| {
            studio.make(
                file,
                &format!("{CLIP} -f lavfi -i anoisesrc=d=0.6:r=48000:seed=7 -c:v mpeg2video -ac 2 {arguments}"),
            )
        };
        for (source, mkv, mov) in [
            (make("s302m.ts", "-c:a s302m -strict -2"), "flac", "aac"),
            (
                make("bluray.m2ts", "-c:a pcm_bluray -mpegts_m2ts_mode 1"),
                "flac",
                "aac",
            ),
            (make("dvd.vob", "-c:a pcm_dvd"), "flac", "aac"),
            (make("latm.ts", "-c:a aac -mpegts_flags latm"), "aac", "aac"),
            (make("planar.nut", "-c:a pcm_s16le_planar"), "flac", "aac"),
        ] {
            let name = source.display();
            for (container, codec) in [
                (Container::Mkv, mkv),
                (Container::Mp4, mkv),
                (Container::Mov, mov),
            ] {
                let made = studio.encode(&source, &keeping("copy", container)).await;
                let made =
                    made.unwrap_or_else(|failure| panic!("{name} in {container}: {failure}"));
                let told = made
                    .changes
                    .iter()
                    .any(|change| change.kind == Kind::Track && change.fate == Fate::Converted);
                assert!(told, "{name}: {:?}", made.changes);
                assert_eq!(studio.codecs()[1], codec, "{name} in {container}");
                if codec == "flac" {
                    assert_eq!(
                        digest(&studio, &studio.output()),
                        digest(&studio, &source),
                        "{name}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_copy_with_a_fallback_encodes_only_what_the_container_does_not_hold() {
    for studio in Studio::each() {
        let source = studio.make(
            "two.mkv",
            &format!(
                "{CLIP} -f lavfi -i sine=d=0.6:r=48000 -map 0 -map 1 -map 1 -c:v libx264 -preset ultrafast \
                 -pix_fmt yuv420p -c:a:0 ac3 -c:a:1 wavpack"
            ),
        );
        let recipe = keeping("copy,else=aac:96k", Container::Mp4);
        studio.encode(&source, &recipe).await.expect("a fallback");
        assert_eq!(studio.codecs(), ["h264", "ac3", "aac"]);
        let failure = studio
            .encode(&source, &keeping("copy", Container::Mp4))
            .await;
        let failure = failure.expect_err("mkv holds it");
        assert!(failure.message.contains("copy,else=aac"), "{failure}");
    }
}

#[tokio::test]
async fn rates_and_depths_that_an_encoder_lacks_are_no_failure() {
    for studio in Studio::each() {
        let source = studio.make(
            "deep.mkv",
            &format!(
                "{CLIP} -f lavfi -i anoisesrc=d=0.6:r=96000 -c:v libx264 -preset ultrafast -pix_fmt yuv420p \
                 -ac 1 -c:a pcm_s24le"
            ),
        );
        for (audio, rate) in [
            ("ac3:640k", "48000"),
            ("libmp3lame", "48000"),
            ("libopus:510k", "48000"),
            ("libvorbis", "96000"),
            ("flac", "96000"),
            ("aac", "96000"),
        ] {
            let made = studio
                .encode(&source, &keeping(audio, Container::Mkv))
                .await;
            made.unwrap_or_else(|failure| panic!("{audio}: {failure}"));
            let made = studio.probe(&studio.output()).await.expect("media");
            assert_eq!(made.streams[1].sample_rate.to_string(), rate, "{audio}");
            if audio == "flac" {
                assert_eq!(digest(&studio, &studio.output()), digest(&studio, &source));
            }
        }
    }
}
