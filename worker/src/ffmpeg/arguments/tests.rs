use std::ffi::OsStr;

use common::job::failure::Fault;
use common::recipe::encoder::EncoderKind;
use common::recipe::{Choice, Container, Video, VideoEncode};

use super::*;
use crate::ffmpeg::probe::media::{DolbyVision, StreamKind};

fn film(width: u32, height: u32, pixel_format: &str) -> Stream {
    Stream {
        kind: StreamKind::Video,
        codec: "h264".to_owned(),
        width,
        height,
        pixel_format: pixel_format.to_owned(),
        time_base: Some(crate::ffmpeg::probe::media::Ratio {
            numerator: 1,
            denominator: 12800,
        }),
        ..Stream::default()
    }
}

fn media(film: Stream) -> Media {
    let sound = Stream {
        index: 1,
        kind: StreamKind::Audio,
        codec: "aac".to_owned(),
        channels: 6,
        ..Stream::default()
    };
    Media {
        streams: vec![film, sound],
        ..Media::default()
    }
}

fn recipe(encoder: &str, change: impl FnOnce(&mut VideoEncode)) -> Recipe {
    let mut video = VideoEncode::new(Choice::Encoder(encoder.parse().expect("a name")));
    change(&mut video);
    Recipe::encode(video).expect("a sound recipe")
}

fn proof(formats: &[&str], device: &[&str]) -> Proof {
    Proof {
        kind: EncoderKind::Software,
        pixel_formats: formats.iter().map(ToString::to_string).collect(),
        largest: (1920, 1080),
        fps: 1.0,
        sessions: None,
        device_arguments: device.iter().map(ToString::to_string).collect(),
        encoder_arguments: Vec::new(),
    }
}

/// The command line without the parts that all lines share: the first options and the input.
fn line(recipe: &Recipe, media: &Media, proof: &Proof) -> Result<String, Failure> {
    let encoder = recipe.video_encode().map(|video| match &video.with {
        Choice::Encoder(encoder) => encoder,
        _ => panic!("these tests name encoders"),
    });
    let encoder = encoder.map(|encoder| (encoder, proof));
    let source = Source::File("/in.mp4".into());
    let build = Build::new("5.1.9", [], []);
    let output = Path::new("/scratch/out");
    let findings = Findings::default();
    let made = encode(recipe, media, &findings, encoder, &build, &source, output)?;
    let mut line = made.list.join(OsStr::new(" ")).into_string().expect("text");
    let reading = source
        .arguments()
        .join(OsStr::new(" "))
        .into_string()
        .expect("text");
    line = line.replace("-nostdin -hide_banner -v warning -y ", "");
    line = line.replace(&reading, "INPUT");
    line = line.replace("-map_metadata 0 -map_chapters 0 ", "");
    Ok(line.replace("-disposition:0 0 -disposition:1 0 ", ""))
}

const END: &str = "-max_muxing_queue_size 4096 -f matroska file:/scratch/out";

#[test]
fn software_keeps_depth_time_and_frames() {
    let recipe = recipe("libx265", |video| {
        video.rate = common::recipe::Rate::Crf(28.0);
        video.preset = Some("slow".parse().expect("a token"));
        video.arguments = vec!["x265-params=aq-mode=3".parse().expect("an argument")];
    });
    let media = media(film(1920, 1080, "yuv420p10le"));
    assert_eq!(
        line(&recipe, &media, &proof(&["yuv420p", "yuv420p10le"], &[])).expect("a line"),
        format!(
            "INPUT -map 0:0 -c:0 libx265 -map 0:1 -c:1 copy -crf 28 -preset slow \
             -fps_mode:v:0 passthrough -enc_time_base:v:0 1/12800 -x265-params:v:0 aq-mode=3:log-level=error {END}"
        )
    );
}

#[test]
fn pictures_are_filtered_scaled_made_even_and_uploaded_in_this_order() {
    let recipe = recipe("hevc_vaapi", |video| {
        video.filters = Some("hqdn3d".parse().expect("filters"));
    });
    let media = media(film(1921, 1081, "yuv420p10le"));
    let mut proof = proof(
        &["nv12", "p010le"],
        &["-vaapi_device", "/dev/dri/renderD128"],
    );
    proof.encoder_arguments = vec!["-low_power".to_owned(), "1".to_owned()];
    assert_eq!(
        line(&recipe, &media, &proof).expect("a line"),
        format!(
            "-vaapi_device /dev/dri/renderD128 INPUT -map 0:0 -c:0 hevc_vaapi -map 0:1 -c:1 copy -low_power 1 \
             -fps_mode:v:0 passthrough -enc_time_base:v:0 1/12800 \
             -filter:v:0 hqdn3d,crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0,format=p010le,hwupload {END}"
        )
    );
}

