//! How fast an encoder is: frames per second at 1280×720, default settings.
//!
//! Packets are counted from the first that comes out, so that neither start
//! nor lookahead count: what is measured is what a long encode sees.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use crate::capabilities::profile::{Profile, Size};
use crate::capabilities::prove::Found;
use crate::capabilities::test_encode::{Source, TestEncode, TestRig};
use crate::capabilities::watched::Watched;

const SIZE: Size = (1280, 720);

/// A sixteenth of it, for those that crawl.
const SMALL: Size = (320, 180);

/// How long the first packet may take: lookahead fills meanwhile.
const FIRST: Duration = Duration::from_secs(2);

/// How long packets are counted after the first: this long where that is
/// [`ENOUGH`] of them, else longer.
const WINDOW: Duration = Duration::from_millis(200);

/// The longest count.
const LONGEST: Duration = Duration::from_millis(500);

/// Packets that make a figure: some encoders bring them out by the dozen.
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
    crawl(rig, small).await * share()
}

/// What a speed on the small picture is worth on the full one.
fn share() -> f32 {
    let pixels = |(width, height): Size| (width * height) as f32;
    pixels(SMALL) / pixels(SIZE)
}

/// Packets per second after the first; `None` where too few came in time.
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

/// Frames per second from start to end of a short encode: for those that think
/// for seconds before the first packet.
async fn crawl(rig: &TestRig, test: TestEncode<'_>) -> f32 {
    const FRAMES: u8 = 2;
    let test = TestEncode {
        source: Source::Lively(FRAMES.into()),
        ..test
    };
    let took = match test.run(rig).await {
        Ok(encoded) => encoded.took,
        // It did encode before, and so is no faster than this.
        Err(_) => rig.patience,
    };
    f32::from(FRAMES) / took.as_secs_f32()
}
