//! Counts how many encodes a device runs at the same time.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::timeout;

use crate::capabilities::prove::Found;
use crate::capabilities::test_encode::{Source, TestEncode, TestRig};
use crate::capabilities::watched::Watched;

/// The most encodes that are tried at the same time.
const MOST: usize = 16;

/// How long an encode may take to output a packet. A device refuses sooner.
const OPENING: Duration = Duration::from_secs(5);

/// Starts endless encodes at the same time, and counts those that are not refused: at least 1, at most 16.
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
    // No encode is ended before all have opened, so they overlap for certain.
    let opened = join_all(encodes.iter_mut().map(opens)).await;
    join_all(encodes.into_iter().map(Watched::end)).await;
    let running = opened.into_iter().filter(|&opened| opened).count();
    u32::try_from(running.max(1)).unwrap_or(1)
}

/// Whether the device accepted an encode: it outputs a packet, or it is still running.
async fn opens(encode: &mut Watched) -> bool {
    match timeout(OPENING, encode.packet()).await {
        Ok(true) | Err(_) => true,
        Ok(false) => encode.succeeded().await,
    }
}
