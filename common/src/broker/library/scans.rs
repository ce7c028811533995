//! Scan leases: of all workers that reach a library, one scans it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::broker::nats::kv::KeyValue;
use crate::broker::{Broker, BrokerError};
use crate::farm::worker_name::WorkerName;
use crate::library::scan::ScanRecord;
use crate::names::subject;
use crate::names::subject::LIBRARIES;
use crate::names::token::Token;
use crate::wire;

/// A scan lease that this program holds. It must be written again before it runs out.
#[derive(Clone, Debug)]
pub struct ScanLease {
    library: Token,
    revision: u64,
    /// What the holder tells.
    pub record: ScanRecord,
}

impl Broker {
    /// How long a scan lease holds: as long as that of a job.
    pub fn scan_lease(&self) -> Duration {
        self.ack_wait
    }

    /// The scan of every library, by name; libraries that were never scanned are left out.
    pub async fn scans(&self) -> Result<Vec<(Token, ScanRecord)>, BrokerError> {
        let scans = match self.nats.values_of(LIBRARIES, subject::ALL_SCANS).await {
            Err(_) if self.nats.lacks(&subject::bucket(LIBRARIES)).await => Vec::new(),
            scans => scans?,
        };
        let scan = |scan: KeyValue<ScanRecord>| {
            let name = scan.key.strip_suffix(subject::SCAN_SUFFIX)?;
            Some((name.parse().ok()?, scan.value))
        };
        Ok(scans.into_iter().filter_map(scan).collect())
    }

    /// The scan of one library; `None` if it was never scanned.
    pub async fn scan(&self, library: &Token) -> Result<Option<ScanRecord>, BrokerError> {
        let what = format!("looking at the scan of {library}");
        let key = subject::scan(library);
        self.nats.confirmed_value(LIBRARIES, &key, &what).await
    }

    /// Takes the scan lease of a library for this worker.
    ///
    /// # Errors
    /// The lease of another worker, with the time when it runs out; or the broker gives no answer.
    pub async fn take_scan(
        &self,
        library: &Token,
        worker: &WorkerName,
    ) -> Result<Result<ScanLease, ScanRecord>, BrokerError> {
        let what = format!("taking the scan of {library}");
        let key = subject::scan(library);
        let now = self.now();
        let last = self.nats.last_of_key(LIBRARIES, &key, &what).await?;
        let (before, revision) = match last {
            None => (None, 0),
            // An unreadable record is a newer program's: it is replaced once a scan is due.
            Some((payload, revision)) => (wire::decode::<ScanRecord>(&payload).ok(), revision),
        };
        if let Some(held) = &before
            && held.is_held(now)
            && held.worker != *worker
        {
            return Ok(Err(held.clone()));
        }
        let record = ScanRecord::taken(worker.clone(), self.runs_out(now), before);
        let lease = ScanLease {
            library: library.clone(),
            revision,
            record,
        };
        match self.write_scan(lease, &what).await? {
            Some(lease) => Ok(Ok(lease)),
            None => match self.scan(library).await? {
                Some(held) => Ok(Err(held)),
                None => Err(BrokerError::request(what)("the library was removed")),
            },
        }
    }

    /// Writes the lease again, with what it tells and for its whole time; `None` if another worker has taken it.
    pub async fn keep_scan(&self, mut lease: ScanLease) -> Result<Option<ScanLease>, BrokerError> {
        let what = format!("keeping the scan of {}", lease.library);
        lease.record.until = self.runs_out(self.now());
        self.write_scan(lease, &what).await
    }

    /// Gives the lease to whoever wants it, at once.
    pub async fn leave_scan(&self, mut lease: ScanLease) -> Result<(), BrokerError> {
        let what = format!("leaving the scan of {}", lease.library);
        lease.record.until = self.now();
        lease.record.phase = crate::library::scan::ScanPhase::Resting;
        self.write_scan(lease, &what).await.map(drop)
    }

    async fn write_scan(
        &self,
        lease: ScanLease,
        what: &str,
    ) -> Result<Option<ScanLease>, BrokerError> {
        let key = subject::scan(&lease.library);
        let value = wire::encode(&lease.record);
        let nats = &self.nats;
        match nats
            .replace(LIBRARIES, &key, value, lease.revision, what)
            .await
        {
            Ok(revision) => Ok(Some(ScanLease { revision, ..lease })),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn runs_out(&self, now: Timestamp) -> Timestamp {
        let lease = SignedDuration::try_from(self.ack_wait).unwrap_or(SignedDuration::MAX);
        now.checked_add(lease).unwrap_or(Timestamp::MAX)
    }
}
