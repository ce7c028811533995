//! Which stores this worker can reach just now.
//!
//! When an attempt fails, the places that it needed are asked for a sign of
//! life. One that gives none is *away*: no job is blamed for that, none that
//! needs it is started, and it is asked again until it answers. Where it
//! answers, the trouble is the job's own.

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
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::report::progress::Reporter;

/// A place that is away is asked again after this long, then more and more
/// seldom,
const FIRST_LOOK: Duration = Duration::from_millis(500);
/// but at least that often.
const SELDOMMEST_LOOK: Duration = Duration::from_secs(10);
/// A store that keeps silent for so long is away.
const SILENCE: Duration = Duration::from_secs(10);
/// Where only a job can tell whether a place is back, one is let through after
/// this long, then more and more seldom,
const FIRST_TRIAL: Duration = Duration::from_secs(5);
/// but at least that often.
const SELDOMMEST_TRIAL: Duration = Duration::from_secs(60);
/// An object that a store refuses is asked for again so often before its job
/// is given up,
const REFUSALS: u32 = 3;
/// with this much time in between: new credentials do not reach all of a store at once.
const BETWEEN_REFUSALS: Duration = Duration::from_secs(1);

/// What a worker knows of the places that its jobs need; shared by all its tasks.
pub struct Reach {
    clock: Clock,
    stores: Stores,
    places: Mutex<BTreeMap<Location, Place>>,
    away: watch::Sender<Vec<Away>>,
}

#[derive(Default)]
struct Place {
    /// An object that was there when it was last asked for.
    known: Option<Location>,
    /// When it last came back.
    back: Option<Instant>,
    gone: Option<Gone>,
}

/// What is known of a place that is away.
struct Gone {
    since: Timestamp,
    error: String,
    /// Where it was missed.
    near: Location,
    /// Bytes that were to be written there; `None` where something was to be read.
    room: Option<u64>,
    /// Whether it can be read, and only takes nothing.
    only_writing: bool,
    trial: Option<Trial>,
}

impl Gone {
    /// Whether it keeps from what is needed.
    fn lacks(&self, need: Need<'_>) -> bool {
        !self.only_writing || need.room.is_some()
    }

    fn trouble(&self, name: &Location) -> String {
        let verb = if self.only_writing {
            "write to"
        } else {
            "reach"
        };
        format!("cannot {verb} {name}: {}", self.error)
    }
}

/// When a job may find out whether a place is back.
struct Trial {
    at: Instant,
    wait: Duration,
}

impl Trial {
    fn first() -> Self {
        Self {
            at: Instant::now() + FIRST_TRIAL,
            wait: FIRST_TRIAL,
        }
    }

    /// Whether it is time; then the next one comes later.
    fn is_due(&mut self) -> bool {
        let is_due = Instant::now() >= self.at;
        if is_due {
            self.wait = (self.wait * 2).min(SELDOMMEST_TRIAL);
            self.at = Instant::now() + self.wait;
        }
        is_due
    }
}

/// What a job needs of a place.
#[derive(Clone, Copy)]
pub struct Need<'a> {
    location: &'a Location,
    /// Bytes that are to be written.
    room: Option<u64>,
    /// How often they were refused for want of room.
    refused: Option<u32>,
}

impl<'a> Need<'a> {
    /// Something is to be read there.
    pub fn read(location: &'a Location) -> Self {
        Self {
            location,
            room: None,
            refused: None,
        }
    }

    /// So many bytes are to be written there.
    pub fn write(location: &'a Location, bytes: u64) -> Self {
        Self {
            location,
            room: Some(bytes),
            refused: None,
        }
    }

    /// It was refused for want of room, so many times by now.
    #[must_use]
    pub fn refused(self, times: u32) -> Self {
        Self {
            refused: Some(times),
            ..self
        }
    }
}

