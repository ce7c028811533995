//! Sample encodes: a part of an input, encoded at one quality and compared with its source. Workers that have proved
//! the same encoder, in the same build of ffmpeg, make them for each other.

use serde::{Deserialize, Serialize};

use crate::farm::film::FilmFindings;
use crate::job::input::Input;
use crate::names::token::Token;
use crate::recipe::encoder::Encoder;
use crate::recipe::{Metric, Recipe};
use crate::wire;
use crate::wire::is_default;

/// A request to a worker for one sample encode; answered by a [`SampleScore`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleRequest {
    /// The input: a worker reads its own roots and buckets only.
    pub input: Input,
    /// The video part of the job's recipe, with the quality to try as its rate.
    pub recipe: Recipe,
    /// The encoder.
    pub encoder: Encoder,
    /// The metric.
    pub metric: Metric,
    /// The part of the input.
    pub sample: Sample,
    /// What the survey of the owner has found in the film that the sample is of.
    #[serde(default, skip_serializing_if = "is_default")]
    pub film: FilmFindings,
    /// The build of ffmpeg that must encode, from [`crate::farm::card::Ffmpeg::build`].
    pub build: Token,
}

impl wire::Message for SampleRequest {}

/// A part of an input.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The number of the video stream among all streams of the file.
    pub stream: usize,
    /// Seconds from the beginning of the input.
    pub start: f64,
    /// Number of frames; `None` for the rest of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<u64>,
    /// Whether a player turns or mirrors the picture, which not every container can say.
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_turned: bool,
}

/// The result of a sample encode.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleScore {
    /// The score in the metric that was asked for.
    pub score: f64,
    /// Bytes of the encoded sample.
    pub encoded: u64,
    /// Bytes of the sample in the source's own encoding.
    pub source: u64,
}

impl wire::Message for SampleScore {}
