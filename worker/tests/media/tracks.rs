//! What becomes of tracks, and of what belongs to them, with both builds of ffmpeg. Judged by ffprobe and mkvmerge.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::job::changes::{Fate, Kind};
use common::recipe::{Container, Recipe};
use serde_json::Value;
use worker::ffmpeg::Source;
use worker::ffmpeg::probe::probe;

use crate::studio;
use crate::studio::Studio;

/// A second of film and sound, as arguments.
const FILM: &str = "-f lavfi -i testsrc2=size=160x90:rate=25:d=1 -f lavfi -i sine=d=1";
/// How they are coded.
const CODED: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac";

/// A recipe that encodes films and keeps sound, by what the container holds.
fn recipe(container: Container) -> Recipe {
    let (encoder, audio) = match container {
        Container::Webm => ("libvpx-vp9", "libopus"),
        _ => ("libx264", "copy"),
    };
    let quick = studio::with(studio::recipe(encoder), |video| {
        let quickest = if encoder == "libx264" {
            "ultrafast"
        } else {
            "8"
        };
        video.preset = Some(quickest.parse().expect("a token"));
    });
    Recipe {
        container,
        audio: audio.parse().expect("audio"),
        ..quick
    }
}

/// Encodes by the recipe of a container; gives what ffprobe says of the output.
async fn encode(studio: &Studio, source: &Path, container: Container) -> Value {
    let checked = studio.encode(source, &recipe(container)).await;
    checked.unwrap_or_else(|failure| panic!("{} to {container}: {failure:?}", source.display()));
    studio.probed()
}

/// What is foreseen to become of an input.
async fn foreseen(studio: &Studio, source: &Path, container: Container) -> Vec<(Fate, Kind)> {
    let media = studio.probe(source).await.expect("media");
    let tracks = worker::ffmpeg::tracks::Tracks::choose(&recipe(container), &media);
    let changes = tracks.expect("tracks").changes;
    let told = changes.iter().map(|change| (change.fate, change.kind));
    told.collect()
}

fn mkvmerge(arguments: &[&str]) -> Value {
    let done = Command::new("mkvmerge").args(arguments).output();
    let done = done.expect("mkvmerge is installed");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{arguments:?}: {said}");
    serde_json::from_str(&said).unwrap_or(Value::Null)
}

/// Joins inputs by mkvmerge.
fn join(studio: &Studio, name: &str, arguments: &[&str]) -> PathBuf {
    let path = studio.path(name);
    let to = path.to_str().expect("text");
    mkvmerge(&[&["-q", "-o", to], arguments].concat());
    path
}

/// What mkvmerge says of the output. It reads all of it, so that what it finds wrong fails.
fn identify(studio: &Studio) -> Value {
    let output = studio.output();
    let output = output.to_str().expect("text");
    let whole = studio.path("whole.mkv");
    mkvmerge(&["-q", "-o", whole.to_str().expect("text"), output]);
    mkvmerge(&["-J", output])
}

fn list<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value[key]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .collect()
}

/// What each stream is marked as.
fn marks(probed: &Value) -> Vec<String> {
    let of = |stream: &Value| {
        let marks = stream["disposition"].as_object().expect("marks");
        let set = marks.iter().filter(|(_, is_set)| **is_set == 1);
        set.map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join("+")
    };
    list(probed, "streams").into_iter().map(of).collect()
}

/// A tag of each stream, in whatever case; empty where it has none.
fn tags(probed: &Value, key: &str) -> Vec<String> {
    let streams = list(probed, "streams").into_iter();
    streams.map(|stream| tag(stream, key)).collect()
}

fn tag(of: &Value, key: &str) -> String {
    let tags = of["tags"].as_object();
    let mut tags = tags.into_iter().flatten();
    tags.find(|(name, _)| name.eq_ignore_ascii_case(key))
        .and_then(|(_, value)| value.as_str())
        .unwrap_or_default()
        .to_owned()
}

fn codecs(probed: &Value) -> Vec<&str> {
    let streams = list(probed, "streams").into_iter();
    streams
        .map(|stream| stream["codec_name"].as_str().unwrap_or("none"))
        .collect()
}

