//! The parts of a split job, in a table.

use common::broker::Broker;
use common::job::record::JobRecord;
use common::job::run::RunState;
use common::job::split::Split;
use common::job::state::JobState;
use common::matching::parts::{PartRow, Parts};
use jiff::Timestamp;

use super::time_left::ProgressListener;
use crate::cli::exit::Error;
use crate::display::table::table;
use crate::display::{state, table, units};

/// The parts of a job: as they stand, or as they were made. None if the job is not split.
pub(super) async fn parts(broker: &Broker, record: &JobRecord) -> Result<Vec<PartRow>, Error> {
    let run = record.run();
    if let Some(RunState::Completed { report }) = run.map(|run| &run.state) {
        return Ok(PartRow::of_report(report));
    }
    if record.job().split == Split::Off || run.is_none() {
        return Ok(Vec::new());
    }
    let mut listener = ProgressListener::listen(broker).await?;
    let Some(mut parts) = broker.parts(&record.job().id).await? else {
        return Ok(Vec::new());
    };
    listener.of_parts(&record.job().id, &mut parts).await;
    Ok(parts.rows())
}

/// A row for each part.
pub(super) fn parts_table(parts: &[PartRow], now: Timestamp) -> String {
    let mut table = table(&[
        "Part", "State", "Worker", "Attempt", "Time", "Frames", "Done",
    ]);
    for row in parts {
        table::add_row(
            &mut table,
            &[
                row.part.to_string().replace('-', " "),
                state::word(row.state).to_owned(),
                row.worker
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                match row.attempt {
                    0 => String::new(),
                    attempt => attempt.to_string(),
                },
                time(row, now).map(units::seconds).unwrap_or_default(),
                row.frames
                    .map(|frames| frames.to_string())
                    .unwrap_or_default(),
                format!("{:.0}%", 100.0 * row.fraction),
            ],
        );
    }
    table::text(&table)
}

/// Seconds for which a part has run, or that its encode took.
fn time(row: &PartRow, now: Timestamp) -> Option<f64> {
    match row.state {
        JobState::Running => Some(now.duration_since(row.since?).as_secs_f64()),
        _ => row.encode_seconds,
    }
}

impl ProgressListener {
    /// Waits until each running part of a job has published its progress, for a moment at most.
    async fn of_parts(&mut self, job: &common::job::id::JobId, parts: &mut Parts) {
        let is_running = |row: &PartRow| row.state == JobState::Running;
        let running = parts.rows().into_iter().filter(is_running);
        let running = running.map(|row| job.with_part(row.part)).collect();
        for progress in self.of_each(running).await {
            parts.progressed(progress);
        }
    }
}
