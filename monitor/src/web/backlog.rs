//! Events that wait for a reader which is slower than they come.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

/// Bytes of the events that wait.
const ROOM: usize = 256 * 1024;

/// Events that wait. There is room for so many; then the oldest are dropped.
#[derive(Default)]
pub(crate) struct Backlog {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Bytes>,
    bytes: usize,
    dropped: u64,
    has_ended: bool,
}

/// What comes next for the reader.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// This number of events was dropped before the next one.
    Dropped(u64),
    Event(Bytes),
}

impl Backlog {
    pub(crate) fn push(&self, event: Bytes) {
        let mut waiting = self.lock();
        waiting.bytes += event.len();
        waiting.events.push_back(event);
        while waiting.bytes > ROOM
            && let Some(oldest) = waiting.events.pop_front()
        {
            waiting.bytes -= oldest.len();
            waiting.dropped += 1;
        }
        drop(waiting);
        self.news.notify_one();
    }

    /// No more events come.
    pub(crate) fn end(&self) {
        self.lock().has_ended = true;
        self.news.notify_one();
    }

    /// Waits for what comes next, for one reader; `None` at the end.
    pub(crate) async fn next(&self) -> Option<Next> {
        loop {
            {
                let mut waiting = self.lock();
                if waiting.dropped > 0 {
                    return Some(Next::Dropped(std::mem::take(&mut waiting.dropped)));
                }
                if let Some(event) = waiting.events.pop_front() {
                    waiting.bytes -= event.len();
                    return Some(Next::Event(event));
                }
                if waiting.has_ended {
                    return None;
                }
            }
            self.news.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code panics while it holds this lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_events_give_way_and_the_reader_is_told() {
        let backlog = Backlog::default();
        let event = |number: u8| Bytes::from(vec![number; ROOM / 4]);
        for number in 0..7 {
            backlog.push(event(number));
        }
        backlog.end();
        let mut got = Vec::new();
        while let Some(next) = backlog.next().await {
            got.push(next);
        }
        let kept = (3..7).map(|number| Next::Event(event(number)));
        let expected: Vec<Next> = [Next::Dropped(3)].into_iter().chain(kept).collect();
        assert_eq!(got, expected);
        assert_eq!(backlog.lock().bytes, 0);
    }
}
