//! A job in one line.

use common::job::run::report::Report;
use common::job::run::{Run, RunState};
use common::names::printable::printable;

use super::{state, units};

/// How a finished job ended, in one line.
pub(crate) fn end(run: &Run) -> String {
    match &run.state {
        RunState::Completed { report } => {
            let mut line = result(report);
            let news = report.news();
            if let Some(first) = news.first() {
                line += &format!("; {}", printable(first));
            }
            if news.len() > 1 {
                line += &format!(" (and {} more)", news.len() - 1);
            }
            line
        }
        RunState::Kept { report } => format!("kept: {}", printable(&report.sentence())),
        RunState::Failed { failure } => format!("failed: {}", printable(&failure.message)),
        RunState::Cancelled => "cancelled".to_owned(),
        other => state::word(other.into()).to_owned(),
    }
}

/// `1.60 MB -> 196.87 kB (12%) in 4.7s, 41 fps on attic`.
pub(crate) fn result(report: &Report) -> String {
    format!(
        "{} -> {} ({}) in {}, {} on {}",
        units::bytes(report.input_size),
        units::bytes(report.output_size),
        units::ratio(report.input_size, report.output_size),
        units::seconds(report.total_seconds),
        units::fps(report.fps()),
        report.worker
    )
}
