//! Whose fault it is that something cannot be encoded, and what is told of
//! damage that can be lived with: with the system's ffmpeg and with a recent one.

use std::path::{Path, PathBuf};

use common::job::changes::{Change, Fate, Kind};
use common::job::failure::{Failure, Fault};
use common::recipe::{Container, Filters, Recipe};

use crate::studio;
use crate::studio::Studio;

/// Three seconds of picture and sound.
const FILM: &str = "-f lavfi -i sine -t 3";
const H264: &str = "-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p -c:a aac";

/// A file without its last part: `kept` of it in percent.
fn cut(studio: &Studio, name: &str, arguments: &str, kept: usize) -> PathBuf {
    let whole = studio.clip(&format!("whole-{name}"), &format!("{FILM} {arguments}"));
    let bytes = std::fs::read(whole).expect("bytes");
    let path = studio.path(name);
    std::fs::write(&path, &bytes[..bytes.len() * kept / 100]).expect("room");
    path
}

/// The fault is the input's for sure, the message is one line, and neither addresses nor paths are in it.
fn is_the_inputs(what: &str, failure: &Failure) {
    assert_eq!(
        (failure.fault, failure.doubt),
        (Fault::Input, None),
        "{what}: {failure:#?}"
    );
    let message = &failure.message;
    let is_clean = !message.contains("0x5") && !message.contains('\n') && !message.contains("/tmp");
    assert!(is_clean, "{what}: {message}");
}

/// What is not as it was.
fn not_kept(changes: &[Change]) -> Vec<&Change> {
    let changes = changes.iter();
    changes.filter(|change| change.fate != Fate::Kept).collect()
}

async fn refused(studio: &Studio, source: &Path, recipe: &Recipe, words: &str) {
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    match studio.encode(source, recipe).await {
        Err(failure) => {
            is_the_inputs(&name, &failure);
            assert!(failure.message.contains(words), "{name}: {failure}");
        }
        Ok(checked) => panic!("{name} was taken: {checked:#?}"),
    }
}

#[tokio::test]
async fn what_breaks_off_is_told_once_and_in_seconds() {
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
        // What is cut out of a broadcast states no length: it is all that there is.
        for (name, arguments) in [
            ("cut.ts", H264),
            ("cut.mpg", "-c:v mpeg2video -c:a mp2 -f mpeg"),
        ] {
            let source = cut(&studio, name, arguments, 60);
            let checked = studio.encode(&source, &recipe).await.expect(name);
            assert!(checked.frames > 30, "{name}: {checked:#?}");
        }
        // The end of the file is missing, the end of the film is not.
        let source = cut(&studio, "index.mkv", H264, 100);
        let bytes = std::fs::read(&source).expect("bytes");
        std::fs::write(&source, &bytes[..bytes.len() - 10]).expect("room");
        let checked = studio.encode(&source, &recipe).await.expect("whole enough");
        assert_eq!(checked.frames, 75);
        assert_eq!(not_kept(&checked.changes), Vec::<&Change>::new());
    }
}

