//! Orders on the broker.

use std::time::Duration;

use futures::StreamExt;
use jiff::SignedDuration;
use tokio::sync::watch;

use crate::broker::nats::kv::Kept;
use crate::broker::{Broker, BrokerError};
use crate::farm::orders::{Controls, Order, Target};
use crate::names::subject;
use crate::names::subject::CONTROL;
use crate::wire;

/// A batch whose jobs are not all back so long after it was resumed was left by
/// whoever did that.
const UNFINISHED: SignedDuration = SignedDuration::from_secs(10);
/// Wait after the broker gave no answer.
const AGAIN: Duration = Duration::from_secs(1);
/// Orders that are given within so short a time are read together.
const TOGETHER: Duration = Duration::from_millis(100);

impl Broker {
    /// Every order that is in force.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn controls(&self) -> Result<Controls, BrokerError> {
        let orders = self.nats.values(CONTROL, "").await?;
        let order = |order: Kept<Order>| Some((order.key.parse().ok()?, order.value));
        Ok(orders.into_iter().filter_map(order).collect())
    }

    /// Gives an order, in place of the one before; `None` takes it back.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn command(&self, target: &Target, order: Option<&Order>) -> Result<(), BrokerError> {
        let what = format!("giving orders to {target}");
        let key = target.to_string();
        match (order, target) {
            (Some(order), _) => {
                let value = wire::encode(order);
                self.nats.put(CONTROL, &key, value, &what).await.map(drop)
            }
            (None, Target::Batch(batch)) => {
                // In force until all its jobs are back: killed before that, this is
                // finished by whoever reads the order.
                let resumed = wire::encode(&Order {
                    paused: false,
                    hours: None,
                    since: self.now(),
                });
                let revision = self.nats.put(CONTROL, &key, resumed, &what).await?;
                self.unpark(batch).await?;
                // Where it was paused again meanwhile, that order stays.
                let removed = self
                    .nats
                    .remove_key(CONTROL, &key, Some(revision), &what)
                    .await;
                if let Err(error) = removed {
                    tracing::debug!(%error, %target, "another order is in force");
                }
                Ok(())
            }
            (None, _) => self.nats.remove_key(CONTROL, &key, None, &what).await,
        }
    }

    /// Finishes what a killed `resume` has begun.
    async fn finish_resuming(&self, controls: &Controls) -> Result<(), BrokerError> {
        for (target, order) in controls.iter() {
            let is_left = self.now().duration_since(order.since) > UNFINISHED;
            if matches!(target, Target::Batch(_)) && !order.paused && is_left {
                self.command(target, None).await?;
            }
        }
        Ok(())
    }

    /// Rings whenever an order was given or taken back: not before it is stored,
    /// so that whoever reads it then finds it (where they ask a replica, soon).
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn orders(&self) -> Result<async_nats::Subscriber, BrokerError> {
        self.nats
            .subscribe("listening for orders", subject::ORDERS)
            .await
    }

    /// Keeps the orders up to date, and never ends: reads them at once when it
    /// hears of one and whenever the connection was lost in between, and after
    /// each `look` all the same, as no message is certain to come.
    pub async fn follow_orders(&self, known: watch::Sender<Controls>, look: Duration) -> ! {
        let mut connections = self.connections();
        loop {
            // Listens first: an order given in between is read.
            let mut news = self.orders().await.ok();
            loop {
                match self.controls().await {
                    Ok(controls) => {
                        if let Err(error) = self.finish_resuming(&controls).await {
                            tracing::debug!(%error, "a batch is not resumed yet");
                        }
                        known.send_if_modified(|known| {
                            let is_new = *known != controls;
                            *known = controls;
                            is_new
                        });
                    }
                    Err(error) => {
                        tracing::debug!(%error, "orders were not read");
                        tokio::time::sleep(AGAIN).await;
                        break;
                    }
                }
                let Some(listening) = &mut news else {
                    tokio::time::sleep(AGAIN).await;
                    break;
                };
                let is_over = tokio::select! {
                    order = listening.next() => order.is_none(),
                    Ok(()) = connections.changed() => false,
                    () = tokio::time::sleep(look) => false,
                };
                if is_over || !settled(listening).await {
                    break;
                }
            }
        }
    }
}

/// Takes notices that follow each other closely as one: any client may send them,
/// and each reading reads all orders. Returns whether the connection still stands.
async fn settled(notices: &mut async_nats::Subscriber) -> bool {
    let end = tokio::time::sleep(TOGETHER);
    let mut end = std::pin::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => return true,
            notice = notices.next() => if notice.is_none() {
                return false;
            },
        }
    }
}
