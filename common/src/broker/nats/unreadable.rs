//! Messages and values that this program cannot read: written by a newer program or another client, or damaged.
//! Reading never fails because of them: each is left out, logged once, and remembered, so that listings can say what
//! is missing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::broker::nats::Nats;
use crate::broker::nats::direct::Stored;
use crate::wire;
use crate::wire::WireError;

/// Most entries that are remembered.
const MOST: usize = 10_000;
/// A message of a stream counts as gone if it was not met again for this time. A value of a bucket counts until
/// another one is read at its key.
const STALE: Duration = Duration::from_secs(60);

/// A message or value that this program cannot read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The subject, or the subject of the key.
    pub subject: String,
    /// Whether a newer program wrote it.
    pub newer: bool,
    /// Why it cannot be decoded.
    pub why: String,
}

struct Met {
    what: Unreadable,
    last: Instant,
}

/// The remembered entries, by subject.
#[derive(Clone, Default)]
pub(crate) struct Unread(Arc<Mutex<BTreeMap<String, Met>>>);

impl Unread {
    fn met(&self) -> MutexGuard<'_, BTreeMap<String, Met>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a subject, and logs it the first time only: any client may choose a subject.
    fn note(&self, subject: &str, error: &WireError) {
        let mut met = self.met();
        let what = Unreadable {
            subject: subject.to_owned(),
            newer: matches!(error, WireError::Newer { .. }),
            why: error.to_string(),
        };
        let last = Instant::now();
        if let Some(known) = met.get_mut(subject) {
            *known = Met { what, last };
        } else if met.len() < MOST {
            tracing::warn!(subject, %error, "left out: it cannot be read");
            met.insert(subject.to_owned(), Met { what, last });
        }
    }

    /// The entries that still count, by subject.
    pub(crate) fn all(&self) -> Vec<Unreadable> {
        let mut met = self.met();
        met.retain(|subject, met| subject.starts_with("$KV.") || met.last.elapsed() < STALE);
        met.values().map(|met| met.what.clone()).collect()
    }

    /// Forgets a subject: its current value can be read, or was removed.
    pub(crate) fn forget(&self, subject: &str) {
        let mut met = self.met();
        if !met.is_empty() {
            met.remove(subject);
        }
    }
}

impl Nats {
    /// Decodes a message or value; `None` if this program cannot read it.
    pub(crate) fn read<T: DeserializeOwned>(&self, stored: &Stored) -> Option<T> {
        self.try_read(&stored.subject, &stored.payload).ok()
    }

    /// Decodes a payload, for a caller that has to know why it cannot be read.
    pub(crate) fn try_read<T: DeserializeOwned>(
        &self,
        subject: &str,
        payload: &[u8],
    ) -> Result<T, WireError> {
        let read = wire::decode(payload);
        match &read {
            Ok(_) => self.unread.forget(subject),
            Err(error) => self.unread.note(subject, error),
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("sound").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_cannot_be_read_is_logged_once_however_often_it_is_met() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let unread = Unread::default();
        let error = wire::decode::<u32>(b"rubbish").expect_err("rubbish");
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..100 {
                unread.note("$KV.control.queue.libx265", &error);
                unread.note("$KV.control.worker.w", &error);
            }
        });
        let text = String::from_utf8(log.0.lock().expect("sound").clone()).expect("text");
        assert_eq!(text.matches("left out").count(), 2, "{text}");
        assert_eq!(unread.all().len(), 2);
    }
}
