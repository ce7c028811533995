//! The size, the rotation and the frame rate.

use common::job::changes::{Fate, Kind};
use common::recipe::Container;

use crate::picture::{FAST, fate, recipe};
use crate::studio;
use crate::studio::Studio;

#[tokio::test]
async fn a_limit_of_size_holds_for_the_shorter_side_and_never_enlarges() {
    let studio = Studio::new();
    let of = |name: &str, size: &str, more: &str| {
        let arguments = format!(
            "-f lavfi -i testsrc2=size={size}:rate=25 -frames:v 3 {more} {FAST} -pix_fmt yuv420p"
        );
        studio.make(name, &arguments)
    };
    let wide = of("wide.mkv", "192x108", "");
    let tall = of("tall.mkv", "108x192", "");
    let anamorphic = of("pal.mkv", "180x144", "-vf setsar=64/45");
    for (source, scale, up, filters, size) in [
        (&wide, "72p", false, None, "128,72"),
        (&tall, "72p", false, None, "72,128"),
        (&wide, "144p", false, None, "192,108"),
        (&wide, "144p", true, None, "256,144"),
        (&wide, "96x-2", false, None, "96,54"),
        (&tall, "-2x96", false, None, "54,96"),
        (&wide, "100x100", false, None, "100,100"),
        // Only ffmpeg knows the size after filters.
        (&wide, "72p", false, Some("transpose=1"), "72,128"),
        (&wide, "144p", false, Some("hqdn3d"), "192,108"),
        (&wide, "144p", true, Some("hqdn3d"), "256,144"),
        (&anamorphic, "72p", false, None, "90,72"),
    ] {
        let recipe = studio::with(studio::recipe("libx264"), |video| {
            video.scale = Some(scale.parse().expect("a size"));
            video.scale_up = up;
            video.filters = filters.map(|filters| filters.parse().expect("filters"));
        });
        studio.encode(source, &recipe).await.expect(scale);
        assert_eq!(studio.describe("width,height"), size, "{scale} {filters:?}");
        if source == &anamorphic {
            assert_eq!(studio.describe("display_aspect_ratio"), "16:9");
        }
    }
    let turned = studio.rotated();
    let recipe = studio::with(studio::recipe("libx264"), |video| {
        video.scale = Some("60p".parse().expect("a size"));
    });
    studio.encode(&turned, &recipe).await.expect("passes");
    assert_eq!(studio.describe("width,height"), "60,106");
}

#[tokio::test]
async fn a_turned_picture_is_turned_for_good_or_stays_turned() {
    for studio in Studio::each() {
        let source = studio.rotated();
        let changes = studio
            .foresee(&source, &studio::recipe("libx264"))
            .await
            .expect("told");
        assert_eq!(fate(&changes, Kind::Rotation), Some(Fate::Converted));
        studio
            .encode(&source, &recipe("libx264", Container::Mp4))
            .await
            .expect("passes");
        assert!(!studio.look().contains("displaymatrix"));
        let rotation = || studio.ask(&["-show_entries", "stream_side_data=rotation"]);
        let copy = |container| {
            studio::copy()
                .edit(|draft| draft.container = container)
                .expect("a sound recipe")
        };
        for container in [Container::Mp4, Container::Mov] {
            studio
                .encode(&source, &copy(container))
                .await
                .expect("copies");
            assert_eq!(rotation(), ["-90"]);
        }
        let copied = studio.encode(&source, &copy(Container::Mkv)).await;
        if studio.is_recent() {
            copied.expect("copies");
            assert_eq!(rotation(), ["-90"]);
        } else {
            let failure = copied.expect_err("it would lie on its side");
            assert!(failure.message.contains("--container mp4"), "{failure}");
        }
    }
}

#[tokio::test]
async fn a_constant_rate_stays_constant_from_milliseconds_to_mp4() {
    for studio in Studio::each() {
        let film = |name: &str, rate: &str| {
            let test = format!("-f lavfi -i testsrc2=size=160x90:rate={rate}");
            studio.make(
                name,
                &format!("{test} -frames:v 50 {FAST} -bf 2 -pix_fmt yuv420p"),
            )
        };
        for rate in ["24000/1001", "30000/1001", "60/1"] {
            let mkv = film("film.mkv", rate);
            for recipe in [
                recipe("libx264", Container::Mp4),
                recipe("libx265", Container::Mov),
                recipe("libsvtav1", Container::Mp4),
                studio::copy()
                    .edit(|draft| draft.container = Container::Mp4)
                    .expect("a sound recipe"),
            ] {
                let checked = studio.encode(&mkv, &recipe).await.expect(rate);
                assert_eq!(checked.frames, 50);
                let both = format!("{rate},{rate}");
                assert_eq!(
                    studio.describe("r_frame_rate,avg_frame_rate"),
                    both,
                    "{recipe}"
                );
            }
        }
        // A pause in the middle stays, and no frame is added or dropped.
        let paused = studio.clip(
            "paused.mkv",
            &format!(
                "-frames:v 24 -vf settb=1/1000,setpts='round(N*1001/24)+gte(N\\,12)*700' -fps_mode passthrough \
                 -enc_time_base 1/1000 {FAST} -pix_fmt yuv420p"
            ),
        );
        studio
            .encode(&paused, &recipe("libx264", Container::Mp4))
            .await
            .expect("passes");
        let times = studio.times();
        let time = |index: usize| times[index].parse::<f64>().expect("a time");
        assert_eq!(times.len(), 24);
        assert!((time(12) - time(11) - 0.741).abs() < 0.002, "{times:?}");
    }
}