#[test]
fn a_changed_frame_rate_leaves_the_times_to_ffmpeg() {
    let recipe = recipe("h264_nvenc", |video| {
        video.filters = Some("fps=30".parse().expect("filters"));
        video.scale = Some("1280x720".parse().expect("a size"));
        video.rate = common::recipe::Rate::Bitrate("4M".parse().expect("a bitrate"));
    });
    let recipe = recipe
        .edit(|draft| draft.audio = "libopus:96k".parse().expect("audio"))
        .expect("a sound recipe");
    let line = line(
        &recipe,
        &media(film(1920, 1080, "yuv444p")),
        &proof(&["yuv420p"], &[]),
    );
    assert_eq!(
        line.expect("a line"),
        format!(
            "INPUT -map 0:0 -c:0 h264_nvenc -map 0:1 -c:1 libopus -b:v 4000000 -filter:v:0 fps=30,scale=1280:720 \
             -pix_fmt:v:0 yuv420p -b:a:0 96000 \
             -filter:a:0 channelmap=map=0-FL|1-FR|2-FC|3-LFE|4-BL|5-BR:channel_layout=FL+FR+FC+LFE+BL+BR,\
             aformat=channel_layouts=FL+FR+FC+LFE+BL+BR {END}"
        )
    );
}

#[test]
fn hevc_in_mp4_has_apples_tag_even_when_copied() {
    let mut source = film(640, 360, "yuv420p");
    source.codec = "hevc".to_owned();
    let recipe = recipe("libx264", |_| {})
        .edit(|draft| {
            draft.video = Video::Copy;
            draft.container = Container::Mp4;
        })
        .expect("a sound recipe");
    assert_eq!(
        line(&recipe, &media(source), &proof(&[], &[])).expect("a line"),
        "INPUT -map 0:0 -c:0 copy -map 0:1 -c:1 copy -tag:v:0 hvc1 -movflags +faststart -max_muxing_queue_size 4096 -f mp4 \
         file:/scratch/out"
    );
}

#[test]
fn a_depth_that_was_not_proved_is_refused_and_a_greater_one_is_accepted() {
    let ten = media(film(640, 360, "yuv420p10le"));
    let failure = line(
        &recipe("h264_nvenc", |_| {}),
        &ten,
        &proof(&["yuv420p"], &[]),
    );
    let failure = failure.expect_err("8 bit only");
    assert!(failure.message.contains("--bit-depth 8"), "{failure}");
    let eight = media(film(640, 360, "yuv420p"));
    let prores = recipe("prores_ks", |_| {});
    assert!(line(&prores, &eight, &proof(&["yuv422p10le"], &[])).is_ok());
}

/// A film in PQ that an x265 encode of 10 bits keeps as it is.
fn pq() -> Stream {
    let mut film = film(1920, 1080, "yuv420p10le");
    film.colour.transfer = "smpte2084".to_owned();
    film.colour.primaries = "bt2020".to_owned();
    film
}

#[test]
fn every_kind_of_high_dynamic_range_is_refused_where_the_recipe_says_so() {
    let recipe = recipe("libx265", |video| video.hdr = common::recipe::Hdr::Refuse);
    let proof = proof(&["yuv420p", "yuv420p10le"], &[]);
    let mut vision = film(1920, 1080, "yuv420p10le");
    vision.dolby_vision = Some(DolbyVision {
        profile: 5,
        ..DolbyVision::default()
    });
    let mut plus = pq();
    plus.has_hdr10plus = true;
    let mut hlg = pq();
    hlg.colour.transfer = "arib-std-b67".to_owned();
    for (film, name) in [
        (pq(), "HDR10"),
        (plus, "HDR10+"),
        (hlg, "HLG"),
        (vision, "Dolby Vision"),
    ] {
        let refused = line(&recipe, &media(film), &proof).expect_err(name);
        assert!(refused.message.contains(name), "{refused}");
    }
    let sdr = media(film(1920, 1080, "yuv420p10le"));
    line(&recipe, &sdr, &proof).expect("SDR");
}

