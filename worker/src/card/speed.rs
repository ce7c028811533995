//! How fast an encoder is: frames per second at 1280×720, default settings.
//!
//! Packets are counted from the first that comes out, so that neither start
//! nor lookahead count: what is measured is what a long encode sees.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::process::Watched;
use super::profile::{Profile, Size};
use super::prove::Found;
use super::trial::{Bench, Source, Trial};

const SIZE: Size = (1280, 720);

/// A sixteenth of the picture.
const SMALL: Size = (320, 180);

/// How long the first packet may take: lookahead fills meanwhile.
const FIRST: Duration = Duration::from_millis(1500);

/// How long packets are counted after the first…
const WINDOW: Duration = Duration::from_millis(250);

/// …or how many, whichever comes first.
const ENOUGH: u32 = 60;

/// Measures frames per second. Nothing else should be running.
pub(super) async fn measure(bench: &Bench, found: &Found) -> f32 {
    let trial = Trial {
        encoder: &found.encoder,
        way: &found.way,
        deep: false,
        size: SIZE,
        source: Source::Endless,
        quick: false,
    };
    if !Profile::of(&found.encoder).crawls
        && let Ok(mut encode) = trial.watch(&bench.ffmpeg)
    {
        let steady = steady(&mut encode).await;
        encode.end().await;
        if let Some(fps) = steady {
            return fps;
        }
    }
    crawl(bench, trial).await
}

/// Packets per second after the first; `None` where too few came.
async fn steady(encode: &mut Watched) -> Option<f32> {
    if !timeout(FIRST, encode.packet()).await.ok()? {
        return None;
    }
    let first = Instant::now();
    let mut last = first;
    let mut packets = 0_u16;
    while u32::from(packets) < ENOUGH
        && let Ok(true) = timeout_at(first + WINDOW, encode.packet()).await
    {
        packets += 1;
        last = Instant::now();
    }
    let span = (last - first).as_secs_f32();
    (packets > 0 && span > 0.0).then(|| f32::from(packets) / span)
}

/// The speed on a sixteenth of the picture, divided by sixteen: for those that
/// think for seconds before the first packet.
async fn crawl(bench: &Bench, trial: Trial<'_>) -> f32 {
    const FRAMES: u8 = 2;
    let small = Trial {
        size: SMALL,
        source: Source::Lively(FRAMES.into()),
        ..trial
    };
    let took = match small.run(bench).await {
        Ok(encoded) => encoded.took,
        // No slower than this, as it did encode before.
        Err(_) => bench.patience,
    };
    let share = (SMALL.0 * SMALL.1) as f32 / (SIZE.0 * SIZE.1) as f32;
    f32::from(FRAMES) / took.as_secs_f32() * share
}