fn write(studio: &Studio, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = studio.path(name);
    std::fs::write(&path, text).expect("room");
    path.to_str().expect("text").to_owned()
}

const TEXT: &str = "1\n00:00:00,100 --> 00:00:00,500\n<i>Hallo</i> Wörld\n\n2\n00:00:00,600 --> 00:00:00,900\nagain\n\n";

/// Text of the output's first subtitles, as SubRip.
fn text(studio: &Studio) -> String {
    let path = studio.path("out.srt");
    studio.make(
        "out.srt",
        &format!("-i {} -map 0:s:0", studio.output().display()),
    );
    String::from_utf8_lossy(&std::fs::read(path).expect("text")).into_owned()
}

#[tokio::test]
async fn tracks_are_marked_as_they_were() {
    for studio in Studio::each() {
        let words = write(&studio, "a.srt", TEXT);
        let film = studio.make("film.mkv", &format!("{FILM} -map 0 -map 1 -map 1 {CODED}"));
        let film = film.to_str().expect("text");
        let flags = [
            "--default-track-flag",
            "0:yes",
            "--default-track-flag",
            "1:no",
            "--original-flag",
            "1:yes",
            "--default-track-flag",
            "2:yes",
            "--commentary-flag",
            "2:yes",
            film,
            "--default-track-flag",
            "0:no",
            words.as_str(),
            "--default-track-flag",
            "0:no",
            "--forced-display-flag",
            "0:yes",
            "--hearing-impaired-flag",
            "0:yes",
            words.as_str(),
        ];
        let source = join(&studio, "marked.mkv", &flags);
        let probed = encode(&studio, &source, Container::Mkv).await;
        let wanted = [
            "default",
            "original",
            "comment+default",
            "",
            "forced+hearing_impaired",
        ];
        assert_eq!(marks(&probed), wanted);
        let identified = identify(&studio);
        for (track, at) in list(&identified, "tracks").into_iter().zip(0..) {
            let is = |key: &str| track["properties"][key] == true;
            assert_eq!(is("default_track"), at == 0 || at == 2, "{track}");
            assert_eq!(is("forced_track"), at == 4, "{track}");
            assert_eq!(is("flag_original"), at == 1, "{track}");
            assert_eq!(is("flag_commentary"), at == 2, "{track}");
            assert_eq!(is("flag_hearing_impaired"), at == 4, "{track}");
        }
        let probed = encode(&studio, &source, Container::Mp4).await;
        let marked: Vec<BTreeSet<String>> = marks(&probed)
            .iter()
            .map(|marks| marks.split('+').map(str::to_owned).collect())
            .collect();
        let has = |track: usize, mark: &str| marked[track].contains(mark);
        assert!(
            has(0, "default") && !has(1, "default") && has(2, "default"),
            "{marked:?}"
        );
        assert!(!has(3, "default") && !has(4, "default"), "{marked:?}");
        assert!(
            has(2, "comment") && has(4, "forced") && has(4, "hearing_impaired"),
            "{marked:?}"
        );
        // The decoder reads what was changed after ffmpeg.
        assert!(text(&studio).contains("Wörld"));
        let told = foreseen(&studio, &source, Container::Mp4).await;
        assert_eq!(
            told,
            [(Fate::Lost, Kind::Disposition)],
            "the mark of an original"
        );
        encode(&studio, &source, Container::Mov).await;
        let told = foreseen(&studio, &source, Container::Mov).await;
        assert_eq!(told.len(), 3, "{told:?}");
        let probed = encode(&studio, &source, Container::Webm).await;
        assert_eq!(marks(&probed), ["default", "", "default", "", "forced"]);
    }
}

