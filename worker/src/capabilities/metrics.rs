//! The metrics of quality that ffmpeg can measure: each is tried on two test pictures that differ. A filter that is
//! listed may lack its model, and a build without libvmaf lists none.

use std::ffi::OsString;

use common::recipe::Metric;

use crate::capabilities::listing::Listing;
use crate::capabilities::test_encode::TestRig;
use crate::ffmpeg::metric::{Comparison, Pairing, filter_of, score_in};

/// The metrics that gave a score.
pub(crate) async fn measured(rig: &TestRig, listing: &Listing) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for &metric in Metric::ALL {
        let is_listed = listing.filters.iter().any(|name| name == filter_of(metric));
        if is_listed && is_measured(rig, metric).await {
            metrics.push(metric);
        }
    }
    metrics
}

async fn is_measured(rig: &TestRig, metric: Metric) -> bool {
    let ran = rig.tool().run(arguments(metric), |_| {}).await;
    let Ok(ran) = ran else {
        return false;
    };
    let score = ran
        .stderr
        .lines()
        .rev()
        .find_map(|line| score_in(metric, line));
    tracing::debug!(%metric, ?score, "tried");
    ran.succeeded() && score.is_some_and(|score| score.is_finite() && score > 0.0)
}

/// Compares a moving test picture with a blurred copy of itself.
fn arguments(metric: Metric) -> Vec<OsString> {
    let comparison = Comparison {
        metric,
        size: (192, 108),
        format: "yuv420p".to_owned(),
        reference: "boxblur=1".to_owned(),
        threads: 1,
        pairing: Pairing::Count,
    };
    let mut arguments = vec!["-hide_banner", "-nostdin", "-nostats", "-loglevel", "info"];
    for _ in 0..2 {
        arguments.extend(["-f", "lavfi", "-i", "testsrc2=s=192x108:r=25:d=0.2"]);
    }
    let mut arguments: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
    arguments.extend(comparison.arguments());
    arguments
}