impl Reach {
    /// Takes every place for reachable, until one is not.
    pub fn new(stores: &Stores, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            stores: stores.hurried(),
            places: Mutex::default(),
            away: watch::Sender::default(),
        })
    }

    /// Where this worker may read and write.
    pub fn allowed(&self) -> Places {
        self.stores.places()
    }

    /// What is away, whenever that changes.
    pub fn away(&self) -> watch::Receiver<Vec<Away>> {
        self.away.subscribe()
    }

    fn places(&self) -> MutexGuard<'_, BTreeMap<Location, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place that comes and goes as a whole: a bucket, or a root.
    fn place_of(&self, location: &Location) -> Option<Location> {
        let root = || self.stores.root_of(location);
        location.whole_bucket().or_else(root)
    }

    /// Whether a job may be started, as far as its places are concerned.
    pub fn admits(&self, job: &Job) -> bool {
        let needed = [Need::read(&job.input.location), Need::write(&job.output, 0)];
        !needed.into_iter().any(|need| self.is_shut(need))
    }

    /// An object was just seen where it should be: its place is there.
    pub fn seen(&self, location: &Location) {
        if let Some(name) = self.place_of(location) {
            let mut places = self.places();
            let place = places.entry(name.clone()).or_default();
            place.known = Some(location.clone());
            // What can be read may still be full.
            if place.gone.as_ref().is_some_and(|gone| gone.room.is_none()) {
                self.returned(&name, place);
            }
            self.tell(&places);
        }
    }

    /// Something was written there just now.
    pub fn written(&self, location: &Location) {
        if let Some(name) = self.place_of(location) {
            let mut places = self.places();
            if let Some(place) = places.get_mut(&name) {
                self.returned(&name, place);
            }
            self.tell(&places);
        }
    }

    fn returned(&self, name: &Location, place: &mut Place) {
        if place.gone.take().is_some() {
            tracing::info!(place = %name, "within reach again");
            place.back = Some(Instant::now());
        }
    }

    fn tell(&self, places: &BTreeMap<Location, Place>) {
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
        self.away.send_if_modified(|told| {
            let is_new = *told != away;
            *told = away;
            is_new
        });
    }

    /// Whose fault it is that an attempt failed which was started then, once
    /// the places that it needed were asked.
    pub async fn judge(self: &Arc<Self>, job: &Job, started: Instant, failure: Failure) -> Failure {
        // What follows from the input alone says nothing of the places.
        let is_writing = failure.fault != Fault::Input;
        let output = if is_writing {
            Need::write(&job.output, 0)
        } else {
            Need::read(&job.output)
        };
        for need in [Need::read(&job.input.location), output] {
            if let Some(trouble) = self.trouble(need, started).await {
                return Failure::passing(format!("{trouble} ({failure})")).with_log(failure.log);
            }
        }
        if failure.fault != Fault::Passing {
            return failure;
        }
        match self.refusal(&job.input.location).await {
            Some(refused) => refused.with_log(failure.log),
            None => Failure {
                counts: true,
                ..failure
            },
        }
    }

    /// What keeps, or has kept since then, this worker from the place of a location.
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
        let (answer, only_writing) = self.ask(need, known.as_ref()).await;
        let (error, is_unclear) = match answer {
            Answer::Well => return None,
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

    /// Waits until what failed since then, for want of a location's place, is
    /// worth another try: what was made is not thrown away for that.
    ///
    /// # Errors
    /// The failure, where the place is there, or once it is told to stop.
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
            // It takes a little, and not all of this output: only that can tell when it does.
            (None, Some(times)) => {
                tracing::warn!(%failure, "the finished output waits for room");
                let pause = FIRST_TRIAL.saturating_mul(1 << times.saturating_sub(1).min(16));
                Some(pause.min(SELDOMMEST_TRIAL))
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

    /// Waits until a place is back, or it is time to try it.
    async fn back(&self, need: Need<'_>) {
        tokio::time::sleep(FIRST_LOOK).await;
        let mut away = self.away();
        while self.is_shut(need) {
            tokio::select! {
                changed = away.changed() => if changed.is_err() {
                    return;
                },
                () = tokio::time::sleep(FIRST_LOOK) => {}
            }
        }
    }

    /// Whether a place is away, and it is not time to try it.
    fn is_shut(&self, need: Need<'_>) -> bool {
        let mut places = self.places();
        let place = self
            .place_of(need.location)
            .and_then(|place| places.get_mut(&place));
        let gone = place.and_then(|place| place.gone.as_mut());
        let gone = gone.filter(|gone| gone.lacks(need));
        gone.is_some_and(|gone| !gone.trial.as_mut().is_some_and(Trial::is_due))
    }

    /// What a place says, and whether that is about writing only.
    async fn ask(&self, need: Need<'_>, known: Option<&Location>) -> (Answer, bool) {
        let silent = |_| Answer::Away("no answer".to_owned());
        let answers = self.stores.answers(need.location, known);
        let answer = tokio::time::timeout(SILENCE, answers).await;
        let answer = answer.unwrap_or_else(silent);
        let (Answer::Well, Some(bytes)) = (&answer, need.room) else {
            return (answer, false);
        };
        let takes = self.stores.takes(need.location, bytes);
        let takes = tokio::time::timeout(SILENCE, takes).await;
        (takes.unwrap_or_else(silent), true)
    }

    /// Takes note that a place is away, and has it looked after.
    fn lose(self: &Arc<Self>, name: Location, gone: Gone) {
        let mut places = self.places();
        let place = places.entry(name.clone()).or_default();
        if let Some(known) = &mut place.gone {
            // One that takes nothing may by now not be there at all.
            if known.only_writing && !gone.only_writing {
                (known.only_writing, known.error) = (false, gone.error);
            }
            self.tell(&places);
            return;
        }
        tracing::warn!("{}: jobs that need it wait", gone.trouble(&name));
        place.gone = Some(gone);
        self.tell(&places);
        drop(places);
        tokio::spawn(Arc::clone(self).look_after(name));
    }

    /// Asks a place that is away until it is back.
    async fn look_after(self: Arc<Self>, name: Location) {
        let mut wait = FIRST_LOOK;
        loop {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(SELDOMMEST_LOOK);
            let gone = self.places().get(&name).and_then(|place| {
                let gone = place.gone.as_ref()?;
                Some((gone.near.clone(), gone.room, place.known.clone()))
            });
            // A job may have found it there.
            let Some((near, room, known)) = gone else {
                return;
            };
            let need = Need {
                location: &near,
                room,
                refused: None,
            };
            let (answer, only_writing) = self.ask(need, known.as_ref()).await;
            let mut places = self.places();
            let Some(place) = places.get_mut(&name) else {
                return;
            };
            let Some(gone) = &mut place.gone else {
                return;
            };
            gone.only_writing = only_writing;
            match answer {
                Answer::Well => {
                    self.returned(&name, place);
                    self.tell(&places);
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
            self.tell(&places);
        }
    }

    /// That the store, which answers, will not give out this object.
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
