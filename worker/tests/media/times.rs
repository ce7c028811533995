//! The times of kept packets: formats without times, edit lists, tracks without packets.

use std::path::{Path, PathBuf};

use common::job::changes::{Fate, Kind};
use common::job::failure::Fault;
use common::recipe::{Container, Recipe, Video};

use crate::studio;
use crate::studio::Studio;

/// A flash and a beep at 1 s, in a film of 2.4 s with a key frame every 0.8 s.
pub(crate) fn flash(studio: &Studio, name: &str, codecs: &str) -> PathBuf {
    studio.make(
        name,
        &format!(
            "-f lavfi -i color=black:s=160x90:r=25:d=2.4,drawbox=c=white:t=fill:enable='between(t,0.999,1.19)' \
             -f lavfi -i aevalsrc='if(between(t,1,1.2),sin(2*PI*1000*t),0)':d=2.4:s=48000 \
             -pix_fmt yuv420p -g 20 {codecs}"
        ),
    )
}

/// When a film flashes and its sound beeps, and when each of them begins, in seconds.
#[derive(Debug)]
pub(crate) struct Sync {
    pub(crate) flash: f64,
    pub(crate) beep: f64,
    pub(crate) film_starts: f64,
    pub(crate) sound_starts: f64,
}

impl Sync {
    pub(crate) fn of(studio: &Studio, file: &Path) -> Self {
        let (film_starts, pictures) = Self::decode(
            studio,
            file,
            "-map 0:v -vf scale=2:2:flags=area,format=gray",
        );
        let bright = pictures
            .chunks_exact(4)
            .position(|picture| picture[0] > 128);
        let (sound_starts, sound) =
            Self::decode(studio, file, "-map 0:a -ac 1 -ar 48000 -c:a pcm_s16le");
        let loud = sound
            .chunks_exact(2)
            .position(|sample| i16::from_le_bytes([sample[0], sample[1]]).unsigned_abs() > 4000);
        Self {
            flash: film_starts + bright.expect("a flash") as f64 / 25.0,
            beep: sound_starts
                + loud.unwrap_or_else(|| panic!("no beep in {}", file.display())) as f64 / 48_000.0,
            film_starts,
            sound_starts,
        }
    }

    /// The time of the first frame, and all decoded bytes.
    fn decode(studio: &Studio, file: &Path, how: &str) -> (f64, Vec<u8>) {
        let run = |form: &str| {
            let mut ffmpeg = studio.ffmpeg();
            ffmpeg
                .arg("-copyts")
                .arg("-i")
                .arg(file)
                .args(how.split(' '));
            let output = ffmpeg
                .args(["-fps_mode", "passthrough", "-f", form, "-"])
                .output();
            output.expect("ffmpeg runs").stdout
        };
        let list = String::from_utf8(run("framecrc")).expect("text");
        let unit = list.lines().find_map(|line| line.strip_prefix("#tb 0: 1/"));
        let unit: f64 = unit.expect("a unit").parse().expect("a number");
        let first = list
            .lines()
            .find(|line| !line.starts_with('#'))
            .expect("a frame");
        let time = first.split(',').nth(2).expect("a time").trim();
        let start = time.parse::<f64>().expect("a number") / unit;
        (
            start,
            run(if how.contains("0:v") {
                "rawvideo"
            } else {
                "s16le"
            }),
        )
    }
}

fn recipe(video: &str, audio: &str, container: Container) -> Recipe {
    let recipe = match video {
        "copy" => studio::copy(),
        encoder => studio::with(studio::recipe(encoder), |video| {
            video.preset = Some("ultrafast".parse().expect("a token"));
        }),
    };
    recipe
        .edit(|draft| {
            draft.audio = audio.parse().expect("audio");
            draft.container = container;
        })
        .expect("a sound recipe")
}

/// The digests of all decoded pictures, in order.
pub(crate) fn pictures(studio: &Studio, file: &Path) -> Vec<String> {
    let list = studio
        .ffmpeg()
        .arg("-i")
        .arg(file)
        .args([
            "-map",
            "0:v:0",
            "-fps_mode",
            "passthrough",
            "-f",
            "framemd5",
            "-",
        ])
        .output()
        .expect("ffmpeg runs");
    let list = String::from_utf8(list.stdout).expect("text");
    let frames = list.lines().filter(|line| !line.starts_with('#'));
    frames
        .filter_map(|line| Some(line.rsplit(',').next()?.to_owned()))
        .collect()
}

