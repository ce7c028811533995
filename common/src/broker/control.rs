//! Standing orders on the broker.

use async_nats::jetstream::stream::LastRawMessageErrorKind;

use super::{Broker, BrokerError};
use crate::control::{Controls, Order, Target};
use crate::subject::{self, CONTROL};
use crate::wire;

impl Broker {
    /// Every order that is in force.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn controls(&self) -> Result<Controls, BrokerError> {
        let prefix = subject::kv(CONTROL, "");
        let stored = self
            .all(&format!("KV_{CONTROL}"), &subject::kv(CONTROL, ">"))
            .await?;
        Ok(stored
            .iter()
            .filter(|stored| !stored.is_marker)
            .filter_map(|stored| {
                let target: Target = stored.subject.strip_prefix(&prefix)?.parse().ok()?;
                match wire::decode(&stored.payload) {
                    Ok(order) => Some((target, order)),
                    Err(error) => {
                        tracing::warn!(%target, %error, "an order cannot be read");
                        None
                    }
                }
            })
            .collect())
    }

    /// Gives an order, in place of the one before; `None` takes it back.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn command(&self, target: &Target, order: Option<&Order>) -> Result<(), BrokerError> {
        let what = || format!("giving orders to {target}");
        let bucket = self
            .jetstream
            .get_key_value(CONTROL)
            .await
            .map_err(BrokerError::request(what()))?;
        match order {
            Some(order) => bucket
                .put(target.to_string(), wire::encode(order))
                .await
                .map(drop)
                .map_err(BrokerError::request(what())),
            None => bucket
                .purge(target.to_string())
                .await
                .map_err(BrokerError::request(what())),
        }?;
        if order.is_none()
            && let Target::Batch(batch) = target
        {
            self.unpark(batch).await?;
        }
        Ok(())
    }

    /// Whether nothing new of a target is to be started, by the word of the leader.
    pub(super) async fn is_paused(&self, target: &Target) -> Result<bool, BrokerError> {
        let what = || format!("reading the orders to {target}");
        let stream = self
            .jetstream
            .get_stream_no_info(format!("KV_{CONTROL}"))
            .await
            .map_err(BrokerError::request(what()))?;
        let key = subject::kv(CONTROL, &target.to_string());
        match stream.get_last_raw_message_by_subject(&key).await {
            Ok(stored) if stored.payload.is_empty() => Ok(false),
            Ok(stored) => wire::decode::<Order>(&stored.payload)
                .map(|order| order.paused)
                .map_err(|source| BrokerError::Wire {
                    what: what(),
                    source,
                }),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(false),
            Err(error) => Err(BrokerError::request(what())(error)),
        }
    }

    /// Rings whenever an order was given or taken back: not before it is stored,
    /// so that whoever reads it then finds it (where they ask a replica, soon).
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn orders(&self) -> Result<async_nats::Subscriber, BrokerError> {
        self.client
            .subscribe(subject::ORDERS)
            .await
            .map_err(BrokerError::request("listening for orders"))
    }
}
