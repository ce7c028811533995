use common::job::failure::Fault;
use common::recipe::{Container, Rate, Recipe, Speed};

use crate::rate::{clip, recipe};
use crate::studio::Studio;

fn of_size(encoder: &str, size: &str) -> Recipe {
    recipe(encoder, |video| {
        video.rate = Rate::Size(size.parse().expect("a size"));
        video.speed = Some(Speed::Faster);
    })
}

#[tokio::test]
async fn an_output_has_the_size_that_is_asked_for() {
    for studio in Studio::each() {
        let clip = clip(&studio, "clip.mkv");
        for (encoder, size, container, audio) in [
            ("libx264", 150_000, Container::Mkv, "copy"),
            ("libx264", 100_000, Container::Mp4, "aac:48k"),
            ("libx265", 120_000, Container::Mp4, "libopus:64k"),
            ("libsvtav1", 150_000, Container::Mkv, "none"),
            ("libvpx-vp9", 120_000, Container::Webm, "libopus:64k"),
            ("mpeg4", 200_000, Container::Mkv, "copy"),
        ] {
            let recipe = of_size(encoder, &size.to_string())
                .edit(|draft| {
                    draft.container = container;
                    draft.audio = audio.parse().expect("audio");
                })
                .expect("a sound recipe");
            let made = studio.encode(&clip, &recipe).await;
            let made = made.unwrap_or_else(|why| panic!("{encoder} {container}: {why:?}"));
            let share = made.size as f64 / f64::from(size);
            assert!(
                (0.94..=1.01).contains(&share),
                "{encoder} {container}: {share}"
            );
        }
    }
}

#[tokio::test]
async fn a_size_that_cannot_be_reached_names_a_way_out() {
    for studio in Studio::each() {
        let clip = clip(&studio, "clip.mkv");
        let failure = studio
            .encode(&clip, &of_size("libx264", "30k"))
            .await
            .expect_err("the sound alone is larger");
        assert_eq!(failure.fault, Fault::Input);
        assert!(failure.message.contains("--target-size"), "{failure}");
        // The named size does.
        let words = failure.message.split("--target-size ").nth(1);
        let least = words
            .and_then(|words| words.split(' ').next())
            .expect("a size");
        let made = studio.encode(&clip, &of_size("libx264", least)).await;
        if let Err(failure) = &made {
            // The encoder's worst quality may be larger still, and then its size is named.
            assert!(failure.message.contains("no smaller"), "{failure}");
        }
        let endless = studio.clip("endless.h264", "-frames:v 20 -c:v libx264 -pix_fmt yuv420p");
        let failure = studio
            .encode(&endless, &of_size("libx264", "100k"))
            .await
            .expect_err("no length");
        assert_eq!(failure.fault, Fault::Input);
        assert!(failure.message.contains("--bitrate"), "{failure}");
    }
}
