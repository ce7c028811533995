//! The state of a split: which parts are done, and what their pieces have in common.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::job::part::Part;
use crate::job::split::plan::Plan;
use crate::job::split::report::PieceReport;
use crate::wire;

/// What is known of the parts of a split job, written by compare-and-set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitState {
    /// The digest of the header that all chunks must have, to be joined: that of the first chunk that was done. A chunk
    /// that is not done decides nothing: its worker may vanish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The build of ffmpeg that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The builds of ffmpeg that make another header: see [`crate::farm::card::Ffmpeg::build`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refused: BTreeSet<String>,
    /// The chunks whose pieces are in place. All of them have the header.
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

    /// Marks a part as done whose run is completed, unless it is a chunk that cannot be joined with those that are done.
    /// The first chunk decides.
    pub fn complete(&mut self, part: Part, made: Option<&PieceReport>) -> Fits {
        // The other run of a chunk that is done is not joined, and blames nobody.
        if let Some(made) = made.filter(|_| self.needs(part)) {
            let fits = self.compare(made);
            if fits != Fits::Yes {
                return fits;
            }
            self.header = Some(made.header.clone());
            self.build.get_or_insert_with(|| made.build.clone());
        }
        self.mark(part);
        Fits::Yes
    }

    /// Marks a part as done.
    pub fn mark(&mut self, part: Part) {
        match part {
            Part::Whole => {}
            Part::Chunk(number) | Part::Twin(number) => drop(self.chunks.insert(number)),
            Part::Rest => self.rest = true,
        }
    }

    /// Marks a part as missing: its piece is gone. Without any chunk, any build of ffmpeg may make the next one.
    pub fn unmark(&mut self, part: Part) {
        match part {
            Part::Whole => {}
            Part::Chunk(number) | Part::Twin(number) => drop(self.chunks.remove(&number)),
            Part::Rest => self.rest = false,
        }
        if self.chunks.is_empty() {
            (self.header, self.build) = (None, None);
            self.refused.clear();
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

    /// Compares the header of a chunk with that of the chunks that are done. A build that makes another one is refused from
    /// then on, unless it is the very build that made theirs: otherwise nobody could encode the other chunks.
    pub fn compare(&mut self, made: &PieceReport) -> Fits {
        if self.admits(made) {
            return Fits::Yes;
        }
        if self.build.as_ref() == Some(&made.build) {
            return Fits::OtherFilm;
        }
        self.refused.insert(made.build.clone());
        Fits::OtherHeader
    }

    /// Whether a piece can be joined with the chunks that are done.
    pub fn admits(&self, made: &PieceReport) -> bool {
        let fixed = self.header.as_ref();
        fixed.is_none_or(|fixed| *fixed == made.header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farm::queue::Lane;
    use crate::recipe::Choice;
    use crate::recipe::encoder::Codec;
    use crate::testing;

    fn piece(header: &str, build: &str) -> PieceReport {
        PieceReport {
            header: header.to_owned(),
            build: build.to_owned(),
        }
    }

    fn complete(state: &mut SplitState, part: Part, header: &str, build: &str) -> Fits {
        state.complete(part, Some(&piece(header, build)))
    }

    #[test]
    fn the_header_of_the_first_chunk_that_is_done_decides() {
        let mut state = SplitState::default();
        let compared = state.compare(&piece("z", "of a worker that vanishes"));
        assert_eq!((compared, &state), (Fits::Yes, &SplitState::default()));
        let mut done = |nth, header, build| complete(&mut state, Part::Chunk(nth), header, build);
        assert_eq!(done(0, "a", "one"), Fits::Yes);
        assert_eq!(done(1, "a", "two"), Fits::Yes);
        assert_eq!(done(2, "b", "three"), Fits::OtherHeader);
        assert_eq!(done(3, "b", "one"), Fits::OtherFilm);
        assert_eq!(state.refused, BTreeSet::from(["three".to_owned()]));
        assert_eq!(state.header.as_deref(), Some("a"));
        assert_eq!(state.build.as_deref(), Some("one"));
        assert_eq!(state.chunks, BTreeSet::from([0, 1]));
        assert!(!state.admits(&piece("b", "one")));
        assert!(state.admits(&piece("a", "three")));
    }

    #[test]
    fn a_second_run_of_a_chunk_that_is_done_blames_nobody() {
        let mut state = SplitState::default();
        complete(&mut state, Part::Twin(0), "a", "one");
        let late = complete(&mut state, Part::Chunk(0), "b", "two");
        assert_eq!((late, state.refused.len()), (Fits::Yes, 0));
        assert_eq!(state.header.as_deref(), Some("a"));
    }

    #[test]
    fn a_header_that_no_chunk_has_any_more_decides_nothing() {
        let mut state = SplitState::default();
        complete(&mut state, Part::Chunk(0), "a", "one");
        complete(&mut state, Part::Chunk(1), "b", "two");
        state.mark(Part::Rest);
        state.unmark(Part::Chunk(0));
        let mut left = SplitState::default();
        left.mark(Part::Rest);
        assert_eq!(state, left);
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
