//! Keeping a claim: signs of life to the broker, and a watch on the run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::broker::Claim;
use crate::job::run::RunState;
use crate::names::subject;

/// Signs of life within one ack wait.
const BEATS: u32 = 3;

/// How long a job runs before its owner listens for what people want of it.
const SETTLED: Duration = Duration::from_millis(500);

/// Why a lease ended before its job did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseEnd {
    /// Another worker took the job over, or buried it: its owner was taken for gone.
    TakenOver,
    /// A person cancelled the job.
    Cancelled,
    /// A person wants it done elsewhere.
    Moved,
}

/// A claim being kept alive by a task of its own, so that no slow encode,
/// upload or request can delay it. Dropping it stops the signs of life.
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
        });
        Self { over, why, task }
    }

    /// Cancelled as soon as the job is known to be no longer this worker's.
    pub fn over(&self) -> &CancellationToken {
        &self.over
    }

    /// Why it ended; `None` while it lives.
    pub fn ended(&self) -> Option<LeaseEnd> {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns once the run is no longer this claim's.
async fn watch(claim: &Claim) -> LeaseEnd {
    let job = claim.job().id;
    let every = claim.ack_wait / BEATS;
    let mut beat = tokio::time::interval_at(Instant::now() + every, every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Most jobs that end sooner than this need none of what follows.
    tokio::time::sleep(every.min(SETTLED)).await;
    let nats = &claim.broker.nats;
    let mut notices = nats
        .subscribe("listening for orders", subject::control_job(&job))
        .await
        .ok();
    // A notice may be lost with a connection.
    let mut connections = claim.broker.connections();
    let mut checking = None;
    // For a notice that came before anybody listened.
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

/// Whether the run says that the job is somebody else's, or nobody's.
async fn check(claim: &Claim) -> Option<LeaseEnd> {
    let ours = claim.run();
    match claim.broker.confirmed_run(&ours.job.id).await {
        Ok(Some(found)) => match found.run.state {
            RunState::Cancelled => Some(LeaseEnd::Cancelled),
            _ if found.run.attempt != ours.attempt => Some(LeaseEnd::TakenOver),
            RunState::Queued { .. } => Some(LeaseEnd::Moved),
            RunState::Running { .. } => None,
            // Where its owner has written this itself, nobody minds any more.
            RunState::Waiting { .. } | RunState::Completed { .. } | RunState::Failed { .. } => {
                Some(LeaseEnd::TakenOver)
            }
        },
        // Nothing that anybody in the farm does removes a run.
        Ok(None) => None,
        Err(error) => {
            tracing::warn!(job = %ours.job.id, %error, "cannot tell whether the job is still ours");
            None
        }
    }
}
