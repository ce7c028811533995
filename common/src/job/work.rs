//! What a job does.

use crate::job::further::FurtherInput;
use crate::job::input::Input;
use crate::job::kind::{CheckDepth, JobKind};
use crate::job::ladder::Ladder;
use crate::job::replacement::Replacement;
use crate::names::location::Location;
use crate::recipe::{Recipe, Video};
use crate::rules::Rules;

/// What one job does. The same work asked for twice is one job.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// The file to read.
    pub input: Input,
    /// Further files to read.
    pub further: Vec<FurtherInput>,
    /// How the output is made.
    pub recipe: Recipe,
    /// The location of the output.
    pub output: Location,
    /// The ladder that the output is a rendition of.
    pub ladder: Option<Ladder>,
    /// What is done with the input.
    pub kind: JobKind,
    /// When the original is the better result.
    pub rules: Rules,
    /// Has the output take the place of the source.
    pub replacement: Option<Replacement>,
}

impl Work {
    /// Work on one file.
    pub fn new(input: Input, recipe: Recipe, output: Location) -> Self {
        Self {
            input,
            further: Vec::new(),
            recipe,
            output,
            ladder: None,
            kind: JobKind::default(),
            rules: Rules::default(),
            replacement: None,
        }
    }

    /// Looking for damage in a file. Nothing is written.
    pub fn check(input: Input, depth: CheckDepth) -> Self {
        let output = input.location.clone();
        Self {
            kind: JobKind::Check(depth),
            ..Self::new(input, Recipe::copy(), output)
        }
    }

    /// Whether the film of the output is one that is encoded on its own, so that its frames can be encoded in parts.
    pub fn may_be_split(&self) -> bool {
        let is_encode = self.kind.writes() && matches!(self.recipe.video, Video::Encode(_));
        let is_joined = self
            .further
            .iter()
            .any(|further| further.role.is_continuation());
        is_encode && !is_joined && self.ladder.is_none()
    }
}
