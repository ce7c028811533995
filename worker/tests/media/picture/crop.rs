//! Borders that are cut off: found, named, and shown before the encode.

use std::path::PathBuf;

use common::job::changes::{Change, Fate, Kind};
use common::job::failure::Fault;
use common::recipe::{Container, Recipe};

use crate::picture::{LOSSLESS, recipe};
use crate::studio;
use crate::studio::Studio;

const FINE: &str = "-c:v libx264 -preset ultrafast -crf 4";

/// A film of two seconds, 160×120. `filter` puts black borders around moving bars of 128×72.
fn film(studio: &Studio, name: &str, filter: &str, encode: &str) -> PathBuf {
    let bars = "-f lavfi -i testsrc2=size=128x72:rate=10 -t 2 -vf";
    studio.make(name, &format!("{bars} {filter} {encode}"))
}

fn cropping(encoder: &str, crop: &str) -> Recipe {
    studio::with(recipe(encoder, Container::Mkv), |video| {
        video.crop = crop.parse().expect("a crop");
    })
}

/// What is told about the shape of the picture.
fn shape(changes: &[Change]) -> &Change {
    let mut shapes = changes.iter().filter(|change| change.kind == Kind::Aspect);
    let shape = shapes.next().expect("told");
    assert_eq!(shapes.next(), None, "told twice");
    shape
}

