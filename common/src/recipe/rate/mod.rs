//! The rate of an encode: how much quality, or how many bits.

mod anchors;
mod bitrate;
mod encode;
mod lossless;
mod peak;
mod quality;
mod scale;
mod score;
mod size;
mod speed;
mod two_pass;

use serde::{Deserialize, Serialize};

use crate::recipe::encoder::Encoder;
use crate::recipe::encoder_preset;
use crate::recipe::error::RecipeError;
use crate::recipe::rate::peak::Peak;

pub use bitrate::{Bitrate, BitrateError};
pub use quality::{Quality, QualityError};
pub use scale::QualityScale;
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
            Self::Quality(quality) => quality.on(encoder),
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
            (Self::Lossless, _) if !lossless::has_lossless(encoder) => {
                refuse("--lossless".to_owned(), lossless::encoders())
            }
            (Self::Crf(_) | Self::Quality(_) | Self::Target(_), None) => {
                refuse("constant quality".to_owned(), "--bitrate".to_owned())
            }
            (Self::Target(target), _) if target.max_percent == 0 => {
                refuse("--max-percent 0".to_owned(), "1 or more".to_owned())
            }
            (Self::Crf(value), Some(scale)) if !scale.contains(value) => refuse(
                format!("--crf {value}"),
                format!("{} (best) to {} (smallest)", scale.best, scale.worst),
            ),
            _ => Ok(()),
        }
    }
}
