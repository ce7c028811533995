//! The options of rules: when the original of a file is the better result.

use clap::{Args, ValueEnum};
use common::rules::condition::Condition;
use common::rules::{MinSaving, Original, Rules};

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct RuleOptions {
    /// Keep the source of a file for which this holds, instead of encoding it, e.g. 'video.codec in [hevc, av1] and height <= 1080'
    #[arg(long, value_name = "CONDITION")]
    pub skip_if: Option<Condition>,
    /// Keep the source if the output is not at least so much smaller, e.g. 10%; 0% means not larger (0.5 % of the source's size is tolerated)
    #[arg(long, value_name = "PERCENT")]
    pub min_saving: Option<MinSaving>,
    /// What becomes of sources that are kept: they are left where they are, or also copied to where the output would be [default: leave]
    #[arg(long, value_name = "leave|copy")]
    pub original: Option<OriginalOption>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OriginalOption {
    Leave,
    Copy,
}

impl From<OriginalOption> for Original {
    fn from(chosen: OriginalOption) -> Self {
        match chosen {
            OriginalOption::Leave => Self::Leave,
            OriginalOption::Copy => Self::Copy,
        }
    }
}

impl RuleOptions {
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            skip_if: self.skip_if.clone(),
            min_saving: self.min_saving,
            original: self.original.map(Original::from).unwrap_or_default(),
        }
    }

    /// Whether a rule is given.
    pub(crate) fn are_given(&self) -> bool {
        self.skip_if.is_some() || self.min_saving.is_some() || self.original.is_some()
    }
}
