//! What encodes: one encoder, the first of several, or any of a codec.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::recipe::encoder::{Codec, Encoder};

/// What encodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// This encoder and no other.
    Encoder(Encoder),
    /// The first of these encoders, all of one codec; each further one only
    /// once the job has waited long enough (see [`crate::job::Fallbacks`]).
    FirstOf(#[serde(deserialize_with = "some")] Vec<Encoder>),
    /// The best encoder of this codec that the worker has proved.
    Codec(Codec),
}

/// A list of encoders that names one at least: no worker could ever take a job
/// that is to be encoded by none.
fn some<'de, D: Deserializer<'de>>(encoders: D) -> Result<Vec<Encoder>, D::Error> {
    let encoders = Vec::<Encoder>::deserialize(encoders)?;
    if encoders.is_empty() {
        return Err(D::Error::custom("first_of names no encoder"));
    }
    Ok(encoders)
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
    /// The encoders that may be used, in the order of preference; none where
    /// each worker chooses its best.
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
            Self::Codec(codec) => Some(*codec),
            _ => self.encoders().first().and_then(Encoder::codec),
        }
    }
}