#[tokio::test]
async fn packets_that_an_edit_list_hides_stay_hidden_and_the_others_stay_in_time() {
    for studio in Studio::each() {
        let whole = flash(
            &studio,
            "whole.mp4",
            "-c:v libx264 -preset veryfast -bf 2 -c:a aac",
        );
        // A film cut without an encode, as phones do, and a film that begins later than its sound.
        let trimmed = studio.make(
            "trimmed.mp4",
            &format!("-ss 0.6 -i {} -c copy", whole.display()),
        );
        let late = studio.make(
            "late.mp4",
            &format!(
                "-itsoffset 0.4 -i {0} -i {0} -map 0:v -map 1:a -c copy",
                whole.display()
            ),
        );
        for source in [&whole, &trimmed, &late] {
            let expected = Sync::of(&studio, source);
            for (video, audio, container) in [
                ("copy", "copy", Container::Mp4),
                ("libx264", "copy", Container::Mkv),
                ("libx264", "libopus", Container::Mkv),
                ("libx264", "copy", Container::Mp4),
            ] {
                let what = format!(
                    "{} with {video} and {audio} in {container}",
                    source.display()
                );
                let made = studio
                    .encode(source, &recipe(video, audio, container))
                    .await;
                made.unwrap_or_else(|failure| panic!("{what}: {failure}"));
                let made = Sync::of(&studio, &studio.output());
                let apart = (made.beep - made.flash) - (expected.beep - expected.flash);
                assert!(apart.abs() < 0.042, "{what}: {made:?}, not {expected:?}");
                let lead = (made.film_starts - made.sound_starts)
                    - (expected.film_starts - expected.sound_starts);
                assert!(
                    lead < 0.15,
                    "{what}: hidden sound is heard: {made:?}, not {expected:?}"
                );
            }
        }
        let refused = studio
            .encode(&trimmed, &recipe("copy", "copy", Container::Mkv))
            .await;
        let failure = refused.expect_err("matroska has no edit lists");
        assert_eq!(failure.fault, Fault::Input);
        assert!(failure.message.contains("--container mp4"), "{failure}");
    }
}

#[tokio::test]
async fn films_without_times_in_their_packets_are_kept_in_order_or_refused() {
    for studio in Studio::each() {
        for (name, codecs) in [
            ("xvid.avi", "-c:v mpeg4 -vtag XVID -bf 2 -c:a libmp3lame"),
            ("plain.avi", "-c:v mpeg4 -c:a libmp3lame"),
            ("x264.avi", "-c:v libx264 -preset veryfast -bf 0 -c:a ac3"),
            ("mpeg2.avi", "-c:v mpeg2video -bf 2 -c:a mp2"),
            ("dvd.vob", "-c:v mpeg2video -bf 2 -c:a ac3"),
            ("dvb.ts", "-c:v mpeg2video -bf 2 -c:a mp2"),
        ] {
            let source = flash(&studio, name, codecs);
            for container in [Container::Mkv, Container::Mp4] {
                let made = studio
                    .encode(&source, &recipe("copy", "copy", container))
                    .await;
                made.unwrap_or_else(|failure| panic!("{name} in {container}: {failure}"));
                assert_eq!(
                    pictures(&studio, &studio.output()),
                    pictures(&studio, &source),
                    "{name} in {container}"
                );
                let sync = Sync::of(&studio, &studio.output());
                assert!(
                    (sync.beep - sync.flash).abs() < 0.06,
                    "{name} in {container}: {sync:?}"
                );
            }
        }
        let source = flash(
            &studio,
            "bframes.avi",
            "-c:v libx264 -preset veryfast -bf 2 -c:a ac3",
        );
        let refused = studio
            .encode(&source, &recipe("copy", "copy", Container::Mkv))
            .await;
        let failure = refused.expect_err("no times to be had");
        assert_eq!(failure.fault, Fault::Input);
        let encoded = studio
            .encode(&source, &recipe("libx264", "copy", Container::Mkv))
            .await;
        encoded.expect("an encode needs no times");
    }
}

/// A transport stream without the packets of one of its streams.
fn without(file: &Path, pid: u16) -> PathBuf {
    let bytes = std::fs::read(file).expect("bytes");
    let of = |packet: &[u8]| u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
    let kept: Vec<&[u8]> = bytes
        .chunks_exact(188)
        .filter(|packet| of(packet) != pid)
        .collect();
    let path = file.with_extension("without.ts");
    std::fs::write(&path, kept.concat()).expect("written");
    path
}

