//! The state of the connection, and since when it stands.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::{Event, ServerError};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::names::subject::INBOXES;

/// Longest wait between two tries to reconnect: short, so that all clients are back soon after an outage of the
/// broker.
pub(crate) const RECONNECT: Duration = Duration::from_secs(1);

/// The state of the connection.
#[derive(Clone)]
pub(crate) struct Link {
    since: Arc<Mutex<Option<Instant>>>,
    connections: watch::Receiver<()>,
    refused: Arc<Mutex<Vec<String>>>,
}

/// Receives the client's events about its connection.
pub(crate) struct LinkObserver {
    since: Arc<Mutex<Option<Instant>>>,
    connected: watch::Sender<()>,
    /// Whether the client has ever lost its connection.
    was_lost: AtomicBool,
    refused: Arc<Mutex<Vec<String>>>,
}

/// What the server begins with when it refuses a message or a subscription.
const REFUSED: &str = "permissions violation for ";
/// How it goes on about a message.
const PUBLISH: &str = "publish to ";
/// Most refusals that are kept.
const MOST_REFUSED: usize = 1000;

impl Link {
    pub(crate) fn new() -> (Self, LinkObserver) {
        let since = Arc::new(Mutex::new(Some(Instant::now())));
        let (connected, connections) = watch::channel(());
        let refused = Arc::new(Mutex::default());
        let observer = LinkObserver {
            since: Arc::clone(&since),
            connected,
            was_lost: AtomicBool::new(false),
            refused: Arc::clone(&refused),
        };
        let link = Self {
            since,
            connections,
            refused,
        };
        (link, observer)
    }

    /// Since when the connection stands; `None` while it is broken.
    pub(crate) fn since(&self) -> Option<Instant> {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For how long the connection has stood; zero while it is broken.
    pub(crate) fn stands_for(&self) -> Duration {
        self.since().map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// What the server has refused to take or to give for want of a right, since this was last asked: `publish to "later.x"`.
    pub(crate) fn take_refused(&self) -> Vec<String> {
        std::mem::take(&mut self.refused.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the server has last refused to take for want of a right: `publish to "later.x"`.
    pub(crate) fn last_unpublished(&self) -> Option<String> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let mut subjects = refused.iter().rev().filter_map(|what| unpublished(what));
        subjects.next().map(|subject| format!("{PUBLISH}{subject}"))
    }

    /// Changes each time the client has connected.
    pub(crate) fn connections(&self) -> watch::Receiver<()> {
        let mut connections = self.connections.clone();
        connections.mark_unchanged();
        connections
    }
}

impl LinkObserver {
    pub(crate) fn heard(&self, event: &Event) {
        let since = match event {
            Event::Connected => Some(Instant::now()),
            Event::Disconnected => {
                self.was_lost.store(true, Ordering::Relaxed);
                None
            }
            Event::ServerError(_) => return self.note_refused(event),
            _ => return,
        };
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = since;
        if since.is_some() {
            self.connected.send_replace(());
        }
    }

    /// Whether the server refuses an answer because its question came before the connection was lost: only the connection
    /// that has got a question may answer. Nobody waits for the answer any more.
    pub(crate) fn is_late_answer(&self, event: &Event) -> bool {
        let subject = refused(event).and_then(unpublished);
        self.was_lost.load(Ordering::Relaxed)
            && subject.is_some_and(|subject| subject.trim_start_matches('"').starts_with(INBOXES))
    }

    fn note_refused(&self, event: &Event) {
        let Some(what) = refused(event).filter(|_| !self.is_late_answer(event)) else {
            return;
        };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < MOST_REFUSED {
            refused.push(what.to_owned());
        }
    }
}

/// What the server refuses, if the event is that a right is missing.
pub(crate) fn refused(event: &Event) -> Option<&str> {
    match event {
        Event::ServerError(ServerError::Other(told)) => after(REFUSED, told),
        _ => None,
    }
}

/// The subject of a message, if what the server refuses is one.
pub(crate) fn unpublished(what: &str) -> Option<&str> {
    after(PUBLISH, what)
}

/// What follows `start` in a text, in whatever case that is written.
fn after<'a>(start: &str, text: &'a str) -> Option<&'a str> {
    let (begins, rest) = text.split_at_checked(start.len())?;
    begins.eq_ignore_ascii_case(start).then_some(rest)
}

/// Wait before the next try to reconnect, after `tries` failed ones in a row.
pub(crate) fn reconnect_delay(tries: usize) -> Duration {
    Duration::from_millis(1 << tries.min(10)).min(RECONNECT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_is_no_missing_right() {
        let (link, observer) = Link::new();
        let refuse = |what: &str| {
            let told = format!("Permissions Violation for {what}");
            observer.heard(&Event::ServerError(ServerError::Other(told)));
            link.take_refused()
        };
        let answer = "Publish to \"_INBOX.w2.a.b\"";
        assert_eq!(refuse(answer), [answer], "the connection is the first one");
        observer.heard(&Event::Disconnected);
        observer.heard(&Event::Connected);
        assert!(refuse(answer).is_empty());
        for other in ["Publish to \"later.x\"", "Subscription to \"_INBOX.w2.>\""] {
            assert_eq!(refuse(other), [other]);
        }
    }
}
