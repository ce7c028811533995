//! Inputs that are damaged in the middle.

use std::path::{Path, PathBuf};

use common::job::changes::{Fate, Kind};
use common::recipe::Container;

use crate::faults::recipes::not_kept;
use crate::faults::{FILM, H264, refused};
use crate::studio;
use crate::studio::Studio;

/// Overwrites some packets of a stream with rubbish, by their numbers.
fn spoil(studio: &Studio, source: &Path, stream: &str, packets: &[usize]) -> PathBuf {
    let places = studio.packets(source, stream);
    let mut bytes = std::fs::read(source).expect("bytes");
    for &packet in packets {
        let (at, size) = places[packet];
        // After the bytes that hold a packet's kind and size.
        for (n, byte) in bytes[at + size / 4..at + size].iter_mut().enumerate() {
            *byte = (n.wrapping_mul(2_654_435_761) >> 7) as u8;
        }
    }
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let path = studio.path(&format!("spoilt-{stream}-{name}"));
    std::fs::write(&path, bytes).expect("room");
    path
}

#[tokio::test]
async fn damage_in_the_middle_is_reported_with_its_time_and_refused_on_request() {
    for studio in Studio::each() {
        let recipe = studio::recipe("libx264")
            .edit(|draft| draft.audio = "aac".parse().expect("audio"))
            .expect("a sound recipe");
        let strict = recipe
            .clone()
            .edit(|draft| draft.strict_input = true)
            .expect("a sound recipe");
        for (name, arguments) in [
            ("film.mp4", H264),
            ("film.mkv", H264),
            ("film.avi", "-c:v mpeg4 -g 25 -c:a libmp3lame"),
        ] {
            let whole = studio.clip(name, &format!("{FILM} {arguments}"));
            for (stream, kind) in [("v", "video"), ("a", "audio")] {
                // No decoder can distinguish bad MP3 from good.
                if (name, stream) == ("film.avi", "a") {
                    continue;
                }
                let spoilt = spoil(&studio, &whole, stream, &[30, 31, 60]);
                let what = spoilt.display();
                let checked = studio.encode(&spoilt, &recipe).await;
                let checked = checked.unwrap_or_else(|failure| panic!("{what}: {failure:#?}"));
                let told = checked.changes.iter().find(|change| {
                    change.kind == Kind::Timing
                        && change.fate == Fate::Lost
                        && change.from.contains(kind)
                });
                let told = told.unwrap_or_else(|| panic!("{what}: {:#?}", checked.changes));
                let place = if stream == "v" {
                    "around 1.2 s"
                } else {
                    "around"
                };
                let why = told.why.as_deref().unwrap_or_default();
                assert!(why.contains(place), "{what}: {told}");
                refused(&studio, &spoilt, &strict, "source is damaged").await;
            }
            studio.encode(&whole, &strict).await.expect("it is whole");
        }
    }
}

#[tokio::test]
async fn data_that_a_demuxer_skips_is_reported_by_its_gap() {
    for studio in Studio::each() {
        let webm =
            "-c:v libvpx -deadline realtime -cpu-used 8 -g 25 -c:a libopus -cluster_time_limit 500";
        let whole = studio.clip("film.webm", &format!("{FILM} {webm}"));
        let mut bytes = std::fs::read(&whole).expect("bytes");
        let clusters: Vec<usize> = bytes
            .windows(4)
            .enumerate()
            .filter(|(_, id)| *id == [0x1f, 0x43, 0xb6, 0x75])
            .map(|(at, _)| at)
            .collect();
        let [.., from, to, _, _] = clusters[..] else {
            panic!("{} clusters", clusters.len())
        };
        // From the middle of one cluster to the start of the next, nothing can be read.
        bytes[(from + to) / 2..to].fill(0);
        let source = studio.path("hole.webm");
        std::fs::write(&source, bytes).expect("room");
        for recipe in [studio::recipe("libx264"), studio::copy()] {
            let checked = studio.encode(&source, &recipe).await.expect("most of it");
            assert!((50..75).contains(&checked.frames), "{checked:#?}");
            let missing = format!("{} of 75 video frames", 75 - checked.frames);
            let told = not_kept(&checked.changes);
            let told = told.iter().find(|change| change.from == missing);
            let told = told.unwrap_or_else(|| panic!("{missing}: {:#?}", checked.changes));
            assert_eq!((told.kind, told.fate), (Kind::Timing, Fate::Lost));
            let strict = recipe
                .edit(|draft| draft.strict_input = true)
                .expect("a sound recipe");
            refused(&studio, &source, &strict, "source is damaged").await;
        }
    }
}

#[tokio::test]
async fn a_damaged_header_of_aac_costs_no_more_than_its_packet() {
    for studio in Studio::each() {
        let whole = studio.clip("film.ts", &format!("{FILM} {H264}"));
        let mut bytes = std::fs::read(&whole).expect("bytes");
        // The sync word of every tenth frame of sound, from the middle of the file on.
        let headers: Vec<usize> = (bytes.len() / 2..bytes.len() - 2)
            .filter(|&at| bytes[at] == 0xff && bytes[at + 1] == 0xf1 && bytes[at + 2] == 0x50)
            .collect();
        assert!(headers.len() > 20, "{} headers", headers.len());
        for at in headers.iter().step_by(10) {
            bytes[*at..at + 7].fill(0x55);
        }
        let source = studio.path("headers.ts");
        std::fs::write(&source, bytes).expect("room");
        for container in [Container::Mkv, Container::Mp4] {
            let recipe = studio::copy()
                .edit(|draft| draft.container = container)
                .expect("a sound recipe");
            let checked = studio.encode(&source, &recipe).await.expect("most of it");
            assert_eq!(checked.frames, 75, "{container}");
            let [made, source] =
                [&studio.output(), &source].map(|path| studio.count_packets(path, "a"));
            assert!(
                made < source && made + headers.len() / 10 + 1 >= source,
                "{container}: {made} of {source}"
            );
            let told = not_kept(&checked.changes);
            let told = told
                .iter()
                .any(|change| change.fate == Fate::Lost && change.from.contains("audio"));
            assert!(told, "{container}: {:#?}", checked.changes);
        }
    }
}

#[tokio::test]
async fn a_film_that_is_mostly_rubbish_is_refused() {
    for studio in Studio::each() {
        let whole = studio.clip("film.mp4", &format!("{FILM} {H264}"));
        let most: Vec<usize> = (0..75).filter(|packet| packet % 8 != 1).collect();
        let places = studio.packets(&whole, "v");
        let mut bytes = std::fs::read(&whole).expect("bytes");
        for packet in most {
            let (at, size) = places[packet];
            bytes[at..at + size].fill(0xff);
        }
        let source = studio.path("rubbish.mp4");
        std::fs::write(&source, bytes).expect("room");
        refused(&studio, &source, &studio::recipe("libx264"), "").await;
    }
}
