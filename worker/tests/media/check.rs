//! Checks of files: what is broken is found at its place, and what is healthy is left in peace, by old and by recent
//! ffmpegs.

use std::path::{Path, PathBuf};
use std::process::Command;

use common::job::failure::Failure;
use common::job::kind::CheckDepth;
use common::job::run::health::Damage;
use worker::attempt::check::{Checked, check};
use worker::ffmpeg::Source;

use crate::studio::Studio;

/// How far a place may be from the truth, in seconds.
const NEAR: f64 = 1.0;

/// Eight seconds of film and sound whose packets are large.
const FILM: &str = "-f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine=frequency=440 -t 8 \
                    -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 -b:v 3M -minrate 3M -maxrate 3M -bufsize 1M \
                    -x264-params nal-hrd=cbr -c:a aac";

impl Studio {
    async fn check(&self, file: &Path, depth: CheckDepth) -> Result<Checked, Failure> {
        let source = Source::File(file.to_owned());
        check(&self.runner(file), &source, depth, |_| {}).await
    }

    async fn damage(&self, file: &Path, depth: CheckDepth) -> Vec<Damage> {
        let checked = self.check(file, depth).await;
        checked
            .unwrap_or_else(|why| panic!("{}: {why:?}", file.display()))
            .damage
    }

    /// The packets of a track: the position of each in the file, and its time in seconds from the beginning.
    fn places(&self, file: &Path, track: &str) -> Vec<(usize, f64)> {
        let answer = Command::new(&self.tools().ffprobe)
            .args(["-v", "error", "-of", "csv=p=0", "-select_streams", track])
            .args(["-show_entries", "packet=pts_time,pos"])
            .arg(file)
            .output()
            .expect("ffprobe runs");
        let answer = String::from_utf8(answer.stdout).expect("text");
        let packets = answer.lines().filter_map(|line| {
            let (time, pos) = line.split_once(',')?;
            let pos: usize = pos.trim_end_matches(',').parse().ok()?;
            Some((pos, time.parse::<f64>().ok()?))
        });
        let mut packets: Vec<(usize, f64)> = packets.collect();
        packets.sort_by_key(|(pos, _)| *pos);
        let times = packets.iter().map(|(_, time)| *time);
        let first = times.fold(f64::INFINITY, f64::min);
        packets
            .iter()
            .map(|(pos, time)| (*pos, time - first))
            .collect()
    }

    /// The time of the packet that holds a byte of the file.
    fn time_at(&self, file: &Path, track: &str, offset: usize) -> f64 {
        let places = self.places(file, track);
        let before = places.iter().rfind(|(pos, _)| *pos <= offset);
        before.expect("a packet").1
    }

    /// A copy of a file with changed bytes.
    fn harmed(&self, file: &Path, harm: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
        let mut bytes = std::fs::read(file).expect("bytes");
        harm(&mut bytes);
        let name = file.file_name().expect("a name").to_string_lossy();
        let path = self.path(&format!("harmed-{name}"));
        std::fs::write(&path, bytes).expect("written");
        path
    }
}

fn told(damage: &[Damage]) -> Vec<String> {
    damage.iter().map(ToString::to_string).collect()
}

/// Makes sure that damage is told about this time, and nowhere far from the stretch from `from` to `to`.
fn is_near(damage: &[Damage], from: f64, to: f64, what: &str) {
    let told = told(damage);
    assert!(!damage.is_empty(), "{what}: nothing was found");
    let covers = |one: &Damage| one.from <= to + NEAR && one.to >= from - NEAR;
    assert!(damage.iter().all(covers), "{what}: {from}–{to}: {told:?}");
    let first = damage
        .iter()
        .map(|one| one.from)
        .fold(f64::INFINITY, f64::min);
    assert!((first - from).abs() <= NEAR, "{what}: {from}: {told:?}");
}

