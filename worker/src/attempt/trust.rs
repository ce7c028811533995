//! Whose jobs this worker takes. A worker that takes signed jobs only looks at the signature of whatever it is about to act
//! on: the job in the run that it has claimed, and the plan that a part is made by. It trusts no copy of them.

use common::broker::{BrokerError, Claim, ClaimError};
use common::job::Job;
use common::job::failure::{Failure, Fault};
use common::job::signature::Distrust;
use common::job::split::{Plan, SplitState};

use crate::attempt::executor::Executor;
use crate::report::metrics::counters::Counted;
use crate::work::AttemptEnd;

/// What a worker may do about a claimed job.
pub(super) enum Trusted {
    /// Run it.
    Yes,
    /// Nothing: it is a part, and the plan of its job is gone.
    Gone,
    /// Refuse it.
    No(Distrust),
}

/// The plan of a job cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanError {
    #[error(transparent)]
    Distrust(#[from] Distrust),
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl Executor {
    /// Whether somebody whose jobs this worker takes has ordered the job.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub(super) async fn trusts(&self, job: &Job) -> Result<Trusted, BrokerError> {
        let Some(signers) = &self.signers else {
            return Ok(Trusted::Yes);
        };
        if job.id.is_whole() {
            return Ok(signers
                .check(job)
                .map_or_else(Trusted::No, |()| Trusted::Yes));
        }
        match self.plan_of(job).await {
            Ok(Some(_)) => Ok(Trusted::Yes),
            Ok(None) => Ok(Trusted::Gone),
            Err(PlanError::Distrust(why)) => Ok(Trusted::No(why)),
            Err(PlanError::Broker(error)) => Err(error),
        }
    }

    /// Whether this whole job is one that the worker takes.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check_order(&self, job: &Job) -> Result<(), Distrust> {
        let signers = self.signers.as_ref();
        signers.map_or(Ok(()), |signers| signers.check(job))
    }

    /// The plan of a job, or of the job of a part.
    ///
    /// # Errors
    /// The job or the part is otherwise than its plan says, or the plan of nobody whose jobs this worker takes; or the broker
    /// gives no answer.
    pub(super) async fn plan_of(&self, job: &Job) -> Result<Option<Plan>, PlanError> {
        let plan = self.broker.plan(&job.id).await?;
        if let (Some(plan), Some(signers)) = (&plan, &self.signers) {
            signers.check_plan(job, plan)?;
        }
        Ok(plan)
    }

    /// The plans of all split jobs that the worker takes.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub(super) async fn plans(&self) -> Result<Vec<(Plan, SplitState)>, BrokerError> {
        let mut plans = self.broker.plans().await?;
        plans.retain(|(plan, _)| self.check_order(&plan.job).is_ok());
        Ok(plans)
    }

    /// Ends a claimed job that the worker does not run. Nothing is read, written or removed for it.
    pub(super) async fn refuse(
        &self,
        claim: Claim,
        why: Result<Trusted, BrokerError>,
        mut counted: Counted,
    ) -> AttemptEnd {
        let (end, written) = match why {
            Ok(Trusted::No(why)) => {
                tracing::warn!(%why, "refused");
                counted.failed(Fault::Input);
                let end = AttemptEnd::Failed {
                    fault: Fault::Input,
                    by: None,
                };
                (
                    end,
                    claim.fail(Failure::input(why.to_string())).await.map(drop),
                )
            }
            Ok(Trusted::Gone) => {
                claim.ack().await;
                (AttemptEnd::Gone, Ok(()))
            }
            Ok(Trusted::Yes) => (AttemptEnd::Gone, claim.release().await),
            Err(error) => (AttemptEnd::Gone, Err(ClaimError::Broker(error))),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "the job is left to its lease");
        }
        end
    }
}
