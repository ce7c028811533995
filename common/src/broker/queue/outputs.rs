//! Claims of outputs: of the live jobs (pending or under way), at most one owns an output.
//!
//! A claim is a key of the bucket [`OUTPUTS`] that names a job. It is written before its job is enqueued. So a claim
//! of an unknown job belongs to a program that is just enqueueing, or that died doing so: such a claim is watched for
//! a while, by the local clock only, and then taken over. A claim outlives its job; whether it still holds depends on
//! the state of the job.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use tokio::time::Instant;

use crate::broker::nats::direct::Stored;
use crate::broker::nats::message::Message;
use crate::broker::{Broker, BrokerError};
use crate::job::Job;
use crate::job::id::JobId;
use crate::job::run::Run;
use crate::names::location::Location;
use crate::names::subject;
use crate::names::subject::{JOBS, OUTPUTS, RUNS};
use crate::submit::output_job::ClaimHolder;

/// How long a claim of an unknown job is left to the program that wrote it.
const UNKNOWN_JOB_GRACE: Duration = Duration::from_secs(6);
/// A program enqueues its jobs within this time after their claims, or claims again.
pub(crate) const CLAIM_FRESH: Duration = Duration::from_secs(2);
/// Wait between two looks at such a claim.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Whether a job that holds a claim is live.
enum Liveness {
    Live(Option<Location>),
    Over,
}

/// By key: the job that holds the claim (`None` if the claim cannot be read, or was removed), and the key's revision.
pub(crate) type Claims = HashMap<String, (Option<JobId>, u64)>;

