//! Colours, their depth, and HDR.

use common::job::changes::{Change, Fate, Kind};
use common::recipe::Container;

use crate::picture::{FAST, LOSSLESS, compatible, fate, hdr10, recipe};
use crate::studio;
use crate::studio::Studio;

#[tokio::test]
async fn hdr10_reaches_the_output_or_is_told_as_lost() {
    for studio in Studio::each() {
        let source = hdr10(&studio);
        for (encoder, container) in [
            ("libx265", Container::Mkv),
            ("libx265", Container::Mp4),
            ("libsvtav1", Container::Webm),
            ("libx264", Container::Mkv),
            ("libvpx-vp9", Container::Mkv),
        ] {
            let mut recipe = recipe(encoder, container);
            if encoder == "libx265" {
                // The recipe's own list of parameters does not replace the worker's.
                let own = "x265-params=aq-mode=3:max-cll=900,300";
                recipe = studio::with(recipe, |video| {
                    video.arguments.push(own.parse().expect("an argument"));
                });
            }
            let changes = studio.foresee(&source, &recipe).await.expect(encoder);
            studio.encode(&source, &recipe).await.expect(encoder);
            let made = studio.look();
            let film = studio.describe("pix_fmt,color_space,color_transfer,color_primaries");
            assert_eq!(film, "yuv420p10le,bt2020nc,smpte2084,bt2020", "{encoder}");
            if encoder == "libvpx-vp9" && !studio.is_recent() {
                assert_eq!(fate(&changes, Kind::Hdr10), Some(Fate::Lost));
                assert!(!made.contains("Mastering display"), "{made}");
                continue;
            }
            assert!(!changes.iter().any(Change::is_news), "{changes:?}");
            assert!(
                made.contains("Mastering display metadata"),
                "{encoder}: {made}"
            );
            let most = if encoder == "libx265" && !studio.is_recent() {
                "max_content=900"
            } else {
                "max_content="
            };
            assert!(made.contains(most), "{encoder}: {made}");
            let media = studio.made().await;
            let film = media.films().next().expect("a film");
            let mastering = film.hdr10.mastering.expect("it is there");
            let (least, greatest) = mastering.luminance.expect("both");
            assert!(
                least <= 2 && greatest == 10_000_000,
                "{encoder}: {mastering:?}"
            );
            let [red, ..] = mastering.chromaticities.expect("all");
            assert!(red.0.abs_diff(34000) < 3, "{encoder}: {mastering:?}");
        }
    }
}

#[tokio::test]
async fn the_compatible_preset_makes_what_every_player_shows() {
    for studio in Studio::each() {
        let source = "-f lavfi -i color=red:size=160x90:rate=25";
        let tagged = |name: &str, tags: &str, format: &str| {
            let arguments = format!("{source} -frames:v 3 -vf {tags}format={format} {LOSSLESS}");
            studio.make(name, &arguments)
        };
        let pq = "zscale=m=bt2020nc:p=bt2020:t=smpte2084:r=tv:npl=100,";
        let hlg = "zscale=m=bt2020nc:p=bt2020:t=arib-std-b67:r=tv:npl=100,";
        let wide = "zscale=m=bt2020nc:p=bt2020:t=bt709:r=tv,";
        let start = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=gbr,format=gbrp,";
        let sources = [
            (
                "pq",
                tagged("pq.mkv", &format!("{start}{pq}"), "yuv420p10le"),
            ),
            (
                "hlg",
                tagged("hlg.mkv", &format!("{start}{hlg}"), "yuv420p10le"),
            ),
            (
                "wide",
                tagged("wide.mkv", &format!("{start}{wide}"), "yuv422p10le"),
            ),
            ("rgb", tagged("rgb.mkv", "", "gbrp")),
            ("rgba", tagged("rgba.mkv", "", "bgra")),
            ("444", tagged("444.mkv", "", "yuv444p")),
            (
                "full",
                studio.make(
                    "full.mkv",
                    &format!("{source} -frames:v 3 {FAST} -pix_fmt yuvj420p"),
                ),
            ),
            ("hdr10", hdr10(&studio)),
        ];
        for (name, source) in &sources {
            let changes = studio.foresee(source, &compatible()).await.expect(name);
            assert_eq!(
                fate(&changes, Kind::Colour),
                Some(Fate::Converted),
                "{name}: {changes:?}"
            );
            studio.encode(source, &compatible()).await.expect(name);
            let film = studio.describe("profile,pix_fmt,color_range,color_transfer");
            assert!(film.starts_with("High,yuv420p,"), "{name}: {film}");
            assert!(!film.contains("pc"), "{name}: {film}");
            assert!(
                !film.contains("smpte2084") && !film.contains("arib"),
                "{name}: {film}"
            );
            let made = studio.look();
            for gone in ["Mastering", "Content light", "gbr", "bt2020"] {
                assert!(!made.contains(gone), "{name}: {made}");
            }
            if *name != "hdr10" {
                let [red, green, blue] = studio.colour();
                assert!(
                    red > 140 && green < 60 && blue < 60,
                    "{name} is not red: {red} {green} {blue}"
                );
            }
        }
    }
}

