//! Key-value buckets: one value read from the leader, all values, and writes guarded by a revision.

use std::time::Duration;

use async_nats::header::{NATS_MESSAGE_TTL, NATS_ROLLUP};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::broker::BrokerError;
use crate::broker::nats::Nats;
use crate::broker::nats::direct::{OPERATION, Stored};
use crate::broker::nats::message::Message;
use crate::names::subject;

/// How long the marker of a forgotten key stays. The broker writes its index every few minutes.
const FORGOTTEN: Duration = Duration::from_secs(1800);

/// A value of a bucket.
pub(crate) struct KeyValue<T> {
    /// The part of the key after the requested prefix.
    pub key: String,
    pub value: T,
    pub revision: u64,
}

impl Nats {
    /// A key's value and revision, read from the leader; `None` if the key holds no value.
    pub(crate) async fn confirmed(
        &self,
        bucket: &str,
        key: &str,
        what: &str,
    ) -> Result<Option<(Bytes, u64)>, BrokerError> {
        let last = self.last_of_key(bucket, key, what).await?;
        Ok(last.filter(|(payload, _)| !payload.is_empty()))
    }

    /// The last value or marker of a key, with its revision.
    pub(crate) async fn last_of_key(
        &self,
        bucket: &str,
        key: &str,
        what: &str,
    ) -> Result<Option<(Bytes, u64)>, BrokerError> {
        let subject = subject::kv(bucket, key);
        self.leaders_last(what, &subject::bucket(bucket), &subject)
            .await
    }

    /// Like [`Self::confirmed`], decoded; `None` also if the value cannot be read.
    pub(crate) async fn confirmed_value<T: DeserializeOwned>(
        &self,
        bucket: &str,
        key: &str,
        what: &str,
    ) -> Result<Option<T>, BrokerError> {
        let Some((payload, _)) = self.confirmed(bucket, key, what).await? else {
            return Ok(None);
        };
        Ok(self.try_read(&subject::kv(bucket, key), &payload).ok())
    }

    /// The revision of a key's last value or marker; 0 if nothing was ever written.
    pub(crate) async fn revision(
        &self,
        bucket: &str,
        key: &str,
        what: &str,
    ) -> Result<u64, BrokerError> {
        let last = self.last_of_key(bucket, key, what).await?;
        Ok(last.map_or(0, |(_, revision)| revision))
    }

    /// All values whose keys begin with `prefix`; unreadable values are left out.
    pub(crate) async fn values<T: DeserializeOwned>(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Result<Vec<KeyValue<T>>, BrokerError> {
        let prefix = subject::kv(bucket, prefix);
        let stored = self
            .all(&subject::bucket(bucket), &format!("{prefix}>"))
            .await?;
        let read = |stored: &Stored| {
            let key = stored.subject.strip_prefix(&prefix)?.to_owned();
            Some(KeyValue {
                key,
                value: self.read(stored)?,
                revision: stored.sequence,
            })
        };
        let values = stored.iter().filter(|stored| !stored.is_marker);
        Ok(values.filter_map(read).collect())
    }

    /// All values whose keys match `keys`, which may hold wildcards; unreadable values are left out.
    pub(crate) async fn values_of<T: DeserializeOwned>(
        &self,
        bucket: &str,
        keys: &str,
    ) -> Result<Vec<KeyValue<T>>, BrokerError> {
        let all = subject::kv(bucket, "");
        let filter = subject::kv(bucket, keys);
        let stored = self.all(&subject::bucket(bucket), &filter).await?;
        let read = |stored: &Stored| {
            Some(KeyValue {
                key: stored.subject.strip_prefix(&all)?.to_owned(),
                value: self.read(stored)?,
                revision: stored.sequence,
            })
        };
        let values = stored.iter().filter(|stored| !stored.is_marker);
        Ok(values.filter_map(read).collect())
    }

    /// Writes a value in place of any other; returns its revision.
    pub(crate) async fn put(
        &self,
        bucket: &str,
        key: &str,
        value: Bytes,
        what: &str,
    ) -> Result<u64, BrokerError> {
        let message = Message::new(subject::kv(bucket, key), value);
        self.store(what, message).await
    }

    /// Writes a value if the key has this revision; returns the new one. The error is a conflict if another program
    /// wrote first.
    pub(crate) async fn replace(
        &self,
        bucket: &str,
        key: &str,
        value: Bytes,
        revision: u64,
        what: &str,
    ) -> Result<u64, BrokerError> {
        let message = Message::new(subject::kv(bucket, key), value).after(revision);
        self.store(what, message).await
    }

    /// Writes a value if the key holds none; returns its revision. The error is a conflict if the key holds one.
    pub(crate) async fn create(
        &self,
        bucket: &str,
        key: &str,
        value: Bytes,
        what: &str,
    ) -> Result<u64, BrokerError> {
        match self.replace(bucket, key, value.clone(), 0, what).await {
            Err(taken) if taken.is_conflict() => {
                match self.last_of_key(bucket, key, what).await? {
                    // A marker: the value was removed.
                    Some((payload, revision)) if payload.is_empty() => {
                        self.replace(bucket, key, value, revision, what).await
                    }
                    _ => Err(taken),
                }
            }
            written => written,
        }
    }

    /// Removes a key's value if the key has this revision. What is left of the key goes by itself after a while; in
    /// buckets of older farms, which let no message expire, it stays.
    ///
    /// A purge would leave nothing at once, but a broker that is killed before it has written its index forgets purges,
    /// and the value is there again. It does not forget markers.
    pub(crate) async fn forget_key(
        &self,
        bucket: &str,
        key: &str,
        revision: u64,
        what: &str,
    ) -> Result<(), BrokerError> {
        let lasting = marker(bucket, key).after(revision);
        let expiring = lasting
            .clone()
            .with(NATS_MESSAGE_TTL, format!("{}s", FORGOTTEN.as_secs()));
        match self.store(what, expiring).await {
            Err(error) if error.is_no_expiry() => self.store(what, lasting).await.map(drop),
            stored => stored.map(drop),
        }
    }

    /// Removes a key's value; with `revision` only if the key has that revision.
    pub(crate) async fn remove_key(
        &self,
        bucket: &str,
        key: &str,
        revision: Option<u64>,
        what: &str,
    ) -> Result<(), BrokerError> {
        let marker = marker(bucket, key);
        let marker = match revision {
            Some(revision) => marker.after(revision),
            None => marker,
        };
        self.store(what, marker).await.map(drop)
    }
}

/// The marker of a removed value.
fn marker(bucket: &str, key: &str) -> Message {
    Message::new(subject::kv(bucket, key), Bytes::new())
        .with(OPERATION, "PURGE")
        .with(NATS_ROLLUP, "sub")
}