#[tokio::test]
async fn regions_and_scripts_of_languages_and_titles_stay() {
    for studio in Studio::each() {
        let words = write(&studio, "a.srt", TEXT);
        let film = studio.make("film.mkv", &format!("{FILM} -map 0 -map 1 -map 1 {CODED}"));
        let source = join(
            &studio,
            "languages.mkv",
            &[
                "--language",
                "1:pt-BR",
                "--track-name",
                "1:Som ü 5.1",
                "--language",
                "2:pt-PT",
                film.to_str().expect("text"),
                "--language",
                "0:zh-Hans",
                "--track-name",
                "0:_",
                words.as_str(),
                "--language",
                "0:ger",
                "--track-name",
                "0:Plain",
                words.as_str(),
            ],
        );
        let of = |identified: &Value, key: &str| -> Vec<String> {
            let tracks = list(identified, "tracks").into_iter();
            tracks
                .map(|track| {
                    track["properties"][key]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned()
                })
                .collect()
        };
        for container in [Container::Mkv, Container::Webm] {
            encode(&studio, &source, container).await;
            let identified = identify(&studio);
            assert_eq!(
                of(&identified, "language_ietf"),
                ["", "pt-BR", "pt-PT", "zh-Hans", ""]
            );
            assert_eq!(
                of(&identified, "language"),
                ["und", "por", "por", "chi", "ger"]
            );
            assert_eq!(
                of(&identified, "track_name"),
                ["", "Som ü 5.1", "", "_", "Plain"]
            );
            assert!(foreseen(&studio, &source, Container::Mkv).await.is_empty());
            let made = studio.probe(&studio.output()).await.expect("media");
            assert_eq!(made.streams[3].tags["language"], "zh-Hans");
        }
        let probed = encode(&studio, &source, Container::Mp4).await;
        assert_eq!(
            tags(&probed, "language"),
            ["und", "por", "por", "zho", "ger"]
        );
        assert_eq!(
            tags(&probed, "handler_name")[1..],
            ["Som ü 5.1", "SoundHandler", "_", "Plain"]
        );
        let told = foreseen(&studio, &source, Container::Mp4).await;
        let languages = told
            .iter()
            .filter(|told| **told == (Fate::Converted, Kind::Language));
        assert_eq!(languages.count(), 3, "{told:?}");
        let short = studio.make(
            "short.mkv",
            &format!("{FILM} {CODED} -metadata:s:a language=en"),
        );
        for container in [Container::Mkv, Container::Mp4] {
            let probed = encode(&studio, &short, container).await;
            assert_eq!(tags(&probed, "language")[1], "eng", "{container}");
        }
        encode(&studio, &source, Container::Mp4).await;
        // And back: what an mp4 calls its tracks becomes their titles.
        let mp4 = studio.path("named.mp4");
        std::fs::copy(studio.output(), &mp4).expect("room");
        let probed = encode(&studio, &mp4, Container::Mkv).await;
        assert_eq!(tags(&probed, "title"), ["", "Som ü 5.1", "", "_", "Plain"]);
    }
}

#[tokio::test]
async fn place_camera_and_date_of_telephones_stay() {
    let said = [
        ("com.apple.quicktime.location.ISO6709", "+48.8577+002.295/"),
        ("com.apple.quicktime.make", "Apple"),
        ("com.apple.quicktime.model", "iPhone"),
        (
            "com.apple.quicktime.creationdate",
            "2022-11-09T20:36:38+0300",
        ),
    ];
    let date = "2022-11-09T17:36:38.000000Z";
    for studio in Studio::each() {
        let told: Vec<String> = said
            .iter()
            .map(|(key, value)| format!("-metadata {key}={value}"))
            .collect();
        let apple = studio.make(
            "apple.mov",
            &format!(
                "{FILM} {CODED} -movflags use_metadata_tags {} -metadata creation_time={date}",
                told.join(" ")
            ),
        );
        let android = studio.make(
            "android.mp4",
            &format!("{FILM} {CODED} -metadata location=+48.8577+002.2950/ -metadata creation_time={date}"),
        );
        for container in [Container::Mp4, Container::Mov, Container::Mkv] {
            let probed = encode(&studio, &apple, container).await;
            for (key, value) in said {
                assert_eq!(tag(&probed["format"], key), value, "{container}");
            }
            assert_eq!(tag(&probed["format"], "creation_time"), date, "{container}");
            if container != Container::Mkv {
                assert_eq!(tags(&probed, "creation_time"), [date; 2], "{container}");
            }
            let probed = encode(&studio, &android, container).await;
            assert_eq!(
                tag(&probed["format"], "location"),
                "+48.8577+002.2950/",
                "{container}"
            );
            assert_eq!(tag(&probed["format"], "creation_time"), date, "{container}");
        }
    }
}

