//! Follows people's orders.

use std::time::Duration;

use common::broker::Broker;
use common::farm::orders::Orders;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often orders are read without a notice.
const LOOK: Duration = Duration::from_secs(30);

/// Keeps the orders up to date until `stop` is cancelled.
pub async fn follow(broker: Broker, orders: watch::Sender<Orders>, stop: CancellationToken) {
    stop.run_until_cancelled(broker.follow_orders(orders, LOOK))
        .await;
}
