//! The scan lease while it is held: written again and again, so that other workers stay away, and so that people see
//! what happens.

use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError, ScanLease};
use common::library::scan::ScanRecord;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A lease that is held, until `lost` is cancelled.
#[derive(Clone)]
pub(super) struct Held {
    broker: Broker,
    lease: Arc<Mutex<ScanLease>>,
    /// Cancelled once another worker has the lease, or may have it.
    pub lost: CancellationToken,
}

/// Writes of a lease in the time that it holds.
const WRITES: u32 = 3;
/// Wait before another request to a broker that gave no answer.
const AGAIN: Duration = Duration::from_millis(500);

impl Held {
    pub(super) fn new(broker: &Broker, lease: ScanLease) -> Self {
        Self {
            broker: broker.clone(),
            lease: Arc::new(Mutex::new(lease)),
            lost: CancellationToken::new(),
        }
    }

    /// What the holder has told last.
    pub(super) async fn record(&self) -> ScanRecord {
        self.lease.lock().await.record.clone()
    }

    /// Changes what the holder tells.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub(super) async fn tell(&self, edit: impl FnOnce(&mut ScanRecord)) -> Result<(), BrokerError> {
        let mut lease = self.lease.lock().await;
        let before = lease.record.clone();
        edit(&mut lease.record);
        if lease.record == before || self.lost.is_cancelled() {
            return Ok(());
        }
        self.write(&mut lease).await
    }

    async fn write(&self, lease: &mut ScanLease) -> Result<(), BrokerError> {
        match self.broker.keep_scan(lease.clone()).await? {
            Some(kept) => *lease = kept,
            None => self.lost.cancel(),
        }
        Ok(())
    }

    /// Keeps the lease until it is lost.
    pub(super) async fn keep(&self) {
        let lasts = self.broker.scan_lease();
        let mut kept = Instant::now();
        while !self.lost.is_cancelled() {
            let wait = match kept.elapsed() {
                spent if spent >= lasts / WRITES => AGAIN,
                spent => lasts / WRITES - spent,
            };
            tokio::time::sleep(wait).await;
            let began = Instant::now();
            let mut lease = self.lease.lock().await;
            match self.write(&mut lease).await {
                Ok(()) => kept = began,
                Err(error) => {
                    tracing::debug!(%error, "a scan lease was not kept");
                    // By now another worker may have it.
                    if kept.elapsed() >= lasts {
                        self.lost.cancel();
                    }
                }
            }
        }
    }

    /// Gives the lease back.
    pub(super) async fn leave(self) {
        if self.lost.is_cancelled() {
            return;
        }
        let lease = self.lease.lock().await.clone();
        if let Err(error) = self.broker.leave_scan(lease).await {
            tracing::debug!(%error, "a scan lease was not given back, and runs out");
        }
    }
}
