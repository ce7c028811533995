//! What the key-value buckets hold: one value by the word of the leader, or all
//! of them.

use async_nats::jetstream::stream::LastRawMessageErrorKind;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::broker::nats::direct::Stored;
use crate::broker::{Broker, BrokerError};
use crate::names::subject;

/// A value of a bucket.
pub(crate) struct Kept<T> {
    /// What of its key follows the prefix that was asked for.
    pub key: String,
    pub value: T,
    pub revision: u64,
}

impl Broker {
    /// What a key holds and the revision that stands for it, by the word of the
    /// leader: replicas may lag behind, and those of a bucket that was made just
    /// now may not answer yet. `None` where it holds nothing.
    pub(crate) async fn confirmed(
        &self,
        bucket: &str,
        key: &str,
        what: &str,
    ) -> Result<Option<(Bytes, u64)>, BrokerError> {
        let stream = self
            .jetstream
            .get_stream_no_info(format!("KV_{bucket}"))
            .await
            .map_err(BrokerError::request(what))?;
        let subject = subject::kv(bucket, key);
        match stream.get_last_raw_message_by_subject(&subject).await {
            Ok(stored) if stored.payload.is_empty() => Ok(None),
            Ok(stored) => Ok(Some((stored.payload, stored.sequence))),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(BrokerError::request(what)(error)),
        }
    }

    /// The same, read; nothing where it cannot be.
    pub(crate) async fn confirmed_value<T: DeserializeOwned>(
        &self,
        bucket: &str,
        key: &str,
        what: &str,
    ) -> Result<Option<T>, BrokerError> {
        let Some((payload, _)) = self.confirmed(bucket, key, what).await? else {
            return Ok(None);
        };
        Ok(self.read_payload(&subject::kv(bucket, key), &payload))
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
            .all(&format!("KV_{bucket}"), &format!("{prefix}>"))
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
}
