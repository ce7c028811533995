//! Answers requests about trashes: puts the sources of jobs back, tells what trashes hold, and empties them. A service of
//! its own empties them of what has been kept long enough.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use async_nats::Message;
use bytes::Bytes;
use common::broker::{BrokerError, Requests};
use common::farm::trash::TrashRequest;
use common::job::id::{BatchId, JobId};
use common::job::run::RunState;
use common::names::location::Location;
use common::store::trash::{Emptied, Undone};
use common::wire;
use futures::StreamExt;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::attempt::executor::Executor;

/// Requests that are answered at the same time: whole outputs are read.
const AT_ONCE: usize = 2;
/// The wait before the first look for originals whose time is over, and between two looks.
const LOOKS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3600));

/// Answers requests until `stop` is cancelled.
pub async fn serve(
    executor: Arc<Executor>,
    requests: Result<Requests, BrokerError>,
    stop: CancellationToken,
) {
    let mut requests = match requests {
        Ok(requests) => requests,
        Err(error) => return tracing::warn!(%error, "requests about trashes cannot be answered"),
    };
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        // The slot comes first: what cannot be answered yet waits where its number is bounded.
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            Some((slot, requests.next().await?))
        };
        let Some(Some((slot, message))) = stop.run_until_cancelled(next).await else {
            return;
        };
        let executor = Arc::clone(&executor);
        tokio::spawn(async move {
            executor.respond(&message).await;
            drop(slot);
        });
    }
}

/// Empties trashes of what has been kept long enough, until `stop` is cancelled.
pub async fn empty(executor: Arc<Executor>, stop: CancellationToken) {
    let mut wait = LOOKS.0;
    while stop
        .run_until_cancelled(tokio::time::sleep(wait))
        .await
        .is_some()
    {
        wait = LOOKS.1;
        let emptied = stop.run_until_cancelled(executor.empty_old()).await;
        if let Some(Err(error)) = emptied {
            tracing::debug!(%error, "not all trashes could be emptied");
        }
    }
}

impl Executor {
    async fn respond(&self, message: &Message) {
        let answer = async {
            let request = wire::decode(&message.payload)?;
            self.answer_trash(request).await
        };
        let answer: anyhow::Result<Bytes> = answer.await;
        let answer = answer.map_err(|why| format!("{why:#}"));
        if let Err(error) = self.broker.answer_trash(message, answer).await {
            tracing::debug!(%error, "the answer about a trash was not sent");
        }
    }

    async fn answer_trash(&self, request: TrashRequest) -> anyhow::Result<Bytes> {
        match request {
            TrashRequest::Undo { job, is_dry } => {
                let undone = self.undo(&job, is_dry).await?;
                Ok(wire::encode(&(undone == Undone::Now)))
            }
            TrashRequest::List { trash } => {
                self.check_trash(&trash)?;
                Ok(wire::encode(&self.stores.trash_contents(&trash).await?))
            }
            TrashRequest::Empty { trash, batch } => {
                self.check_trash(&trash)?;
                self.check_emptying(&trash, batch).await?;
                let emptied = self.stores.empty_trash(&trash, Emptied::Batch(batch));
                let emptied = emptied.await?;
                let (files, bytes) = emptied.batches.iter().fold((0, 0_u64), |sum, batch| {
                    (sum.0 + batch.files, sum.1.saturating_add(batch.bytes))
                });
                tracing::info!(%trash, %batch, files, bytes, "originals were removed because somebody asked for it");
                Ok(wire::encode(&emptied))
            }
        }
    }

    /// Makes sure that originals may be removed for good by a request, which nobody has signed.
    async fn check_emptying(&self, trash: &Location, batch: BatchId) -> anyhow::Result<()> {
        if self.signers.is_none() {
            return Ok(());
        }
        let now = self.broker.now();
        let contents = self.stores.trash_contents(trash).await?;
        let mut batches = contents.batches.iter();
        if let Some(kept) = batches.find(|kept| kept.batch == batch && kept.until > now) {
            tracing::warn!(%trash, %batch, files = kept.files, "a request to remove originals was refused");
            bail!(
                "worker {} takes signed orders only (--require-signature), and requests to empty a trash are not signed: {} \
                 originals of batch {batch} stay in {trash} until {}; to remove them now, run `producer trash FOLDER --empty \
                 {batch}` on a machine that reaches the folder",
                self.name,
                kept.files,
                kept.until
            );
        }
        Ok(())
    }

    fn check_trash(&self, trash: &Location) -> anyhow::Result<()> {
        if !self.stores.places().admit(trash) {
            bail!("{trash} lies in no place of this worker");
        }
        Ok(())
    }

    /// Puts the source of a completed job back, and records it.
    async fn undo(&self, id: &JobId, is_dry: bool) -> anyhow::Result<Undone> {
        let record = self.broker.job(id).await?;
        let record = record.with_context(|| format!("unknown job {id}"))?;
        let run = record.run().context("the job has not run yet")?;
        self.check_order(&run.job)?;
        let RunState::Completed { report } = &run.state else {
            bail!("the job is {}", run.state.as_str());
        };
        let digest = run.output_digest.as_ref();
        let digest = digest.context("the job does not tell the digest of its output")?;
        let undone = self.stores.undo(&run.job, (report, digest), is_dry).await?;
        if !is_dry {
            tracing::info!(job = %id, source = %run.job.input.location, "undone: the original is back");
            self.broker.record_undone(id).await?;
        }
        Ok(undone)
    }

    /// Removes the originals whose time is over from the trashes of the farm's batches.
    async fn empty_old(&self) -> anyhow::Result<()> {
        let mut trashes: Vec<Location> = Vec::new();
        for batch in self.broker.batches().await? {
            for trash in batch.trash {
                if !trashes.contains(&trash) && self.stores.places().admit(&trash) {
                    trashes.push(trash);
                }
            }
        }
        let now = self.broker.now();
        for trash in trashes {
            match self.stores.empty_trash(&trash, Emptied::Until(now)).await {
                Ok(emptied) => {
                    for batch in emptied.batches {
                        let (files, bytes) = (batch.files, batch.bytes);
                        tracing::info!(%trash, batch = %batch.batch, files, bytes, "originals were kept long enough");
                    }
                }
                Err(error) => tracing::warn!(%trash, %error, "the trash is not emptied"),
            }
        }
        Ok(())
    }
}
