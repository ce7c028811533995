//! Hearing of people's orders: at once by a message, and by looking whenever
//! the connection was lost in between, and now and then.

use std::time::Duration;

use common::broker::Broker;
use common::control::Controls;
use futures::StreamExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the orders are read although nobody said that one is new.
const LOOK: Duration = Duration::from_secs(30);
/// Wait after the broker gave no answer.
const AGAIN: Duration = Duration::from_secs(1);

/// Keeps the orders up to date until told to stop.
pub async fn follow(broker: Broker, orders: watch::Sender<Controls>, stop: CancellationToken) {
    let mut connections = broker.connections();
    let following = async {
        loop {
            // Listens first: an order given in between is read.
            let mut news = broker.orders().await.ok();
            loop {
                match broker.controls().await {
                    Ok(controls) => {
                        orders.send_if_modified(|known| {
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
                tokio::select! {
                    order = listening.next() => if order.is_none() {
                        break;
                    },
                    Ok(()) = connections.changed() => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
        }
    };
    tokio::select! {
        () = following => {}
        () = stop.cancelled() => {}
    }
}
