//! What a recipe does to every picture: turned, on a canvas, without noise and bands, sharpened.

use std::path::Path;

use common::job::failure::Fault;
use common::recipe::VideoEncode;

use crate::picture::FAST;
use crate::studio;
use crate::studio::Studio;

/// Encodes without loss, after a change of the recipe.
async fn encode(studio: &Studio, source: &Path, change: impl FnOnce(&mut VideoEncode)) {
    let recipe = studio::with(studio::recipe("ffv1"), change);
    let checked = studio.encode(source, &recipe).await;
    checked.unwrap_or_else(|failure| panic!("{recipe}: {failure}"));
}

/// The first picture of a file, scaled to this size: the brightness of each pixel, row by row.
fn luma(studio: &Studio, file: &Path, size: Option<&str>) -> Vec<u8> {
    let shape = size.map_or("null".to_owned(), |size| format!("scale={size}:flags=area"));
    let shown = studio
        .ffmpeg()
        .arg("-i")
        .arg(file)
        .args(["-frames:v", "1", "-vf", &format!("{shape},format=gray")])
        .args(["-f", "rawvideo", "-"])
        .output()
        .expect("ffmpeg runs");
    shown.stdout
}

/// A picture whose four quarters have these levels of brightness: 1 2 above, 3 4 below.
fn quarters(studio: &Studio) -> std::path::PathBuf {
    studio.make(
        "quarters.mkv",
        "-f lavfi -i color=gray:s=96x64:r=25,format=yuv420p,geq=lum='40+50*gt(X\\,47)+100*gt(Y\\,31)':cb=128:cr=128 \
         -frames:v 3 -c:v ffv1",
    )
}

/// The numbers of the quarters of the output, as they lie.
fn lie(studio: &Studio) -> Vec<u8> {
    let levels = luma(studio, &studio.output(), Some("2:2"));
    levels
        .iter()
        .map(|level| match level {
            15..=50 => 1,
            60..=110 => 2,
            115..=165 => 3,
            170..=230 => 4,
            other => panic!("{other} is no quarter"),
        })
        .collect()
}

#[tokio::test]
async fn a_picture_is_turned_and_mirrored_as_it_is_shown() {
    for studio in Studio::each() {
        let source = quarters(&studio);
        for (how, lies, size) in [
            ("90", [3, 1, 4, 2], "64,96"),
            ("180", [4, 3, 2, 1], "96,64"),
            ("270", [2, 4, 1, 3], "64,96"),
            ("hflip", [2, 1, 4, 3], "96,64"),
            ("vflip", [3, 4, 1, 2], "96,64"),
            ("90:hflip", [1, 3, 2, 4], "64,96"),
        ] {
            encode(&studio, &source, |video| {
                video.rotate = Some(how.parse().expect("a turn"));
            })
            .await;
            assert_eq!(lie(&studio), lies, "{how}");
            assert_eq!(studio.describe("width,height"), size, "{how}");
        }
        // Sides are those of the output, and wide pixels become high ones.
        let wide = studio.make(
            "wide.mkv",
            "-f lavfi -i color=gray:s=96x64:r=25,format=yuv420p,setsar=2 -frames:v 3 -c:v ffv1",
        );
        encode(&studio, &wide, |video| {
            video.rotate = Some("90".parse().expect("a turn"));
            video.scale = Some("32x-2".parse().expect("a size"));
        })
        .await;
        let made = studio.describe("width,height,sample_aspect_ratio");
        assert_eq!(made, "32,48,1:2");
    }
}

#[tokio::test]
async fn a_turn_comes_after_the_turn_that_a_player_would_make() {
    for studio in Studio::each() {
        let source = studio.rotated();
        let plain = studio.path("plain.mp4");
        encode(&studio, &source, |video| {
            video.rotate = Some("270".parse().expect("a turn"));
        })
        .await;
        assert_eq!(studio.describe("width,height"), "160,90");
        let (made, before) = (
            luma(&studio, &studio.output(), None),
            luma(&studio, &plain, None),
        );
        assert_eq!(made, before, "the file's turn and this one cancel out");
    }
}