#[tokio::test]
async fn tags_of_the_film_stay_and_counts_of_the_source_go() {
    let said = [
        ("title", "Film"),
        ("comment", "hello"),
        ("show", "Show"),
        ("episode_id", "S01E02"),
        ("date", "2020"),
        ("artist", "Me"),
    ];
    for studio in Studio::each() {
        let told: Vec<String> = said
            .iter()
            .map(|(key, value)| format!("-metadata {key}={value}"))
            .collect();
        let film = studio.make("film.mkv", &format!("{FILM} {CODED} {}", told.join(" ")));
        let source = join(&studio, "counted.mkv", &[film.to_str().expect("text")]);
        let bps = |probed: &Value| tags(probed, "BPS");
        assert!(!studio.probe(&source).await.expect("media").streams[0].tags["BPS"].is_empty());
        for container in [Container::Mkv, Container::Mp4] {
            let probed = encode(&studio, &source, container).await;
            for (key, value) in said {
                assert_eq!(tag(&probed["format"], key), value, "{container}");
            }
            assert_eq!(bps(&probed)[0], "", "{container}");
            assert_eq!(tags(&probed, "NUMBER_OF_FRAMES")[0], "", "{container}");
            assert_eq!(tags(&probed, "_STATISTICS_TAGS")[0], "", "{container}");
        }
    }
}

#[tokio::test]
async fn chapters_stay_once_with_their_names() {
    let chapters = ";FFMETADATA1\ntitle=Äpfel & Öl\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=Ein “ü”\n\
                    [CHAPTER]\nTIMEBASE=1/1000\nSTART=400\nEND=1000\ntitle=第二章\n";
    for studio in Studio::each() {
        let file = write(&studio, "chapters.txt", chapters);
        for source in ["in.mp4", "in.mov", "in.mkv"] {
            let source = studio.make(
                source,
                &format!("{FILM} -i {file} -map_metadata 2 -map_chapters 2 {CODED}"),
            );
            for container in Container::ALL {
                let probed = encode(&studio, &source, container).await;
                let names: Vec<String> = list(&probed, "chapters")
                    .into_iter()
                    .map(|chapter| tag(chapter, "title"))
                    .collect();
                assert_eq!(names, ["Ein “ü”", "第二章"], "{container}");
                assert_eq!(tag(&probed["format"], "title"), "Äpfel & Öl", "{container}");
                let data = codecs(&probed)
                    .iter()
                    .filter(|codec| **codec == "bin_data")
                    .count();
                assert!(data <= 1, "{probed}");
                assert!(
                    foreseen(&studio, &source, container).await.is_empty(),
                    "{container}"
                );
            }
        }
    }
}

