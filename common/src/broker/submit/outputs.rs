//! Whose an output is: each belongs to one job at most of those that wait or run.
//!
//! A claim is a key of the bucket [`OUTPUTS`] that names a job. It is written
//! before its job is enqueued, so a claim whose job nobody knows belongs to
//! somebody who is just enqueueing, or has died over it: such a claim is watched
//! for a while, by no clock but one's own, and then taken. A claim outlives its
//! job and says nothing by itself: what has become of the job does.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;
use tokio::time::Instant;

use crate::broker::nats::atomic;
use crate::broker::nats::atomic::Message;
use crate::broker::{Broker, BrokerError};
use crate::job::Job;
use crate::job::id::JobId;
use crate::job::input::Input;
use crate::job::run::report::Report;
use crate::job::run::{Run, RunState};
use crate::names::location::Location;
use crate::names::subject;
use crate::names::subject::{JOBS, OUTPUTS, RUNS};
use crate::recipe::Recipe;
use crate::wire;

/// How long a claim whose job nobody knows is left to whoever made it.
const UNHEARD: Duration = Duration::from_secs(6);
/// Whoever has claimed enqueues within this, or claims again.
pub(crate) const FRESH: Duration = Duration::from_secs(2);
/// Wait between two looks at such a claim.
const LOOK: Duration = Duration::from_millis(500);

/// A live job that an output belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    /// Which.
    pub job: JobId,
    /// What it is made from, as far as that is known.
    pub input: Option<Location>,
}

/// The jobs that have made outputs, make them or are to make them.
pub type Makers = HashMap<Location, Maker>;

/// The job that last claimed an output.
#[derive(Clone, Debug, PartialEq)]
pub enum Maker {
    /// Nobody has taken it yet.
    Waiting(Box<Job>),
    /// Somebody has.
    Taken(Box<Run>),
}

impl Maker {
    /// The job.
    pub fn job(&self) -> &Job {
        match self {
            Self::Waiting(job) => job,
            Self::Taken(run) => &run.job,
        }
    }

    /// Whether it waits or runs.
    pub fn lives(&self) -> bool {
        match self {
            Self::Waiting(_) => true,
            Self::Taken(run) => !run.state.is_terminal(),
        }
    }

    /// What it has made, where it is done.
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::Taken(run) => match &run.state {
                RunState::Completed { report } => Some(report),
                _ => None,
            },
            Self::Waiting(_) => None,
        }
    }

    /// Whether it makes the same of the same.
    pub fn does(&self, input: &Input, recipe: &Recipe) -> bool {
        self.job().input == *input && self.job().recipe == *recipe
    }

    /// The same as the holder of an output.
    pub fn holder(&self) -> Holder {
        holder(self.job())
    }

    /// Why what it has made is not what another job was to make there.
    pub fn differs(&self, input: &Location, recipe: &Recipe) -> String {
        let job = self.job();
        let how = if job.input.location != *input {
            format!("from {}", job.input.location)
        } else if job.recipe != *recipe {
            "by another recipe".to_owned()
        } else {
            "from an earlier version of its source".to_owned()
        };
        format!("{} was made {how} by job {}", job.output, job.id)
    }
}

/// What has become of a job that holds a claim.
enum Standing {
    Lives(Option<Location>),
    Over,
}

/// Who holds a key, and the revision that stands for it.
pub(crate) type Claims = HashMap<String, (Option<JobId>, u64)>;

