//! Reports of jobs whose original is the better result.

use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::job::media_info::MediaInfo;
use crate::job::sidecar::Sidecar;
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
    /// The files beside the source that go along with the copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sidecars: Vec<Sidecar>,
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

impl KeptReason {
    /// Why a job would end as kept, for people.
    pub fn foreseen(&self) -> String {
        match self {
            Self::Rule { condition } => format!("a rule holds for it: {condition}"),
            Self::Saving { asked, .. } | Self::Early { asked, .. } => {
                format!("its output would be too large: {}", limit(*asked))
            }
        }
    }

    /// Whether a whole output was made, and checked.
    pub fn is_made(&self) -> bool {
        matches!(self, Self::Saving { .. })
    }
}

impl KeptReport {
    /// Why the original was kept, as one sentence for people, and which sidecars of its copy were left behind.
    pub fn sentence(&self) -> String {
        let left = self.sidecars.iter().filter_map(Sidecar::news);
        std::iter::once(self.reason())
            .chain(left)
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn reason(&self) -> String {
        match &self.why {
            KeptReason::Rule { .. } => self.why.foreseen(),
            KeptReason::Saving { asked, would_be } => format!(
                "the output had {} and was dropped: {}",
                self.compared(*would_be),
                limit(*asked)
            ),
            KeptReason::Early { asked, would_be } => format!(
                "the encode was stopped early, because the output would have had about {}: {}",
                self.compared(*would_be),
                limit(*asked)
            ),
        }
    }

    fn compared(&self, bytes: u64) -> String {
        let percent = bytes as f64 * 100.0 / (self.input_size as f64).max(1.0);
        format!("{percent:.1} % of the size of its source")
    }
}

fn limit(asked: MinSaving) -> String {
    match asked.percent() {
        0 => "it was not to be larger".to_owned(),
        percent => format!("it was to be at least {percent} % smaller"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_decided() {
        let said = |why| {
            let report = KeptReport {
                worker: "w1".parse().expect("a name"),
                why,
                input_size: 2_000,
                input_media: None,
                seconds: 1.0,
                copy: None,
                sidecars: Vec::new(),
            };
            report.sentence()
        };
        let asked = |text: &str| text.parse::<MinSaving>().expect("a saving");
        let condition = "video.codec = hevc".to_owned();
        assert_eq!(
            said(KeptReason::Rule { condition }),
            "a rule holds for it: video.codec = hevc"
        );
        let (asked_for, would_be) = (asked("10%"), 1_990);
        assert_eq!(
            said(KeptReason::Saving {
                asked: asked_for,
                would_be
            }),
            "the output had 99.5 % of the size of its source and was dropped: it was to be at least 10 % smaller"
        );
        let (none, would_be) = (asked("0%"), 4_000);
        assert_eq!(
            said(KeptReason::Early {
                asked: none,
                would_be
            }),
            "the encode was stopped early, because the output would have had about 200.0 % of the size of its source: \
             it was not to be larger"
        );
    }
}
