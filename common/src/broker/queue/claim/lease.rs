//! The lease of a claim: signs of life to the broker, and a watch on the run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::broker::{BrokerError, Claim};
use crate::job::run::RunState;
use crate::names::subject;

/// Signs of life within one ack wait.
const BEATS: u32 = 3;

/// How long a job runs before its owner subscribes to notices about the job.
const SUBSCRIBE_AFTER: Duration = Duration::from_millis(500);

/// Why a lease ended before its job did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseEnd {
    /// Another worker took the job over or ended it as a dead letter, because this owner seemed to be gone.
    TakenOver,
    /// A person cancelled the job.
    Cancelled,
    /// A person moved the job to another queue or priority.
    Moved,
}

/// The lease of one claim, kept in a task of its own, so that no slow encode, upload or request can delay a sign of
/// life. Dropping the lease stops the signs of life.
pub struct Lease {
    over: CancellationToken,
    why: Arc<Mutex<Option<LeaseEnd>>>,
    task: JoinHandle<()>,
}

impl Lease {
    /// Starts to keep a claim alive.
    pub fn keep(claim: &Claim) -> Self {
        let over = CancellationToken::new();
        let why = Arc::new(Mutex::new(None));
        let task = tokio::spawn({
            let (claim, over, why) = (claim.clone(), over.clone(), Arc::clone(&why));
            async move {
                let ended = watch(&claim).await;
                *why.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
                over.cancel();
            }
            .in_current_span()
        });
        Self { over, why, task }
    }

    /// Cancelled as soon as the job is known to be no longer this worker's.
    pub fn over(&self) -> &CancellationToken {
        &self.over
    }

    /// Why the lease ended; `None` while it holds.
    pub fn ended(&self) -> Option<LeaseEnd> {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sends signs of life, and returns once the run no longer belongs to this claim.
async fn watch(claim: &Claim) -> LeaseEnd {
    let job = claim.job().id;
    let every = claim.ack_wait / BEATS;
    let mut beat = tokio::time::interval_at(Instant::now() + every, every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Most jobs that end sooner than this need no subscription.
    tokio::time::sleep(every.min(SUBSCRIBE_AFTER)).await;
    let nats = &claim.broker.nats;
    let mut notices = nats
        .subscribe(
            "listening for changes of the run",
            subject::control_job(&job),
        )
        .await
        .ok();
    // A notice may be lost with a connection, so the run is checked after each connection.
    let mut connections = claim.broker.connections();
    let mut checking = None;
    // A notice may have come before the subscription.
    if let Ok(Some(ended)) = tokio::time::timeout(every / 2, check(claim)).await {
        return ended;
    }
    loop {
        let notified = async {
            match &mut notices {
                Some(notices) => notices.next().await.is_some(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = beat.tick() => {
                if let Err(error) = claim.keep_alive().await {
                    tracing::warn!(%job, %error, "no sign of life reached the broker");
                }
            }
            alive = notified => if !alive { notices = None },
            Ok(()) = connections.changed() => {}
        }
        // A check that hangs must not hold up the next sign of life.
        let check = checking.get_or_insert_with(|| Box::pin(check(claim)));
        if let Ok(ended) = tokio::time::timeout(every / 2, check).await {
            checking = None;
            if let Some(ended) = ended {
                return ended;
            }
        }
    }
}

/// Ends a part that nobody needs.
async fn check_whole(claim: &Claim) -> Option<LeaseEnd> {
    let part = &claim.job().id;
    let ended = async {
        let is_over = !claim.broker.is_needed(part).await?;
        if is_over {
            claim.broker.end_part(part).await?;
        }
        Ok::<_, BrokerError>(is_over)
    };
    match ended.await {
        Ok(true) => Some(LeaseEnd::Cancelled),
        Ok(false) => None,
        Err(error) => {
            tracing::warn!(job = %part, %error, "cannot tell whether the job of this part lives");
            None
        }
    }
}

/// Reads the run, and returns why the lease has ended if the run no longer belongs to this claim.
async fn check(claim: &Claim) -> Option<LeaseEnd> {
    let ours = claim.run();
    match claim.broker.confirmed_run(&ours.job.id).await {
        Ok(Some(found)) => match found.run.state {
            RunState::Cancelled => Some(LeaseEnd::Cancelled),
            _ if found.run.attempt != ours.attempt => Some(LeaseEnd::TakenOver),
            RunState::Queued { .. } => Some(LeaseEnd::Moved),
            RunState::Running { .. } if ours.job.id.is_whole() => None,
            RunState::Running { .. } => check_whole(claim).await,
            // If the owner itself wrote this state, nothing reads the end of the lease any more.
            RunState::Split { .. }
            | RunState::Waiting { .. }
            | RunState::Completed { .. }
            | RunState::Kept { .. }
            | RunState::Failed { .. } => Some(LeaseEnd::TakenOver),
        },
        // No program of the farm removes the run of a running job, but those of the parts of a job that has ended.
        Ok(None) => (!ours.job.id.is_whole()).then_some(LeaseEnd::Cancelled),
        Err(error) => {
            tracing::warn!(job = %ours.job.id, %error, "cannot tell whether the job is still ours");
            None
        }
    }
}
