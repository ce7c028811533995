//! Ordinary inputs with every encoder.

use crate::studio;
use crate::studio::Studio;
use common::job::failure::Fault;
use common::recipe::{Container, Subtitles, Video};

#[tokio::test]
async fn ordinary_clips_of_every_codec_pass() {
    let studio = Studio::new();
    let clips = [
        (
            "h264.mp4",
            "-c:v libx264 -preset ultrafast -pix_fmt yuv420p",
        ),
        (
            "hevc.mkv",
            "-c:v libx265 -preset ultrafast -x265-params log-level=error",
        ),
        ("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
        ("mpeg2.ts", "-c:v mpeg2video"),
    ];
    for (name, arguments) in clips {
        let source = studio.clip(name, &format!("-frames:v 30 {arguments}"));
        let checked = studio
            .encode(&source, &studio::recipe("libx264"))
            .await
            .expect(name);
        assert_eq!(checked.frames, 30, "{name}");
    }
}

#[tokio::test]
async fn the_output_of_every_software_encoder_passes_the_gate() {
    let studio = Studio::new();
    let source = studio.clip(
        "in.mp4",
        "-frames:v 12 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    for (encoder, preset, container) in [
        ("libx264", Some("ultrafast"), Container::Mp4),
        ("libx265", Some("ultrafast"), Container::Mp4),
        ("libx265", Some("ultrafast"), Container::Mov),
        ("libsvtav1", Some("12"), Container::Webm),
        ("libvpx-vp9", Some("8"), Container::Webm),
        ("mpeg2video", None, Container::Mkv),
        ("mpeg4", None, Container::Mp4),
        ("ffv1", None, Container::Mkv),
    ] {
        let recipe = studio::with(studio::recipe(encoder), |video| {
            video.preset = preset.map(|preset| preset.parse().expect("a token"));
        });
        let recipe = recipe
            .edit(|draft| draft.container = container)
            .expect("a sound recipe");
        let checked = studio.encode(&source, &recipe).await.expect(encoder);
        assert_eq!(checked.frames, 12, "{encoder}");
    }
}

#[tokio::test]
async fn ten_bits_stay_ten_and_wide_colours_wide() {
    let studio = Studio::new();
    let source = studio.clip(
        "hdr.mkv",
        "-frames:v 8 -pix_fmt yuv420p10le -c:v libx265 -preset ultrafast -x265-params log-level=error \
         -vf setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc",
    );
    let recipe = studio::recipe("libx265");
    studio.encode(&source, &recipe).await.expect("passes");
    let film = studio.describe("pix_fmt,color_space,color_transfer,color_primaries");
    assert_eq!(film, "yuv420p10le,bt2020nc,smpte2084,bt2020");

    let eight = studio::with(recipe, |video| {
        video.bit_depth = Some("8".parse().expect("a depth"))
    });
    studio.encode(&source, &eight).await.expect("passes");
    assert_eq!(studio.describe("pix_fmt"), "yuv420p");
    let failure = studio
        .encode(&source, &studio::recipe("mpeg2video"))
        .await
        .expect_err("8 bit only");
    assert!(failure.message.contains("--bit-depth 8"), "{failure}");
}

#[tokio::test]
async fn odd_sizes_are_cut_where_the_encoder_needs_it() {
    let studio = Studio::new();
    let source = studio.clip(
        "odd.webm",
        "-frames:v 6 -vf scale=161:91 -c:v libvpx-vp9 -deadline realtime",
    );
    for (encoder, size) in [
        ("libx264", "160,90"),
        ("libx265", "160,90"),
        ("libvpx-vp9", "161,91"),
    ] {
        studio
            .encode(&source, &studio::recipe(encoder))
            .await
            .expect(encoder);
        assert_eq!(studio.describe("width,height"), size, "{encoder}");
    }
}

#[tokio::test]
async fn a_turned_picture_is_upright_after_encoding() {
    let studio = Studio::new();
    let source = studio.rotated();
    studio
        .encode(&source, &studio::recipe("libx264"))
        .await
        .expect("passes");
    assert_eq!(studio.describe("width,height"), "90,160");
    studio
        .encode(
            &source,
            &studio::copy()
                .edit(|draft| draft.container = Container::Mp4)
                .expect("a sound recipe"),
        )
        .await
        .expect("passes");
    assert_eq!(studio.describe("width,height"), "160,90");
}

#[tokio::test]
async fn frames_at_a_variable_rate_keep_their_times() {
    let studio = Studio::new();
    // Pairs of frames that are a thousandth of a second apart.
    let source = studio.clip(
        "vfr.mkv",
        "-frames:v 24 -vf settb=1/1000,setpts='floor(N/2)*80+mod(N,2)' -fps_mode passthrough \
         -enc_time_base 1/1000 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    for encoder in ["libx264", "libx265", "libvpx-vp9"] {
        let checked = studio
            .encode(&source, &studio::recipe(encoder))
            .await
            .expect(encoder);
        assert_eq!(checked.frames, 24);
        let times = studio.times();
        assert_eq!(
            &times[..4],
            ["0.000000", "0.001000", "0.080000", "0.081000"],
            "{encoder}"
        );
    }
}

#[tokio::test]
async fn all_tracks_are_kept_in_a_form_that_the_container_holds() {
    let studio = Studio::new();
    let source = studio.tracks();
    let kinds = |studio: &Studio| studio.codecs();
    let mkv = studio::recipe("libx264")
        .edit(|draft| draft.audio = "copy".parse().expect("audio"))
        .expect("a sound recipe");
    studio.encode(&source, &mkv).await.expect("mkv");
    assert_eq!(kinds(&studio), ["h264", "aac", "ac3", "subrip"]);
    let mp4 = mkv
        .clone()
        .edit(|draft| draft.container = Container::Mp4)
        .expect("a sound recipe");
    studio.encode(&source, &mp4).await.expect("mp4");
    assert_eq!(kinds(&studio), ["h264", "aac", "ac3", "mov_text"]);
    let webm = studio::recipe("libvpx-vp9")
        .edit(|draft| {
            draft.container = Container::Webm;
            draft.audio = "libopus:96k".parse().expect("audio");
        })
        .expect("a sound recipe");
    studio.encode(&source, &webm).await.expect("webm");
    assert_eq!(kinds(&studio), ["vp9", "opus", "opus", "webvtt"]);
    let none = mkv
        .clone()
        .edit(|draft| {
            draft.audio = "none".parse().expect("audio");
            draft.subtitles = Subtitles::None;
        })
        .expect("a sound recipe");
    studio.encode(&source, &none).await.expect("video only");
    assert_eq!(kinds(&studio), ["h264"]);
    let refused = studio::recipe("libvpx-vp9")
        .edit(|draft| draft.container = Container::Webm)
        .expect("a sound recipe");
    let failure = studio
        .encode(&source, &refused)
        .await
        .expect_err("aac in webm");
    assert_eq!(failure.fault, Fault::Input);
    assert!(failure.message.contains("--audio libopus"), "{failure}");
}

#[tokio::test]
async fn a_copy_keeps_every_packet() {
    let studio = Studio::new();
    let source = studio.tracks();
    let recipe = studio::copy()
        .edit(|draft| {
            draft.video = Video::Copy;
            draft.container = Container::Mov;
        })
        .expect("a sound recipe");
    let checked = studio.encode(&source, &recipe).await.expect("passes");
    assert_eq!(checked.frames, 30);
}

#[tokio::test]
async fn filters_that_drop_frames_are_no_error() {
    let studio = Studio::new();
    let source = studio.clip(
        "in.mp4",
        "-frames:v 30 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    let recipe = studio::with(studio::recipe("libx264"), |video| {
        video.filters = Some("fps=5".parse().expect("filters"));
        video.scale = Some("80x-2".parse().expect("a size"));
    });
    let checked = studio.encode(&source, &recipe).await.expect("passes");
    assert!(checked.frames < 30);
    assert_eq!(studio.describe("width"), "80");
}

#[tokio::test]
async fn a_name_is_only_a_name() {
    let studio = Studio::new();
    let clip = studio.clip(
        "in.mp4",
        "-frames:v 3 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    for name in [
        "-dash.mp4",
        "two\nlines.mp4",
        "100%d.mp4",
        "http:x.mp4",
        "'\"🎬.mp4",
        "a:b|c.mp4",
    ] {
        let source = clip.with_file_name(name);
        std::fs::copy(&clip, &source).expect("a copy");
        studio
            .encode(&source, &studio::recipe("libx264"))
            .await
            .expect(name);
    }
}