#[tokio::test]
async fn subtitles_take_the_form_that_the_container_holds() {
    for studio in Studio::each() {
        let film = studio.make("film.mkv", &format!("{FILM} {CODED}"));
        let film = film.to_str().expect("text");
        let words = write(&studio, "a.srt", TEXT);
        let styled = studio.make("a.ass", &format!("-i {words}"));
        let font = write(&studio, "font.ttf", [7; 999]);
        let browser = write(
            &studio,
            "a.vtt",
            "WEBVTT\n\n00:00:00.100 --> 00:00:00.500 align:start line:10%\n<i>Hallo</i> Wörld\n\n00:00:00.600 --> 00:00:00.900\nagain\n",
        );
        let plain = join(&studio, "plain.mkv", &[film, &words]);
        let fonts = [
            film,
            styled.to_str().expect("text"),
            "--attachment-mime-type",
            "font/ttf",
            "--attachment-name",
            "font.ttf",
            "--attach-file",
            font.as_str(),
        ];
        let styled = join(&studio, "styled.mkv", &fonts);
        let browser = join(&studio, "browser.mkv", &[film, &browser]);
        let webm = studio.make(
            "first.webm.mkv",
            &format!("-i {film} -i {words} -map 0 -map 1 -c copy -c:s webvtt"),
        );
        let mov = studio.make(
            "mov.mp4",
            &format!("-i {film} -i {words} -map 0 -map 1 -c copy -c:s mov_text"),
        );
        let cost = [(Fate::Converted, Kind::Track)];
        let attached = [
            (Fate::Converted, Kind::Track),
            (Fate::Lost, Kind::Attachment),
        ];
        for (source, container, form, told) in [
            (&plain, Container::Mkv, "subrip", &[][..]),
            (&plain, Container::Mp4, "mov_text", &[]),
            (&plain, Container::Webm, "webvtt", &[]),
            (&styled, Container::Mkv, "ass", &[]),
            (&styled, Container::Mp4, "mov_text", &attached),
            (&styled, Container::Webm, "webvtt", &attached),
            (&browser, Container::Mkv, "subrip", &cost),
            (&browser, Container::Mp4, "mov_text", &cost),
            (&browser, Container::Webm, "webvtt", &[]),
            (&webm, Container::Mkv, "webvtt", &[]),
            (&webm, Container::Webm, "webvtt", &[]),
            (&webm, Container::Mov, "mov_text", &cost),
            (&mov, Container::Mkv, "subrip", &[]),
            (&mov, Container::Mov, "mov_text", &[]),
        ] {
            let probed = encode(&studio, source, container).await;
            assert_eq!(
                codecs(&probed)[2],
                form,
                "{} to {container}",
                source.display()
            );
            let words = text(&studio);
            assert!(
                words.contains("Wörld") && words.contains("again"),
                "{words}"
            );
            assert_eq!(
                foreseen(&studio, source, container).await,
                told,
                "{} to {container}",
                source.display()
            );
        }
        encode(&studio, &styled, Container::Mkv).await;
        let identified = identify(&studio);
        let attached = list(&identified, "attachments");
        assert_eq!(
            (attached.len(), &attached[0]["file_name"]),
            (1, &Value::from("font.ttf"))
        );
        assert_eq!(attached[0]["size"], 999);
    }
}

#[tokio::test]
async fn subtitles_that_are_odd_fail_no_job() {
    for studio in Studio::each() {
        let film = studio.make("film.mkv", &format!("{FILM} {CODED}"));
        let film = film.to_str().expect("text");
        let words = write(&studio, "a.srt", TEXT);
        let good = join(&studio, "good.mkv", &[film, &words]);
        let bytes = std::fs::read(&good).expect("bytes");
        // Text in Latin 1: the two bytes of an ö become two that are no UTF-8.
        let mut latin = bytes;
        let places: Vec<usize> = (0..latin.len() - 6)
            .filter(|&at| latin[at..].starts_with("Wörld".as_bytes()))
            .collect();
        for at in &places {
            latin[at + 1..at + 3].copy_from_slice(&[0xF6, 0xF6]);
        }
        assert_eq!(places.len(), 1);
        let path = studio.path("latin.mkv");
        std::fs::write(&path, latin).expect("room");
        for container in Container::ALL {
            encode(&studio, &path, container).await;
            let raw = text(&studio);
            assert!(raw.contains("again"), "{container}: {raw}");
        }
        let late = write(
            &studio,
            "late.srt",
            "1\n00:00:09,000 --> 00:00:09,500\nlate\n",
        );
        let empty = studio.make(
            "empty.mkv",
            &format!("-i {film} -i {late} -map 0 -map 1 -c copy -t 0.9"),
        );
        for container in Container::ALL {
            let probed = encode(&studio, &empty, container).await;
            assert_eq!(codecs(&probed).len(), 3, "{container}");
        }
    }
}

