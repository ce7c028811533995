//! The dispositions and names of tracks, and the tags of a film.

use std::collections::BTreeSet;

use common::job::changes::{Fate, Kind};
use common::recipe::Container;
use serde_json::Value;
use worker::ffmpeg::Source;
use worker::ffmpeg::probe::probe;
use worker::sandbox::address::Address;

use crate::studio::Studio;
use crate::tracks::{
    CODED, FILM, FILMS, TEXT, codecs, encode, foreseen, identify, join, list, marks, tag, tags,
    text, write,
};

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
        // The decoder accepts what was changed after ffmpeg.
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
        // And back: the names of an mp4's tracks become their titles.
        let mp4 = studio.path("named.mp4");
        std::fs::copy(studio.output(), &mp4).expect("room");
        let probed = encode(&studio, &mp4, Container::Mkv).await;
        assert_eq!(tags(&probed, "title"), ["", "Som ü 5.1", "", "_", "Plain"]);
    }
}

#[tokio::test]
async fn the_place_camera_and_date_of_phones_are_kept() {
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
            for container in FILMS {
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

/// Serves bytes by HTTP from any offset, as an object store does; returns the address.
async fn serve(bytes: Vec<u8>) -> Address {
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
    let url = format!("http://{address}/film.mkv");
    Address::new(url, address.port(), ())
}

#[tokio::test]
async fn languages_are_read_from_urls_too() {
    for studio in Studio::each() {
        let film = studio.make("film.mkv", &format!("{FILM} {CODED}"));
        let film = film.to_str().expect("text");
        let source = join(&studio, "languages.mkv", &["--language", "1:pt-BR", film]);
        let address = serve(std::fs::read(&source).expect("bytes")).await;
        let mut runner = studio.runner(&source);
        runner.sandbox.connects = vec![address.clone()];
        let media = probe(&runner, &Source::Url(address)).await.expect("media");
        assert_eq!(media.streams[1].tags["language"], "pt-BR");
    }
}
