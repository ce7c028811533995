//! Hearing of people's orders.

use std::time::Duration;

use common::broker::Broker;
use common::farm::orders::Orders;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the orders are read although nobody said that one is new.
const LOOK: Duration = Duration::from_secs(30);

/// Keeps the orders up to date until told to stop.
pub async fn follow(broker: Broker, orders: watch::Sender<Orders>, stop: CancellationToken) {
    stop.run_until_cancelled(broker.follow_orders(orders, LOOK))
        .await;
}