#[tokio::test]
async fn black_borders_of_every_depth_are_found_told_and_cut_off() {
    for studio in Studio::each() {
        let pad = "pad=160:120:16:20:black";
        let pq =
            "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv";
        let full = "scale=out_range=pc,format=yuv420p,setparams=range=pc";
        for (name, filter, encode) in [
            ("8.mkv", format!("{pad},format=yuv420p"), FINE),
            ("10.mkv", format!("{pad},format=yuv420p10le,{pq}"), LOSSLESS),
            ("full.mkv", format!("{pad},{full}"), FINE),
            ("rgb.mkv", format!("{pad},format=gbrp"), LOSSLESS),
            (
                "pal.mkv",
                format!("{pad},format=yuv420p,setsar=16/15"),
                LOSSLESS,
            ),
        ] {
            let source = film(&studio, name, &filter, encode);
            let recipe = cropping("ffv1", "auto");
            let foreseen = studio.foresee(&source, &recipe).await.expect(name);
            let told = shape(&foreseen);
            assert_eq!(
                (told.fate, told.is_wanted),
                (Fate::Converted, true),
                "{name}"
            );
            assert_eq!(told.to.as_deref(), Some("128x72"), "{name}: {told}");
            assert!(told.to_string().contains("20:28:16:16"), "{name}: {told}");
            let checked = studio.encode(&source, &recipe).await.expect(name);
            assert_eq!(shape(&checked.changes), told, "{name}");
            assert_eq!(studio.describe("width,height"), "128,72", "{name}");
            if name == "pal.mkv" {
                assert_eq!(studio.describe("sample_aspect_ratio"), "16:15");
            }
            // FFV1 has no format of full range, so the levels of that film change.
            if name == "full.mkv" {
                continue;
            }
            // The rest of the picture is untouched.
            let rgb = if name == "rgb.mkv" {
                ",format=rgb24"
            } else {
                ""
            };
            assert_eq!(
                studio.frames(&studio.output(), &format!("null{rgb}")),
                studio.frames(&source, &format!("crop=128:72:16:20{rgb}")),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn a_film_of_two_shapes_keeps_its_whole_picture_and_a_dark_one_is_left_alone() {
    let studio = Studio::new();
    // The places of the ten pictures are 2/11 s apart.
    let wide_until = |time: f64| {
        format!(
            "scale=160:120,drawbox=0:0:160:20:black:fill:enable=lt(t\\,{time}),\
             drawbox=0:100:160:20:black:fill:enable=lt(t\\,{time}),format=yuv420p"
        )
    };
    let dark_from = |time: f64| {
        format!(
            "pad=160:120:16:20:black,drawbox=0:0:160:120:black:fill:enable=gt(t\\,{time}),format=yuv420p"
        )
    };
    for (name, filter, crop, size, words) in [
        ("few.mkv", wide_until(1.6), "auto", "160,80", "20:20:0:0"),
        (
            "mixed.mkv",
            wide_until(1.1),
            "auto",
            "160,120",
            "shape of the picture changes",
        ),
        (
            "loose.mkv",
            wide_until(1.6),
            "loose",
            "160,120",
            "no black border",
        ),
        (
            "some.mkv",
            dark_from(0.65),
            "auto",
            "128,72",
            "found in 3 of 10 pictures",
        ),
        (
            "dark.mkv",
            dark_from(0.4),
            "auto",
            "160,120",
            "only 2 of 10 pictures",
        ),
    ] {
        let source = film(&studio, name, &filter, LOSSLESS);
        let recipe = cropping("ffv1", crop);
        let foreseen = studio.foresee(&source, &recipe).await.expect(name);
        let told = shape(&foreseen).to_string();
        assert!(told.contains(words), "{name}: {told}");
        let checked = studio.encode(&source, &recipe).await.expect(name);
        assert_eq!(studio.describe("width,height"), size, "{name}");
        assert!(
            shape(&checked.changes).to_string().contains(words),
            "{name}"
        );
        assert!(!checked.changes.iter().any(Change::is_news), "{name}");
    }
}

#[tokio::test]
async fn exact_borders_are_cut_off_before_the_picture_is_scaled() {
    for studio in Studio::each() {
        let source = film(
            &studio,
            "bars.mkv",
            "scale=160:120,format=yuv420p",
            LOSSLESS,
        );
        for (crop, scale, size, told) in [
            ("20:20:0:0", None, "160,80", "160x80"),
            ("20:20:0:0", Some("40p"), "80,40", "160x80"),
            ("20:20:0:0", Some("-2x120"), "160,80", "160x80"),
            // Borders of 4:2:0 have whole samples of colour.
            ("21:21:1:3", None, "158,80", "158x80"),
        ] {
            let recipe = studio::with(cropping("libx264", crop), |video| {
                video.scale = scale.map(|scale| scale.parse().expect("a size"));
            });
            let checked = studio.encode(&source, &recipe).await.expect(crop);
            assert_eq!(studio.describe("width,height"), size, "{crop} {scale:?}");
            let shape = shape(&checked.changes);
            assert_eq!(shape.to.as_deref(), Some(told), "{shape}");
            assert!(shape.is_wanted, "{shape}");
            let is_rounded = shape.to_string().contains("whole samples");
            assert_eq!(is_rounded, crop == "21:21:1:3", "{shape}");
            assert!(shape.to_string().contains(crop), "{shape}");
        }
        let told = studio
            .foresee(&source, &cropping("libx264", "1:1:1:1"))
            .await;
        let told = told.expect("nothing to cut off");
        let told = shape(&told);
        assert!(
            told.fate == Fate::Kept && told.to_string().contains("1:1:1:1"),
            "{told}"
        );
        for crop in ["60:60:0:0", "0:0:100:70", "500:0:0:0"] {
            let failure = studio.foresee(&source, &cropping("libx264", crop)).await;
            let failure = failure.expect_err(crop);
            assert_eq!(failure.fault, Fault::Input);
            for words in [crop, "160x120", "--crop auto"] {
                assert!(failure.message.contains(words), "{failure}");
            }
        }
    }
}

#[tokio::test]
async fn turned_odd_and_interlaced_pictures_keep_what_they_need() {
    for studio in Studio::each() {
        // A player shows this picture 90 wide and 160 high.
        let turned = studio.rotated();
        let sides = cropping("libx264", "20:30:4:6");
        studio.encode(&turned, &sides).await.expect("passes");
        assert_eq!(studio.describe("width,height"), "80,110");

        let odd = film(
            &studio,
            "odd.mkv",
            "format=yuv444p,pad=161:119:16:20:black",
            LOSSLESS,
        );
        let checked = studio.encode(&odd, &cropping("libx264", "auto")).await;
        let checked = checked.expect("passes");
        let told = shape(&checked.changes).to_string();
        assert!(
            told.contains("even") && told.contains("20:28:16:18"),
            "{told}"
        );
        assert_eq!(studio.describe("width,height"), "126,70");

        // Lines of a field stay together with their colours.
        let fields = film(
            &studio,
            "fields.ts",
            "pad=160:120:16:22:black,setfield=tff,format=yuv420p",
            "-c:v mpeg2video -flags +ildct+ilme -b:v 4M",
        );
        let checked = studio.encode(&fields, &cropping("libx264", "auto")).await;
        let told = checked.expect("passes").changes;
        let told = shape(&told).to_string();
        assert!(told.contains("20:24:16:16"), "{told}");
        assert!(studio.look().contains("interlaced_frame=1"));
        assert_eq!(studio.describe("width,height"), "128,76");
    }
}
