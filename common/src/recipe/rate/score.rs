//! Measured quality: metrics, scores, and the search for the smallest file of a score.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::unknown::UnknownName;
use crate::recipe::named::{named, written_as_text};

/// A measure of how much a picture looks like its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Metric {
    /// VMAF, 0 to 100.
    Vmaf,
    /// XPSNR in decibels.
    Xpsnr,
    /// SSIM, 0 to 1.
    Ssim,
}

named!(Metric, "metric": Vmaf = "vmaf", Xpsnr = "xpsnr", Ssim = "ssim");

impl Metric {
    /// The scores that an encode may ask for, the least and the most.
    fn range(self) -> (f64, f64) {
        match self {
            Self::Vmaf => (1.0, 100.0),
            Self::Xpsnr => (10.0, 100.0),
            Self::Ssim => (0.1, 1.0),
        }
    }
}

/// A metric with its value, e.g. `vmaf=95`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Score {
    /// The metric.
    pub metric: Metric,
    /// Its value.
    pub value: f64,
}

impl Score {
    /// The least score that an encode may ask for: every picture of use reaches it.
    pub fn least(metric: Metric) -> Self {
        Self {
            metric,
            value: metric.range().0,
        }
    }
}

/// The text is no score.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// It is not in the form `metric=value`.
    #[error("'{0}' is no score: expected e.g. vmaf=95, xpsnr=42 or ssim=0.98")]
    Syntax(String),
    /// The metric is unknown.
    #[error(transparent)]
    Metric(#[from] UnknownName),
    /// No picture has such a value.
    #[error("{metric} {value} is out of range: {least} to {most}")]
    Range {
        /// The metric.
        metric: Metric,
        /// Its value.
        value: f64,
        /// The least value.
        least: f64,
        /// The most value.
        most: f64,
    },
}

impl FromStr for Score {
    type Err = ScoreError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ScoreError::Syntax(text.to_owned());
        let (metric, value) = text.split_once('=').ok_or_else(error)?;
        let metric: Metric = metric.parse()?;
        let value: f64 = value.parse().map_err(|_| error())?;
        let (least, most) = metric.range();
        if (least..=most).contains(&value) {
            Ok(Self { metric, value })
        } else {
            Err(ScoreError::Range {
                metric,
                value,
                least,
                most,
            })
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.metric, self.value)
    }
}

written_as_text!(Score, ScoreError);

/// The smallest file whose measured quality is at least a score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QualityTarget {
    /// The least score.
    pub score: Score,
    /// The most bytes of the encoded video, in percent of the source's video. If no encode is small enough, the job
    /// fails.
    #[serde(default = "QualityTarget::default_max_percent")]
    pub max_percent: u32,
}

impl QualityTarget {
    /// The default of [`QualityTarget::max_percent`].
    pub const MAX_PERCENT: u32 = 80;

    fn default_max_percent() -> u32 {
        Self::MAX_PERCENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_read_as_people_write_them() {
        for text in ["vmaf=95", "xpsnr=41.5", "ssim=0.98"] {
            assert_eq!(text.parse::<Score>().expect("a score").to_string(), text);
        }
        for bad in [
            "95", "vmaf", "vmaf=", "vmaf=101", "ssim=98", "psnr=40", "vmaf=NaN",
        ] {
            assert!(bad.parse::<Score>().is_err(), "{bad}");
        }
    }
}
