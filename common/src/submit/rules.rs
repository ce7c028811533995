//! Whether rules fit what is submitted.

use crate::recipe::Video;
use crate::rules::condition::{Condition, ConditionError};
use crate::rules::{Original, Rules};
use crate::submit::output_set::OutputSet;

/// The rules make no sense for what is submitted.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The condition can never hold, or always holds.
    #[error("--skip-if: {0}")]
    Condition(#[from] ConditionError),
    /// A ladder is made whole or not at all.
    #[error("{0} does not go with ladders for HLS and DASH, which are made whole or not at all")]
    Ladder(&'static str),
    /// The output is not comparable with the whole source.
    #[error(
        "--min-saving compares the output with its whole source, and {0}: leave --min-saving out"
    )]
    Incomparable(&'static str),
    /// Several outputs of a source would each copy it.
    #[error(
        "--original copy would copy each source once for every rendition: use --original leave"
    )]
    Copies,
    /// The original is at the place of the output already.
    #[error(
        "--original copy does not go with --replace: an original that is kept stays in its place"
    )]
    Replaced,
    /// Without a rule, no original is kept.
    #[error(
        "--original says what becomes of sources that a rule keeps: give --skip-if or --min-saving too"
    )]
    NoRule,
}

impl Rules {
    /// Checks that the rules make sense for these outputs.
    ///
    /// # Errors
    /// The first that makes none.
    pub fn check(&self, outputs: &OutputSet) -> Result<(), RulesError> {
        self.skip_if.as_ref().map_or(Ok(()), Condition::check)?;
        let given = match self {
            Self {
                skip_if: Some(_), ..
            } => "--skip-if",
            Self {
                min_saving: Some(_),
                ..
            } => "--min-saving",
            Self {
                original: Original::Leave,
                ..
            } => return Ok(()),
            Self {
                original: Original::Copy,
                ..
            } => return Err(RulesError::NoRule),
        };
        if outputs.is_ladder() {
            return Err(RulesError::Ladder(given));
        }
        if self.min_saving.is_some() {
            let recipe = outputs.first();
            if recipe.trim.is_some() {
                return Err(RulesError::Incomparable("--trim takes a part of it"));
            }
            if matches!(recipe.video, Video::None) {
                return Err(RulesError::Incomparable("the video is left out"));
            }
        }
        match self.original {
            Original::Copy if outputs.replaces() => Err(RulesError::Replaced),
            Original::Copy if outputs.recipes().len() > 1 => Err(RulesError::Copies),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    fn rules(skip_if: Option<&str>, saving: Option<&str>, original: Original) -> Rules {
        Rules {
            skip_if: skip_if.map(|text| text.parse().expect("a condition")),
            min_saving: saving.map(|text| text.parse().expect("a saving")),
            original,
        }
    }

    #[test]
    fn rules_are_refused_where_they_make_no_sense() {
        let plain = OutputSet::one(Recipe::copy());
        let edited = |edit: fn(&mut crate::recipe::RecipeDraft)| {
            OutputSet::one(Recipe::copy().edit(edit).expect("a sound recipe"))
        };
        let trimmed = edited(|draft| draft.trim = "0-10".parse().ok());
        assert!(trimmed.first().trim.is_some());
        let (hevc, saving) = (Some("codec = hevc"), Some("10%"));
        let (leave, copy) = (Original::Leave, Original::Copy);
        let replacing = plain.clone().that_replaces().expect("one output");
        for (outputs, rules, wanted) in [
            (&plain, rules(None, None, leave), ""),
            (&plain, rules(hevc, saving, copy), ""),
            (
                &plain,
                rules(None, None, copy),
                "give --skip-if or --min-saving too",
            ),
            (
                &trimmed,
                rules(None, saving, leave),
                "--trim takes a part of it",
            ),
            (&trimmed, rules(hevc, None, leave), ""),
            (&replacing, rules(hevc, saving, leave), ""),
            (
                &replacing,
                rules(hevc, None, copy),
                "does not go with --replace",
            ),
        ] {
            match rules.check(outputs) {
                Ok(()) => assert_eq!(wanted, "", "{rules:?}"),
                Err(error) => {
                    assert!(
                        !wanted.is_empty() && error.to_string().contains(wanted),
                        "{error}"
                    );
                }
            }
        }
    }
}
