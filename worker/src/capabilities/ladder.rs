//! Finds the largest picture that an encoder can encode.
//!
//! Hardware has fixed limits, so larger and larger sizes are tried until the encoder refuses. Software is limited
//! only by memory and time. For software the result means "proved up to this size", which this machine encodes
//! without effort.

use std::time::Duration;

use crate::capabilities::profile::Size;
use crate::capabilities::sizes::{STEPS, fits, pixels};
use crate::capabilities::test_encode::{Encoded, Refusal, TestEncode, TestRig};

/// The longest time that the next larger size may be expected to take in software.
const EFFORT: Duration = Duration::from_millis(600);

/// How long a software encoder may take for a size before a smaller one is tried.
const SLOW: Duration = Duration::from_secs(5);

/// Tries the size of the test. Tries smaller sizes if the size may be the reason for the refusal.
pub(crate) async fn down(rig: &TestRig, test: &TestEncode<'_>) -> Result<(Size, Encoded), Refusal> {
    let mut first = None;
    for &size in STEPS.iter().rev().filter(|&&step| step <= test.size) {
        let smallest = size == STEPS[0];
        let mut rig = rig.clone();
        if !smallest && !test.encoder.kind().is_hardware() {
            rig.patience = rig.patience.min(SLOW);
        }
        match (TestEncode {
            size,
            ..test.clone()
        })
        .run(&rig)
        .await
        {
            Ok(encoded) => return Ok((size, encoded)),
            Err(refusal) if !smallest && size_may_be_why(test, &refusal) => {
                first = first.or(Some(refusal));
            }
            Err(refusal) => return Err(first.unwrap_or(refusal)),
        }
    }
    Err(first.unwrap_or_else(|| Refusal::new("no size to try")))
}

/// Tries larger sizes than `base`, which worked and took `took`. Returns the largest size that worked.
pub(crate) async fn up(
    rig: &TestRig,
    test: &TestEncode<'_>,
    base: Size,
    mut took: Duration,
    memory: u64,
) -> Size {
    let mut largest = base;
    for &size in STEPS.iter().filter(|&&step| step > base) {
        let growth = pixels(size) / pixels(largest);
        let effortless = took * u32::try_from(growth).unwrap_or(u32::MAX) <= EFFORT;
        let climbs = test.encoder.kind().is_hardware() || (effortless && fits(size, memory));
        if !climbs {
            break;
        }
        match (TestEncode {
            size,
            ..test.clone()
        })
        .run(rig)
        .await
        {
            Ok(encoded) => took = encoded.took,
            Err(_) => break,
        }
        largest = size;
    }
    largest
}

/// Whether a smaller picture might work: if software was too slow, or if the reason mentions a size.
fn size_may_be_why(test: &TestEncode<'_>, refusal: &Refusal) -> bool {
    if refusal.timed_out {
        return !test.encoder.kind().is_hardware();
    }
    let reason = refusal.reason.to_ascii_lowercase();
    [
        "size",
        "dimension",
        "resolution",
        "width",
        "height",
        "memory",
    ]
    .iter()
    .any(|word| reason.contains(word))
}
