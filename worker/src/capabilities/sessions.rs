//! How many encodes a device runs at once before it refuses another.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::timeout;

use crate::capabilities::prove::Found;
use crate::capabilities::test_encode::{Source, TestEncode, TestRig};
use crate::capabilities::watched::Watched;

/// More at once are not tried.
const MOST: usize = 16;

/// How long an encode may take to bring out a packet; a device refuses sooner.
const OPENING: Duration = Duration::from_secs(5);

/// Starts encodes that do not end by themselves, all at once, and counts those
/// that are not refused: at least 1, at most 16.
pub(crate) async fn count(rig: &TestRig, found: &Found) -> u32 {
    let test = TestEncode {
        encoder: &found.encoder,
        device_path: &found.device_path,
        deep: false,
        size: (1280, 720),
        source: Source::Realtime,
        quick: false,
    };
    let mut encodes: Vec<Watched> = (0..MOST).map(|_| test.watch(rig)).collect();
    // None is ended before all have opened, so that they overlap for sure.
    let opened = join_all(encodes.iter_mut().map(opens)).await;
    join_all(encodes.into_iter().map(Watched::end)).await;
    let running = opened.into_iter().filter(|&opened| opened).count();
    u32::try_from(running.max(1)).unwrap_or(1)
}

/// Whether an encode was let in: it brings out a packet, or is at it still.
async fn opens(encode: &mut Watched) -> bool {
    match timeout(OPENING, encode.packet()).await {
        Ok(true) | Err(_) => true,
        Ok(false) => encode.succeeded().await,
    }
}
