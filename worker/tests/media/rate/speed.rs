use common::recipe::Speed;

use crate::rate::recipe;
use crate::studio::Studio;

#[tokio::test]
async fn every_encoder_takes_each_speed() {
    for studio in Studio::each() {
        let clip = studio.clip("clip.mkv", "-frames:v 3 -c:v ffv1 -pix_fmt yuv420p");
        for encoder in [
            "libx264",
            "libx265",
            "libsvtav1",
            "libaom-av1",
            "librav1e",
            "libvpx",
            "libvpx-vp9",
            "libvvenc",
            "mpeg2video",
            "mpeg4",
            "libxvid",
        ] {
            if !studio.has(encoder) {
                continue;
            }
            for speed in [Speed::Slowest, Speed::Medium, Speed::Fastest] {
                let recipe = recipe(encoder, |video| video.speed = Some(speed));
                let checked = studio.encode(&clip, &recipe).await;
                let checked = checked.unwrap_or_else(|why| panic!("{encoder} {speed}: {why:?}"));
                assert_eq!(checked.frames, 3, "{encoder} {speed}");
            }
        }
    }
}

#[tokio::test]
async fn a_slower_speed_makes_more_effort() {
    for studio in Studio::each() {
        let clip = studio.clip("clip.mkv", "-frames:v 3 -c:v ffv1 -pix_fmt yuv420p");
        // x264 writes its settings into its output.
        for (speed, effort) in [
            (Speed::Slowest, "subme=10"),
            (Speed::Medium, "subme=7"),
            (Speed::Fastest, "subme=0"),
        ] {
            let recipe = recipe("libx264", |video| video.speed = Some(speed));
            studio.encode(&clip, &recipe).await.expect("an output");
            let bytes = std::fs::read(studio.output()).expect("an output");
            let text = String::from_utf8_lossy(&bytes);
            assert!(text.contains(effort), "{speed}");
        }
    }
}
