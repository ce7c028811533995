//! Files that a recipe names: a colour table, and a watermark.

use std::path::{Path, PathBuf};

use common::job::failure::Fault;
use common::names::location::Location;
use common::recipe::{Container, Hdr, Recipe, Watermark};

use crate::picture::{hdr10, recipe};
use crate::studio;
use crate::studio::Studio;

fn at(path: &Path) -> Location {
    Location::file(path).expect("absolute")
}

/// A table that makes `f` of each value of each colour.
fn table(studio: &Studio, name: &str, f: impl Fn(f64) -> f64) -> PathBuf {
    let value = |n: u32| f(f64::from(n) / 3.0);
    let mut text = "LUT_3D_SIZE 4\n".to_owned();
    for blue in 0..4 {
        for green in 0..4 {
            for red in 0..4 {
                text += &format!("{} {} {}\n", value(red), value(green), value(blue));
            }
        }
    }
    let path = studio.path(name);
    std::fs::write(&path, text).expect("written");
    path
}

fn with_lut(recipe: Recipe, table: &Path) -> Recipe {
    studio::with(recipe, |video| video.lut = Some(at(table)))
}

/// The colours of the output's first frame, in a grid of this size: red, green, blue.
fn grid(studio: &Studio, width: u32, height: u32) -> Vec<[u8; 3]> {
    let shape = format!("scale={width}:{height}:flags=area:in_color_matrix=auto,format=rgb24");
    let shown = studio
        .ffmpeg()
        .arg("-i")
        .arg(studio.output())
        .args(["-frames:v", "1", "-vf", &shape, "-f", "rawvideo", "-"])
        .output()
        .expect("ffmpeg runs");
    let pixels = shown.stdout.chunks_exact(3);
    pixels.map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

fn is_near(one: [u8; 3], other: [u8; 3], by: u8) -> bool {
    one.iter()
        .zip(other)
        .all(|(one, other)| one.abs_diff(other) <= by)
}

#[tokio::test]
async fn a_colour_table_maps_the_colours_and_nothing_else() {
    for studio in Studio::each() {
        let same = table(&studio, "same.cube", |value| value);
        let inverted = table(&studio, "inverted.cube", |value| 1.0 - value);
        for (name, format, tags) in [
            ("plain.mkv", "yuv420p", ""),
            (
                "hd.mkv",
                "yuv420p",
                ",setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv",
            ),
            (
                "deep.mkv",
                "yuv422p10le",
                ",setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc=bt709:range=tv",
            ),
            ("rgb.mkv", "gbrp", ""),
        ] {
            let source = studio.make(
                name,
                &format!(
                    "-f lavfi -i color=0x30a060:s=64x36:r=25,format={format}{tags} -frames:v 3 -c:v ffv1"
                ),
            );
            let plain = studio::recipe("ffv1");
            studio.encode(&source, &plain).await.expect(name);
            let before = grid(&studio, 1, 1)[0];
            let told = || {
                studio.describe("pix_fmt,color_space,color_primaries,color_transfer,color_range")
            };
            let tags_before = told();
            let looked = with_lut(plain.clone(), &same);
            studio.encode(&source, &looked).await.expect(name);
            assert!(
                is_near(grid(&studio, 1, 1)[0], before, 2),
                "{name}: {:?} of {before:?}",
                grid(&studio, 1, 1)[0]
            );
            assert_eq!(told(), tags_before, "{name}");
            let looked = with_lut(plain, &inverted);
            studio.encode(&source, &looked).await.expect(name);
            let opposite = before.map(|value| 255 - value);
            assert!(
                is_near(grid(&studio, 1, 1)[0], opposite, 4),
                "{name}: {:?} of {opposite:?}",
                grid(&studio, 1, 1)[0]
            );
        }
    }
}

/// A picture of one colour.
fn logo(studio: &Studio, name: &str, colour: &str, size: &str) -> PathBuf {
    studio.make(
        name,
        &format!("-f lavfi -i color={colour}:s={size},format=rgba -frames:v 1 -update 1"),
    )
}

fn with_watermark(recipe: Recipe, picture: &Path, change: impl FnOnce(&mut Watermark)) -> Recipe {
    let mut watermark = Watermark::new(at(picture));
    change(&mut watermark);
    studio::with(recipe, |video| video.watermark = Some(watermark))
}

#[tokio::test]
async fn a_watermark_lies_where_it_should_and_covers_as_much_as_it_should() {
    for studio in Studio::each() {
        let red = logo(&studio, "red.png", "red", "40x20");
        let jpeg = studio.make(
            "red.jpg",
            "-f lavfi -i color=red:s=40x20 -frames:v 1 -update 1",
        );
        let source = studio.make(
            "gray.mkv",
            "-f lavfi -i color=gray:s=160x100:r=25,format=yuv420p -frames:v 6 -c:v ffv1",
        );
        let is_red = |pixel: [u8; 3]| pixel[0] > 200 && pixel[1] < 60 && pixel[2] < 60;
        for (place, column, row) in [
            ("top-left", 1, 1),
            ("top-right", 14, 1),
            ("bottom-left", 1, 8),
            ("bottom-right", 14, 8),
            ("center", 8, 5),
        ] {
            let recipe = with_watermark(studio::recipe("ffv1"), &red, |watermark| {
                watermark.place = place.parse().expect("a place");
            });
            studio.encode(&source, &recipe).await.expect(place);
            // Pixels of 10 by 10.
            let grid = grid(&studio, 16, 10);
            assert!(
                is_red(grid[row * 16 + column]),
                "{place}: {:?}",
                grid[row * 16 + column]
            );
            let reds = grid.iter().filter(|pixel| is_red(**pixel)).count();
            assert!((3..=8).contains(&reds), "{place}: {reds}");
            assert!(is_near(
                grid[if row == 5 { 0 } else { 5 * 16 + 8 }],
                [128, 128, 128],
                4
            ));
        }
        // Half as wide as the picture, and half transparent; a JPEG does, too.
        for picture in [&red, &jpeg] {
            let recipe = with_watermark(studio::recipe("ffv1"), picture, |watermark| {
                watermark.place = "center".parse().expect("a place");
                watermark.width_percent = Some(50);
                watermark.opacity_percent = 50;
            });
            studio.encode(&source, &recipe).await.expect("passes");
            let grid = grid(&studio, 16, 10);
            assert!(
                is_near(grid[5 * 16 + 8], [190, 64, 64], 8),
                "{:?}",
                grid[5 * 16 + 8]
            );
            let covered = grid
                .iter()
                .filter(|pixel| pixel[0] > 160 && pixel[1] < 100)
                .count();
            assert_eq!(covered, 8 * 4);
        }
        // On every frame, in the size of the output, on a canvas, in ten bits.
        let deep = studio.make(
            "deep.mkv",
            "-f lavfi -i color=gray:s=160x100:r=25,format=yuv420p10le -frames:v 6 -c:v ffv1",
        );
        let recipe = studio::with(
            with_watermark(studio::recipe("ffv1"), &red, |watermark| {
                watermark.width_percent = Some(25);
            }),
            |video| {
                video.scale = Some("50p".parse().expect("a size"));
                video.pad = Some("80x80".parse().expect("a canvas"));
                video.frame_rate = "50".parse().expect("a rate");
            },
        );
        let checked = studio.encode(&deep, &recipe).await.expect("passes");
        assert_eq!(
            (checked.frames, studio.describe("pix_fmt")),
            (12, "yuv420p10le".to_owned())
        );
        let grid = grid(&studio, 8, 8);
        // The corner is partly in the margin.
        let [red, green, blue] = grid[7 * 8 + 6];
        assert!(red > 150 && green < 30 && blue < 30, "{grid:?}");
        assert!(is_near(grid[0], [0, 0, 0], 4), "{grid:?}");
    }
}

#[tokio::test]
async fn white_on_hdr_is_as_bright_as_paper() {
    for studio in Studio::each() {
        let white = logo(&studio, "white.png", "white", "80x40");
        let source = hdr10(&studio);
        let mark = |recipe| {
            with_watermark(recipe, &white, |watermark| {
                watermark.place = "center".parse().expect("a place");
            })
        };
        studio
            .encode(&source, &mark(recipe("libx265", Container::Mkv)))
            .await
            .expect("passes");
        assert_eq!(
            studio.describe("pix_fmt,color_transfer"),
            "yuv420p10le,smpte2084"
        );
        let luma = studio
            .ffmpeg()
            .arg("-i")
            .arg(studio.output())
            .args([
                "-frames:v",
                "1",
                "-vf",
                "crop=20:10,scale=1:1:flags=area,format=gray10le",
            ])
            .args(["-f", "rawvideo", "-"])
            .output()
            .expect("ffmpeg runs");
        let level = u16::from_le_bytes([luma.stdout[0], luma.stdout[1]]);
        // 58 % of the way from black to white: limited range as ffmpeg shows it in gray.
        assert!((540..=640).contains(&level), "{level}");
        if studio.filters().contains("zscale") {
            let sdr = studio::with(mark(recipe("libx264", Container::Mkv)), |video| {
                video.hdr = Hdr::Sdr;
            });
            studio.encode(&source, &sdr).await.expect("passes");
            let middle = grid(&studio, 16, 9)[4 * 16 + 8];
            assert!(is_near(middle, [254, 254, 254], 6), "{middle:?}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_not_what_it_should_be_is_the_inputs_fault() {
    let studio = Studio::new();
    let source = studio.clip("plain.mkv", "-frames:v 3 -c:v ffv1");
    let text = studio.path("text.png");
    std::fs::write(&text, "no picture").expect("written");
    let recipe = with_watermark(studio::recipe("ffv1"), &text, |_| {});
    let failure = studio
        .encode(&source, &recipe)
        .await
        .expect_err("no picture");
    assert_eq!(failure.fault, Fault::Input, "{failure}");
    assert!(
        failure.message.contains("no PNG, JPEG or WebP"),
        "{failure}"
    );
    let recipe = with_lut(studio::recipe("ffv1"), &text);
    let failure = studio.encode(&source, &recipe).await.expect_err("no table");
    assert_eq!(failure.fault, Fault::Input, "{failure}");
    assert!(
        failure
            .message
            .contains("no three-dimensional colour table"),
        "{failure}"
    );
}
