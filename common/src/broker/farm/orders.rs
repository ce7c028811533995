//! Orders on the broker: given, taken back, and followed by workers.

use std::time::Duration;

use futures::StreamExt;
use jiff::SignedDuration;
use tokio::sync::watch;

use crate::broker::nats::kv::KeyValue;
use crate::broker::{Broker, BrokerError};
use crate::farm::orders::{Order, Orders, Target};
use crate::names::subject;
use crate::names::subject::CONTROL;
use crate::wire;

/// If a resumed batch still has its order after this time, the program that resumed it has died.
const UNFINISHED: SignedDuration = SignedDuration::from_secs(10);
/// Wait before another try if the broker does not answer.
const AGAIN: Duration = Duration::from_secs(1);
/// Orders that are given within this time are read together.
const TOGETHER: Duration = Duration::from_millis(100);

impl Broker {
    /// Every order that is in force.
    pub async fn orders(&self) -> Result<Orders, BrokerError> {
        let stored = self.nats.values(CONTROL, "").await?;
        let order = |order: KeyValue<Order>| Some((order.key.parse().ok()?, order.value));
        Ok(stored.into_iter().filter_map(order).collect())
    }

    /// Pauses a target, or has it go on; the other orders for it stay.
    pub async fn pause_target(&self, target: &Target, paused: bool) -> Result<(), BrokerError> {
        let orders = self.orders().await?;
        let order = orders.pausing(target, paused, self.now());
        self.give_order(target, order.as_ref()).await
    }

    /// Gives an order, in place of an earlier one; `None` takes it back.
    pub async fn give_order(
        &self,
        target: &Target,
        order: Option<&Order>,
    ) -> Result<(), BrokerError> {
        let what = format!("giving orders to {target}");
        let key = target.to_string();
        match (order, target) {
            (Some(order), _) => {
                let value = wire::encode(order);
                self.nats.put(CONTROL, &key, value, &what).await.map(drop)
            }
            (None, Target::Batch(batch)) => {
                // The order stays until all jobs of the batch are unparked. If this program is killed before that, a
                // program that reads the order finishes the work.
                let resumed = wire::encode(&Order {
                    paused: false,
                    hours: None,
                    since: self.now(),
                });
                let revision = self.nats.put(CONTROL, &key, resumed, &what).await?;
                self.unpark(batch).await?;
                // If the batch was paused again meanwhile, that order stays.
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

    /// Finishes a resume that another program began and did not finish.
    async fn finish_resuming(&self, orders: &Orders) -> Result<(), BrokerError> {
        for (target, order) in orders.iter() {
            let is_left = self.now().duration_since(order.since) > UNFINISHED;
            if matches!(target, Target::Batch(_)) && !order.paused && is_left {
                self.give_order(target, None).await?;
            }
        }
        Ok(())
    }

    /// Notices that an order was given or taken back. A notice is sent after the order is stored, so a reader of the
    /// orders finds it (from a replica, soon).
    pub async fn order_notices(&self) -> Result<async_nats::Subscriber, BrokerError> {
        self.nats
            .subscribe("listening for orders", subject::ORDERS)
            .await
    }

    /// Keeps `known` up to date, and never returns. Reads the orders after each notice and each reconnect, and every
    /// `look` besides, since a notice may be lost.
    pub async fn follow_orders(&self, known: watch::Sender<Orders>, look: Duration) -> ! {
        let mut connections = self.connections();
        loop {
            // Subscribes first, so that no order is missed between the reading and the subscription.
            let mut news = self.order_notices().await.ok();
            loop {
                match self.orders().await {
                    Ok(orders) => {
                        if let Err(error) = self.finish_resuming(&orders).await {
                            tracing::debug!(%error, "a batch is not resumed yet");
                        }
                        known.send_if_modified(|known| {
                            let is_new = *known != orders;
                            *known = orders;
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

/// Waits until notices that follow each other closely have come: any client may send them, and each reading reads all
/// orders. Returns whether the subscription still stands.
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
