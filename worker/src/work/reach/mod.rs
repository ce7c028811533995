//! Which stores and folders this worker can reach now.
//!
//! When an attempt fails, the places that it needed are checked. A place that does not answer is *away*: no job is
//! blamed for that, no job that needs the place is started, and the place is checked until it answers. If the place
//! answers, the failure is the job's own.

mod place;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::broker::Clock;
use common::farm::places::Places;
use common::farm::worker::Away;
use common::job::Job;
use common::job::failure::{Failure, Fault};
use common::names::location::Location;
use common::store::{Answer, StoreError, Stores};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::report::progress::Reporter;
use crate::work::reach::place::{FIRST_TRIAL, Gone, LONGEST_TRIAL_WAIT, Place, Trial};

pub use place::Need;

/// The wait before a place that is away is checked for the first time. It doubles with each check.
const FIRST_CHECK: Duration = Duration::from_millis(500);
/// The longest wait between two checks.
const LONGEST_CHECK_WAIT: Duration = Duration::from_secs(10);
/// A store that does not answer within this time is away.
const SILENCE: Duration = Duration::from_secs(10);
/// How often an object that a store refuses is requested before its job fails.
const REFUSALS: u32 = 3;
/// The wait between two of these requests: new credentials do not reach all of a store at once.
const BETWEEN_REFUSALS: Duration = Duration::from_secs(1);

/// The places that jobs need, and which of them are away. Shared by all tasks of a worker.
pub struct Reach {
    clock: Clock,
    stores: Stores,
    places: Mutex<BTreeMap<Location, Place>>,
    away: watch::Sender<Vec<Away>>,
    /// One task for each place that is away, which checks it until it is back.
    checks: TaskTracker,
    /// Cancels these tasks when the worker stops.
    closed: CancellationToken,
}

