//! Subtitles, as text and as pictures.

use common::job::changes::{Fate, Kind};
use common::recipe::Container;
use serde_json::Value;

use crate::studio::{Studio, bluray};
use crate::tracks::{
    CODED, FILM, FILMS, TEXT, codecs, encode, foreseen, identify, join, list, recipe, text, write,
};

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
        // Text in Latin 1: the two bytes of an ö become two bytes that are no UTF-8.
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
        for container in FILMS {
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
        for container in FILMS {
            let probed = encode(&studio, &empty, container).await;
            assert_eq!(codecs(&probed).len(), 3, "{container}");
        }
    }
}

#[tokio::test]
async fn subtitles_of_pictures_are_kept_in_mkv_and_reported_as_lost_elsewhere() {
    for studio in Studio::each() {
        let film = studio.make("film.mkv", &format!("{FILM} {CODED}"));
        let disc = write(&studio, "disc.sup", bluray(100, 500));
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
        // A recipe may refuse to lose them.
        let careful = recipe(Container::Mp4)
            .edit(|draft| draft.refuse_loss = [Kind::Track].into())
            .expect("a sound recipe");
        let refused = studio.encode(&source, &careful).await.expect_err("refused");
        assert!(refused.message.contains("--container mkv"), "{refused}");
    }
}