#[tokio::test]
async fn a_canvas_holds_the_whole_picture_in_its_middle() {
    for studio in Studio::each() {
        let of = |name: &str, size: &str, pixel: &str| {
            studio.make(
                name,
                &format!(
                    "-f lavfi -i color=white:s={size}:r=25,format=yuv420p,setsar={pixel} -frames:v 3 {FAST}"
                ),
            )
        };
        let square = of("square.mkv", "96x64", "1");
        let wide = of("pal.mkv", "72x64", "64/45");
        for (source, pad, size, white) in [
            (&square, "16:9", "114,64,1:1", (96, 64)),
            (&square, "1:1", "96,96,1:1", (96, 64)),
            (&square, "3:2", "96,64,1:1", (96, 64)),
            (&square, "128x128", "128,128,1:1", (96, 64)),
            (&square, "48x64", "48,64,1:1", (48, 32)),
            // 72x64 of these pixels is shown 102 wide.
            (&wide, "128x128", "128,128,1:1", (102, 64)),
            (&wide, "64x64", "64,64,1:1", (64, 40)),
            (&wide, "2:1", "90,64,64:45", (72, 64)),
        ] {
            let recipe = studio::with(studio::recipe("libx264"), |video| {
                video.pad = Some(pad.parse().expect("a canvas"));
                video.rate = common::recipe::Rate::Crf(1.0);
            });
            studio.encode(source, &recipe).await.expect(pad);
            let made = studio.describe("width,height,sample_aspect_ratio");
            assert_eq!(made, size, "{pad}");
            let width: usize = size
                .split(',')
                .next()
                .expect("a width")
                .parse()
                .expect("a number");
            let picture = luma(&studio, &studio.output(), None);
            let rows: Vec<&[u8]> = picture.chunks_exact(width).collect();
            let bright = |row: &[u8]| row.iter().filter(|level| **level > 128).count();
            let middle = rows[rows.len() / 2];
            assert!(
                bright(middle).abs_diff(white.0) <= 2,
                "{pad}: {}",
                bright(middle)
            );
            let high = rows.iter().filter(|row| row[width / 2] > 128).count();
            assert!(high.abs_diff(white.1) <= 2, "{pad}: {high}");
            // It is in the middle.
            let left = middle.iter().position(|level| *level > 128).expect("white");
            let right = middle
                .iter()
                .rev()
                .position(|level| *level > 128)
                .expect("white");
            assert!(left.abs_diff(right) <= 2, "{pad}: {left} {right}");
        }
        // After filters that change the size, only ffmpeg knows how large the canvas is.
        for (filters, pad, size) in [
            ("crop=64:64", "16:9", "114,64"),
            ("crop=64:64", "32x48", "32,48"),
            ("crop=34:22", "1:1", "34,34"),
        ] {
            let recipe = studio::with(studio::recipe("libx264"), |video| {
                video.filters = Some(filters.parse().expect("filters"));
                video.pad = Some(pad.parse().expect("a canvas"));
            });
            studio.encode(&square, &recipe).await.expect(pad);
            assert_eq!(studio.describe("width,height"), size, "{filters} {pad}");
        }
    }
}

/// How far the output is from a file, in decibels.
fn psnr(studio: &Studio, clean: &Path, other: &Path) -> f64 {
    let told = studio
        .ffmpeg()
        .args(["-v", "info", "-i"])
        .arg(clean)
        .arg("-i")
        .arg(other)
        .args(["-lavfi", "[0:v][1:v]psnr", "-f", "null", "-"])
        .output()
        .expect("ffmpeg runs");
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    let value = told.split("average:").nth(1).expect("a value");
    value
        .split(' ')
        .next()
        .expect("a word")
        .parse()
        .unwrap_or(100.0)
}

