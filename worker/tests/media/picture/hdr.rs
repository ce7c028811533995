//! High dynamic range: refused, or mapped to SDR by each curve.

use std::collections::BTreeSet;
use std::path::PathBuf;

use common::job::changes::Fate;
use common::job::failure::Fault;
use common::recipe::{BitDepth, Container, Hdr, Recipe, ToneMap};

use crate::picture::{LOSSLESS, hdr10, recipe};
use crate::studio;
use crate::studio::Studio;

/// Ten grey patches of 16×16 pixels. The coded levels of 10 bits are 64, 144, 224, … 784.
fn patches(studio: &Studio, name: &str, transfer: &str, encode: &str) -> PathBuf {
    let greys = "-f lavfi -i nullsrc=size=160x16:rate=10 -frames:v 2 -vf format=yuv420p10le,\
                 geq=lum=64+80*floor(X/16):cb=512:cr=512";
    let marks = format!(
        "setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=tv"
    );
    studio.make(name, &format!("{greys},{marks} {encode}"))
}

/// A plane of the output's first picture, `y`, `u` or `v`.
fn plane(studio: &Studio, name: &str) -> Vec<u8> {
    let filter = format!("extractplanes={name}");
    let shown = studio
        .ffmpeg()
        .arg("-i")
        .arg(studio.output())
        .args(["-frames:v", "1", "-vf", &filter, "-f", "rawvideo", "-"])
        .output()
        .expect("ffmpeg runs");
    shown.stdout
}

/// The levels of the ten patches of the output, in 8 bits of limited range.
fn levels(studio: &Studio) -> Vec<u8> {
    let luma = plane(studio, "y");
    assert_eq!(luma.len(), 160 * 16);
    (0..10)
        .map(|patch| luma[8 * 160 + patch * 16 + 8])
        .collect()
}

/// A recipe that maps tones to 8 bits without further loss.
fn mapping(curve: ToneMap) -> Recipe {
    studio::with(recipe("ffv1", Container::Mkv), |video| {
        video.hdr = Hdr::Sdr;
        video.tone_map = curve;
        video.bit_depth = Some(BitDepth::Eight);
    })
}

#[tokio::test]
async fn bt2390_gives_the_levels_of_its_formula() {
    for studio in Studio::each() {
        let bright = "-c:v libx265 -preset ultrafast -x265-params log-level=error:lossless=1:hdr10=1:\
                      repeat-headers=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)\
                      L(40000000,1)";
        // The levels were computed from the report's formula by another program.
        for (name, transfer, encode, wanted) in [
            (
                "1000 cd/m²",
                "smpte2084",
                LOSSLESS,
                [
                    16.0, 34.23, 57.25, 88.99, 132.54, 182.7, 216.47, 231.79, 234.98, 235.0,
                ],
            ),
            (
                "4000 cd/m²",
                "smpte2084",
                bright,
                [
                    16.0, 34.23, 57.25, 88.99, 129.86, 168.44, 199.11, 219.67, 230.63, 234.55,
                ],
            ),
            (
                "HLG",
                "arib-std-b67",
                LOSSLESS,
                [
                    16.0, 46.14, 76.28, 106.42, 136.56, 164.54, 186.4, 206.06, 221.39, 230.72,
                ],
            ),
        ] {
            let source = patches(&studio, "patches.mkv", transfer, encode);
            let recipe = mapping(ToneMap::Bt2390);
            let foreseen = studio.foresee(&source, &recipe).await.expect(name);
            studio.encode(&source, &recipe).await.expect(name);
            let levels = levels(&studio);
            for (level, wanted) in levels.iter().zip(wanted) {
                assert!(
                    (f64::from(*level) - wanted).abs() <= 1.0,
                    "{name}: {levels:?} for {wanted}"
                );
            }
            let marks =
                studio.describe("pix_fmt,color_range,color_space,color_transfer,color_primaries");
            assert_eq!(marks, "yuv420p,tv,bt709,bt709,bt709", "{name}");
            let made = studio.look();
            assert!(!made.contains("Mastering"), "{name}: {made}");
            let told = foreseen
                .iter()
                .find(|change| change.to_string().contains("mapped by bt2390"));
            let told = told.expect("told");
            assert_eq!(
                (told.fate, told.is_wanted),
                (Fate::Converted, true),
                "{told}"
            );
        }
    }
}

#[tokio::test]
async fn every_curve_keeps_greys_grey_and_colours_of_bt709() {
    for studio in Studio::each() {
        let greys = patches(&studio, "patches.mkv", "smpte2084", LOSSLESS);
        let red = studio.make(
            "red.mkv",
            &format!(
                "-f lavfi -i color=red:size=160x90:rate=25 -frames:v 2 -vf setparams=color_primaries=bt709:\
                 color_trc=bt709:colorspace=gbr,format=gbrp,zscale=m=bt2020nc:p=bt2020:t=smpte2084:r=tv:npl=100,\
                 format=yuv420p10le {LOSSLESS}"
            ),
        );
        let mut curves = BTreeSet::new();
        for curve in [
            ToneMap::Hable,
            ToneMap::Bt2390,
            ToneMap::Mobius,
            ToneMap::Reinhard,
        ] {
            studio
                .encode(&greys, &mapping(curve))
                .await
                .expect("passes");
            let levels = levels(&studio);
            assert!(
                levels.is_sorted() && levels[0] <= 17 && levels[9] > 120,
                "{curve}: {levels:?}"
            );
            for name in ["u", "v"] {
                let chroma = plane(&studio, name);
                assert!(!chroma.is_empty(), "{curve}");
                assert!(
                    chroma.iter().all(|level| level.abs_diff(128) <= 1),
                    "{curve}: {chroma:?}"
                );
            }
            curves.insert(levels);
            studio.encode(&red, &mapping(curve)).await.expect("passes");
            let [red, green, blue] = studio.colour();
            assert!(
                red > 140 && green < 60 && blue < 60,
                "{curve}: {red} {green} {blue}"
            );
            let marks = studio.describe("color_range,color_space,color_transfer,color_primaries");
            assert_eq!(marks, "tv,bt709,bt709,bt709", "{curve}");
        }
        assert_eq!(curves.len(), 4, "each curve is another one");
    }
}

#[tokio::test]
async fn films_of_high_dynamic_range_are_refused_where_the_recipe_says_so() {
    for studio in Studio::each() {
        let refusing = studio::with(recipe("libx264", Container::Mkv), |video| {
            video.hdr = Hdr::Refuse;
        });
        let hlg = patches(&studio, "hlg.mkv", "arib-std-b67", LOSSLESS);
        for (source, name) in [(hdr10(&studio), "HDR10"), (hlg, "HLG")] {
            let refused = studio.foresee(&source, &refusing).await.expect_err(name);
            assert_eq!(refused.fault, Fault::Input);
            assert!(refused.message.contains(name), "{refused}");
            assert!(refused.message.contains("--hdr sdr"), "{refused}");
        }
        let sdr = patches(&studio, "sdr.mkv", "bt709", LOSSLESS);
        studio.foresee(&sdr, &refusing).await.expect("it is SDR");
    }
}
