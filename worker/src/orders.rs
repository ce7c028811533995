//! Hearing of people's orders: at once by a message, and again now and then by
//! looking, as no message is certain to come.

use std::time::Duration;

use common::broker::Broker;
use common::control::Controls;
use futures::StreamExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the orders are read although nobody said that one is new.
const LOOK: Duration = Duration::from_secs(10);
/// Wait after the broker gave no answer.
const AGAIN: Duration = Duration::from_secs(1);

/// Keeps the orders up to date until told to stop.
pub async fn follow(broker: Broker, orders: watch::Sender<Controls>, stop: CancellationToken) {
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
                if let Ok(None) = tokio::time::timeout(LOOK, listening.next()).await {
                    break;
                }
            }
        }
    };
    tokio::select! {
        () = following => {}
        () = stop.cancelled() => {}
    }
}