#[tokio::test]
async fn noise_goes_more_the_stronger_the_filter() {
    for studio in Studio::each() {
        let of = |name: &str, noise: &str, format: &str| {
            studio.make(
                name,
                &format!(
                    "-f lavfi -i color=gray:s=160x90:r=25,format={format},drawbox=40:20:60:40:c=white:t=fill{noise} \
                     -frames:v 6 -pix_fmt {format} -c:v ffv1"
                ),
            )
        };
        let clean = of("clean.mkv", "", "yuv420p");
        let noisy = of("noisy.mkv", ",noise=alls=5:allf=t", "yuv420p");
        for filter in ["hqdn3d", "nlmeans"] {
            let mut last = psnr(&studio, &clean, &noisy);
            for strength in ["ultralight", "light", "medium", "strong"] {
                encode(&studio, &noisy, |video| {
                    let how = format!("{filter}:{strength}");
                    video.denoise = Some(how.parse().expect("a filter"));
                })
                .await;
                let now = psnr(&studio, &clean, &studio.output());
                assert!(now > last, "{filter}:{strength}: {now} after {last}");
                last = now;
            }
        }
        // Ten bits stay ten bits, and what works on eight bits only says so.
        let deep = of("deep.mkv", ",noise=alls=5:allf=t", "yuv420p10le");
        encode(&studio, &deep, |video| {
            video.denoise = Some("strong".parse().expect("a strength"));
            video.sharpen = Some("light".parse().expect("a strength"));
            video.deband = true;
        })
        .await;
        assert_eq!(studio.describe("pix_fmt"), "yuv420p10le");
        let recipe = studio::with(studio::recipe("ffv1"), |video| {
            video.denoise = Some("nlmeans:light".parse().expect("a filter"));
        });
        let failure = studio
            .encode(&deep, &recipe)
            .await
            .expect_err("8 bits only");
        assert_eq!(failure.fault, Fault::Input);
        assert!(failure.message.contains("--denoise light"), "{failure}");
        // RGB stays RGB, of the same colours.
        let rgb = of("rgb.mkv", ",noise=alls=5:allf=t", "gbrp");
        encode(&studio, &rgb, |video| {
            video.sharpen = Some("ultralight".parse().expect("a strength"));
        })
        .await;
        assert_eq!(studio.describe("pix_fmt"), "bgr0");
        encode(&studio, &rgb, |video| {
            video.denoise = Some("strong".parse().expect("a strength"));
        })
        .await;
        assert_eq!(studio.describe("pix_fmt"), "bgr0");
        let clean = of("clean-rgb.mkv", "", "gbrp");
        let (before, now) = (
            psnr(&studio, &clean, &rgb),
            psnr(&studio, &clean, &studio.output()),
        );
        assert!(now > before + 4.0, "{now} after {before}");
    }
}

#[tokio::test]
async fn an_edge_gets_steeper_the_stronger_the_sharpening() {
    for studio in Studio::each() {
        let soft = studio.make(
            "soft.mkv",
            "-f lavfi -i color=gray:s=96x64:r=25,format=yuv420p,drawbox=0:0:48:64:c=black:t=fill,gblur=3 -frames:v 3 \
             -c:v ffv1",
        );
        let steepest = |file: &Path| {
            let picture = luma(&studio, file, None);
            let row = &picture[32 * 96..33 * 96];
            row.windows(2)
                .map(|pair| pair[0].abs_diff(pair[1]))
                .max()
                .expect("pixels")
        };
        let mut last = steepest(&soft);
        for strength in ["light", "medium", "strong"] {
            encode(&studio, &soft, |video| {
                video.sharpen = Some(strength.parse().expect("a strength"));
            })
            .await;
            let now = steepest(&studio.output());
            assert!(now > last, "{strength}: {now} after {last}");
            last = now;
        }
    }
}

#[tokio::test]
async fn bands_become_a_slope() {
    for studio in Studio::each() {
        let bands = studio.make(
            "bands.mkv",
            "-f lavfi -i color=gray:s=160x90:r=25,format=yuv420p,geq=lum='60+4*floor(X/16)':cb=128:cr=128 -frames:v 3 \
             -c:v ffv1",
        );
        let levels = |file: &Path| {
            let picture = luma(&studio, file, None);
            let mut row: Vec<u8> = picture[45 * 160..46 * 160].to_vec();
            row.sort_unstable();
            row.dedup();
            row.len()
        };
        let before = levels(&bands);
        encode(&studio, &bands, |video| video.deband = true).await;
        let after = levels(&studio.output());
        assert!(after > before * 3 / 2, "{after} levels of {before}");
    }
}
