//! Previews: a worker's answers about files. Workers reach the files and have ffmpeg in a sandbox; the monitor and
//! the producer may have neither.

use serde::{Deserialize, Serialize};

use crate::job::changes::Change;
use crate::job::further::{FurtherInput, wire_version};
use crate::job::id::JobId;
use crate::job::input::Input;
use crate::job::media_info::MediaInfo;
use crate::job::run::kept::KeptReason;
use crate::recipe::Recipe;
use crate::rules::Rules;
use crate::wire;
use crate::wire::is_default;

/// Width of a still in pixels.
pub const STILL_WIDTH: u32 = 480;

/// A request to a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PreviewRequest {
    /// Show something of a job's file.
    Preview(Preview),
    /// Tell what an encode would change; answered by a [`Forecast`].
    ForecastRequest(Box<ForecastRequest>),
}

impl wire::Message for PreviewRequest {
    fn version(&self) -> u32 {
        match self {
            Self::Preview(_) => wire::FIRST,
            Self::ForecastRequest(request) if request.rules != Rules::default() => wire::LIBRARIES,
            Self::ForecastRequest(request) => wire_version(&request.further),
        }
    }
}

/// An input that may not be a job's yet, with the intended recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastRequest {
    /// The input: a worker reads its own roots and buckets only.
    pub input: Input,
    /// Further files that would be read with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<FurtherInput>,
    /// How it would be encoded.
    pub recipe: Recipe,
    /// The rules of the job.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rules: Rules,
}

/// What an encode would do to an input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// What would be kept, converted and lost, as far as it can be known before the encode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Why the job would fail; `None` if no reason is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Why the job would end as kept, without an encode; `None` if no rule holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptReason>,
    /// The runs of ffmpeg that would make the output, one a line, quoted for a shell; `None` from an older worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The content of the input; `None` from an older worker, or if the input cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaInfo>,
}

impl wire::Message for Forecast {}

/// What to show of a job's file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The job: a worker shows files of jobs only.
    pub job: JobId,
    /// Input or output.
    pub side: JobFile,
    /// What to show of the file.
    pub what: PreviewKind,
}

/// One of a job's two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobFile {
    /// The file that the job reads.
    Input,
    /// The file that the job makes.
    Output,
}

/// What a worker can show of a file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewKind {
    /// The file's content; answered by a [`crate::job::media_info::MediaInfo`].
    Info,
    /// The picture at this many seconds from the beginning; answered by a JPEG.
    Still(f64),
    /// The frame that the output shows at this many seconds from its first picture: of the input, the frame that it was
    /// made of. Answered by a JPEG.
    Frame(f64),
    /// The times of the output's frames around this time; answered by [`FrameTimes`].
    FrameTimes(f64),
}

/// The times of frames, in seconds from the first picture, in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FrameTimes {
    /// The times.
    pub times: Vec<f64>,
}

impl wire::Message for FrameTimes {}
