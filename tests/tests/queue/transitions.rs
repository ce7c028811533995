//! In every transition of a run, the fence stays until the job is completed or a new fence replaces it. While an output
//! may appear, the job is not cancelled. These tests are pure and use no broker.

use common::job::failure::Failure;
use common::job::run::{Run, RunState, Stage};
use common::testing;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::{job, lane, name, report};

#[derive(Clone, Copy, Debug)]
enum Step {
    TakeOver,
    Encode,
    Fence,
    Renew,
    Settle,
    Complete,
    Fail(bool),
    DeadLetter,
    Release,
    Move,
    Cancel,
    Retry,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::TakeOver),
        1 => Just(Step::Encode),
        3 => Just(Step::Fence),
        1 => Just(Step::Renew),
        1 => Just(Step::Settle),
        1 => Just(Step::Complete),
        2 => any::<bool>().prop_map(Step::Fail),
        1 => Just(Step::DeadLetter),
        1 => Just(Step::Release),
        1 => Just(Step::Move),
        2 => Just(Step::Cancel),
        2 => Just(Step::Retry),
    ]
}

/// The run after a step; the same run if the step is not allowed.
fn after(run: &Run, step: Step, nth: usize) -> Run {
    let now = Timestamp::UNIX_EPOCH;
    let is_running = matches!(run.state, RunState::Running { .. });
    let next = match step {
        Step::TakeOver if !run.state.is_terminal() => {
            Some(run.take_over(&lane(5), nth as u64, name("w"), now))
        }
        Step::Encode if is_running => Some(run.enter(Stage::Encoding, now)),
        Step::Fence if is_running => {
            Some(run.fence(testing::fence("w", &format!("upload {nth}")), now))
        }
        Step::Renew if run.is_publishing() => Some(run.enter(Stage::Publishing, now)),
        Step::Settle if is_running => Some(run.settle(now)),
        Step::Complete if is_running => Some(run.complete(report("w"), now)),
        Step::Fail(is_final) if is_running => {
            let failure = match is_final {
                true => Failure::input("broken"),
                false => Failure::worker("full"),
            };
            Some(run.fail(failure, SignedDuration::ZERO, now))
        }
        Step::DeadLetter if is_running => Some(run.dead_letter(now)),
        Step::Release if is_running => Some(run.release(now)),
        Step::Move => run.move_to(&lane(9), now),
        Step::Cancel => run.cancel(now),
        Step::Retry => run.retry(now),
        _ => None,
    };
    next.unwrap_or_else(|| run.clone())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_transition_drops_the_note_of_what_may_appear(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let now = Timestamp::UNIX_EPOCH;
        let mut run = Run::first(job("a"), &lane(5), 1, name("w"), now);
        for (nth, step) in steps.into_iter().enumerate() {
            let next = after(&run, step, nth);
            match step {
                _ if next == run => {}
                Step::Fence => prop_assert!(next.may_appear()),
                Step::Complete => prop_assert_eq!(&next.fence, &None),
                Step::Settle => prop_assert!(!next.may_appear()),
                _ => prop_assert_eq!(&next.fence, &run.fence),
            }
            prop_assert!(!(next.state == RunState::Cancelled && next.may_appear()));
            // Nobody may take the job away while its output appears.
            if run.is_publishing() && matches!(step, Step::Move | Step::Cancel) {
                prop_assert_eq!(&next, &run);
            }
            run = next;
        }
    }

    #[test]
    fn an_output_that_may_be_there_is_looked_for_before_its_job_is_buried(attempts in 1_u32..4) {
        let now = Timestamp::UNIX_EPOCH;
        let mut made = job("a");
        made.attempts = attempts;
        let mut run = Run::first(made, &lane(5), 1, name("w"), now);
        for _ in 1..attempts {
            run = run.take_over(&lane(5), 1, name("w"), now);
        }
        prop_assert!(!run.only_looks());
        let published = run.fence(testing::fence("w", "upload"), now);
        let looks = published.take_over(&lane(5), 1, name("heir"), now);
        prop_assert!(looks.only_looks());
        let buried = looks.take_over(&lane(5), 1, name("third"), now);
        prop_assert_eq!(buried.state.as_str(), "failed", "for ever");
        // Without a fence, no output has to be looked for.
        let lost = run.take_over(&lane(5), 1, name("heir"), now);
        prop_assert_eq!(lost.state.as_str(), "failed");
    }
}
