//! The known lanes, and when to search for more.

use std::collections::BTreeSet;
use std::time::Duration;

use common::farm::queue::{Lane, Queue};
use tokio::time::Instant;

use crate::dispatch::core::event::{Action, NoAnswer, Now, Search};

/// Time between two searches for lanes whose announcement was missed.
const SEARCH: Duration = Duration::from_secs(45);
/// Time before a request without an answer is repeated.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a poll waits for lanes that are being opened or searched for: one of them may hold the most urgent job.
/// The wait has a limit, because a cluster without a leader does not answer for longer.
const HOLD: Duration = Duration::from_secs(2);

/// The lanes of one worker.
#[derive(Clone, Debug)]
pub(crate) struct KnownLanes {
    /// The queues that the worker serves.
    queues: Vec<Queue>,
    known: BTreeSet<Lane>,
    /// Lanes that were announced.
    heard: BTreeSet<Lane>,
    /// The earliest time to open the announced lanes.
    open_at: Instant,
    opening: Option<Opening>,
    /// Whether the next search is for all lanes.
    is_lost: bool,
    search_at: Instant,
    searching: Option<Searching>,
}

#[derive(Clone, Debug)]
struct Opening {
    lanes: BTreeSet<Lane>,
    since: Instant,
}

#[derive(Clone, Debug)]
struct Searching {
    since: Instant,
    is_for_all: bool,
    /// Lanes that were opened meanwhile.
    opened: BTreeSet<Lane>,
}

impl KnownLanes {
    pub(super) fn new(queues: Vec<Queue>, now: &Now) -> Self {
        Self {
            queues,
            known: BTreeSet::new(),
            heard: BTreeSet::new(),
            open_at: now.at,
            opening: None,
            is_lost: true,
            search_at: now.at,
            searching: None,
        }
    }

    pub(super) fn serves(&self, lane: &Lane) -> bool {
        self.queues.contains(&lane.queue)
    }

    pub(super) fn queues(&self) -> &[Queue] {
        &self.queues
    }

    /// The lanes to poll, the most urgent first.
    pub(super) fn known(&self) -> Vec<Lane> {
        self.known.iter().rev().cloned().collect()
    }

    /// Serves these queues from now on; returns whether they changed.
    pub(super) fn serve(&mut self, queues: Vec<Queue>, now: &Now) -> bool {
        let is_new = self.queues != queues;
        if is_new {
            self.queues = queues;
            self.known.retain(|lane| self.queues.contains(&lane.queue));
            self.heard.retain(|lane| self.queues.contains(&lane.queue));
            self.lose(now);
        }
        is_new
    }

    /// A lane was announced.
    pub(super) fn hear(&mut self, lane: &Lane) {
        let is_opening = |opening: &Opening| opening.lanes.contains(lane);
        if self.serves(lane)
            && !self.known.contains(lane)
            && !self.opening.as_ref().is_some_and(is_opening)
        {
            self.heard.insert(lane.clone());
        }
    }

    /// A lane may be removed, or the broker may be a new one.
    pub(super) fn lose(&mut self, now: &Now) {
        self.is_lost = true;
        self.search_soon(now);
    }

    /// Announcements may have been missed.
    pub(super) fn search_soon(&mut self, now: &Now) {
        self.search_at = self.search_at.min(now.at);
    }

    /// Returns whether there are more lanes to poll.
    pub(super) fn opened(&mut self, outcome: Result<Vec<Lane>, NoAnswer>, now: &Now) -> bool {
        let before = self.known.len();
        let opening = self.opening.take();
        match outcome {
            Ok(lanes) => {
                let lanes = self.served(lanes);
                if let Some(searching) = &mut self.searching {
                    searching.opened.extend(lanes.iter().cloned());
                }
                self.known.extend(lanes);
            }
            Err(NoAnswer) => {
                let lanes = opening.into_iter().flat_map(|opening| opening.lanes);
                let lanes = self.served(lanes);
                self.heard.extend(lanes);
                self.open_at = now.at + AGAIN;
            }
        }
        self.known.len() > before
    }

    /// Returns whether the lanes to poll changed.
    pub(super) fn found(&mut self, outcome: Result<Vec<Lane>, NoAnswer>, now: &Now) -> bool {
        let before = self.known.clone();
        let searching = self.searching.take();
        let is_for_all = searching.as_ref().is_some_and(|search| search.is_for_all);
        match outcome {
            Ok(lanes) => {
                if is_for_all {
                    self.known.clear();
                }
                let opened = searching.into_iter().flat_map(|search| search.opened);
                let lanes = self.served(lanes.into_iter().chain(opened));
                self.known.extend(lanes);
            }
            Err(NoAnswer) if is_for_all => {
                self.is_lost = true;
                self.search_at = now.at + AGAIN;
            }
            Err(NoAnswer) => {}
        }
        self.heard.retain(|lane| !self.known.contains(lane));
        self.known != before
    }

    fn served(&self, lanes: impl IntoIterator<Item = Lane>) -> Vec<Lane> {
        lanes.into_iter().filter(|lane| self.serves(lane)).collect()
    }

    /// Adds the actions that are due. Announced lanes are opened even while there is no room for a job: the next free
    /// slot must go to the most urgent job.
    pub(super) fn decide<J>(&mut self, now: &Now, has_room: bool, actions: &mut Vec<Action<J>>) {
        if self.opening.is_none() && !self.heard.is_empty() && now.at >= self.open_at {
            let lanes = std::mem::take(&mut self.heard);
            actions.push(Action::OpenLanes(lanes.iter().cloned().collect()));
            self.opening = Some(Opening {
                lanes,
                since: now.at,
            });
        }
        if has_room && self.searching.is_none() && now.at >= self.search_at {
            self.search_at = now.at + SEARCH;
            let is_for_all = std::mem::take(&mut self.is_lost);
            let queues = self.queues.clone();
            actions.push(Action::Search(if is_for_all {
                Search::All(queues)
            } else {
                Search::More(queues)
            }));
            self.searching = Some(Searching {
                since: now.at,
                is_for_all,
                opened: BTreeSet::new(),
            });
        }
    }

    /// The time until which a poll waits for lanes that are not known yet.
    pub(super) fn held_until(&self) -> Option<Instant> {
        let opening = self.opening.as_ref().map(|opening| opening.since);
        let searching = self.searching.as_ref();
        let searching = searching.filter(|search| search.is_for_all);
        let since = opening.max(searching.map(|search| search.since));
        since.map(|since| since + HOLD)
    }

    /// The time of the next action if no event comes before.
    pub(super) fn due(&self, has_room: bool) -> Option<Instant> {
        let open = (self.opening.is_none() && !self.heard.is_empty()).then_some(self.open_at);
        let search = (has_room && self.searching.is_none()).then_some(self.search_at);
        [open, search].into_iter().flatten().min()
    }
}
