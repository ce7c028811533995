//! The choice of a video encoder: one, the first of several, or any of a codec.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::recipe::encoder::{Codec, Encoder};

/// The choice of a video encoder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Choice {
    /// This encoder and no other.
    Encoder(Encoder),
    /// The first of these encoders; each further one only once the job has waited long enough.
    FirstOf(Encoders),
    /// The best encoder of this codec that the worker has proved.
    Codec(Codec),
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoder(encoder) => encoder.fmt(f),
            Self::FirstOf(encoders) => {
                let names: Vec<&str> = encoders.iter().map(Encoder::as_str).collect();
                f.write_str(&names.join(", else "))
            }
            Self::Codec(codec) => write!(f, "any {codec} encoder"),
        }
    }
}

impl Choice {
    /// The encoders that may be used, the preferred one first; empty if each worker chooses its best.
    pub fn encoders(&self) -> &[Encoder] {
        match self {
            Self::Encoder(encoder) => std::slice::from_ref(encoder),
            Self::FirstOf(encoders) => encoders,
            Self::Codec(_) => &[],
        }
    }

    /// The codec that is made; `None` for an encoder outside the catalogue.
    pub fn codec(&self) -> Option<Codec> {
        match self {
            Self::Encoder(encoder) => encoder.codec(),
            Self::FirstOf(encoders) => encoders.preferred().codec(),
            Self::Codec(codec) => Some(*codec),
        }
    }
}

/// One encoder or more, all of one codec, the preferred one first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Encoder>")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Encoders(Vec<Encoder>);

/// Why encoders cannot stand in for each other.
#[derive(Debug, thiserror::Error)]
pub enum EncodersError {
    /// The list is empty: no worker could take the job.
    #[error("first_of names no encoder: name one at least")]
    Empty,
    /// Two encoders make different codecs, e.g. libx264 and libx265.
    #[error("{1} cannot stand in for {0}: they make different codecs")]
    Codecs(Encoder, Encoder),
}

impl Encoders {
    /// The encoder that is used if possible.
    pub fn preferred(&self) -> &Encoder {
        self.0
            .first()
            .expect("a list of encoders names one at least")
    }
}

impl TryFrom<Vec<Encoder>> for Encoders {
    type Error = EncodersError;

    fn try_from(encoders: Vec<Encoder>) -> Result<Self, Self::Error> {
        let Some(preferred) = encoders.first() else {
            return Err(EncodersError::Empty);
        };
        let codec = preferred.codec();
        match encoders.iter().find(|encoder| encoder.codec() != codec) {
            Some(other) => Err(EncodersError::Codecs(preferred.clone(), other.clone())),
            None => Ok(Self(encoders)),
        }
    }
}

impl Deref for Encoders {
    type Target = [Encoder];

    fn deref(&self) -> &[Encoder] {
        &self.0
    }
}
