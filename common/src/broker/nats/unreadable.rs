//! What this program cannot read: written by a newer program, by a stranger, or
//! damaged. Reading never fails for it: each such thing is left out, told of in
//! the log once, and remembered, so that whoever lists things can say what is
//! missing.

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

/// Things that are remembered at the most.
const MOST: usize = 10_000;
/// A message of a stream may be gone when it was not met again for so long. A
/// value of a bucket is known to stand until another is read.
const STALE: Duration = Duration::from_secs(60);

/// Something on the broker that this program cannot read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Where it is.
    pub subject: String,
    /// Whether a newer program wrote it.
    pub newer: bool,
    /// What is wrong with it.
    pub why: String,
}

struct Met {
    what: Unreadable,
    last: Instant,
}

/// What was met and could not be read, by subject.
#[derive(Clone, Default)]
pub(crate) struct Unread(Arc<Mutex<BTreeMap<String, Met>>>);

impl Unread {
    fn met(&self) -> MutexGuard<'_, BTreeMap<String, Met>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers it. A subject is a stranger's text: it is told of once.
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

    /// What was met and cannot be read, by subject.
    pub(crate) fn all(&self) -> Vec<Unreadable> {
        let mut met = self.met();
        met.retain(|subject, met| subject.starts_with("$KV.") || met.last.elapsed() < STALE);
        met.values().map(|met| met.what.clone()).collect()
    }

    /// What stands there now can be read, or nothing does.
    pub(crate) fn forget(&self, subject: &str) {
        let mut met = self.met();
        if !met.is_empty() {
            met.remove(subject);
        }
    }
}

impl Nats {
    /// What a message or value holds; `None` where this program cannot read it.
    pub(crate) fn read<T: DeserializeOwned>(&self, stored: &Stored) -> Option<T> {
        self.try_read(&stored.subject, &stored.payload).ok()
    }

    /// What was found at a subject, for whoever has to know why it cannot be read.
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