#[test]
fn a_second_layer_of_dolby_vision_is_named_before_it_is_lost() {
    let mut film = pq();
    film.dolby_vision = Some(DolbyVision {
        profile: 7,
        compatibility: 6,
        has_enhancement_layer: true,
        ..DolbyVision::default()
    });
    let recipe = recipe("libx265", |_| {});
    let Choice::Encoder(encoder) = &recipe.video_encode().expect("encodes").with else {
        panic!("it names an encoder");
    };
    let proof = proof(&["yuv420p10le"], &[]);
    let made = encode(
        &recipe,
        &media(film),
        &Findings::default(),
        Some((encoder, &proof)),
        &Build::new("9.0", [], []),
        &Source::File("/in.mkv".into()),
        Path::new("/scratch/out"),
    );
    let changes = made.expect("a line").changes;
    let lost = changes
        .iter()
        .find(|change| change.is_loss())
        .expect("told")
        .to_string();
    for words in ["Dolby Vision profile 7", "enhancement layer", "HDR10"] {
        assert!(lost.contains(words), "{lost}");
    }
}

#[test]
fn nothing_is_laid_over_a_film_at_the_cost_of_its_depth() {
    let subtitles = Stream {
        index: 2,
        kind: StreamKind::Subtitle,
        codec: "hdmv_pgs_subtitle".to_owned(),
        ..Stream::default()
    };
    let burnt = recipe("ffv1", |video| {
        video.burn_in = Some("1".parse().expect("a track"))
    });
    let marked = recipe("ffv1", |video| {
        let picture = "s3://bucket/logo.png".parse().expect("a location");
        video.watermark = Some(common::recipe::Watermark::new(picture));
    });
    let encoder: Encoder = "ffv1".parse().expect("a name");
    let proof = proof(&["yuv420p", "yuv420p10le"], &[]);
    for (pixels, version, format) in [
        ("yuv420p", "5.1", Some("yuv420")),
        ("yuv422p10le", "5.1", Some("yuv422p10")),
        ("yuv444p10le", "5.1", None),
        ("yuv444p10le", "7.1", Some("yuv444p10")),
        ("yuva420p", "5.1", Some("yuv420")),
        ("yuva444p10le", "5.1", None),
        ("gbrp", "5.1", Some("gbrp")),
        ("gbrp10le", "5.1", None),
        ("gbrp10le", "9.0", None),
    ] {
        for recipe in [&burnt, &marked] {
            let mut media = media(film(640, 360, pixels));
            media.streams[0].has_alpha = pixels.starts_with("yuva");
            media.streams.push(subtitles.clone());
            let made = encode(
                recipe,
                &media,
                &Findings::default(),
                Some((&encoder, &proof)),
                &Build::new(version, [], []),
                &Source::File("/in.mkv".into()),
                Path::new("/scratch/out"),
            );
            match (made, format) {
                (Ok(made), Some(format)) => {
                    let line = made.list.join(OsStr::new(" "));
                    let line = line.to_string_lossy();
                    let put = format!("format={format}");
                    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric());
                    let mut rests = line.split(&put).skip(1);
                    assert!(rests.any(ends), "{pixels} {version}: {line}");
                }
                (Err(failure), None) => {
                    let what = failure.message.contains("more than 8 bits");
                    assert!(what && failure.fault == Fault::Input, "{failure}");
                }
                (made, _) => panic!("{pixels} {version}: {made:?}"),
            }
        }
    }
}

#[test]
fn both_passes_count_the_time_of_a_broadcast_from_the_same_track() {
    let recipe = recipe("libx264", |video| {
        video.rate = common::recipe::Rate::Bitrate("1M".parse().expect("a bitrate"));
        video.two_pass = true;
    });
    let encoder: Encoder = "libx264".parse().expect("a name");
    let proof = proof(&["yuv420p"], &[]);
    for (format, uses_sound) in [("mpegts", true), ("matroska,webm", false)] {
        let media = Media {
            format: format.to_owned(),
            ..media(film(640, 360, "yuv420p"))
        };
        let made = encode(
            &recipe,
            &media,
            &Findings::default(),
            Some((&encoder, &proof)),
            &Build::new("5.1", [], []),
            &Source::File("/in".into()),
            Path::new("/scratch/out"),
        );
        let first = made.expect("a line").first_pass.expect("two passes");
        let first = first.join(OsStr::new(" ")).into_string().expect("text");
        assert!(first.contains("-map 0:0 -c:1 copy"), "{first}");
        assert_eq!(first.contains("-map 0:1 -c:2 copy"), uses_sound, "{first}");
    }
}
