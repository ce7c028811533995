//! What becomes of pictures: colours, HDR, fields, captions, transparency, size, rotation and time, with an old and a
//! recent ffmpeg, judged by what ffprobe and a decoder find in the output.

use common::job::changes::{Change, Fate, Kind};
use common::recipe::preset::Presets;
use common::recipe::{Captions, Container, Recipe, Video};

use crate::studio;
use crate::studio::Studio;

const FAST: &str = "-c:v libx264 -preset ultrafast";
const LOSSLESS: &str = "-c:v ffv1";

pub(crate) fn hdr10(studio: &Studio) -> std::path::PathBuf {
    studio.clip(
        "hdr10.mkv",
        "-frames:v 5 -vf setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv \
         -pix_fmt yuv420p10le -c:v libx265 -preset ultrafast -x265-params log-level=error:hdr10=1:repeat-headers=1:\
         max-cll=1000,400:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)",
    )
}

pub(crate) fn recipe(encoder: &str, container: Container) -> Recipe {
    let quick = match encoder {
        "libx264" | "libx265" => Some("ultrafast"),
        "libsvtav1" => Some("12"),
        "libvpx-vp9" | "libvpx" => Some("8"),
        _ => None,
    };
    let recipe = studio::with(studio::recipe(encoder), |video| {
        video.preset = quick.map(|preset| preset.parse().expect("a token"));
    });
    Recipe {
        container,
        ..recipe
    }
}

/// What becomes of a kind of thing that is not kept.
fn fate(changes: &[Change], kind: Kind) -> Option<Fate> {
    let told = |change: &&Change| change.kind == kind && change.fate != Fate::Kept;
    changes.iter().find(told).map(|change| change.fate)
}