#[tokio::test]
async fn what_holds_nothing_is_refused_at_once() {
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
async fn a_stated_length_is_no_truth() {
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

/// Rubbish in some packets of a stream, by their numbers.
fn spoil(studio: &Studio, source: &Path, stream: &str, packets: &[usize]) -> PathBuf {
    let places = studio.packets(source, stream);
    let mut bytes = std::fs::read(source).expect("bytes");
    for &packet in packets {
        let (at, size) = places[packet];
        // Behind what tells a packet's kind and size.
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
async fn damage_in_the_middle_is_told_with_its_place_and_refused_where_asked() {
    for studio in Studio::each() {
        let mut recipe = studio::recipe("libx264");
        recipe.audio = "aac".parse().expect("audio");
        let strict = Recipe {
            strict_input: true,
            ..recipe.clone()
        };
        for (name, arguments) in [
            ("film.mp4", H264),
            ("film.mkv", H264),
            ("film.avi", "-c:v mpeg4 -g 25 -c:a libmp3lame"),
        ] {
            let whole = studio.clip(name, &format!("{FILM} {arguments}"));
            for (stream, kind) in [("v", "video"), ("a", "audio")] {
                // No decoder can tell bad MP3 from good.
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
async fn what_a_demuxer_skips_is_told_by_the_gap_that_it_leaves() {
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
        // From the middle of one cluster to the beginning of the next one nothing can be read.
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
            let strict = Recipe {
                strict_input: true,
                ..recipe
            };
            refused(&studio, &source, &strict, "source is damaged").await;
        }
    }
}

#[tokio::test]
async fn a_damaged_header_of_aac_costs_no_more_than_its_packet() {
    for studio in Studio::each() {
        let whole = studio.clip("film.ts", &format!("{FILM} {H264}"));
        let mut bytes = std::fs::read(&whole).expect("bytes");
        // The sync word of every tenth frame of sound, from the middle on.
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
            let recipe = Recipe {
                container,
                ..studio::copy()
            };
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

#[tokio::test]
async fn what_a_recipe_cannot_do_with_an_input_is_no_workers_fault() {
    for studio in Studio::each() {
        let film = studio.clip("film.mkv", &format!("-frames:v 5 {H264}"));
        let deep = studio.clip("deep.mkv", "-frames:v 5 -pix_fmt yuv420p10le -c:v ffv1");
        let tiny = studio.path("tiny.mkv");
        studio.picture(&tiny, "2x2");
        let small = studio.path("small.mkv");
        studio.picture(&small, "18x18");
        let wide = studio.path("wide.mkv");
        studio.picture(&wide, "16500x64");
        let with = |encoder: &str, change: &dyn Fn(&mut common::recipe::VideoEncode)| {
            studio::with(studio::recipe(encoder), change)
        };
        let filter = |filters: &'static str| {
            with("libx264", &move |video| {
                video.filters = Some(filters.parse().expect("filters"));
            })
        };
        let argument = |encoder, argument: &'static str| {
            with(encoder, &move |video| {
                video.arguments = vec![argument.parse().expect("an argument")];
            })
        };
        let into = |container| Recipe {
            container,
            ..studio::copy()
        };
        for (source, recipe, words) in [
            (&deep, into(Container::Webm), "choose --container mkv"),
            (&film, filter("crop=640:360"), "crop: Invalid too big"),
            (&film, filter("pad=16:16"), "Padded dimensions"),
            (&film, filter("bm3d=block=70"), "out of range"),
            (&film, filter("scale=99999:99999"), "Picture size"),
            (&film, filter("colorspace"), ""),
            (&deep, argument("libx264", "profile=baseline"), "baseline"),
            (&deep, argument("libx265", "profile=main"), "profile"),
            (&film, argument("libx264", "level=99"), "level"),
            (&film, argument("libx264", "tune=nonsense"), "tune"),
            (&tiny, studio::recipe("libx265"), ""),
            (&tiny, studio::recipe("libsvtav1"), ""),
            (&wide, studio::recipe("libx264"), "invalid width x height"),
            (&wide, studio::recipe("libsvtav1"), "must be less than"),
        ] {
            let outcome = studio.encode(source, &recipe).await;
            let Err(failure) = outcome else {
                // A newer encoder takes smaller pictures.
                assert!(words.is_empty(), "{}: {recipe:#?}", source.display());
                continue;
            };
            let what = format!("{} {recipe:?}", source.display());
            // What no words tell is settled by an encode of the worker's own.
            if !words.is_empty() {
                is_the_inputs(&what, &failure);
            }
            assert!(failure.message.contains(words), "{what}: {failure}");
        }
        for encoder in ["libx264", "libx265", "libsvtav1", "libvpx-vp9"] {
            match studio.encode(&small, &studio::recipe(encoder)).await {
                Ok(checked) => assert_eq!(checked.frames, 5, "{encoder}"),
                Err(failure) => is_the_inputs(encoder, &failure),
            }
        }
    }
}

#[tokio::test]
async fn the_usual_deinterlacers_pass() {
    for studio in Studio::each() {
        let source = studio.clip(
            "interlaced.mkv",
            "-frames:v 10 -vf scale=160:96 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -flags +ildct+ilme -x264opts tff=1",
        );
        for (filters, frames) in [
            ("bwdif", 20),
            ("w3fdif", 20),
            ("estdif", 20),
            ("yadif", 10),
            ("bwdif=0", 10),
            ("yadif=1", 20),
        ] {
            let recipe = studio::with(studio::recipe("libx264"), |video| {
                video.filters = Some(filters.parse().expect("filters"));
            });
            let checked = studio.encode(&source, &recipe).await.expect(filters);
            assert_eq!(checked.frames, frames, "{filters}");
        }
    }
}

#[test]
fn filters_that_are_said_to_keep_frames_do() {
    for studio in Studio::each() {
        let source = studio.clip(
            "film.mkv",
            "-frames:v 20 -vf scale=160:96 -pix_fmt yuv420p -c:v ffv1",
        );
        let known = studio.filters();
        let filters: Vec<String> = Filters::allowed()
            .filter(|name| known.contains(*name))
            .map(|name| match name {
                // These have no use without options.
                "crop" => "crop=80:40".to_owned(),
                "curves" => "curves=preset=vintage".to_owned(),
                "format" => "format=yuv444p".to_owned(),
                "colorspace" => "colorspace=all=bt709:iall=bt709".to_owned(),
                name => name.to_owned(),
            })
            .collect();
        assert!(filters.len() > 70, "{filters:?}");
        for filter in filters {
            let frames = studio.filter(&source, &filter);
            let keeps = filter.parse::<Filters>().expect("allowed").keep_frames();
            assert!(
                frames == 20 || !keeps,
                "{filter} makes {frames} frames of 20"
            );
        }
    }
}

#[tokio::test]
async fn a_container_that_cannot_hold_a_codec_is_no_workers_fault() {
    for studio in Studio::each() {
        let film = studio.clip("film.mkv", &format!("-frames:v 5 {H264}"));
        let recipe = Recipe {
            container: Container::Webm,
            ..studio::copy()
        };
        refused(&studio, &film, &recipe, "").await;
    }
}
