//! Rolling checks: so many files of a library a day, those first whose last check is longest ago.

use common::job::id::JobId;
use common::library::Library;
use common::library::file::{FileRecord, FileState, LastCheck};
use common::names::location::Location;

use crate::library::orders::Orders;
use crate::library::records::Records;
use crate::library::scan::Scanner;

impl Scanner<'_> {
    /// Notes what checks have found, and enqueues further ones, as many as the library wants a day.
    pub(super) async fn verify(
        &self,
        orders: &Orders<'_>,
        library: &Library,
        records: &mut Records,
    ) -> anyhow::Result<()> {
        let broker = &self.executor.broker;
        let checked: Vec<(Location, JobId)> = records
            .known
            .values()
            .filter_map(|record| Some((record.input.location.clone(), record.check.job?)))
            .collect();
        let jobs: Vec<JobId> = checked.iter().map(|(_, job)| *job).collect();
        let found = broker.jobs_of(&jobs).await?;
        for (location, job) in checked {
            let Some(record) = records.known.get(&location) else {
                continue;
            };
            let check = match found.get(&job) {
                // The broker has lost the job.
                None => Some(LastCheck {
                    job: None,
                    ..record.check.clone()
                }),
                Some(job) => job.run().and_then(|run| record.check.ended(run)),
            };
            if let Some(check) = check {
                let record = record.clone();
                records.put(FileRecord { check, ..record });
            }
        }
        let today = broker.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let left = self
            .held
            .record()
            .await
            .checks
            .left(today, library.verify_per_day);
        if left == 0 || !orders.is_open() {
            return Ok(());
        }
        let mut candidates: Vec<&FileRecord> = records
            .known
            .values()
            .filter(|record| {
                let is_replaced_soon = matches!(record.state, FileState::Queued { .. });
                record.facts.is_some() && record.check.job.is_none() && !is_replaced_soon
            })
            .collect();
        candidates.sort_by_key(|record| (record.check.at, &record.input.location));
        let chosen = candidates.into_iter().take(left as usize);
        let chosen: Vec<FileRecord> = chosen.cloned().collect();
        if chosen.is_empty() {
            return Ok(());
        }
        let jobs = orders.check(&chosen, today).await?;
        let count = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
        for (record, job) in chosen.into_iter().zip(jobs) {
            let check = LastCheck {
                job: Some(job),
                ..record.check.clone()
            };
            records.put(FileRecord { check, ..record });
        }
        // Stored first: if this worker is killed in between, the next one finds the same jobs again.
        records.store(broker, self.name).await?;
        self.held
            .tell(|record| record.checks = record.checks.plus(today, count))
            .await?;
        Ok(())
    }
}
