use common::job::failure::Fault;
use common::recipe::Speed;
use worker::attempt::steps::Notice;
use worker::attempt::verify::gate::Depth;

use crate::rate::{bitrate, clip, mean, recipe};
use crate::studio::Studio;

/// What an encode told: its commands, and the done shares with the times of their runs.
#[derive(Default)]
struct Told {
    commands: Vec<Vec<String>>,
    shares: Vec<f32>,
}

impl Told {
    fn note(&mut self, notice: Notice<'_>) {
        match notice {
            Notice::Commands(list) => self.commands.push(list),
            Notice::Progress(_, share) => self.shares.push(share.from),
            Notice::Log(_) => {}
        }
    }
}

#[tokio::test]
async fn two_passes_reach_a_bitrate() {
    for studio in Studio::each() {
        let clip = clip(&studio, "clip.mkv");
        for encoder in [
            "libx264",
            "libx265",
            "libsvtav1",
            "libvpx",
            "libvpx-vp9",
            "libaom-av1",
            "libvvenc",
            "mpeg2video",
            "mpeg4",
        ] {
            let has_them = encoder != "libsvtav1" || studio.is_recent();
            if !studio.has(encoder) {
                continue;
            }
            let recipe = recipe(encoder, |video| {
                video.rate = bitrate("150k");
                video.two_pass = true;
                video.speed = Some(Speed::Fast);
            });
            let mut told = Told::default();
            let made = studio
                .encode_telling(
                    &clip,
                    &recipe,
                    Depth::Full,
                    |_| {},
                    |notice| told.note(notice),
                )
                .await;
            if !has_them {
                // Another worker may have a newer ffmpeg.
                let failure = made.expect_err("one pass only");
                assert_eq!(failure.fault, Fault::Worker, "{failure}");
                assert!(failure.message.contains("two passes"), "{failure}");
                continue;
            }
            let checked = made.unwrap_or_else(|why| panic!("{encoder}: {why:?}"));
            assert_eq!(checked.frames, 100, "{encoder}");
            assert_eq!(checked.media.streams.len(), 2, "{encoder}");
            let reached = mean(&studio, &studio.output(), 4.0);
            let tolerance = if encoder.starts_with("libx26") {
                0.1
            } else {
                0.4
            };
            let limits = 150e3 * (1.0 - tolerance)..150e3 * (1.0 + tolerance);
            assert!(limits.contains(&reached), "{encoder}: {reached}");
            let [commands] = told.commands.as_slice() else {
                panic!("{encoder}: {:?}", told.commands);
            };
            let [first, second] = commands.as_slice() else {
                panic!("{encoder}: {commands:?}");
            };
            assert!(first.ends_with("-f null -"), "{encoder}: {first}");
            assert!(
                !first.contains("-c:1 aac") && second.contains("pass"),
                "{second}"
            );
            assert!(told.shares.is_sorted(), "{encoder}: {:?}", told.shares);
            assert_eq!(told.shares.first(), Some(&0.0), "{encoder}");
            assert_eq!(told.shares.last(), Some(&0.5), "{encoder}");
        }
    }
}

#[tokio::test]
async fn the_passes_of_two_films_do_not_mix_their_statistics() {
    for studio in Studio::each() {
        let films = studio.make(
            "films.mkv",
            "-f lavfi -i sine -f lavfi -i testsrc2=size=160x90:rate=25 -f lavfi -i mandelbrot=size=128x96:rate=25 \
             -map 0 -map 1 -map 2 -t 2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac",
        );
        for encoder in ["libx264", "libx265", "libvpx-vp9"] {
            let recipe = recipe(encoder, |video| {
                video.rate = bitrate("100k");
                video.two_pass = true;
                video.speed = Some(Speed::Faster);
            });
            let made = studio.encode(&films, &recipe).await;
            let made = made.unwrap_or_else(|why| panic!("{encoder}: {why:?}"));
            let sizes: Vec<u32> = made.media.films().map(|film| film.width).collect();
            assert_eq!(sizes, [160, 128], "{encoder}");
        }
    }
}

#[tokio::test]
async fn a_stop_ends_either_pass() {
    for studio in Studio::each() {
        let clip = clip(&studio, "clip.mkv");
        let recipe = recipe("libx265", |video| {
            video.rate = bitrate("150k");
            video.two_pass = true;
            video.speed = Some(Speed::Slowest);
        });
        for from in [0.0, 0.5] {
            let stopped = studio.stop_at(&clip, &recipe, |share| share.from == from);
            let failure = stopped.await.expect_err("it was stopped");
            assert_eq!(failure.fault, Fault::Passing, "{from}: {failure}");
        }
    }
}
