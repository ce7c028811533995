//! A job in one line.

use common::job::run::health::Health;
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
    if let Some(health) = &report.health {
        return checked(report, health);
    }
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

/// `damaged in 2 places, 1.60 MB checked in 4.7s, 410 fps on attic`.
fn checked(report: &Report, health: &Health) -> String {
    let found = match health.damage.len() as u64 + health.more {
        0 => "healthy".to_owned(),
        1 => "damaged in 1 place".to_owned(),
        places => format!("damaged in {places} places"),
    };
    format!(
        "{found}, {} checked in {}, {} on {}",
        units::bytes(report.input_size),
        units::seconds(report.total_seconds),
        units::fps(report.fps()),
        report.worker
    )
}
