//! Measures the speed of an encoder: frames per second at 1280×720 with default settings.
//!
//! Packets are counted from the first one on, so that neither the start nor the lookahead counts. This is the speed
//! of a long encode.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use crate::capabilities::profile::{Profile, Size};
use crate::capabilities::prove::Found;
use crate::capabilities::test_encode::{Source, TestEncode, TestRig};
use crate::capabilities::watched::Watched;

const SIZE: Size = (1280, 720);

/// A sixteenth of [`SIZE`], for very slow encoders.
const SMALL: Size = (320, 180);

/// How long the first packet may take, because the lookahead must fill first.
const FIRST: Duration = Duration::from_secs(2);

/// How long packets are counted if [`ENOUGH`] come in this time; otherwise longer.
const WINDOW: Duration = Duration::from_millis(200);

/// The longest time for which packets are counted.
const LONGEST: Duration = Duration::from_millis(500);

/// How many packets are enough for a result: some encoders output them in groups of a dozen.
const ENOUGH: u16 = 24;

/// Measures frames per second. Nothing else should be running.
pub(crate) async fn measure(rig: &TestRig, found: &Found) -> f32 {
    let test = TestEncode {
        encoder: &found.encoder,
        device_path: &found.device_path,
        deep: false,
        size: SIZE,
        source: Source::Endless,
        quick: false,
    };
    let small = TestEncode {
        size: SMALL,
        ..test.clone()
    };
    if !Profile::of(&found.encoder).is_slow {
        if let Some(fps) = steady(rig, &test).await {
            return fps;
        }
        if let Some(fps) = steady(rig, &small).await {
            return fps * share();
        }
    }
    start_to_end(rig, small).await * share()
}

/// The factor from a speed at [`SMALL`] to a speed at [`SIZE`].
fn share() -> f32 {
    let pixels = |(width, height): Size| (width * height) as f32;
    pixels(SMALL) / pixels(SIZE)
}

/// Packets per second after the first one; `None` if too few came in time.
async fn steady(rig: &TestRig, test: &TestEncode<'_>) -> Option<f32> {
    let mut encode = test.watch(rig);
    let fps = rate(&mut encode).await;
    encode.end().await;
    fps
}

async fn rate(encode: &mut Watched) -> Option<f32> {
    if !timeout(FIRST, encode.packet()).await.ok()? {
        return None;
    }
    let first = Instant::now();
    let mut last = first;
    let mut packets = 0_u16;
    while (packets < ENOUGH || last - first < WINDOW)
        && let Ok(true) = timeout_at(first + LONGEST, encode.packet()).await
    {
        packets = packets.saturating_add(1);
        last = Instant::now();
    }
    let span = (last - first).as_secs_f32();
    (packets > 0 && span > 0.0).then(|| f32::from(packets) / span)
}

/// Frames per second from start to end of a short encode, for encoders that need seconds before the first packet.
async fn start_to_end(rig: &TestRig, test: TestEncode<'_>) -> f32 {
    const FRAMES: u8 = 2;
    let test = TestEncode {
        source: Source::Lively(FRAMES.into()),
        ..test
    };
    let took = match test.run(rig).await {
        Ok(encoded) => encoded.took,
        // The encoder worked before, so it is only too slow. This is the upper limit of its speed.
        Err(_) => rig.patience,
    };
    f32::from(FRAMES) / took.as_secs_f32()
}