#[tokio::test]
async fn declared_but_empty_tracks_are_left_out_and_reported() {
    for studio in Studio::each() {
        let source = "-f lavfi -i testsrc2=size=160x90:rate=25:d=1 -f lavfi -i sine=d=1";
        let encoders = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 10";
        let transport = |name: &str, maps: &str| {
            let ids = "-streamid 0:256 -streamid 1:257 -streamid 2:258";
            let whole = studio.make(name, &format!("{source} {maps} {encoders} -c:a ac3 {ids}"));
            without(&whole, 258)
        };
        let maps = "-map 0 -map 1 -map 1";
        let silent = "-c:a aac -bsf:a:1 noise=drop=1:amount=0";
        for (file, empty) in [
            (transport("sound.ts", maps), 2),
            (transport("film.ts", "-map 0 -map 1 -map 0"), 2),
            (
                studio.make("empty.mkv", &format!("{source} {maps} {encoders} {silent}")),
                2,
            ),
            (
                studio.make(
                    "fragments.mp4",
                    &format!(
                        "{source} {maps} {encoders} {silent} -movflags empty_moov+frag_keyframe"
                    ),
                ),
                2,
            ),
        ] {
            for (video, audio, container) in [
                ("copy", "copy", Container::Mkv),
                ("libx264", "aac", Container::Mp4),
            ] {
                let what = format!("{} with {video} in {container}", file.display());
                let made = studio.encode(&file, &recipe(video, audio, container)).await;
                let made = made.unwrap_or_else(|failure| panic!("{what}: {failure}"));
                assert_eq!(studio.codecs().len(), 2, "{what}");
                let told = made.changes.iter().find(|change| {
                    (change.kind, change.fate, change.track)
                        == (Kind::Track, Fate::Lost, Some(empty))
                });
                let why = told.and_then(|told| told.why.as_deref());
                assert_eq!(
                    why,
                    Some("declared, but empty"),
                    "{what}: {:?}",
                    made.changes
                );
            }
        }
    }
}

#[tokio::test]
async fn sound_that_changes_its_layout_in_the_middle_is_kept_whole() {
    for studio in Studio::each() {
        let part = |name: &str, channels: u32| {
            let line =
                format!("-f lavfi -i sine=f=1000:r=48000:d=0.8 -ac {channels} -c:a ac3 -b:a 448k");
            std::fs::read(studio.make(name, &line)).expect("bytes")
        };
        let (two, six) = (part("2.ac3", 2), part("6.ac3", 6));
        // Two recordings, one after the other.
        let recordings = [2, 6].map(|channels| {
            let line =
                format!("-f lavfi -i sine=r=48000 -t 1 -ac {channels} -c:v mpeg2video -c:a ac3");
            let path = studio.clip(&format!("{channels}.ts"), &line);
            std::fs::read(path).expect("bytes")
        });
        let source = studio.path("2-then-6.ts");
        std::fs::write(&source, recordings.concat()).expect("written");
        let made = studio.encode(&source, &studio::copy()).await;
        made.expect("both, one behind the other");
        for (name, parts) in [("2-6-2", [&two, &six, &two]), ("6-2-6", [&six, &two, &six])] {
            let raw = studio.path(&format!("{name}.ac3"));
            std::fs::write(&raw, parts.map(Vec::as_slice).concat()).expect("written");
            let source = studio.make(
                &format!("{name}.ts"),
                &format!(
                    "-f lavfi -i testsrc2=size=160x90:rate=25:d=2.4 -i {} -map 0 -map 1 -c:v mpeg2video -c:a copy",
                    raw.display()
                ),
            );
            for audio in ["copy", "aac", "libopus"] {
                let recipe = studio::copy()
                    .edit(|draft| {
                        draft.video = Video::Copy;
                        draft.audio = audio.parse().expect("audio");
                    })
                    .expect("a sound recipe");
                let made = studio.encode(&source, &recipe).await;
                made.unwrap_or_else(|failure| panic!("{name} by {audio}: {failure}"));
                let (_, sound) = Sync::decode(
                    &studio,
                    &studio.output(),
                    "-map 0:a -ac 1 -ar 48000 -c:a pcm_s16le",
                );
                let loud = sound.chunks_exact(2).filter(|sample| {
                    i16::from_le_bytes([sample[0], sample[1]]).unsigned_abs() > 200
                });
                let seconds = loud.count() as f64 / 48_000.0;
                assert!(seconds > 2.0, "{name} by {audio}: {seconds} s are heard");
            }
        }
    }
}