impl Broker {
    /// Claims the outputs of jobs that are to be enqueued. Returns the refused jobs, each with the live job that owns
    /// its output.
    pub(crate) async fn claim_outputs<'a>(
        &self,
        jobs: impl IntoIterator<Item = &'a Job>,
    ) -> Result<HashMap<JobId, ClaimHolder>, BrokerError> {
        self.claim_all(jobs, false).await
    }

    /// Claims the output of a job that has just become live again, also if the job holds the claim. A client that saw
    /// the job ended, and is about to replace the claim, fails by this write. Returns the job that was quicker.
    pub(crate) async fn claim_output_again(
        &self,
        job: &Job,
    ) -> Result<Option<ClaimHolder>, BrokerError> {
        Ok(self.claim_all([job], true).await?.remove(&job.id))
    }

    async fn claim_all<'a>(
        &self,
        jobs: impl IntoIterator<Item = &'a Job>,
        is_anew: bool,
    ) -> Result<HashMap<JobId, ClaimHolder>, BrokerError> {
        let mut refused = HashMap::new();
        let mut wanted = HashMap::<String, &Job>::new();
        // A check writes nothing, so it owns nothing.
        for job in jobs.into_iter().filter(|job| job.kind.writes()) {
            match wanted.entry(subject::output(&job.output)) {
                Entry::Vacant(free) => {
                    free.insert(job);
                }
                Entry::Occupied(first) if first.get().id != job.id => {
                    refused.insert(job.id, (*first.get()).into());
                }
                Entry::Occupied(_) => {}
            }
        }
        if wanted.is_empty() {
            return Ok(refused);
        }
        let fresh = wanted.iter().map(|(key, job)| (key, *job, 0)).collect();
        if self.write_claims(fresh).await? {
            return Ok(refused);
        }
        let give_up = Instant::now() + UNKNOWN_JOB_GRACE;
        loop {
            let claims = self.claims(wanted.keys()).await?;
            let others = wanted.iter().filter_map(|(key, job)| {
                let (owner, _) = claims.get(key)?;
                owner.filter(|owner| *owner != job.id)
            });
            let liveness = self.liveness(others.collect()).await?;
            let mut is_any_unknown = false;
            let mut free = Vec::new();
            let mut lost = Vec::new();
            for (key, job) in &wanted {
                let (owner, sequence) = match claims.get(key) {
                    Some((Some(owner), sequence)) => (owner, sequence),
                    // A claim that cannot be read, or was removed, names no job.
                    Some((None, sequence)) => {
                        free.push((key, *job, *sequence));
                        continue;
                    }
                    None => {
                        free.push((key, *job, 0));
                        continue;
                    }
                };
                match liveness.get(owner) {
                    _ if *owner == job.id => {
                        if is_anew {
                            free.push((key, *job, *sequence));
                        }
                    }
                    Some(Liveness::Live(input)) => {
                        let input = input.clone();
                        refused.insert(job.id, ClaimHolder { job: *owner, input });
                        lost.push(key.clone());
                    }
                    Some(Liveness::Over) => free.push((key, *job, *sequence)),
                    None if Instant::now() >= give_up => free.push((key, *job, *sequence)),
                    None => is_any_unknown = true,
                }
            }
            let is_written = free.is_empty() || self.write_claims(free).await?;
            for key in lost {
                wanted.remove(&key);
            }
            if is_written && !is_any_unknown {
                return Ok(refused);
            }
            if is_any_unknown {
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
        }
    }

    /// Writes all of these claims or none; `false` if a key does not have the expected revision.
    pub(crate) async fn write_claims(
        &self,
        claims: Vec<(&String, &Job, u64)>,
    ) -> Result<bool, BrokerError> {
        let what = format!("claiming {} outputs", claims.len());
        let messages: Vec<Message> = claims
            .into_iter()
            .map(|(key, job, expected)| {
                Message::new(subject::kv(OUTPUTS, key), job.id.to_string().into()).after(expected)
            })
            .collect();
        self.nats.store_all(&what, messages).await
    }

    /// The holders of these keys, with the keys' revisions.
    pub(crate) async fn claims<'a>(
        &self,
        keys: impl Iterator<Item = &'a String>,
    ) -> Result<Claims, BrokerError> {
        let subjects: Vec<String> = keys.map(|key| subject::kv(OUTPUTS, key)).collect();
        let stored = self
            .nats
            .last_of_each(&subject::bucket(OUTPUTS), &subjects)
            .await?;
        let prefix = subject::kv(OUTPUTS, "");
        let read = |stored: Stored| {
            let key = stored.subject.strip_prefix(&prefix)?.to_owned();
            let text = std::str::from_utf8(&stored.payload).ok();
            let job = text.and_then(|text| text.parse().ok());
            Some((key, (job, stored.sequence)))
        };
        Ok(stored.into_iter().filter_map(read).collect())
    }

    /// Whether each of these jobs is live; unknown jobs are left out.
    async fn liveness(&self, jobs: Vec<JobId>) -> Result<HashMap<JobId, Liveness>, BrokerError> {
        let runs: Vec<String> = jobs
            .iter()
            .map(|job| subject::kv(RUNS, &subject::run(job)))
            .collect();
        let messages: Vec<String> = jobs
            .iter()
            .flat_map(|job| [subject::job_anywhere(job), subject::later_anywhere(job)])
            .collect();
        let mut liveness = HashMap::new();
        if jobs.is_empty() {
            return Ok(liveness);
        }
        for stored in self.nats.last_of_each(JOBS, &messages).await? {
            if let Some(job) = self.nats.read::<Job>(&stored) {
                liveness.insert(job.id, Liveness::Live(Some(job.input.location)));
            }
        }
        // The state in the run counts more than a message that is still in the queue.
        let by_subject: HashMap<&String, &JobId> = runs.iter().zip(&jobs).collect();
        for stored in self
            .nats
            .last_of_each(&subject::bucket(RUNS), &runs)
            .await?
        {
            let Some(job) = by_subject
                .get(&stored.subject)
                .filter(|_| !stored.is_marker)
            else {
                continue;
            };
            let state = match self.nats.try_read::<Run>(&stored.subject, &stored.payload) {
                Ok(run) if run.state.is_terminal() => Liveness::Over,
                Ok(run) => Liveness::Live(Some(run.job.input.location)),
                // A newer worker may be able to read the run, and may run the job.
                Err(_) => Liveness::Live(None),
            };
            liveness.insert(**job, state);
        }
        Ok(liveness)
    }

    /// Removes the claim of a job that is to be forgotten.
    pub(crate) async fn forget_output(&self, job: &Job) -> Result<(), BrokerError> {
        if !job.kind.writes() {
            return Ok(());
        }
        let key = subject::output(&job.output);
        if let Some((_, sequence)) = self
            .claims(std::iter::once(&key))
            .await?
            .remove(&key)
            .filter(|(owner, _)| owner.as_ref() == Some(&job.id))
        {
            let what = format!("removing the claim of {}", job.output);
            let removed = self.nats.forget_key(OUTPUTS, &key, sequence, &what).await;
            // On a conflict, another job has claimed it.
            removed.or_else(BrokerError::unless_conflict)?;
        }
        Ok(())
    }
}
