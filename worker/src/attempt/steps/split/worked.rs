//! How long a split job was worked on.

use std::time::Duration;

use common::job::run::{Run, RunState};
use common::job::split::Plan;
use jiff::{SignedDuration, Timestamp};

/// The time for which the job was worked on until its last part was done: from its plan to its first part, and while
/// any part ran. The time between a failure and a person's retry is none of it.
pub(super) fn worked(plan: &Plan, runs: &[Run]) -> Duration {
    let mut spans: Vec<(Timestamp, Timestamp)> = runs.iter().filter_map(span).collect();
    spans.sort_unstable();
    let first = spans.first().map_or(plan.since, |(start, _)| *start);
    let (mut sum, mut until) = (SignedDuration::ZERO, plan.since);
    for (start, end) in std::iter::once((plan.since, first)).chain(spans) {
        let from = start.max(until);
        if end > from {
            sum += end.duration_since(from);
            until = end;
        }
    }
    Duration::try_from(sum).unwrap_or_default()
}

/// When the attempt that completed a part began and ended.
fn span(run: &Run) -> Option<(Timestamp, Timestamp)> {
    let RunState::Completed { report } = &run.state else {
        return None;
    };
    let took = SignedDuration::try_from_secs_f64(report.total_seconds).ok()?;
    Some((run.changed.checked_sub(took).ok()?, run.changed))
}

#[cfg(test)]
mod tests {
    use common::farm::queue::Lane;
    use common::job::part::Part;
    use common::recipe::Choice;
    use common::testing;

    use super::*;

    #[test]
    fn the_time_is_that_in_which_any_part_ran() {
        let at = |seconds| Timestamp::from_second(seconds).expect("in range");
        let job = testing::job(Choice::Encoder("libx264".parse().expect("one")), 10);
        let lane = Lane::from_consumer("libx264_p5").expect("a lane");
        let mut plan = testing::plan(&job, &lane, &[100; 4]);
        plan.since = at(100);
        let done = |number, from: i64, to: i64| {
            let part = plan.job_of(Part::Chunk(number));
            let run = Run::first(part, &lane, 1, "w".parse().expect("a name"), at(from));
            let report = testing::report("w", "libx264", 10, 1.0);
            let total_seconds = (to - from) as f64;
            let report = common::job::run::report::Report {
                total_seconds,
                ..report
            };
            run.complete(report, at(to))
        };
        // Planned at 100; two at once; then a person retries the job after a day.
        let day = 86_400;
        let runs = [
            done(1, 106, 120),
            done(0, 105, 115),
            done(2, day, day + 10),
            done(3, day + 2, day + 13),
        ];
        assert_eq!(worked(&plan, &runs), Duration::from_secs(20 + 13));
        assert_eq!(worked(&plan, &[]), Duration::ZERO);
    }
}
