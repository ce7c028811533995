//! Messages to a worker from the broker, from people and from its own stores, as events.

use std::collections::VecDeque;

use async_nats::Message;
use common::broker::{Broker, BrokerError, Requests};
use common::farm::orders::Orders;
use common::farm::queue::Lane;
use common::farm::worker::Away;
use common::farm::worker_name::WorkerName;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::watch;

use crate::dispatch::core::event::{Event, NoAnswer};
use crate::dispatch::wakeups::Wakeups;

/// Everything that a worker listens to.
pub(super) struct Sources {
    lanes_made: BoxStream<'static, Lane>,
    lifts: Requests,
    /// Requests to end a quarantine that were not answered yet.
    asked: VecDeque<Message>,
    connections: watch::Receiver<()>,
    controls: watch::Receiver<Orders>,
    away: watch::Receiver<Vec<Away>>,
    wakeups: Option<Wakeups>,
}

impl Sources {
    pub(super) async fn open(
        broker: &Broker,
        name: &WorkerName,
        controls: watch::Receiver<Orders>,
        away: watch::Receiver<Vec<Away>>,
    ) -> Result<Self, BrokerError> {
        Ok(Self {
            lanes_made: broker.new_lanes().await?,
            lifts: broker.lift_requests(name).await?,
            asked: VecDeque::new(),
            connections: broker.connections(),
            controls,
            away,
            wakeups: None,
        })
    }

    pub(super) fn controls(&self) -> Orders {
        self.controls.borrow().clone()
    }

    /// Receives wake-ups from now on.
    pub(super) fn listen(&mut self, wakeups: Wakeups) {
        self.wakeups = Some(wakeups);
    }

    pub(super) fn stop_listening(&mut self) -> Option<Wakeups> {
        self.wakeups.take()
    }

    /// The oldest request of [`Event::LiftAsked`] that was not answered.
    pub(super) fn asked(&mut self) -> Option<Message> {
        self.asked.pop_front()
    }

    /// The next event. Cancel-safe.
    pub(super) async fn next<J>(&mut self) -> Event<J> {
        let wakeup = async {
            match &mut self.wakeups {
                Some(wakeups) => wakeups.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            wakeup = wakeup => match wakeup {
                Some(lane) => Event::Wakeup(lane),
                None => {
                    self.wakeups = None;
                    Event::Listening(Err(NoAnswer))
                }
            },
            Some(lane) = self.lanes_made.next() => Event::LaneMade(lane),
            Some(request) = self.lifts.next() => {
                self.asked.push_back(request);
                Event::LiftAsked
            }
            Ok(()) = self.connections.changed() => Event::Reconnected,
            Ok(()) = self.controls.changed() => {
                Event::OrdersChanged(self.controls.borrow_and_update().clone())
            }
            Ok(()) = self.away.changed() => Event::PlacesChanged,
            else => std::future::pending().await,
        }
    }
}