impl Reach {
    /// All places count as reachable until a check fails.
    pub fn new(stores: &Stores, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            stores: stores.hurried(),
            places: Mutex::default(),
            away: watch::Sender::default(),
            checks: TaskTracker::new(),
            closed: CancellationToken::new(),
        })
    }

    /// Ends the checks of places that are away.
    pub async fn close(&self) {
        self.closed.cancel();
        self.checks.close();
        self.checks.wait().await;
    }

    /// The places where this worker may read and write.
    pub fn allowed(&self) -> Places {
        self.stores.places()
    }

    /// The places that are away, and their changes.
    pub fn away(&self) -> watch::Receiver<Vec<Away>> {
        self.away.subscribe()
    }

    fn places(&self) -> MutexGuard<'_, BTreeMap<Location, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bucket or root of a location: it is reachable or away as a whole.
    fn place_of(&self, location: &Location) -> Option<Location> {
        let root = || self.stores.root_of(location);
        location.whole_bucket().or_else(root)
    }

    /// Whether no place that a job needs is away.
    pub fn admits(&self, job: &Job) -> bool {
        let inputs = job.inputs().map(|input| Need::read(&input.location));
        let output = job.kind.writes().then(|| Need::write(&job.output, 0));
        let mut needed = inputs.chain(output);
        !needed.any(|need| self.is_shut(need))
    }

    /// Records that an object was seen, so its place is reachable.
    pub fn seen(&self, location: &Location) {
        if let Some(name) = self.place_of(location) {
            let mut places = self.places();
            let place = places.entry(name.clone()).or_default();
            place.known = Some(location.clone());
            // A place that can be read may still be full.
            if place.gone.as_ref().is_some_and(|gone| gone.room.is_none()) {
                self.returned(&name, place);
            }
            self.publish(&places);
        }
    }

    /// Records that something was written at a location.
    pub fn written(&self, location: &Location) {
        if let Some(name) = self.place_of(location) {
            let mut places = self.places();
            if let Some(place) = places.get_mut(&name) {
                self.returned(&name, place);
            }
            self.publish(&places);
        }
    }

    fn returned(&self, name: &Location, place: &mut Place) {
        if place.gone.take().is_some() {
            tracing::info!(place = %name, "within reach again");
            place.back = Some(Instant::now());
        }
    }

    fn publish(&self, places: &BTreeMap<Location, Place>) {
        let away = places.iter().filter_map(|(name, place)| {
            let gone = place.gone.as_ref()?;
            Some(Away {
                place: name.clone(),
                since: gone.since,
                error: gone.error.clone(),
                only_writing: gone.only_writing,
            })
        });
        let away: Vec<Away> = away.collect();
        self.away.send_if_modified(|published| {
            let is_new = *published != away;
            *published = away;
            is_new
        });
    }

    /// Decides the fault of an attempt that failed and that began at `started`. Checks the places that it needed.
    pub async fn judge(self: &Arc<Self>, job: &Job, started: Instant, failure: Failure) -> Failure {
        // A fault of the input alone has nothing to do with writing.
        let is_writing = job.kind.writes() && failure.fault != Fault::Input;
        let output = if is_writing {
            Need::write(&job.output, 0)
        } else {
            Need::read(&job.output)
        };
        let inputs = job.inputs().map(|input| Need::read(&input.location));
        for need in inputs.chain([output]) {
            if let Some(trouble) = self.trouble(need, started).await {
                return Failure::passing(format!("{trouble} ({failure})")).with_log(failure.log);
            }
        }
        if failure.fault != Fault::Passing {
            return failure;
        }
        for input in job.inputs() {
            if let Some(refused) = self.refusal(&input.location).await {
                return refused.with_log(failure.log);
            }
        }
        failure.using_attempt()
    }

    /// Describes why a location's place is away, or was away after `since`; `None` if neither is the case.
    async fn trouble(self: &Arc<Self>, need: Need<'_>, since: Instant) -> Option<String> {
        let location = need.location;
        let name = self.place_of(location)?;
        let known = {
            let places = self.places();
            let place = places.get(&name);
            let gone = place.and_then(|place| place.gone.as_ref());
            if let Some(gone) = gone.filter(|gone| gone.lacks(need)) {
                return Some(gone.trouble(&name));
            }
            if place
                .and_then(|place| place.back)
                .is_some_and(|back| back >= since)
            {
                return Some(format!("could not reach {name} for a while"));
            }
            place.and_then(|place| place.known.clone())
        };
        let (answer, only_writing) = self.check(need, known.as_ref()).await;
        let (error, is_unclear) = match answer {
            Answer::Available => return None,
            Answer::Away(error) => (error, false),
            Answer::Unclear(error) => (error, true),
        };
        let gone = Gone {
            since: self.clock.now(),
            error,
            near: location.clone(),
            room: need.room,
            only_writing,
            trial: is_unclear.then(Trial::first),
        };
        let trouble = gone.trouble(&name);
        self.lose(name, gone);
        Some(trouble)
    }

    /// Waits after a failed read or write until another try is of use, so that a finished output is not thrown away.
    /// `since` is when the failed try began.
    ///
    /// # Errors
    /// Returns the failure if the place is reachable, or when `stop` is cancelled.
    pub async fn outlast(
        self: &Arc<Self>,
        need: Need<'_>,
        since: Instant,
        failure: Failure,
        reporter: &Reporter,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        if stop.is_cancelled() {
            return Err(failure);
        }
        let trouble = self.trouble(need, since).await;
        let Some(place) = self.place_of(need.location) else {
            return Err(failure);
        };
        let pause = match (&trouble, need.refused) {
            (Some(trouble), _) => {
                tracing::warn!(%trouble, %failure, "the finished output waits");
                None
            }
            // The place takes a small write, but not the whole output. Only another try shows when it will.
            (None, Some(times)) => {
                tracing::warn!(%failure, "the finished output waits for room");
                let pause = FIRST_TRIAL.saturating_mul(1 << times.saturating_sub(1).min(16));
                Some(pause.min(LONGEST_TRIAL_WAIT))
            }
            (None, None) => return Err(failure),
        };
        reporter.waits(&place).await;
        let wait = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => self.back(need).await,
            }
        };
        match stop.run_until_cancelled(wait).await {
            Some(()) => Ok(()),
            None => Err(failure),
        }
    }

    /// Waits until a place is back, or until a trial is due.
    async fn back(&self, need: Need<'_>) {
        tokio::time::sleep(FIRST_CHECK).await;
        let mut away = self.away();
        while self.is_shut(need) {
            tokio::select! {
                changed = away.changed() => if changed.is_err() {
                    return;
                },
                () = tokio::time::sleep(FIRST_CHECK) => {}
            }
        }
    }

    /// Whether a place is away and no trial is due.
    fn is_shut(&self, need: Need<'_>) -> bool {
        let mut places = self.places();
        let place = self
            .place_of(need.location)
            .and_then(|place| places.get_mut(&place));
        let gone = place.and_then(|place| place.gone.as_mut());
        let gone = gone.filter(|gone| gone.lacks(need));
        gone.is_some_and(|gone| !gone.trial.as_mut().is_some_and(Trial::is_due))
    }

    /// Checks a place. The second value is whether the answer is about writing only.
    async fn check(&self, need: Need<'_>, known: Option<&Location>) -> (Answer, bool) {
        let silent = |_| Answer::Away("no answer".to_owned());
        let answers = self.stores.answers(need.location, known);
        let answer = tokio::time::timeout(SILENCE, answers).await;
        let answer = answer.unwrap_or_else(silent);
        let (Answer::Available, Some(bytes)) = (&answer, need.room) else {
            return (answer, false);
        };
        let takes = self.stores.takes(need.location, bytes);
        let takes = tokio::time::timeout(SILENCE, takes).await;
        (takes.unwrap_or_else(silent), true)
    }

    /// Records that a place is away, and starts to check it.
    fn lose(self: &Arc<Self>, name: Location, gone: Gone) {
        let mut places = self.places();
        let place = places.entry(name.clone()).or_default();
        if let Some(known) = &mut place.gone {
            // A place that could not be written may be out of reach altogether by now.
            if known.only_writing && !gone.only_writing {
                (known.only_writing, known.error) = (false, gone.error);
            }
            self.publish(&places);
            return;
        }
        tracing::warn!("{}: jobs that need it wait", gone.trouble(&name));
        place.gone = Some(gone);
        self.publish(&places);
        drop(places);
        let check = Arc::clone(self).check_until_back(name);
        let closed = self.closed.clone();
        self.checks
            .spawn(async move { closed.run_until_cancelled(check).await });
    }

    /// Checks a place that is away until it is back.
    async fn check_until_back(self: Arc<Self>, name: Location) {
        let mut wait = FIRST_CHECK;
        loop {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_CHECK_WAIT);
            let gone = self.places().get(&name).and_then(|place| {
                let gone = place.gone.as_ref()?;
                Some((gone.near.clone(), gone.room, place.known.clone()))
            });
            // A job may have found the place reachable meanwhile.
            let Some((near, room, known)) = gone else {
                return;
            };
            let need = Need {
                location: &near,
                room,
                refused: None,
            };
            let (answer, only_writing) = self.check(need, known.as_ref()).await;
            let mut places = self.places();
            let Some(place) = places.get_mut(&name) else {
                return;
            };
            let Some(gone) = &mut place.gone else {
                return;
            };
            gone.only_writing = only_writing;
            match answer {
                Answer::Available => {
                    self.returned(&name, place);
                    self.publish(&places);
                    return;
                }
                Answer::Away(error) => {
                    gone.error = error;
                    gone.trial = None;
                }
                Answer::Unclear(error) => {
                    gone.error = error;
                    gone.trial.get_or_insert_with(Trial::first);
                }
            }
            self.publish(&places);
        }
    }

    /// The failure of a job whose input the store refuses to read, although the store answers.
    async fn refusal(&self, location: &Location) -> Option<Failure> {
        if !location.is_remote() {
            return None;
        }
        for nth in 1.. {
            let head = tokio::time::timeout(SILENCE, self.stores.head(location)).await;
            match head {
                Ok(Err(StoreError::Refused { message, .. })) if nth == REFUSALS => {
                    return Some(Failure::input(format!(
                        "the store refuses to read {location}, and answers otherwise: {message}"
                    )));
                }
                Ok(Err(StoreError::Refused { .. })) => tokio::time::sleep(BETWEEN_REFUSALS).await,
                _ => break,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
