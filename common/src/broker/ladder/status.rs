//! How far ladders are, for people and for programs that wait for them.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use crate::broker::ladder::record;
use crate::broker::{Broker, BrokerError};
use crate::job::id::JobId;
use crate::job::ladder::{Ladder, LadderStream};
use crate::job::master::{MasterRecord, MasterState, is_member, streams_for};
use crate::job::run::RunState;
use crate::job::state::JobState;
use crate::names::location::Location;
use crate::names::subject;
use crate::names::subject::OUTPUTS;
use crate::submit::output_job::{JobsByOutput, OutputJob};

/// What is known of a ladder.
#[derive(Clone, Debug, PartialEq)]
pub struct LadderStatus {
    /// The ladder.
    pub ladder: Ladder,
    /// The last job of each member's output, in the ladder's order; `None` if no known job of the ladder makes it.
    pub members: Vec<Option<OutputJob>>,
    /// The record of the master files; `None` if no program has written it.
    pub record: Option<MasterRecord>,
}

/// How far the master files of a ladder are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterProgress {
    /// Members are still to be completed.
    Waiting {
        /// How many are completed.
        completed: usize,
        /// How many there are.
        of: usize,
    },
    /// A member has failed, was cancelled or is made for another ladder by now: no master files before it is retried.
    Lacking {
        /// The output of the member.
        member: Location,
        /// What became of it.
        why: &'static str,
    },
    /// All members are completed, and the files are about to be written.
    Due,
    /// The files are there.
    There,
    /// The files were not written, for this reason.
    Refused(String),
}

impl LadderStatus {
    /// How far the master files are.
    pub fn progress(&self) -> MasterProgress {
        let mut streams = Vec::new();
        let mut completed = 0;
        for (output, job) in self.ladder.members.iter().zip(&self.members) {
            match self.of_member(job.as_ref()) {
                Ok(Some(made)) => {
                    completed += 1;
                    streams.extend_from_slice(made);
                }
                Ok(None) => {}
                Err(why) => {
                    return MasterProgress::Lacking {
                        member: output.clone(),
                        why,
                    };
                }
            }
        }
        let of = self.ladder.members.len();
        if completed < of {
            return MasterProgress::Waiting { completed, of };
        }
        match &self.record {
            Some(record) if record.tells_of(&self.ladder, &streams) => match &record.state {
                MasterState::Announced => MasterProgress::Due,
                MasterState::There => MasterProgress::There,
                MasterState::Refused(why) => MasterProgress::Refused(why.clone()),
            },
            Some(record) if record.ladder != self.ladder && !self.may_replace() => {
                MasterProgress::Refused("the master files of another ladder are there".to_owned())
            }
            _ => MasterProgress::Due,
        }
    }

    /// Whether a member may replace files of another origin.
    fn may_replace(&self) -> bool {
        let mut members = self.members.iter().flatten();
        members.any(|member| member.job().replace)
    }

    /// The streams of a member, if it is completed.
    ///
    /// # Errors
    /// Why it will not be completed by itself.
    fn of_member<'a>(
        &self,
        job: Option<&'a OutputJob>,
    ) -> Result<Option<&'a [LadderStream]>, &'static str> {
        let Some(job) = job.filter(|job| is_member(job.job(), &self.ladder)) else {
            return Err("is not made for this ladder");
        };
        let OutputJob::Taken(run) = job else {
            return Ok(None);
        };
        match &run.state {
            RunState::Failed { .. } => Err("failed"),
            RunState::Cancelled => Err("was cancelled"),
            RunState::Completed { .. } => streams_for(run, &self.ladder)
                .map(Some)
                .ok_or("tells nothing of its streams"),
            _ => Ok(None),
        }
    }
}

impl MasterProgress {
    /// Whether nothing changes any more, unless a person does something.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Waiting { .. } | Self::Due)
    }
}

impl fmt::Display for MasterProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting { completed, of } => {
                write!(f, "waits: {completed} of {of} renditions are completed")
            }
            Self::Lacking { member, why } => write!(f, "not made: {} {why}", member.name()),
            Self::Due => f.write_str("about to be written"),
            Self::There => f.write_str("there"),
            Self::Refused(why) => write!(f, "not written: {why}"),
        }
    }
}

impl Broker {
    /// What is known of each of these ladders.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub async fn ladders(&self, ladders: Vec<Ladder>) -> Result<Vec<LadderStatus>, BrokerError> {
        if ladders.is_empty() {
            return Ok(Vec::new());
        }
        let members = ladders.iter().flat_map(|ladder| ladder.members.clone());
        let members: Vec<Location> = members.collect();
        let jobs: JobsByOutput = self.jobs_by_output(members).await?;
        let mut records = self.master_records(&ladders).await?;
        let status = |ladder: Ladder| LadderStatus {
            members: ladder
                .members
                .iter()
                .map(|output| jobs.get(output).cloned())
                .collect(),
            record: records.remove(&ladder.master),
            ladder,
        };
        Ok(ladders.into_iter().map(status).collect())
    }

    /// The records of these ladders' master files, by the master playlist.
    async fn master_records(
        &self,
        ladders: &[Ladder],
    ) -> Result<HashMap<Location, MasterRecord>, BrokerError> {
        let keys = ladders.iter().map(|ladder| subject::master(&ladder.master));
        let subjects: Vec<String> = keys.map(|key| subject::kv(OUTPUTS, &key)).collect();
        let stored = self
            .nats
            .last_of_each(&subject::bucket(OUTPUTS), &subjects)
            .await?;
        let prefix = subject::kv(OUTPUTS, "");
        let mut records = HashMap::new();
        for stored in stored.iter().filter(|stored| !stored.is_marker) {
            let key = stored.subject.strip_prefix(&prefix).unwrap_or_default();
            if let Ok(Some(record)) = record(&self.nats, key, &stored.payload) {
                records.insert(record.ladder.master.clone(), record);
            }
        }
        Ok(records)
    }
}

/// A ladder as programs show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LadderView {
    /// The HLS master playlist.
    pub master: Location,
    /// The DASH manifest.
    pub manifest: Location,
    /// Whether both are there.
    pub is_there: bool,
    /// How far they are, in words.
    pub progress: String,
    /// The renditions, in the ladder's order.
    pub renditions: Vec<RenditionView>,
}

/// A rendition of a ladder as programs show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenditionView {
    /// The output.
    pub output: Location,
    /// The job that makes it; `None` if no known job does.
    pub job: Option<JobId>,
    /// The state of that job.
    pub state: Option<JobState>,
}

impl From<&LadderStatus> for LadderView {
    fn from(status: &LadderStatus) -> Self {
        let progress = status.progress();
        let renditions = status.ladder.members.iter().zip(&status.members);
        Self {
            master: status.ladder.master.clone(),
            manifest: status.ladder.manifest(),
            is_there: progress == MasterProgress::There,
            progress: progress.to_string(),
            renditions: renditions
                .map(|(output, job)| RenditionView {
                    output: output.clone(),
                    job: job.as_ref().map(|job| job.job().id),
                    state: job.as_ref().map(OutputJob::state),
                })
                .collect(),
        }
    }
}
