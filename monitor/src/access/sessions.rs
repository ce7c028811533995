//! Open sessions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::hash::secret;
use super::people::Person;

/// How long a session lasts.
pub(crate) const LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// The most open sessions: more than any farm has people.
const MOST: usize = 1000;

/// Sessions by their secret. They end with the monitor.
#[derive(Default)]
pub(super) struct Sessions {
    known: Mutex<HashMap<String, Session>>,
}

struct Session {
    person: Arc<Person>,
    began: Instant,
}

impl Sessions {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        // No code panics while it holds this lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session. `None` if the operating system gives no random numbers.
    pub(super) fn begin(&self, person: Arc<Person>) -> Option<String> {
        let secret = secret::<16>().ok()?;
        let began = Instant::now();
        let mut known = self.known();
        known.retain(|_, session| session.began.elapsed() < LIFETIME);
        if known.len() >= MOST
            && let Some(oldest) = known
                .iter()
                .min_by_key(|(_, session)| session.began)
                .map(|(secret, _)| secret.clone())
        {
            known.remove(&oldest);
        }
        known.insert(secret.clone(), Session { person, began });
        Some(secret)
    }

    /// Whose session this is, if it has not ended.
    pub(super) fn person(&self, secret: &str) -> Option<Arc<Person>> {
        self.known()
            .get(secret)
            .filter(|session| session.began.elapsed() < LIFETIME)
            .map(|session| session.person.clone())
    }

    /// Ends a session.
    pub(super) fn end(&self, secret: &str) {
        self.known().remove(secret);
    }
}