#[tokio::test]
async fn hdr_in_eight_bits_is_reported_and_rgb_gets_tagged_colours() {
    for studio in Studio::each() {
        let eight = studio::with(recipe("libx265", Container::Mkv), |video| {
            video.bit_depth = Some("8".parse().expect("a depth"));
        });
        let changes = studio.foresee(&hdr10(&studio), &eight).await.expect("told");
        let told = |change: &&Change| change.kind == Kind::Colour && change.is_news();
        let words = changes.iter().find(told).expect("told").to_string();
        assert!(words.contains("--hdr sdr"), "{words}");

        let rgb = studio.clip("rgb.mkv", &format!("-frames:v 3 {LOSSLESS} -pix_fmt gbrp"));
        for encoder in ["libx264", "libsvtav1", "mpeg2video"] {
            let recipe = recipe(encoder, Container::Mkv);
            let changes = studio.foresee(&rgb, &recipe).await.expect(encoder);
            assert_eq!(fate(&changes, Kind::Colour), Some(Fate::Converted));
            studio.encode(&rgb, &recipe).await.expect(encoder);
            assert_eq!(studio.describe("color_space"), "bt709", "{encoder}");
        }
        studio
            .encode(&rgb, &recipe("ffv1", Container::Mkv))
            .await
            .expect("ffv1");
        let format = studio.describe("pix_fmt");
        assert!(["gbrp", "bgr0"].contains(&format.as_str()), "{format}");
    }
}

#[tokio::test]
async fn more_bits_than_an_encoder_makes_become_its_deepest_format_and_are_reported() {
    for studio in Studio::each() {
        for format in ["rgb48be", "rgba64be", "gray16be"] {
            let arguments = format!("-frames:v 3 -c:v png -pix_fmt {format}");
            let source = studio.clip(&format!("{format}.mov"), &arguments);
            let checked = studio.encode(&source, &studio::recipe("libx264")).await;
            let checked = checked.unwrap_or_else(|failure| panic!("{format}: {failure:#?}"));
            let film = checked.media.films().next().expect("a film");
            assert!(film.pixel_format.contains("p10"), "{format}: {film:#?}");
            let is_told = |change: &&Change| {
                (change.kind, change.fate, change.from.as_str())
                    == (Kind::Colour, Fate::Converted, "16 bits")
            };
            let told = checked.changes.iter().find(is_told);
            assert!(told.is_some(), "{format}: {:#?}", checked.changes);
        }
    }
}

#[tokio::test]
async fn colours_are_tagged_as_in_the_source() {
    for studio in Studio::each() {
        let source = studio.clip(
            "tagged.mkv",
            &format!(
                "-frames:v 3 -vf format=yuv422p,setparams=color_primaries=smpte170m:color_trc=smpte170m:\
                 colorspace=smpte170m:range=tv {LOSSLESS}"
            ),
        );
        for (encoder, container) in [
            ("libx264", Container::Mp4),
            ("libx265", Container::Mp4),
            ("libsvtav1", Container::Mp4),
            ("libvpx-vp9", Container::Webm),
            ("mpeg2video", Container::Mkv),
            ("prores_ks", Container::Mov),
            ("ffv1", Container::Mkv),
        ] {
            studio
                .encode(&source, &recipe(encoder, container))
                .await
                .expect(encoder);
            let tags = studio.describe("color_range,color_space,color_transfer,color_primaries");
            // ProRes always has the limited range, and does not state it.
            let range = if encoder == "prores_ks" {
                "unknown"
            } else {
                "tv"
            };
            assert_eq!(
                tags,
                format!("{range},smpte170m,smpte170m,smpte170m"),
                "{encoder}"
            );
        }
    }
}
