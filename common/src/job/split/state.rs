//! The state of a split: which parts are done, and what their pieces have in common.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::job::part::Part;
use crate::job::split::plan::Plan;
use crate::wire;

/// What is known of the parts of a split job, written by compare-and-set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitState {
    /// The digest of the header that all chunks must have, to be joined: that of the first accepted chunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The build of ffmpeg that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The builds of ffmpeg that make another header: see [`crate::farm::card::Ffmpeg::build`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refused: BTreeSet<String>,
    /// The chunks whose pieces are in place.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub chunks: BTreeSet<u32>,
    /// Whether the piece of all other tracks is in place. Always written: a state is never an empty object.
    pub rest: bool,
    /// Why the job is encoded as a whole after all; `None` if it is not. Then no part is needed any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsplit: Option<String>,
}

impl wire::Message for SplitState {}

/// Whether a chunk can be joined with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fits {
    /// It can.
    Yes,
    /// Its header is another one: it would not play behind the others.
    OtherHeader,
    /// Its header is another one, and the build that made it also made the one that decides: the film changes.
    OtherFilm,
}

impl SplitState {
    /// Whether a part is done.
    pub fn has(&self, part: Part) -> bool {
        match part {
            Part::Whole => false,
            Part::Chunk(number) | Part::Twin(number) => self.chunks.contains(&number),
            Part::Rest => self.rest,
        }
    }

    /// Marks a part as done.
    pub fn mark(&mut self, part: Part) {
        match part {
            Part::Whole => {}
            Part::Chunk(number) | Part::Twin(number) => drop(self.chunks.insert(number)),
            Part::Rest => self.rest = true,
        }
    }

    /// Marks a part as missing: its piece is gone.
    pub fn unmark(&mut self, part: Part) {
        match part {
            Part::Whole => {}
            Part::Chunk(number) | Part::Twin(number) => drop(self.chunks.remove(&number)),
            Part::Rest => self.rest = false,
        }
    }

    /// Whether all parts are done, and are to be joined.
    pub fn is_complete(&self, plan: &Plan) -> bool {
        self.unsplit.is_none() && plan.parts().all(|part| self.has(part))
    }

    /// Whether a part is still to be made.
    pub fn needs(&self, part: Part) -> bool {
        self.unsplit.is_none() && !self.has(part)
    }

    /// Gives the split up, because of this part. The first reason stays. Nothing changes if the part is done.
    pub fn give_up(&mut self, part: Part, why: &str) {
        if !self.has(part) {
            self.unsplit.get_or_insert_with(|| why.to_owned());
        }
    }

    /// Compares the header of a chunk with that of the others. The first one decides; a build that makes another one is
    /// refused from then on, unless it is the very build that made the first one: otherwise nobody could encode the other
    /// chunks.
    pub fn compare(&mut self, header: &str, build: &str) -> Fits {
        match &self.header {
            Some(fixed) if fixed != header => {
                if self.build.as_deref() == Some(build) {
                    return Fits::OtherFilm;
                }
                self.refused.insert(build.to_owned());
                Fits::OtherHeader
            }
            Some(_) => Fits::Yes,
            None => {
                self.header = Some(header.to_owned());
                self.build = Some(build.to_owned());
                Fits::Yes
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farm::queue::Lane;
    use crate::recipe::Choice;
    use crate::recipe::encoder::Codec;
    use crate::testing;

    #[test]
    fn the_first_header_decides() {
        let mut state = SplitState::default();
        assert_eq!(state.compare("a", "one"), Fits::Yes);
        assert_eq!(state.compare("a", "two"), Fits::Yes);
        assert_eq!(state.compare("b", "three"), Fits::OtherHeader);
        let elsewhere = state.compare("b", "one");
        assert_eq!(elsewhere, Fits::OtherFilm);
        assert_eq!(state.refused, BTreeSet::from(["three".to_owned()]));
        assert_eq!(state.header.as_deref(), Some("a"));
    }

    #[test]
    fn a_split_that_is_given_up_needs_no_part_and_is_never_joined() {
        let job = testing::job(Choice::Codec(Codec::H264), 1);
        let lane = Lane::from_consumer("libx264_p5").expect("a lane");
        let plan = testing::plan(&job, &lane, &[250]);
        let mut state = SplitState::default();
        state.mark(Part::Rest);
        state.give_up(Part::Rest, "its sound is odd");
        assert!(state.needs(Part::Chunk(0)), "the rest is done");
        state.give_up(Part::Chunk(0), "too few frames");
        state.give_up(Part::Chunk(0), "another reason");
        assert_eq!(state.unsplit.as_deref(), Some("too few frames"));
        assert!(!state.needs(Part::Chunk(0)));
        state.mark(Part::Twin(0));
        assert!(!state.is_complete(&plan), "its twin was done too late");
    }

    #[test]
    fn a_twin_does_the_work_of_its_chunk() {
        let mut state = SplitState::default();
        state.mark(Part::Twin(3));
        assert!(state.has(Part::Chunk(3)));
        state.unmark(Part::Chunk(3));
        assert_eq!(state, SplitState::default());
    }
}
