//! Key-value buckets: one value by the word of the leader, all values, and writes
//! that may depend on the revision that stands.

use async_nats::header::NATS_ROLLUP;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::broker::BrokerError;
use crate::broker::nats::Nats;
use crate::broker::nats::direct::{OPERATION, Stored};
use crate::broker::nats::message::Message;
use crate::names::subject;

/// A value of a bucket.
pub(crate) struct Kept<T> {
    /// What of its key follows the prefix that was asked for.
    pub key: String,
    pub value: T,
    pub revision: u64,
}

impl Nats {
    /// What a key holds and the revision that stands for it, by the word of the
    /// leader; `None` where it holds nothing.
    pub(crate) async fn confirmed(
        &self,
        bucket: &str,
        key: &str,
        what: &str,
    ) -> Result<Option<(Bytes, u64)>, BrokerError> {
        let last = self.last_of_key(bucket, key, what).await?;
        Ok(last.filter(|(payload, _)| !payload.is_empty()))
    }

    /// The value or marker that stands at a key.
    async fn last_of_key(
        &self,
        bucket: &str,
        key: &str,
        what: &str,
    ) -> Result<Option<(Bytes, u64)>, BrokerError> {
        let subject = subject::kv(bucket, key);
        self.leaders_last(what, &subject::bucket(bucket), &subject)
            .await
    }

    /// The same as [`Self::confirmed`], read; `None` also where the value cannot
    /// be read.
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

    /// The revision that stands at a key, of a value or a marker; 0 where nothing
    /// was ever written.
    pub(crate) async fn revision(
        &self,
        bucket: &str,
        key: &str,
        what: &str,
    ) -> Result<u64, BrokerError> {
        let last = self.last_of_key(bucket, key, what).await?;
        Ok(last.map_or(0, |(_, revision)| revision))
    }

    /// Everything that keys hold which begin with `prefix`; what cannot be read
    /// is left out.
    pub(crate) async fn values<T: DeserializeOwned>(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Result<Vec<Kept<T>>, BrokerError> {
        let prefix = subject::kv(bucket, prefix);
        let stored = self
            .all(&subject::bucket(bucket), &format!("{prefix}>"))
            .await?;
        let read = |stored: &Stored| {
            let key = stored.subject.strip_prefix(&prefix)?.to_owned();
            Some(Kept {
                key,
                value: self.read(stored)?,
                revision: stored.sequence,
            })
        };
        let values = stored.iter().filter(|stored| !stored.is_marker);
        Ok(values.filter_map(read).collect())
    }

    /// Writes a value in place of whatever is there; says its revision.
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

    /// Writes a value where the revision that stands is this one; says the new one.
    /// The error is a conflict where somebody else wrote first.
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

    /// Writes a value where the key holds none; says its revision. The error is a
    /// conflict where it holds one.
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
                    // The marker of a value that was removed.
                    Some((payload, revision)) if payload.is_empty() => {
                        self.replace(bucket, key, value, revision, what).await
                    }
                    _ => Err(taken),
                }
            }
            written => written,
        }
    }

    /// Removes what a key holds; only where the revision that stands is this one,
    /// where one is given.
    pub(crate) async fn remove_key(
        &self,
        bucket: &str,
        key: &str,
        revision: Option<u64>,
        what: &str,
    ) -> Result<(), BrokerError> {
        let marker = Message::new(subject::kv(bucket, key), Bytes::new())
            .with(OPERATION, "PURGE")
            .with(NATS_ROLLUP, "sub");
        let marker = match revision {
            Some(revision) => marker.after(revision),
            None => marker,
        };
        self.store(what, marker).await.map(drop)
    }
}
