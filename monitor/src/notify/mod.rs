//! Tells hooks what happens. A task of the monitor; while there is no hook, it asks the broker nothing but that.
//!
//! [`watch`] derives occurrences from the farm, [`outbox`] stores one delivery for each hook that wants one, and sends.
//! A delivery is made by create and taken by compare-and-set, so of several monitors one sends, and a monitor that was
//! killed is taken over from.

mod batches;
mod libraries;
mod outbox;
mod watch;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError};
use common::notify::hook::SavedHook;
use common::notify::send::Sender;
use futures::StreamExt;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::feed::audience::Audience;
use crate::index::shared::Listing;
use outbox::Outbox;
use watch::Watch;

/// How often the farm is looked at while there are hooks.
const TICK: Duration = Duration::from_secs(1);
/// How often hooks are read without a notice.
const SWEEP: Duration = Duration::from_secs(30);
/// From a notice that a hook is written until it can be read.
const WRITTEN: Duration = Duration::from_millis(200);
/// Wait after the broker gave no answer.
const AGAIN: Duration = Duration::from_secs(2);
/// How long messages that are being sent may take after the monitor was told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// What the task needs.
pub(crate) struct Notifier {
    pub(crate) broker: Broker,
    pub(crate) audience: Audience,
    pub(crate) listing: Arc<Listing>,
    pub(crate) sender: Sender,
}

impl Notifier {
    /// Runs until told to stop.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut outbox = Outbox::new(self.broker.clone(), self.sender);
        let mut watch = Watch::new(self.broker.clone(), self.audience, self.listing);
        let mut told = String::new();
        loop {
            let error = tokio::select! {
                () = shutdown.cancelled() => break,
                Err(error) = follow(&self.broker, &mut watch, &mut outbox) => error,
            };
            watch.interrupted();
            // Said once, not every time: a monitor may have no right to read hooks.
            let error = error.to_string();
            if error != told {
                tracing::warn!(%error, "hooks are not told of what happens; trying again");
                told = error;
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
        outbox.finish(GRACE).await;
    }
}

/// Follows hooks and the farm until a request fails.
async fn follow(
    broker: &Broker,
    watch: &mut Watch,
    outbox: &mut Outbox,
) -> Result<std::convert::Infallible, BrokerError> {
    let mut notices = broker.hook_notices().await?;
    let mut sweep = tokio::time::interval(SWEEP);
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut hooks: Vec<SavedHook> = Vec::new();
    loop {
        tokio::select! {
            notice = notices.next() => {
                if notice.is_none() {
                    notices = broker.hook_notices().await?;
                }
                tokio::time::sleep(WRITTEN).await;
                hooks = broker.hooks().await?;
            }
            _ = sweep.tick() => hooks = broker.hooks().await?,
            _ = tick.tick(), if !hooks.is_empty() => {
                outbox.catch_up().await?;
                watch.look(&hooks, outbox).await?;
                outbox.note_dropped().await?;
                outbox.send_due(&hooks);
            }
            () = outbox.one_ended() => {
                outbox.catch_up().await?;
                outbox.send_due(&hooks);
            }
        }
    }
}
