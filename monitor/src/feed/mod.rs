//! Keeps the view up to date from the broker, while somebody looks.
//!
//! Everything durable is read by sequence, from where the last answer ended, so that a reconnect
//! loses nothing and no consumer must be kept alive. Only progress is a subscription: old progress
//! is worth nothing.

pub(crate) mod audience;
mod listing;
mod poll;
mod waiting;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use common::broker::{Broker, BrokerError};
use common::job::progress::Progress;
use common::names::subject::PROGRESS_OF_ALL;
use common::wire;
use futures::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::feed::audience::Audience;
use crate::index::shared::Listing;
use crate::view::board::Publisher;
use crate::view::{Input, View};
use listing::Lister;
use poll::Poll;

/// The shortest time between two requests for news, and between two frames.
const TICK: Duration = Duration::from_millis(250);
/// Ticks after which a frame is published without news, for a silent worker is news too.
const QUIET_TICKS: u32 = 4;
/// How often the state of the connection is checked.
const CHECK: Duration = Duration::from_millis(100);
/// Wait before the next request to a connected broker that gave no answer.
const AGAIN: Duration = Duration::from_secs(1);
/// Time between two readings of the orders without a notification.
const LOOK: Duration = Duration::from_secs(5);

/// Runs until told to stop.
pub(crate) async fn run(
    broker: Broker,
    audience: Audience,
    mut publisher: Publisher,
    listing: Arc<Listing>,
    shutdown: CancellationToken,
) {
    let lister = Lister::new(listing.clone());
    let listed = tokio::spawn(lister.run(broker.clone(), audience.clone(), shutdown.clone()));
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = audience.arrival() => {}
        }
        tracing::debug!("somebody looks");
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = audience.departure() => tracing::debug!("nobody looks any more"),
            () = watch(&broker, &mut publisher, &listing) => {}
        }
        publisher.clear();
    }
    // The task ends with the same token and returns nothing.
    let _ = listed.await;
}

/// Follows the broker across outages. Never ends by itself.
async fn watch(broker: &Broker, publisher: &mut Publisher, listing: &Arc<Listing>) {
    let mut view = View::new(broker.now());
    let mut poll = Poll::default();
    loop {
        let error = tokio::select! {
            biased;
            () = disconnection(broker) => "the connection is lost".to_owned(),
            Err(error) = follow(broker, &mut view, &mut poll, publisher, listing) => {
                tracing::warn!(%error, "the broker gives no answer");
                error.to_string()
            }
        };
        let now = broker.now();
        view.apply(Input::Away(error), now);
        publisher.publish(&view, now);
        poll.rewind();
        if is_connected(broker) {
            tokio::time::sleep(AGAIN).await;
        }
        while !is_connected(broker) {
            tokio::time::sleep(CHECK).await;
        }
    }
}

/// Follows the broker until a request fails.
async fn follow(
    broker: &Broker,
    view: &mut View,
    poll: &mut Poll,
    publisher: &mut Publisher,
    listing: &Arc<Listing>,
) -> Result<std::convert::Infallible, BrokerError> {
    let mut progress = broker
        .subscribe("subscribing to progress", PROGRESS_OF_ALL)
        .await?;
    let known = broker.orders().await?;
    view.apply(Input::Controls(known.clone()), broker.now());
    let (tell, mut controls) = watch::channel(known);
    let mut orders = pin!(broker.follow_orders(tell, LOOK));
    poll.begin(broker, view).await?;
    view.apply(Input::Connected, broker.now());

    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_news = true;
    let mut quiet = 0;
    let mut listed = listing.progress();
    view.apply(Input::Listing(listed.clone()), broker.now());
    let mut unreadable = broker.unreadable();
    view.apply(Input::Unreadable(unreadable.clone()), broker.now());
    let (tell, mut told) = mpsc::channel(1);
    // Frames wait for the first reading of the queues: a page without queues must mean that there
    // are none.
    let mut is_whole = false;
    let mut waiting = pin!(waiting::follow(broker, listing, tell));
    loop {
        tokio::select! {
            Err(error) = &mut waiting => return Err(error),
            Some(input) = told.recv() => {
                view.apply(input, broker.now());
                is_news = true;
                is_whole = true;
            }
            Some(message) = progress.next() => {
                if let Ok(progress) = wire::decode::<Progress>(&message.payload) {
                    view.apply(Input::Progress(Box::new(progress)), broker.now());
                    is_news = true;
                }
            }
            never = &mut orders => never,
            Ok(()) = controls.changed() => {
                let controls = controls.borrow_and_update().clone();
                view.apply(Input::Controls(controls), broker.now());
                is_news = true;
            }
            _ = ticks.tick() => {
                is_news |= poll.news(broker, view).await?;
                let progress = listing.progress();
                if progress != listed {
                    listed = progress.clone();
                    view.apply(Input::Listing(progress), broker.now());
                    is_news = true;
                }
                let things = broker.unreadable();
                if things != unreadable {
                    unreadable.clone_from(&things);
                    view.apply(Input::Unreadable(things), broker.now());
                    is_news = true;
                }
                quiet += 1;
                if is_whole && (is_news || quiet >= QUIET_TICKS) {
                    let now = broker.now();
                    view.forget(now);
                    publisher.publish(view, now);
                    is_news = false;
                    quiet = 0;
                }
            }
        }
    }
}

fn is_connected(broker: &Broker) -> bool {
    broker.client().connection_state() == State::Connected
}

/// Waits until the connection is lost. A request under way would fail only after seconds.
async fn disconnection(broker: &Broker) {
    while is_connected(broker) {
        tokio::time::sleep(CHECK).await;
    }
}
