//! Checks of passwords, within a budget: each takes 19 MiB and a core for some hundredths of a second.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::hash::Memory;
use super::network::Network;
use super::people::Person;
use super::strangers::Strangers;

/// Passwords that are checked at the same time.
const AT_ONCE: usize = 1;
/// Passwords that are checked or wait for it. They take less than a second.
const PLACES: usize = 16;
/// When to try again if there is no place.
const BUSY: Duration = Duration::from_secs(1);
/// Wrong passwords that are logged in a minute.
const LOGGED: u32 = 60;

/// A password is not checked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotNow {
    /// When to try again.
    pub(crate) after: Duration,
}

/// The budget for checks.
pub(super) struct Checks {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    strangers: Mutex<Strangers>,
    memory: Mutex<Vec<Memory>>,
    log: Mutex<Log>,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLACES)),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            state: Arc::default(),
        }
    }
}

impl Checks {
    /// Who of these people has the name and the password.
    pub(super) async fn find(
        &self,
        from: Network,
        people: Vec<Arc<Person>>,
        name: Option<String>,
        password: String,
    ) -> Result<Option<Arc<Person>>, NotNow> {
        let check = Check::begin(&self.state, from)?;
        let busy = NotNow { after: BUSY };
        let place = self.places.clone().try_acquire_owned().map_err(|_| busy)?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| busy)?;
        // The check goes on if the client goes away, so that leaving early hides no wrong password.
        let checking = tokio::task::spawn_blocking(move || {
            let mut memory = lock(&check.state.memory).pop().unwrap_or_default();
            let found = people
                .into_iter()
                .find(|person| person.has_password(&password, &mut memory))
                .filter(|person| person.name == name);
            lock(&check.state.memory).push(memory);
            check.conclude(found.is_some());
            drop((place, turn));
            found
        });
        checking.await.map_err(|_| busy)
    }

    /// Whether a password of this network may be compared with those that were right before.
    pub(super) fn may_compare(&self, from: Network) -> bool {
        lock(&self.state.strangers).may_compare(from, Instant::now())
    }

    /// Logs something wrong that took no check, such as an unknown token.
    pub(super) fn wrong(&self, from: Network, what: &str) {
        self.state.log(|| tracing::warn!(%from, "{what}"));
    }
}

/// A check that has begun.
struct Check {
    state: Arc<State>,
    from: Network,
    is_right: Option<bool>,
}

impl Check {
    fn begin(state: &Arc<State>, from: Network) -> Result<Self, NotNow> {
        let admitted = lock(&state.strangers).admit(from, Instant::now());
        admitted.map_err(|after| NotNow { after })?;
        Ok(Self {
            state: state.clone(),
            from,
            is_right: None,
        })
    }

    fn conclude(mut self, is_right: bool) {
        self.is_right = Some(is_right);
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        let (from, now) = (self.from, Instant::now());
        let wrong = lock(&self.state.strangers).concluded(from, self.is_right, now);
        if self.is_right == Some(false) {
            self.state
                .log(|| tracing::warn!(%from, wrong, "a wrong password"));
        }
    }
}

/// What was logged in this minute.
struct Log {
    since: Instant,
    lines: u32,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            lines: 0,
        }
    }
}

impl State {
    /// Logs, but not so much that strangers could fill the disk.
    fn log(&self, write: impl FnOnce()) {
        let mut log = lock(&self.log);
        if log.since.elapsed() >= Duration::from_secs(60) {
            if let Some(more) = log.lines.checked_sub(LOGGED)
                && more > 0
            {
                tracing::warn!("{more} more wrong passwords and tokens came and were not logged");
            }
            *log = Log::default();
        }
        log.lines = log.lines.saturating_add(1);
        if log.lines <= LOGGED {
            write();
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code panics while it holds one of these locks.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
