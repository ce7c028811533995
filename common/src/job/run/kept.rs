//! Reports of jobs whose original is the better result.

use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::job::media_info::MediaInfo;
use crate::names::location::Location;
use crate::rules::MinSaving;

/// The result of a job that was kept: why no output was made or published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeptReport {
    /// The worker that decided.
    pub worker: WorkerName,
    /// The rule that decided.
    pub why: KeptReason,
    /// Bytes of the input.
    pub input_size: u64,
    /// The content of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_media: Option<MediaInfo>,
    /// Wall time from claim to end in seconds.
    pub seconds: f64,
    /// The copy of the original, if the rules ask for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<Location>,
}

/// The rule by which an original is the better result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum KeptReason {
    /// A condition holds for the input.
    Rule {
        /// The condition as a person wrote it.
        condition: String,
    },
    /// The output is not smaller enough.
    Saving {
        /// The saving that the rules ask for.
        asked: MinSaving,
        /// Bytes that the output has.
        would_be: u64,
    },
    /// The encode was stopped, because its output would not have been smaller enough.
    Early {
        /// The saving that the rules ask for.
        asked: MinSaving,
        /// Bytes that the output would have had, by an estimate.
        would_be: u64,
    },
}

impl KeptReport {
    /// Why the original was kept, as one sentence for people.
    pub fn sentence(&self) -> String {
        match &self.why {
            KeptReason::Rule { condition } => format!("the rule holds: {condition}"),
            KeptReason::Saving { asked, would_be } => format!(
                "the output has {}, and {asked} less was asked for",
                self.compared(*would_be)
            ),
            KeptReason::Early { asked, would_be } => format!(
                "the encode was stopped: the output would have {}, and {asked} less was asked for",
                self.compared(*would_be)
            ),
        }
    }

    fn compared(&self, bytes: u64) -> String {
        let percent = bytes as f64 * 100.0 / (self.input_size as f64).max(1.0);
        format!("{percent:.1} % of the input's size")
    }
}
