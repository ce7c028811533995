//! The frame rate: constant, half, and never above a peak.

use std::path::PathBuf;

use common::job::changes::{Fate, Kind};
use common::recipe::{Container, Recipe};

use crate::picture::{FAST, LOSSLESS, fate, recipe};
use crate::studio;
use crate::studio::Studio;
use crate::times::pictures;

fn paced(encoder: &str, container: Container, rate: &str) -> Recipe {
    studio::with(recipe(encoder, container), |video| {
        video.frame_rate = rate.parse().expect("a rate");
    })
}

/// The times of the output's frames, in seconds.
fn times(studio: &Studio) -> Vec<f64> {
    let times = studio.times();
    times
        .iter()
        .map(|time| time.parse().expect("a time"))
        .collect()
}

fn clip(studio: &Studio, name: &str, rate: &str, frames: u32, codec: &str) -> PathBuf {
    let test = format!("-f lavfi -i testsrc2=size=64x36:rate={rate}");
    studio.make(
        name,
        &format!("{test} -frames:v {frames} -pix_fmt yuv420p {codec}"),
    )
}

/// Frames that come 60 times a second, then 20 times, then 60 times.
fn uneven(studio: &Studio) -> PathBuf {
    studio.make(
        "uneven.mkv",
        &format!(
            "-f lavfi -i testsrc2=size=64x36:rate=60 -frames:v 110 -vf \
             setpts='if(lt(N\\,60)\\,N/60\\,if(lt(N\\,80)\\,1+(N-60)/20\\,2+(N-80)/60))/TB' \
             -fps_mode passthrough -enc_time_base 1/1000 -pix_fmt yuv420p {FAST}"
        ),
    )
}

#[tokio::test]
async fn every_second_frame_stays_at_its_time() {
    for studio in Studio::each() {
        let source = clip(&studio, "even.mkv", "50", 51, LOSSLESS);
        let all = pictures(&studio, &source);
        let recipe = paced("ffv1", Container::Mkv, "half");
        let changes = studio.foresee(&source, &recipe).await.expect("told");
        let checked = studio.encode(&source, &recipe).await.expect("passes");
        assert_eq!(checked.frames, 26);
        assert_eq!(studio.describe("r_frame_rate,avg_frame_rate"), "25/1,25/1");
        let second: Vec<String> = all.into_iter().step_by(2).collect();
        assert_eq!(pictures(&studio, &studio.output()), second);
        for (number, time) in times(&studio).iter().enumerate() {
            assert!(
                (time - number as f64 / 25.0).abs() < 0.002,
                "{number}: {time}"
            );
        }
        assert!(
            checked.changes.iter().all(|change| !change.is_loss()),
            "{:#?}",
            checked.changes
        );
        let timing = checked
            .changes
            .iter()
            .find(|change| change.kind == Kind::Timing);
        assert_eq!(timing.map(|change| change.fate), Some(Fate::Converted));
        assert_eq!(fate(&changes, Kind::Interlacing), None);
        // A frame that is missing is noticed.
        let short = clip(&studio, "short.mkv", "25", 25, LOSSLESS);
        let harmed = studio
            .encode_and(&source, &recipe, |output| {
                std::fs::copy(&short, output).expect("replaced");
            })
            .await;
        let failure = harmed.expect_err("a frame is missing");
        assert!(failure.message.contains("25 frames where 26"), "{failure}");
    }
}

#[tokio::test]
async fn a_constant_rate_holds_for_even_and_uneven_sources() {
    for studio in Studio::each() {
        let even = clip(&studio, "even.mkv", "25", 50, FAST);
        let uneven = uneven(&studio);
        for (source, rate, container, frames, stated) in [
            (&even, "50", Container::Mkv, 100, "50/1"),
            (&even, "10", Container::Mp4, 20, "10/1"),
            (&even, "29.97", Container::Mp4, 60, "30000/1001"),
            (&uneven, "25", Container::Mkv, 63, "25/1"),
            (&uneven, "30", Container::Mp4, 75, "30/1"),
        ] {
            let recipe = paced("libx264", container, rate);
            let checked = studio.encode(source, &recipe).await.expect(rate);
            assert!(
                checked.frames.abs_diff(frames) <= 1,
                "{rate}: {}",
                checked.frames
            );
            let both = format!("{stated},{stated}");
            assert_eq!(studio.describe("r_frame_rate,avg_frame_rate"), both);
            let times = times(&studio);
            let (numerator, denominator) = stated.split_once('/').expect("a ratio");
            let number = |text: &str| text.parse::<f64>().expect("a number");
            let frame = number(denominator) / number(numerator);
            let steps = times.windows(2).map(|pair| pair[1] - pair[0]);
            for step in steps {
                assert!((step - frame).abs() < 0.0011, "{rate}: {step}");
            }
        }
    }
}

#[tokio::test]
async fn a_peak_is_never_passed_and_slow_frames_keep_their_times() {
    for studio in Studio::each() {
        let uneven = uneven(&studio);
        for (peak, fast, all) in [("50", 50, 95), ("30", 30, 65)] {
            for container in [Container::Mkv, Container::Mp4] {
                let recipe = paced("libx264", container, &format!("peak:{peak}"));
                let checked = studio.encode(&uneven, &recipe).await.expect(peak);
                assert!(
                    checked.frames.abs_diff(all) <= 1,
                    "{peak}: {}",
                    checked.frames
                );
                let times = times(&studio);
                let least = 1.0 / peak.parse::<f64>().expect("a number");
                for pair in times.windows(2) {
                    assert!(pair[1] - pair[0] > least - 0.0012, "{peak}: {pair:?}");
                }
                let slow: Vec<f64> = times.iter().copied().skip(fast).take(20).collect();
                for (number, time) in slow.iter().enumerate() {
                    let own = 1.0 + number as f64 / 20.0;
                    assert!((time - own).abs() < 0.0011, "{peak}: {time} of {own}");
                }
            }
        }
        // A constant rate is left alone, halved, or made constant.
        for (rate, frames, peak, made) in [
            ("25", 25, "peak:30", "25/1"),
            ("60", 60, "peak:30", "30/1"),
            ("60000/1001", 60, "peak:30", "30000/1001"),
            ("30", 30, "peak:25", "25/1"),
        ] {
            let source = clip(&studio, "even.mp4", rate, frames, FAST);
            let recipe = paced("libx264", Container::Mp4, peak);
            studio.encode(&source, &recipe).await.expect(peak);
            assert_eq!(studio.describe("r_frame_rate"), made, "{rate} {peak}");
        }
    }
}
