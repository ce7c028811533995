//! Finds out what one encoder can do: on which device, in which pixel formats, up to which size.

use std::time::Duration;

use common::recipe::encoder::{Encoder, EncoderKind};

use crate::capabilities::ladder;
use crate::capabilities::profile::{DevicePath, Size};
use crate::capabilities::sizes;
use crate::capabilities::test_encode::{Encoded, Refusal, Source, TestEncode, TestRig};

/// How long to wait before AMD's runtime is tried again.
const SECOND_CHANCE: Duration = Duration::from_secs(2);

/// What the tests of an encoder have shown, except for its speed and its sessions.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) encoder: Encoder,
    pub(crate) device_path: DevicePath,
    /// The pixel formats that it really encoded.
    pub(crate) formats: Vec<String>,
    pub(crate) largest: Size,
}

/// Tries the ways to reach an encoder until one works.
///
/// # Errors
/// Why it does not work at all, in one line.
pub(crate) async fn prove(rig: &TestRig, encoder: &Encoder, memory: u64) -> Result<Found, String> {
    let mut first = None;
    for device_path in DevicePath::all(encoder.kind()) {
        match prove_path(rig, encoder, &device_path, memory).await {
            Ok(found) => return Ok(found),
            // An encoder that hangs on one path hangs on the others, too.
            Err(refusal) if refusal.timed_out => return Err(refusal.reason),
            // The plainest of several paths gives the best reason.
            Err(refusal) => first = first.or(Some(refusal.reason)),
        }
    }
    Err(first.unwrap_or_else(|| "no device to try it on".to_owned()))
}

async fn prove_path(
    rig: &TestRig,
    encoder: &Encoder,
    device_path: &DevicePath,
    memory: u64,
) -> Result<Found, Refusal> {
    let test = TestEncode {
        encoder,
        device_path,
        deep: false,
        size: sizes::start(encoder.kind(), memory),
        source: Source::Flat(1),
        quick: true,
    };
    let (base, encoded) = match ladder::down(rig, &test).await {
        Err(refusal) if deserves_second_chance(encoder.kind(), &refusal) => {
            tokio::time::sleep(SECOND_CHANCE).await;
            ladder::down(rig, &test).await?
        }
        tried => tried?,
    };
    let largest = ladder::up(rig, &test, base, encoded.took, memory).await;
    Ok(Found {
        encoder: encoder.clone(),
        device_path: device_path.clone(),
        formats: formats(rig, &test, encoded).await,
        largest,
    })
}

/// AMD's runtime may fail once and work two seconds later. If it is not installed, waiting is of no use.
fn deserves_second_chance(kind: EncoderKind, refusal: &Refusal) -> bool {
    kind == EncoderKind::Amd && !refusal.timed_out && !refusal.reason.contains("failed to open")
}

/// The format used for 8 bits, and the format used for 10 bits if the encoder has one.
async fn formats(rig: &TestRig, test: &TestEncode<'_>, shallow: Encoded) -> Vec<String> {
    let mut formats = vec![shallow.format];
    if common::farm::card::bit_depth(&formats[0]) == 8 {
        let deep = TestEncode {
            deep: true,
            size: sizes::usual(test.encoder.kind()),
            ..test.clone()
        };
        formats.extend(deep.run(rig).await.ok().map(|encoded| encoded.format));
    }
    formats
}
