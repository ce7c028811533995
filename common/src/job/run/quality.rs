//! Measured quality: what a search for a target has found, and what samples of the output have shown.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::recipe::Metric;

/// The measured quality of an encode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeasuredQuality {
    /// The result of the search; `None` if the recipe asks for no target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<FoundQuality>,
    /// The score of the output; `None` if the recipe sets no floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputQuality>,
}

/// The smallest quality that reaches a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundQuality {
    /// The quality on the encoder's own scale (CRF, CQ, QP).
    pub crf: f64,
    /// The metric.
    pub metric: Metric,
    /// The score of the samples at this quality.
    pub score: f64,
    /// Bytes of the encoded samples, in percent of the same parts of the source's video.
    pub percent: f64,
    /// Bytes that the encoded video was expected to have; `None` if the size of the source's video is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted_size: Option<u64>,
    /// Number of qualities that were tried.
    pub tries: u32,
    /// Number of samples that were encoded.
    pub encodes: u32,
    /// The workers that encoded them.
    pub workers: Vec<WorkerName>,
    /// Wall time of the search in seconds.
    pub seconds: f64,
}

/// The quality of samples of an output, compared with the source after the recipe's filters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutputQuality {
    /// The metric.
    pub metric: Metric,
    /// The score.
    pub score: f64,
}

/// `crf 24.3: vmaf 95.06 at 41.2 % of the source's video, after 5 tries on w1, w2 in 38 s`.
impl fmt::Display for FoundQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            crf,
            metric,
            percent,
            tries,
            seconds,
            ..
        } = self;
        let score = rounded(*metric, self.score);
        write!(
            f,
            "crf {crf}: {metric} {score} at {percent:.1} % of the source's video, after {tries} "
        )?;
        f.write_str(if *tries == 1 { "try" } else { "tries" })?;
        let workers: Vec<&str> = self.workers.iter().map(WorkerName::as_str).collect();
        write!(f, " on {} in {seconds:.0} s", workers.join(", "))
    }
}

/// `vmaf 95.06`.
impl fmt::Display for OutputQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, score } = self;
        write!(f, "{metric} {}", rounded(*metric, *score))
    }
}

/// A score with as many decimals as people compare.
pub fn rounded(metric: Metric, score: f64) -> String {
    match metric {
        Metric::Vmaf | Metric::Xpsnr => format!("{score:.2}"),
        Metric::Ssim => format!("{score:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_of_a_search_is_one_line() {
        let worker = |name: &str| name.parse().expect("a name");
        let found = FoundQuality {
            crf: 24.3,
            metric: Metric::Vmaf,
            score: 95.0612,
            percent: 41.23,
            predicted_size: Some(1000),
            tries: 5,
            encodes: 5,
            workers: vec![worker("w1"), worker("w2")],
            seconds: 38.4,
        };
        assert_eq!(
            found.to_string(),
            "crf 24.3: vmaf 95.06 at 41.2 % of the source's video, after 5 tries on w1, w2 in 38 s"
        );
        let output = OutputQuality {
            metric: Metric::Ssim,
            score: 0.98765,
        };
        assert_eq!(output.to_string(), "ssim 0.9877");
    }
}