/// The built-in preset for every player, with an encoder that the tests have.
fn compatible() -> Recipe {
    let presets = Presets::built_in();
    let name = "compatible-h264".parse().expect("a name");
    let mut recipe = presets.find(&name).expect("built in").preset.recipe.clone();
    if let Video::Encode(video) = &mut recipe.video {
        let plain = studio::recipe("libx264");
        video.with = plain.video_encode().expect("encodes").with.clone();
    }
    recipe
}

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
                // The recipe's own list does not push ours out.
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
async fn eight_bits_of_hdr_are_told_and_rgb_gets_colours_that_are_named() {
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
async fn more_bits_than_any_encoder_makes_become_its_deepest_and_are_told() {
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
            // ProRes is of limited range always, and says nothing of it.
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
        // After filters only ffmpeg knows the size.
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
async fn fields_stay_fields_where_the_encoder_codes_them_and_show_no_combs_elsewhere() {
    for studio in Studio::each() {
        let film = |name: &str, size: &str, order: &str, arguments: &str| {
            let test = format!("-f lavfi -i testsrc2=size={size}:rate=50");
            let (mode, field) = match order {
                "top" => ("interleave_top", "tff"),
                _ => ("interleave_bottom", "bff"),
            };
            studio.make(
                name,
                &format!(
                    "{test} -frames:v 8 -vf tinterlace={mode},fieldorder={field},format=yuv420p {arguments}"
                ),
            )
        };
        let sources = [
            (
                "1",
                film(
                    "mpeg2.ts",
                    "192x144",
                    "top",
                    "-c:v mpeg2video -flags +ildct+ilme -b:v 4M",
                ),
            ),
            (
                "1",
                film(
                    "h264.ts",
                    "192x144",
                    "top",
                    &format!("{FAST} -flags +ildct+ilme"),
                ),
            ),
            ("0", film("bottom.dv", "720x576", "bottom", "-c:v dvvideo")),
        ];
        for (top, source) in &sources {
            for (encoder, container, is_kept) in [
                ("libx264", Container::Mkv, true),
                ("libx264", Container::Mp4, true),
                ("mpeg2video", Container::Mkv, true),
                ("ffv1", Container::Mkv, true),
                ("prores_ks", Container::Mov, true),
                ("libx265", Container::Mkv, false),
                ("libsvtav1", Container::Mp4, false),
            ] {
                let recipe = recipe(encoder, container);
                let changes = studio.foresee(source, &recipe).await.expect(encoder);
                let told = (!is_kept).then_some(Fate::Converted);
                assert_eq!(fate(&changes, Kind::Interlacing), told, "{encoder}");
                let checked = studio.encode(source, &recipe).await.expect(encoder);
                assert_eq!(checked.frames, 8, "{encoder}");
                let first = studio.ask(&[
                    "-select_streams",
                    "v:0",
                    "-read_intervals",
                    "%+#1",
                    "-show_entries",
                    "frame=interlaced_frame,top_field_first",
                ]);
                let first = first[0].trim_end_matches(|c: char| !c.is_ascii_digit());
                let wanted = if is_kept {
                    format!("1,{top}")
                } else {
                    "0,0".to_owned()
                };
                assert!(first.starts_with(&wanted), "{encoder} {source:?}: {first}");
                if container == Container::Mp4 {
                    let order = match (is_kept, *top) {
                        (true, "1") => "tt",
                        (true, _) => "bb",
                        _ => "progressive",
                    };
                    assert_eq!(studio.describe("field_order"), order, "{encoder}");
                }
            }
        }
        // Fields are not scaled as if they were frames, and a recipe's own deinterlacer is enough.
        let scaled = studio::with(recipe("libx264", Container::Mkv), |video| {
            video.scale = Some("72p".parse().expect("a size"));
        });
        let own = studio::with(recipe("libx265", Container::Mkv), |video| {
            video.filters = Some("bwdif=mode=send_frame".parse().expect("filters"));
        });
        for recipe in [&scaled, &own] {
            studio.encode(&sources[0].1, recipe).await.expect("passes");
            assert!(studio.look().contains("interlaced_frame=0"));
        }
        let changes = studio.foresee(&sources[0].1, &own).await.expect("told");
        assert_eq!(fate(&changes, Kind::Interlacing), None);
    }
}

/// A clip of H.264 whose first word of captions is `HELLO`, told twice.
pub(crate) fn captioned(studio: &Studio) -> std::path::PathBuf {
    let plain = studio.clip(
        "plain.h264",
        &format!("-frames:v 75 {FAST} -pix_fmt yuv420p -x264-params aud=1:bframes=0"),
    );
    let bytes = std::fs::read(plain).expect("bytes");
    let odd = |byte: u8| {
        if byte.count_ones().is_multiple_of(2) {
            byte | 0x80
        } else {
            byte
        }
    };
    // Pop-on captions: begin, erase, begin, first line, the text, show it.
    let word: [[u8; 2]; 8] = [
        [0x14, 0x20],
        [0x14, 0x2e],
        [0x14, 0x20],
        [0x14, 0x70],
        *b"HE",
        *b"LL",
        *b"O ",
        [0x14, 0x2f],
    ];
    let mut made = Vec::new();
    let mut frame = 0;
    for unit in units(&bytes) {
        if matches!(unit[0] & 31, 1 | 5) {
            let pair = if frame % 3 == 0 {
                word[frame / 3 % word.len()]
            } else {
                [0, 0]
            };
            frame += 1;
            let data = [0xfc, odd(pair[0]), odd(pair[1]), 0xff];
            let mut message = vec![0xb5, 0x00, 0x31];
            message.extend(b"GA94\x03\xc1\xff");
            message.extend(data);
            made.extend([0, 0, 0, 1, 6, 4, message.len() as u8]);
            made.extend(message);
            made.push(0x80);
        }
        made.extend([0, 0, 0, 1]);
        made.extend(unit);
    }
    let raw = studio.path("captions.h264");
    std::fs::write(&raw, made).expect("written");
    studio.make(
        "two words: 'captions', [a].ts",
        &format!("-r 25 -i {} -c copy", raw.display()),
    )
}

/// The units of a raw stream of H.264.
fn units(bytes: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = (0..bytes.len().saturating_sub(3))
        .filter(|&at| bytes[at..].starts_with(&[0, 0, 1]))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let unit = |(start, end): (&usize, usize)| {
        let unit = &bytes[start + 3..end];
        unit.strip_suffix(&[0]).unwrap_or(unit)
    };
    starts.iter().zip(ends).map(unit).collect()
}

#[tokio::test]
async fn captions_stay_or_are_told_or_become_a_track() {
    for studio in Studio::each() {
        let source = captioned(&studio);
        for (encoder, is_kept) in [
            ("libx264", true),
            ("mpeg2video", true),
            ("libx265", studio.is_recent()),
            ("libsvtav1", false),
            ("ffv1", false),
        ] {
            let recipe = recipe(encoder, Container::Mkv);
            let changes = studio.foresee(&source, &recipe).await.expect(encoder);
            let told = (!is_kept).then_some(Fate::Lost);
            assert_eq!(fate(&changes, Kind::Captions), told, "{encoder}");
            studio.encode(&source, &recipe).await.expect(encoder);
            let made = studio.look();
            assert_eq!(
                made.contains("Closed Captions"),
                is_kept,
                "{encoder}: {made}"
            );
        }
        for (recipe, form) in [
            (recipe("libsvtav1", Container::Mkv), "subrip"),
            (recipe("libx264", Container::Mp4), "mov_text"),
            (recipe("libvpx-vp9", Container::Webm), "webvtt"),
            (studio::copy(), "subrip"),
        ] {
            let recipe = Recipe {
                captions: Captions::Srt,
                ..recipe
            };
            studio.encode(&source, &recipe).await.expect(form);
            assert_eq!(studio.codecs()[1..], [form]);
            let text = studio.text();
            assert!(text.contains("HELLO"), "{form}: {text}");
        }
    }
}

#[tokio::test]
async fn transparency_is_kept_or_laid_on_black_and_told() {
    for studio in Studio::each() {
        // What is fully transparent is white underneath.
        let clear = "-f lavfi -i color=white@0.0:size=160x90:rate=25,format=rgba -frames:v 3";
        let webm = studio.make(
            "clear.webm",
            &format!("{clear} -c:v libvpx-vp9 -pix_fmt yuva420p -auto-alt-ref 0"),
        );
        let mov = studio.make(
            "clear.mov",
            &format!("{clear} -c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le"),
        );
        let rgba = studio.make("clear.mkv", &format!("{clear} -c:v png"));
        for source in [&webm, &mov, &rgba] {
            for (encoder, container, is_kept) in [
                ("libvpx-vp9", Container::Webm, true),
                ("prores_ks", Container::Mov, true),
                ("ffv1", Container::Mkv, true),
                ("libvpx-vp9", Container::Mp4, false),
                ("libx264", Container::Mkv, false),
                ("libsvtav1", Container::Mkv, false),
            ] {
                let recipe = recipe(encoder, container);
                let changes = studio.foresee(source, &recipe).await.expect(encoder);
                let told = (!is_kept).then_some(Fate::Lost);
                let what = format!("{encoder} of {source:?}");
                assert_eq!(fate(&changes, Kind::Alpha), told, "{what}");
                studio.encode(source, &recipe).await.expect(&what);
                let media = studio.made().await;
                let film = media.films().next().expect("a film");
                assert_eq!(film.has_alpha, is_kept, "{what}: {film:?}");
                if is_kept {
                    assert_eq!(studio.opacity(), 0, "{what}");
                } else {
                    let [red, green, blue] = studio.colour();
                    assert!(
                        red < 20 && green < 20 && blue < 20,
                        "{what} shows what was hidden"
                    );
                }
            }
        }
        studio.encode(&webm, &studio::copy()).await.expect("copy");
        assert_eq!(studio.opacity(), 0);
    }
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
        let copy = |container| Recipe {
            container,
            ..studio::copy()
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
                Recipe {
                    container: Container::Mp4,
                    ..studio::copy()
                },
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
        // A pause in the middle stays one, and no frame is made up or left out.
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