#[tokio::test]
async fn healthy_files_of_many_kinds_have_no_damage() {
    let small = "-f lavfi -i testsrc2=size=160x96:rate=25 -f lavfi -i sine -t 2";
    let x264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 3 -g 25";
    let kinds = [
        ("a.mp4", format!("{x264} -c:a aac")),
        ("front.mp4", format!("{x264} -c:a aac -movflags +faststart")),
        (
            "parts.mp4",
            format!("{x264} -c:a aac -movflags +frag_keyframe+empty_moov"),
        ),
        ("a.mov", "-c:v prores_ks -c:a pcm_s16le".to_owned()),
        ("a.mkv", format!("{x264} -c:a flac")),
        ("opus.mkv", format!("{x264} -c:a libopus")),
        (
            "a.webm",
            "-c:v libvpx -deadline realtime -auto-alt-ref 1 -lag-in-frames 10 -c:a libvorbis"
                .to_owned(),
        ),
        (
            "a.avi",
            "-c:v mpeg4 -vtag XVID -bf 2 -c:a libmp3lame".to_owned(),
        ),
        ("h264.avi", format!("{x264} -c:a ac3")),
        ("a.ts", format!("{x264} -c:a ac3")),
        ("a.m2ts", format!("{x264} -c:a ac3")),
        ("a.mpg", "-c:v mpeg2video -bf 2 -c:a mp2".to_owned()),
        ("a.flv", format!("{x264} -c:a aac")),
        (
            "interlaced.ts",
            format!("{x264} -flags +ilme+ildct -x264opts tff=1 -c:a mp2"),
        ),
        (
            "slow.mkv",
            format!("{x264} -vf select='lt(mod(n,10),4)' -fps_mode vfr -c:a aac"),
        ),
        ("late.mkv", format!("{x264} -c:a aac -output_ts_offset 100")),
        ("only.m4a", "-vn -c:a aac".to_owned()),
    ];
    for studio in Studio::each() {
        for (name, arguments) in &kinds {
            let file = studio.make(name, &format!("{small} {arguments}"));
            for depth in [CheckDepth::Quick, CheckDepth::Full] {
                let damage = studio.damage(&file, depth).await;
                assert_eq!(told(&damage), [""; 0], "{name} {depth:?}");
            }
        }
        let whole = studio.path("a.mp4");
        let cut = format!("-ss 0.5 -i {} -c copy", whole.display());
        for name in ["edited.mp4", "begun.ts"] {
            let file = studio.make(name, &cut);
            assert_eq!(
                told(&studio.damage(&file, CheckDepth::Full).await),
                [""; 0],
                "{name}"
            );
        }
        let tracks = studio.tracks();
        let checked = studio
            .check(&tracks, CheckDepth::Full)
            .await
            .expect("checked");
        assert_eq!((told(&checked.damage).len(), checked.frames), (0, 30));
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_is_damaged_from_there_on() {
    for studio in Studio::each() {
        for name in ["a.mkv", "front.mp4", "a.ts", "a.avi"] {
            let front = if name == "front.mp4" {
                "-movflags +faststart"
            } else {
                ""
            };
            let whole = studio.make(name, &format!("{FILM} {front}"));
            let mut cut = 0;
            let broken = studio.harmed(&whole, |bytes| {
                // No boundary of packets, whatever the size.
                cut = bytes.len() * 6 / 10 / 188 * 188 + 71;
                bytes.truncate(cut);
            });
            let truth = studio.time_at(&whole, "v:0", cut);
            for depth in [CheckDepth::Quick, CheckDepth::Full] {
                let damage = studio.damage(&broken, depth).await;
                is_near(&damage, truth, 8.0, name);
                let is_told = |one: &Damage| one.what == "the file breaks off";
                assert!(damage.iter().any(is_told), "{name}: {:?}", told(&damage));
            }
        }
    }
}

#[tokio::test]
async fn damage_within_a_file_is_found_at_its_place() {
    for studio in Studio::each() {
        for name in ["b.mkv", "b.mp4", "b.ts"] {
            let whole = studio.make(name, FILM);
            let length = std::fs::metadata(&whole).expect("there").len() as usize;
            let at = length / 2;
            let hole = studio.harmed(&whole, |bytes| bytes[at..at + (64 << 10)].fill(0));
            let from = studio.time_at(&whole, "v:0", at);
            let to = studio.time_at(&whole, "v:0", at + (64 << 10));
            let damage = studio.damage(&hole, CheckDepth::Full).await;
            is_near(&damage, from, to, &format!("zeros in {name}"));
        }
        let whole = studio.path("b.mkv");
        for (kind, track) in [("v", 0), ("a", 1)] {
            let packets = studio.packets(&whole, kind);
            let broken = &packets[packets.len() / 2..][..5];
            let from = studio.time_at(&whole, &format!("{kind}:0"), broken[0].0);
            let to = from + 0.2;
            let flipped = studio.harmed(&whole, |bytes| {
                for byte in broken.iter().flat_map(|(at, size)| at + 12..at + size) {
                    bytes[byte] ^= 0x5a;
                }
            });
            let damage = studio.damage(&flipped, CheckDepth::Full).await;
            is_near(&damage, from, to, &format!("flipped {kind}"));
            assert!(
                damage.iter().all(|one| one.track == Some(track)),
                "{:?}",
                told(&damage)
            );
        }
    }
}

#[tokio::test]
async fn an_index_that_leads_nowhere_is_damage() {
    for studio in Studio::each() {
        let whole = studio.make("c.mkv", FILM);
        let moved = studio.harmed(&whole, |bytes| {
            let index = [0x1C, 0x53, 0xBB, 0x6B];
            let at = bytes
                .windows(4)
                .rposition(|four| four == index)
                .expect("an index");
            // The first position of a cluster, in two bytes.
            let place = bytes[at..].windows(2).position(|two| two == [0xF1, 0x82]);
            let place = at + place.expect("a position") + 2;
            bytes[place + 1] ^= 0x15;
        });
        for depth in [CheckDepth::Quick, CheckDepth::Full] {
            let damage = studio.damage(&moved, depth).await;
            assert_eq!(told(&damage).len(), 1);
            assert!(
                damage[0].what.contains("the index leads to wrong places"),
                "{damage:?}"
            );
        }
        let whole = studio.make("c.mp4", FILM);
        let lost = studio.harmed(&whole, |bytes| {
            let at = bytes
                .windows(4)
                .rposition(|four| four == b"moov")
                .expect("an index");
            bytes.truncate(at - 4);
        });
        let damage = studio.damage(&lost, CheckDepth::Quick).await;
        assert!(damage[0].what.contains("moov atom not found"), "{damage:?}");
        let text = studio.path("text.mkv");
        std::fs::write(&text, "no film at all").expect("written");
        let damage = studio.damage(&text, CheckDepth::Full).await;
        assert!(damage[0].what.contains("no media"), "{damage:?}");
        assert_eq!((damage[0].from, damage[0].to), (0.0, 0.0));
    }
}

#[tokio::test]
async fn a_quick_check_of_a_long_film_looks_at_a_few_places() {
    for studio in Studio::each() {
        let long = "-f lavfi -i testsrc2=size=160x90:rate=10 -f lavfi -i sine=sample_rate=8000 -t 130 \
                    -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 30 -bf 2 -c:a aac";
        for name in ["long.mkv", "long.ts"] {
            let whole = studio.make(name, long);
            let healthy = studio
                .check(&whole, CheckDepth::Quick)
                .await
                .expect("checked");
            assert_eq!(told(&healthy.damage), [""; 0], "{name}");
            // Seven places of six seconds, and what ffprobe reads after each.
            assert!((400..1000).contains(&healthy.frames), "{}", healthy.frames);
            // One of the places is at 62 s.
            let length = std::fs::metadata(&whole).expect("there").len() as usize;
            let places = studio.places(&whole, "v:0");
            let at = places
                .iter()
                .find(|(_, time)| *time > 65.0)
                .expect("long enough")
                .0;
            let end = at + length / 65;
            let broken = studio.harmed(&whole, |bytes| bytes[at..end].fill(0));
            let damage = studio.damage(&broken, CheckDepth::Quick).await;
            let (from, to) = (65.0, studio.time_at(&whole, "v:0", end));
            is_near(&damage, from, to, name);
        }
    }
}
