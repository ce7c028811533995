//! Storing plans, and the state of each split.
//!
//! A plan stands while its state is there: the state is stored after the plan, and removed before it. So a plan whose
//! storing or removal was interrupted counts as none.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::broker::{Broker, BrokerError};
use crate::job::id::JobId;
use crate::job::part::Part;
use crate::job::split::{Fits, PieceReport, Plan, SplitState};
use crate::names::subject;
use crate::names::subject::PLANS;
use crate::wire;
use crate::wire::WireError;

/// A value of the bucket, with its revision.
pub(super) type Stored<T> = Option<(T, u64)>;

impl Broker {
    /// The plan of a split job, whichever part of the job is named; `None` if the job has none. Read from the leader.
    ///
    /// # Errors
    /// The broker gives no answer, or a newer program has written the plan.
    pub async fn plan(&self, job: &JobId) -> Result<Option<Plan>, BrokerError> {
        let (plan, state) = futures::try_join!(self.stored_plan(job), self.stored_state(job))?;
        Ok(plan.filter(|_| state.is_some()).map(|(plan, _)| plan))
    }

    /// Stores a plan with an empty state, unless the job has a plan already. Returns the one that is stored.
    ///
    /// # Errors
    /// The broker gives no answer. Then this can be repeated.
    pub async fn put_plan(&self, plan: &Plan) -> Result<Plan, BrokerError> {
        let job = &plan.job.id;
        let what = format!("storing the plan of job {job}");
        loop {
            if let Some(stored) = self.plan(job).await? {
                return Ok(stored);
            }
            let (key, state) = (subject::plan(job), subject::split_state(job));
            let before = self.nats.revision(PLANS, &key, &what).await?;
            let value = wire::encode(plan);
            let written = self.nats.replace(PLANS, &key, value, before, &what).await;
            let written = match written {
                // With the state, the plan stands.
                Ok(_) => {
                    let empty = wire::encode(&SplitState::default());
                    self.nats.create(PLANS, &state, empty, &what).await
                }
                refused => refused,
            };
            match written {
                Err(error) if !error.is_conflict() => return Err(error),
                // Another program may have stored its own: what is there decides.
                _ => {}
            }
        }
    }

    /// The plan of a job, whether or not it stands, and its revision.
    pub(super) async fn stored_plan(&self, job: &JobId) -> Result<Stored<Plan>, BrokerError> {
        self.stored(subject::plan(job), &format!("the plan of job {job}"))
            .await
    }

    /// The state of a split, and its revision; `None` if the job has no plan.
    pub(super) async fn stored_state(
        &self,
        job: &JobId,
    ) -> Result<Stored<SplitState>, BrokerError> {
        let what = format!("the parts of job {job} that are done");
        self.stored(subject::split_state(job), &what).await
    }

    /// A value of the bucket, from the leader; `None` also if it is broken.
    async fn stored<T: DeserializeOwned>(
        &self,
        key: String,
        what: &str,
    ) -> Result<Stored<T>, BrokerError> {
        let reading = format!("reading {what}");
        let Some((payload, revision)) = self.nats.confirmed(PLANS, &key, &reading).await? else {
            return Ok(None);
        };
        match self.nats.try_read(&subject::kv(PLANS, &key), &payload) {
            Ok(value) => Ok(Some((value, revision))),
            Err(WireError::Malformed(_)) => Ok(None),
            Err(source @ WireError::Newer { .. }) => Err(BrokerError::Wire {
                what: what.to_owned(),
                source,
            }),
        }
    }

    /// Which parts of a split job are done, and what their pieces have in common. Read from the leader; empty if the job
    /// has no plan.
    ///
    /// # Errors
    /// The broker gives no answer, or a newer program has written the state.
    pub async fn split_state(&self, job: &JobId) -> Result<SplitState, BrokerError> {
        let state = self.stored_state(job).await?;
        Ok(state.map(|(state, _)| state).unwrap_or_default())
    }

    /// Records that the pieces of these parts are gone.
    ///
    /// # Errors
    /// The broker gives no answer. Then this can be repeated.
    pub async fn unmark_parts(&self, job: &JobId, parts: &[Part]) -> Result<(), BrokerError> {
        let unmark = |state: &mut SplitState| parts.iter().for_each(|part| state.unmark(*part));
        self.change_state(job, unmark).await.map(drop)
    }

    /// Compares the header of a chunk with that of the job's chunks that are done. A build of ffmpeg that makes another one
    /// is noted as refused.
    ///
    /// # Errors
    /// The broker gives no answer. Then this can be repeated.
    pub async fn compare_header(
        &self,
        job: &JobId,
        made: &PieceReport,
    ) -> Result<Fits, BrokerError> {
        let compared = self.change_state(job, |state| state.compare(made));
        // Without a plan there is nothing to join: the run of the chunk decides what becomes of it.
        Ok(compared.await?.map_or(Fits::Yes, |(_, fits)| fits))
    }

    /// Changes the state of a split by compare-and-set; `None` if the job has no plan.
    pub(super) async fn change_state<T>(
        &self,
        job: &JobId,
        change: impl Fn(&mut SplitState) -> T,
    ) -> Result<Option<(SplitState, T)>, BrokerError> {
        loop {
            let Some((before, revision)) = self.stored_state(job).await? else {
                return Ok(None);
            };
            let mut state = before.clone();
            let answer = change(&mut state);
            if state == before || self.write_state(job, &state, revision).await? {
                return Ok(Some((state, answer)));
            }
        }
    }

    /// Writes the state of a split if it has this revision; `false` if another program wrote first.
    pub(super) async fn write_state(
        &self,
        job: &JobId,
        state: &SplitState,
        revision: u64,
    ) -> Result<bool, BrokerError> {
        let what = format!("writing which parts of job {job} are done");
        let (key, value): (_, Bytes) = (subject::split_state(job), wire::encode(state));
        match self.nats.replace(PLANS, &key, value, revision, &what).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Every plan with its state. A plan whose removal was interrupted has an empty state.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub async fn plans(&self) -> Result<Vec<(Plan, SplitState)>, BrokerError> {
        let plans = self.nats.values_of::<Plan>(PLANS, "*").await?;
        if plans.is_empty() {
            return Ok(Vec::new());
        }
        let states = self
            .nats
            .values_of::<SplitState>(PLANS, subject::SPLIT_STATES);
        let mut states: std::collections::HashMap<String, SplitState> = states
            .await?
            .into_iter()
            .map(|state| (state.key, state.value))
            .collect();
        let mut with_state = |plan: Plan| {
            let state = states.remove(&subject::split_state(&plan.job.id));
            (plan, state.unwrap_or_default())
        };
        Ok(plans
            .into_iter()
            .map(|plan| with_state(plan.value))
            .collect())
    }
}
