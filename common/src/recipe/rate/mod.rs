//! The rate of an encode: how much quality, or how many bits.

mod bitrate;
mod quality;
mod score;
mod size;
mod speed;

use serde::{Deserialize, Serialize};

use crate::recipe::encoder::Encoder;
use crate::recipe::error::RecipeError;

pub use bitrate::{Bitrate, BitrateError};
pub use quality::{Quality, QualityError, QualityScale};
pub use score::{Metric, QualityTarget, Score, ScoreError};
pub use size::{Size, SizeError};
pub use speed::Speed;

/// How much quality, or how many bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Rate {
    /// The encoder's own default.
    #[default]
    Default,
    /// Constant quality on the encoder's own scale (CRF, CQ, QP), where less is better.
    Crf(f64),
    /// Constant quality on one scale for all encoders.
    Quality(Quality),
    /// A mean number of bits per second.
    Bitrate(Bitrate),
    /// The size of the whole output, sound included.
    Size(Size),
    /// No loss at all.
    Lossless,
    /// The smallest file whose measured quality is at least this.
    Target(QualityTarget),
}

impl Rate {
    /// The value on the encoder's own scale of constant quality; `None` if the rate is not a quality, or the encoder
    /// has no such scale.
    pub fn constant_quality(self, encoder: &Encoder) -> Option<f64> {
        match self {
            Self::Crf(value) => Some(value),
            Self::Quality(quality) => QualityScale::of(encoder).map(|scale| quality.on(scale)),
            Self::Default | Self::Bitrate(_) | Self::Size(_) | Self::Lossless | Self::Target(_) => {
                None
            }
        }
    }

    /// The least quality that a search has to find; `None` if the rate is known without a search.
    pub fn target(self) -> Option<QualityTarget> {
        match self {
            Self::Target(target) => Some(target),
            _ => None,
        }
    }

    /// Refuses a rate that has no meaning for the encoder.
    ///
    /// # Errors
    /// The encoder has no scale of constant quality, or the number is not on it.
    pub fn check(self, encoder: &Encoder) -> Result<(), RecipeError> {
        let refuse = |what: String, instead: String| {
            Err(RecipeError::Rate {
                encoder: encoder.clone(),
                what,
                instead,
            })
        };
        if encoder.codec().is_none() {
            return Ok(());
        }
        match (self, QualityScale::of(encoder)) {
            (Self::Default | Self::Bitrate(_) | Self::Size(_), _) => Ok(()),
            (Self::Lossless, _) if !has_lossless(encoder) => {
                refuse("--lossless".to_owned(), LOSSLESS.to_owned())
            }
            (Self::Crf(_) | Self::Quality(_) | Self::Target(_), None) => {
                refuse("constant quality".to_owned(), "--bitrate".to_owned())
            }
            (Self::Crf(value), Some(scale)) if !scale.contains(value) => refuse(
                format!("--crf {value}"),
                format!("{} (best) to {} (smallest)", scale.best, scale.worst),
            ),
            _ => Ok(()),
        }
    }
}

/// Whether the encoder can encode without loss.
fn has_lossless(encoder: &Encoder) -> bool {
    matches!(
        encoder.as_str(),
        "libx264"
            | "libx265"
            | "libsvtav1"
            | "libaom-av1"
            | "libvpx-vp9"
            | "ffv1"
            | "h264_nvenc"
            | "hevc_nvenc"
    )
}

/// The usual encoders without loss.
const LOSSLESS: &str = "libx264, libx265, libvpx-vp9, libaom-av1 or ffv1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_quality_is_at_the_same_share_of_every_scale() {
        let quality = Quality::try_from(55).expect("in range");
        let on = |encoder: &str| {
            Rate::Quality(quality)
                .constant_quality(&encoder.parse().expect("a name"))
                .map(f64::round)
        };
        assert_eq!(on("libx264"), Some(23.0));
        assert_eq!(on("libsvtav1"), Some(28.0));
        assert_eq!(on("hevc_videotoolbox"), Some(55.0));
        assert_eq!(on("h264_v4l2m2m"), None);
    }

    #[test]
    fn a_number_off_the_scale_is_refused() {
        let encoder: Encoder = "libx265".parse().expect("a name");
        assert!(Rate::Crf(52.0).check(&encoder).is_err());
        assert!(Rate::Crf(f64::NAN).check(&encoder).is_err());
        assert!(Rate::Crf(28.0).check(&encoder).is_ok());
    }
}