/// Subtitles of a Blu-ray disc: one picture, shown from a tenth of a second to a half.
fn pictures() -> Vec<u8> {
    let segment = |milliseconds: u32, kind: u8, data: &[u8]| {
        let length = u16::try_from(data.len()).expect("short");
        let mut bytes = b"PG".to_vec();
        bytes.extend((milliseconds * 90).to_be_bytes());
        bytes.extend([0; 4]);
        bytes.push(kind);
        bytes.extend(length.to_be_bytes());
        bytes.extend(data);
        bytes
    };
    let composition = |number: u8, state: u8, objects: &[u8]| {
        [&[0, 160, 0, 90, 0x10, 0, number, state, 0, 0], objects].concat()
    };
    let window = [1, 0, 0, 20, 0, 70, 0, 16, 0, 8];
    let rows = [[1; 16].as_slice(), &[0, 0]].concat().repeat(8);
    let length = u8::try_from(rows.len() + 4).expect("short");
    let picture = [&[0, 0, 0, 0xC0, 0, 0, length, 0, 16, 0, 8], rows.as_slice()].concat();
    [
        segment(
            100,
            0x16,
            &composition(0, 0x80, &[1, 0, 0, 0, 0, 0, 20, 0, 70]),
        ),
        segment(100, 0x17, &window),
        segment(100, 0x14, &[0, 0, 1, 235, 128, 128, 255]),
        segment(100, 0x15, &picture),
        segment(100, 0x80, &[]),
        segment(500, 0x16, &composition(1, 0, &[0])),
        segment(500, 0x17, &window),
        segment(500, 0x80, &[]),
    ]
    .concat()
}

#[tokio::test]
async fn subtitles_of_pictures_stay_in_mkv_and_are_told_elsewhere() {
    for studio in Studio::each() {
        let film = studio.make("film.mkv", &format!("{FILM} {CODED}"));
        let disc = write(&studio, "disc.sup", pictures());
        let source = join(&studio, "disc.mkv", &[film.to_str().expect("text"), &disc]);
        let broadcast = studio.make(
            "broadcast.mkv",
            &format!("-i {} -map 0 -c copy -c:s dvbsub", source.display()),
        );
        for (source, form) in [(&source, "hdmv_pgs_subtitle"), (&broadcast, "dvb_subtitle")] {
            let probed = encode(&studio, source, Container::Mkv).await;
            assert_eq!(codecs(&probed), ["h264", "aac", form]);
            assert!(foreseen(&studio, source, Container::Mkv).await.is_empty());
            for container in [Container::Mp4, Container::Mov, Container::Webm] {
                let probed = encode(&studio, source, container).await;
                assert_eq!(codecs(&probed).len(), 2, "{container}");
                let told = foreseen(&studio, source, container).await;
                assert_eq!(told, [(Fate::Lost, Kind::Track)], "{container}");
            }
        }
        // Who does not want to lose them says so.
        let mut careful = recipe(Container::Mp4);
        careful.refuse_loss.insert(Kind::Track);
        let refused = studio.encode(&source, &careful).await.expect_err("refused");
        assert!(refused.message.contains("--container mkv"), "{refused}");
    }
}

