//! Submitting ladders: a ladder is made whole or not at all, and its master files are made again where they are missing.

use std::collections::HashMap;

use crate::broker::submit::new_batch::{NewBatch, SubmittedJob};
use crate::broker::{BrokerError, LadderStatus};
use crate::job::Job;
use crate::job::ladder::Ladder;
use crate::job::master::MasterState;
use crate::job::run::{Run, RunState};
use crate::names::location::Location;
use crate::submit::existing_outputs::ExistingOutputs;
use crate::submit::result::{Occupied, SubmitResult};

/// Why ladders get no jobs, by their master playlists.
pub type RefusedLadders = HashMap<Location, Occupied>;

impl NewBatch<'_> {
    /// The ladders among the jobs that cannot be made: a rendition is refused, or a file of another origin is where a
    /// master file belongs. Changes nothing.
    ///
    /// # Errors
    /// If the broker gives no answer.
    pub async fn refused_ladders(&self, jobs: &[Job]) -> Result<RefusedLadders, BrokerError> {
        let members: Vec<Job> = jobs
            .iter()
            .filter(|job| job.ladder.is_some())
            .cloned()
            .collect();
        let mut refused = RefusedLadders::new();
        if members.is_empty() {
            return Ok(refused);
        }
        let results = self.results(&members).await?;
        for (job, result) in members.iter().zip(results) {
            if let (Some(ladder), Some(result)) = (&job.ladder, result)
                && matches!(
                    result,
                    SubmitResult::Occupied(_) | SubmitResult::OutputTaken(_)
                )
            {
                let output = job.output.clone();
                refused
                    .entry(ladder.master.clone())
                    .or_insert(Occupied::Rendition { output });
            }
        }
        if self.terms.replaces() {
            return Ok(refused);
        }
        for status in self.broker.ladders(ladders(&members)).await? {
            if let Some(output) = foreign(&status, &self.existing) {
                let master = status.ladder.master;
                refused.entry(master).or_insert(Occupied::Master { output });
            }
        }
        Ok(refused)
    }

    /// Has workers write master files that are missing although all of their members are completed.
    pub(super) async fn remake_masters(&self, files: &[SubmittedJob]) -> Result<(), BrokerError> {
        let jobs: Vec<Job> = files.iter().map(|file| file.job.clone()).collect();
        for status in self.broker.ladders(ladders(&jobs)).await? {
            let members = files
                .iter()
                .filter(|file| file.job.ladder.as_ref() == Some(&status.ladder));
            let completed: Option<Vec<&Run>> = members.map(completed).collect();
            if let Some(run) = completed.as_ref().and_then(|runs| runs.last())
                && completed.iter().flatten().count() == status.ladder.members.len()
                && !is_there(&status, &self.existing)
            {
                self.broker
                    .remake_master(run, self.terms.replaces())
                    .await?;
            }
        }
        Ok(())
    }
}

/// The ladders of these jobs, each once.
fn ladders(jobs: &[Job]) -> Vec<Ladder> {
    Ladder::each(jobs.iter().filter_map(|job| job.ladder.as_ref()))
}

/// The run of a member that is completed and whose output is there.
fn completed(file: &SubmittedJob) -> Option<&Run> {
    match &file.result {
        SubmitResult::Run(run) if !file.is_gone => {
            matches!(run.state, RunState::Completed { .. }).then_some(run)
        }
        _ => None,
    }
}

/// A file in the place of a master file that the ladder has not put there, as far as sizes tell.
fn foreign(status: &LadderStatus, existing: &ExistingOutputs) -> Option<Location> {
    let record = status
        .record
        .as_ref()
        .filter(|record| record.ladder == status.ladder);
    let places = [status.ladder.manifest(), status.ladder.master.clone()];
    places.into_iter().find(|place| {
        let Some(file) = existing.file(place) else {
            return false;
        };
        // While the files are written, the earlier ones may still be there.
        !record.is_some_and(|record| {
            record.state == MasterState::Announced
                || record
                    .files()
                    .iter()
                    .any(|(to, made)| to == place && made.size == file.size)
        })
    })
}

/// Whether both master files are there as the record has them.
fn is_there(status: &LadderStatus, existing: &ExistingOutputs) -> bool {
    let record = status
        .record
        .as_ref()
        .filter(|record| record.ladder == status.ladder);
    record.is_some_and(|record| {
        record.state == MasterState::There
            && record
                .files()
                .iter()
                .all(|(place, made)| existing.file(place).map(|file| file.size) == Some(made.size))
    })
}
