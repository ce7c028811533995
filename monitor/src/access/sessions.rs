//! Open sessions.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Role;
use super::passwords::secret;

/// The cookie's name.
pub(crate) const COOKIE: &str = "farm_session";
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
    role: Role,
    began: Instant,
}

impl Sessions {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        // No code panics while it holds this lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session. `None` if the operating system gives no random numbers.
    pub(super) fn begin(&self, role: Role) -> Option<String> {
        let secret = secret().ok()?;
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
        known.insert(secret.clone(), Session { role, began });
        Some(secret)
    }

    /// The role of a session that has not ended.
    pub(super) fn role(&self, secret: &str) -> Option<Role> {
        self.known()
            .get(secret)
            .filter(|session| session.began.elapsed() < LIFETIME)
            .map(|session| session.role)
    }

    /// Ends a session.
    pub(super) fn end(&self, secret: &str) {
        self.known().remove(secret);
    }
}
