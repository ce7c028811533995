//! Constant quality on one scale for all encoders.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::encoder::Encoder;
use crate::recipe::rate::anchors;
use crate::recipe::rate::scale::QualityScale;

/// Quality from 1 (smallest file) to 100 (best picture): the same number looks alike on all encoders, as measured by
/// VMAF and as far as their scales reach. 55 is libx264's CRF 23.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Quality(u8);

/// The number is out of range.
#[derive(Debug, thiserror::Error)]
#[error("quality '{0}' is out of range: 1 (smallest) to 100 (best)")]
pub struct QualityError(String);

impl TryFrom<u8> for Quality {
    type Error = QualityError;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        if (1..=100).contains(&number) {
            Ok(Self(number))
        } else {
            Err(QualityError(number.to_string()))
        }
    }
}

impl From<Quality> for u8 {
    fn from(quality: Quality) -> Self {
        quality.0
    }
}

impl FromStr for Quality {
    type Err = QualityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: u8 = text.parse().map_err(|_| QualityError(text.to_owned()))?;
        number.try_into()
    }
}

impl Quality {
    /// The quality where one is needed and nobody asked for one: libx264's default.
    pub const USUAL: Self = Self(55);

    /// The value on the encoder's own scale of constant quality; `None` if it has none.
    pub fn on(self, encoder: &Encoder) -> Option<f64> {
        let scale = QualityScale::of(encoder)?;
        Some(anchors::value(f64::from(self.0), encoder, scale))
    }
}