impl Broker {
    /// Claims the outputs of jobs that are to be enqueued. Returns those of the
    /// jobs whose output belongs to another one that lives.
    pub(crate) async fn claim_outputs<'a>(
        &self,
        jobs: impl IntoIterator<Item = &'a Job>,
    ) -> Result<HashMap<JobId, Holder>, BrokerError> {
        let mut refused = HashMap::new();
        let mut wanted = HashMap::<String, &Job>::new();
        for job in jobs {
            match wanted.entry(subject::output(&job.output)) {
                Entry::Vacant(free) => {
                    free.insert(job);
                }
                Entry::Occupied(first) if first.get().id != job.id => {
                    refused.insert(job.id, holder(first.get()));
                }
                Entry::Occupied(_) => {}
            }
        }
        let fresh = wanted.iter().map(|(key, job)| (key, *job, 0)).collect();
        if self.write_claims(fresh).await? {
            return Ok(refused);
        }
        let give_up = Instant::now() + UNHEARD;
        loop {
            let claims = self.claims(wanted.keys()).await?;
            let others = wanted.iter().filter_map(|(key, job)| {
                let (owner, _) = claims.get(key)?;
                owner.filter(|owner| *owner != job.id)
            });
            let standings = self.standings(others.collect()).await?;
            let mut is_any_unheard = false;
            let mut free = Vec::new();
            let mut gone = Vec::new();
            for (key, job) in &wanted {
                let (owner, sequence) = match claims.get(key) {
                    Some((Some(owner), sequence)) => (owner, sequence),
                    // What nobody can read names no job.
                    Some((None, sequence)) => {
                        free.push((key, *job, *sequence));
                        continue;
                    }
                    None => {
                        free.push((key, *job, 0));
                        continue;
                    }
                };
                match standings.get(owner) {
                    _ if *owner == job.id => {}
                    Some(Standing::Lives(input)) => {
                        let input = input.clone();
                        refused.insert(job.id, Holder { job: *owner, input });
                        gone.push(key.clone());
                    }
                    Some(Standing::Over) => free.push((key, *job, *sequence)),
                    None if Instant::now() >= give_up => free.push((key, *job, *sequence)),
                    None => is_any_unheard = true,
                }
            }
            let is_written = free.is_empty() || self.write_claims(free).await?;
            for key in gone {
                wanted.remove(&key);
            }
            if is_written && !is_any_unheard {
                return Ok(refused);
            }
            if is_any_unheard {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// Writes all of these claims or none: `false` where one was not as expected.
    pub(crate) async fn write_claims(
        &self,
        claims: Vec<(&String, &Job, u64)>,
    ) -> Result<bool, BrokerError> {
        let what = format!("claiming {} outputs", claims.len());
        let messages: Vec<Message> = claims
            .into_iter()
            .map(|(key, job, expected)| {
                let mut headers = HeaderMap::new();
                headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
                Message {
                    subject: subject::kv(OUTPUTS, key),
                    headers,
                    payload: job.id.to_string().into(),
                }
            })
            .collect();
        atomic::publish(&self.client, &what, messages).await
    }

    /// Who holds these keys, and the revision that stands for it.
    pub(crate) async fn claims<'a>(
        &self,
        keys: impl Iterator<Item = &'a String>,
    ) -> Result<Claims, BrokerError> {
        let subjects: Vec<String> = keys.map(|key| subject::kv(OUTPUTS, key)).collect();
        let stored = self
            .last_of_each(&format!("KV_{OUTPUTS}"), &subjects)
            .await?;
        let prefix = subject::kv(OUTPUTS, "");
        let read = |stored: crate::broker::nats::direct::Stored| {
            let key = stored.subject.strip_prefix(&prefix)?.to_owned();
            let text = std::str::from_utf8(&stored.payload).ok();
            let job = text.and_then(|text| text.parse().ok());
            Some((key, (job, stored.sequence)))
        };
        Ok(stored.into_iter().filter_map(read).collect())
    }

    /// The jobs that claimed these outputs last, as far as anybody knows them.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn makers(
        &self,
        outputs: impl IntoIterator<Item = Location>,
    ) -> Result<Makers, BrokerError> {
        let outputs: HashMap<String, Location> = outputs
            .into_iter()
            .map(|output| (subject::output(&output), output))
            .collect();
        let claims = self.claims(outputs.keys()).await?;
        let jobs: Vec<JobId> = claims.values().filter_map(|(job, _)| *job).collect();
        let mut known: HashMap<JobId, Maker> = HashMap::new();
        if jobs.is_empty() {
            return Ok(Makers::new());
        }
        // What waits is read first: a job that is taken meanwhile is seen as taken.
        let messages: Vec<String> = jobs
            .iter()
            .flat_map(|job| [subject::job_anywhere(job), subject::later_anywhere(job)])
            .collect();
        for stored in self.last_of_each(JOBS, &messages).await? {
            if let Ok(job) = wire::decode::<Job>(&stored.payload) {
                known.insert(job.id, Maker::Waiting(Box::new(job)));
            }
        }
        let runs: Vec<String> = jobs
            .iter()
            .map(|job| subject::kv(RUNS, &subject::run(job)))
            .collect();
        for stored in self.last_of_each(&format!("KV_{RUNS}"), &runs).await? {
            match wire::decode::<Run>(&stored.payload) {
                Ok(run) if !stored.is_marker => {
                    known.insert(run.job.id, Maker::Taken(Box::new(run)));
                }
                _ => {}
            }
        }
        let maker = |(key, output)| {
            let (job, _) = claims.get(&key)?;
            let maker = known.get(job.as_ref()?)?;
            (maker.job().output == output).then(|| (output, maker.clone()))
        };
        Ok(outputs.into_iter().filter_map(maker).collect())
    }

    /// What has become of these jobs, as far as anybody knows them.
    async fn standings(&self, jobs: Vec<JobId>) -> Result<HashMap<JobId, Standing>, BrokerError> {
        let runs: Vec<String> = jobs
            .iter()
            .map(|job| subject::kv(RUNS, &subject::run(job)))
            .collect();
        let messages: Vec<String> = jobs
            .iter()
            .flat_map(|job| [subject::job_anywhere(job), subject::later_anywhere(job)])
            .collect();
        let mut standings = HashMap::new();
        if jobs.is_empty() {
            return Ok(standings);
        }
        for stored in self.last_of_each(JOBS, &messages).await? {
            if let Ok(job) = wire::decode::<Job>(&stored.payload) {
                standings.insert(job.id, Standing::Lives(Some(job.input.location)));
            }
        }
        // What the run says goes before a message that is still about.
        let by_subject: HashMap<&String, &JobId> = runs.iter().zip(&jobs).collect();
        for stored in self.last_of_each(&format!("KV_{RUNS}"), &runs).await? {
            let Some(job) = by_subject
                .get(&stored.subject)
                .filter(|_| !stored.is_marker)
            else {
                continue;
            };
            let standing = match wire::decode::<Run>(&stored.payload) {
                Ok(run) if run.state.is_terminal() => Standing::Over,
                Ok(run) => Standing::Lives(Some(run.job.input.location)),
                // Whoever can read it may be at it.
                Err(_) => Standing::Lives(None),
            };
            standings.insert(**job, standing);
        }
        Ok(standings)
    }

    /// Gives up the claim of a job that is to be forgotten.
    pub(crate) async fn forget_output(&self, job: &JobId) -> Result<(), BrokerError> {
        let Some(found) = self.job(job).await? else {
            return Ok(());
        };
        let key = subject::output(&found.job().output);
        if let Some((_, sequence)) = self
            .claims(std::iter::once(&key))
            .await?
            .remove(&key)
            .filter(|(owner, _)| owner.as_ref() == Some(job))
        {
            let subject = subject::kv(OUTPUTS, &key);
            self.purge_stream(&format!("KV_{OUTPUTS}"), &subject, Some(sequence))
                .await?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.input {
            Some(input) => write!(
                f,
                "its output is already being made from {input} by job {}",
                self.job
            ),
            None => write!(f, "its output is already being made by job {}", self.job),
        }
    }
}

fn holder(job: &Job) -> Holder {
    Holder {
        job: job.id,
        input: Some(job.input.location.clone()),
    }
}