#[tokio::test]
async fn covers_stay_covers() {
    for studio in Studio::each() {
        let picture = studio.make("cover.jpg", "-f lavfi -i color=red:s=60x40 -frames:v 1");
        let picture = picture.to_str().expect("text");
        let film = studio.make("film.mkv", &format!("{FILM} {CODED}"));
        let film = film.to_str().expect("text");
        let mkv = [
            film,
            "--attachment-mime-type",
            "image/jpeg",
            "--attachment-name",
            "front.jpg",
            "--attach-file",
            picture,
        ];
        let mkv = join(&studio, "cover.mkv", &mkv);
        let mp4 = studio.make(
            "cover.mp4",
            &format!("-i {film} -i {picture} -map 0 -map 1 -c copy -disposition:v:1 attached_pic"),
        );
        let size = std::fs::metadata(picture).expect("a picture").len();
        for (source, name) in [(&mkv, "front.jpg"), (&mp4, "cover.jpg")] {
            let probed = encode(&studio, source, Container::Mkv).await;
            assert_eq!(codecs(&probed), ["h264", "aac", "mjpeg"]);
            assert_eq!(marks(&probed)[2], "attached_pic");
            let identified = identify(&studio);
            assert_eq!(list(&identified, "tracks").len(), 2);
            let attached = list(&identified, "attachments");
            assert_eq!(attached.len(), 1);
            assert_eq!(attached[0]["file_name"], name);
            assert_eq!(attached[0]["content_type"], "image/jpeg");
            assert_eq!(attached[0]["size"], size);
            let probed = encode(&studio, source, Container::Mp4).await;
            assert_eq!(codecs(&probed), ["h264", "aac", "mjpeg"]);
            assert_eq!(marks(&probed)[2], "attached_pic");
            assert!(foreseen(&studio, source, Container::Mp4).await.is_empty());
            for container in [Container::Mov, Container::Webm] {
                let told = foreseen(&studio, source, container).await;
                assert_eq!(told, [(Fate::Lost, Kind::Cover)], "{container}");
                let probed = encode(&studio, source, container).await;
                assert_eq!(codecs(&probed).len(), 2, "{container}");
            }
        }
        // One that is no picture at all.
        let broken = write(&studio, "broken.jpg", "no picture");
        let broken = [
            film,
            "--attachment-mime-type",
            "image/jpeg",
            "--attachment-name",
            "broken.jpg",
            "--attach-file",
            broken.as_str(),
        ];
        let broken = join(&studio, "broken.mkv", &broken);
        encode(&studio, &broken, Container::Mkv).await;
        assert_eq!(list(&identify(&studio), "attachments").len(), 1);
        let told = foreseen(&studio, &broken, Container::Mp4).await;
        assert_eq!(told, [(Fate::Lost, Kind::Cover)]);
        encode(&studio, &broken, Container::Mp4).await;
    }
}

#[tokio::test]
async fn posters_are_no_films_and_films_may_be_many() {
    for studio in Studio::each() {
        let picture = studio.make("poster.png", "-f lavfi -i color=blue:s=64x96 -frames:v 1");
        let picture = picture.display();
        for (codec, order) in [
            ("mjpeg", "-map 0 -map 1 -map 2"),
            ("png", "-map 2 -map 0 -map 1"),
        ] {
            let film = if order.starts_with("-map 0") {
                "0"
            } else {
                "1"
            };
            let poster = if film == "0" { "1" } else { "0" };
            let source = studio.make(
                "poster.mkv",
                &format!(
                    "{FILM} -i {picture} {order} -c:v:{film} libx264 -preset ultrafast -c:v:{poster} {codec} -c:a aac"
                ),
            );
            let probed = encode(&studio, &source, Container::Mkv).await;
            assert_eq!(codecs(&probed), ["h264", "aac", codec]);
            assert!(foreseen(&studio, &source, Container::Mkv).await.is_empty());
            let probed = encode(&studio, &source, Container::Mp4).await;
            assert_eq!(codecs(&probed), ["h264", "aac", codec]);
            assert_eq!(marks(&probed)[2], "attached_pic");
            let told = foreseen(&studio, &source, Container::Mp4).await;
            assert_eq!(told, [(Fate::Converted, Kind::Cover)]);
            let probed = encode(&studio, &source, Container::Mov).await;
            assert_eq!(codecs(&probed), ["h264", "aac", codec]);
        }
        let two = studio.make(
            "two.mkv",
            &format!(
                "{FILM} -f lavfi -i smptebars=s=64x48:r=25:d=1 -map 0 -map 2 -map 1 -c:v:0 libx264 -preset ultrafast \
                 -c:v:1 libx265 -pix_fmt:v:1 yuv420p10le -x265-params log-level=error -c:a aac"
            ),
        );
        for container in [Container::Mkv, Container::Mp4] {
            let probed = encode(&studio, &two, container).await;
            let formats: Vec<&str> = list(&probed, "streams")
                .into_iter()
                .filter_map(|stream| stream["pix_fmt"].as_str())
                .collect();
            assert_eq!(
                formats,
                ["yuv420p", "yuv420p10le"],
                "each film has its own depth"
            );
        }
        let motion = studio.make("motion.avi", &format!("{FILM} -c:v mjpeg -c:a aac"));
        assert_eq!(
            codecs(&encode(&studio, &motion, Container::Mkv).await),
            ["h264", "aac"]
        );
    }
}

