//! The record of an autoscaler on the broker, and the lease that lets one process write it.

use std::time::Duration;

use common::broker::{Broker, StoredAutoscaler};
use common::matching::scale::autoscaler::{Autoscaler, AutoscalerLease};
use common::say;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::cli::exit::Error;

/// The shortest lease: it must outlast a restart of the broker.
const SHORTEST: Duration = Duration::from_secs(30);
/// How many looks of the autoscaler a lease outlasts.
const LOOKS: u32 = 3;
/// The wait between two looks at the lease of another process.
const AGAIN: Duration = Duration::from_millis(500);

/// The right to be an autoscaler, and its record.
pub(super) struct Hold {
    broker: Broker,
    stored: StoredAutoscaler,
    holder: Uuid,
    lease: Duration,
}

/// What a process that holds a lease tells of itself.
pub(super) fn lease(poll: Duration) -> Duration {
    (poll * LOOKS).max(SHORTEST)
}

/// The name of this host, for people.
#[cfg(unix)]
pub(super) fn host() -> String {
    let system = rustix::system::uname();
    system.nodename().to_string_lossy().into_owned()
}

/// The name of this host, for people.
#[cfg(not(unix))]
pub(super) fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "an unknown host".to_owned())
}

impl Hold {
    /// Takes the lease. A lease of another process is waited for; if that process renews it, it lives.
    ///
    /// # Errors
    /// Another process is the autoscaler of this name, or the broker is out of reach.
    pub(super) async fn take(
        broker: &Broker,
        wanted: Autoscaler,
        lease: Duration,
    ) -> Result<Self, Error> {
        let holder = wanted.lease.holder;
        let mut waited_for: Option<AutoscalerLease> = None;
        loop {
            let stored = broker.autoscaler(&wanted.name).await?;
            let now = broker.now();
            let held = stored.record.as_ref().filter(|record| record.is_held(now));
            if let Some(held) = held {
                match &waited_for {
                    Some(before) if *before != held.lease => {
                        return Err(Error::failed(format!(
                            "the autoscaler {} already runs on {}: stop that one, or give this one another --name",
                            wanted.name, held.lease.host
                        )));
                    }
                    Some(_) => {}
                    None => {
                        say!(
                            "the autoscaler {} was last run on {}: waiting to see whether it still runs, until {:.0} at the latest",
                            wanted.name,
                            held.lease.host,
                            held.lease.until
                        );
                        waited_for = Some(held.lease.clone());
                    }
                }
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            // The workers of an earlier process are this one's.
            let mut record = match &stored.record {
                Some(before) => Autoscaler {
                    queues: wanted.queues.clone(),
                    rules: wanted.rules.clone(),
                    ..before.clone()
                },
                None => wanted.clone(),
            };
            record.lease = AutoscalerLease {
                until: until(now, lease),
                ..wanted.lease.clone()
            };
            if let Some(stored) = broker.keep_autoscaler(&stored, record).await? {
                return Ok(Self {
                    broker: broker.clone(),
                    stored,
                    holder,
                    lease,
                });
            }
        }
    }

    /// The record as it is stored.
    pub(super) fn record(&self) -> &Autoscaler {
        let record = self.stored.record.as_ref();
        record.expect("a hold is made of a stored record")
    }

    /// Stores the record, and renews the lease.
    ///
    /// # Errors
    /// Another process has taken the lease (exit code 1), or the broker gives no answer.
    pub(super) async fn store(&mut self, mut record: Autoscaler) -> Result<(), Error> {
        record.lease.until = until(self.broker.now(), self.lease);
        self.write(record).await
    }

    /// Lets any other process be the autoscaler, at once.
    pub(super) async fn release(mut self) -> Result<(), Error> {
        let mut record = self.record().clone();
        record.lease.until = self.broker.now();
        self.write(record).await
    }

    async fn write(&mut self, record: Autoscaler) -> Result<(), Error> {
        if let Some(stored) = self
            .broker
            .keep_autoscaler(&self.stored, record.clone())
            .await?
        {
            self.stored = stored;
            return Ok(());
        }
        // An earlier write may have been stored without an answer.
        let found = self.broker.autoscaler(&record.name).await?;
        let is_ours = found
            .record
            .as_ref()
            .is_some_and(|found| found.lease.holder == self.holder);
        let stored = if is_ours {
            self.broker.keep_autoscaler(&found, record).await?
        } else {
            None
        };
        match stored {
            Some(stored) => {
                self.stored = stored;
                Ok(())
            }
            None => Err(Error::failed(
                "another process has become the autoscaler of this name meanwhile",
            )),
        }
    }
}

fn until(now: Timestamp, lease: Duration) -> Timestamp {
    let lease = SignedDuration::try_from(lease).unwrap_or(SignedDuration::MAX);
    now.checked_add(lease).unwrap_or(Timestamp::MAX)
}
