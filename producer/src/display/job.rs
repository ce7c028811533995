//! A job in one line.

use common::job::run::health::Health;
use common::job::run::report::Report;
use common::job::run::{Run, RunState};
use common::job::split::{Split, SplitReport};
use common::names::printable::printable;
use common::recipe::Recipe;

use super::{state, units};

/// How a finished job ended, in one line.
pub(crate) fn end(run: &Run) -> String {
    match &run.state {
        RunState::Completed { report } => {
            let mut line = result(&run.job.recipe, report);
            let news = report.news();
            if let Some(first) = news.first() {
                line += &format!("; {}", printable(first));
            }
            if news.len() > 1 {
                line += &format!(" (and {} more)", news.len() - 1);
            }
            if let (Split::Every(_), Some(SplitReport::Whole(why))) = (run.job.split, &report.split)
            {
                line += &format!("; not split: {}", printable(why));
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
pub(crate) fn result(recipe: &Recipe, report: &Report) -> String {
    if let Some(health) = &report.health {
        return checked(report, health);
    }
    let output = units::bytes(report.output_size);
    let sizes = match recipe.trim {
        // The size of a part says nothing beside that of the whole.
        Some(_) => output,
        None => format!(
            "{} -> {output} ({})",
            units::bytes(report.input_size),
            units::ratio(report.input_size, report.output_size)
        ),
    };
    let parts = match &report.split {
        Some(SplitReport::Parts(parts)) => format!(", in {}", units::count(parts.len(), "part")),
        Some(SplitReport::Whole(_) | SplitReport::Piece(_)) | None => String::new(),
    };
    format!(
        "{sizes} in {}, {}{parts} on {}",
        units::seconds(report.total_seconds),
        units::fps(report.fps()),
        made_by(report)
    )
}

/// `attic`, or of a job that several workers made in parts: `3 workers`.
pub(crate) fn made_by(report: &Report) -> String {
    match report.workers().into_iter().collect::<Vec<_>>().as_slice() {
        [one] => one.to_string(),
        many => units::count(many.len(), "worker"),
    }
}

/// `damaged in 2 places, 1.60 MB checked in 4.7s, 410 fps on attic`.
fn checked(report: &Report, health: &Health) -> String {
    let found = match health.damage.len() as u64 + health.more {
        0 => "healthy".to_owned(),
        1 => "damaged in 1 place".to_owned(),
        places => format!("damaged in {places} places"),
    };
    // Of a file without pictures, or that is no media at all, nothing was decoded.
    let speed = match report.frames {
        0 => String::new(),
        _ => format!(", {}", units::fps(report.fps())),
    };
    format!(
        "{found}, {} checked in {}{speed} on {}",
        units::bytes(report.input_size),
        units::seconds(report.total_seconds),
        report.worker
    )
}