#[tokio::test]
async fn timecode_and_telemetry_stay_where_they_can() {
    for studio in Studio::each() {
        let film = studio.make("film.mov", &format!("{FILM} {CODED} -timecode 01:02:03:04"));
        for container in [Container::Mov, Container::Mp4, Container::Mkv] {
            let probed = encode(&studio, &film, container).await;
            assert_eq!(tags(&probed, "timecode")[0], "01:02:03:04", "{container}");
            assert!(
                foreseen(&studio, &film, container).await.is_empty(),
                "{container}"
            );
        }
        // Subtitles that outlast the film become what cameras write beside it.
        let words = write(
            &studio,
            "a.srt",
            "1\n00:00:00,500 --> 00:00:01,800\ntelemetry\n",
        );
        let disguised = studio.make(
            "text.mp4",
            &format!("{FILM} -i {words} -map 0 -map 1 -map 2 {CODED} -c:s mov_text"),
        );
        let mut bytes = std::fs::read(disguised).expect("bytes");
        for (from, to) in [(b"sbtl", b"meta"), (b"tx3g", b"gpmd")] {
            let at = bytes
                .windows(4)
                .rposition(|window| window == from)
                .expect("there");
            bytes[at..at + 4].copy_from_slice(to);
        }
        let source = studio.path("camera.mp4");
        std::fs::write(&source, bytes).expect("room");
        for container in [Container::Mp4, Container::Mov] {
            let probed = encode(&studio, &source, container).await;
            assert_eq!(codecs(&probed), ["h264", "aac", "bin_data"], "{container}");
            assert_eq!(list(&probed, "streams")[2]["codec_tag_string"], "gpmd");
            assert!(foreseen(&studio, &source, container).await.is_empty());
        }
        let probed = encode(&studio, &source, Container::Mkv).await;
        assert_eq!(codecs(&probed), ["h264", "aac"]);
        let told = foreseen(&studio, &source, Container::Mkv).await;
        assert_eq!(told, [(Fate::Lost, Kind::Track)]);
    }
}

/// Serves bytes by HTTP from where each request wants them, as an object store does; gives the address.
async fn serve(bytes: Vec<u8>) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let bytes = bytes.clone();
            tokio::spawn(async move {
                let mut asked = vec![0; 4096];
                let read = stream.read(&mut asked).await.unwrap_or(0);
                let asked = String::from_utf8_lossy(&asked[..read]).to_lowercase();
                let from = asked
                    .split_once("range: bytes=")
                    .and_then(|(_, range)| range.split('-').next()?.parse().ok())
                    .unwrap_or(0)
                    .min(bytes.len());
                let (all, rest) = (bytes.len(), &bytes[from..]);
                let head = format!(
                    "HTTP/1.1 206 Partial Content\r\nAccept-Ranges: bytes\r\nConnection: close\r\n\
                     Content-Range: bytes {from}-{}/{all}\r\nContent-Length: {}\r\n\r\n",
                    all - 1,
                    rest.len()
                );
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(rest).await;
            });
        }
    });
    format!("http://{address}/film.mkv")
}

#[tokio::test]
async fn languages_are_read_by_address_too() {
    for studio in Studio::each() {
        let film = studio.make("film.mkv", &format!("{FILM} {CODED}"));
        let film = film.to_str().expect("text");
        let source = join(&studio, "languages.mkv", &["--language", "1:pt-BR", film]);
        let url = serve(std::fs::read(&source).expect("bytes")).await;
        let mut runner = studio.runner(&source);
        runner.sandbox.network = true;
        let media = probe(&runner, &Source::Url(url)).await.expect("media");
        assert_eq!(media.streams[1].tags["language"], "pt-BR");
    }
}
