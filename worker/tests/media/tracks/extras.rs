//! Covers, posters, timecode and telemetry.

use common::job::changes::{Fate, Kind};
use common::recipe::Container;

use crate::studio::Studio;
use crate::tracks::{
    CODED, FILM, codecs, encode, foreseen, identify, join, list, marks, tags, write,
};

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
        // A cover that is no picture.
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
        // Subtitles that outlast the film become a track of telemetry, as cameras write it.
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
