//! Which jobs this worker takes: those that it has proved an encoder for, that
//! its terms admit, and that it has room for. Room is held from before a job
//! is claimed until it has ended.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use common::broker::{Claimant, Decline};
use common::card::{Card, Proof};
use common::control::{Controls, Target};
use common::encoder::Kind;
use common::job::Job;
use common::queue::{Lane, Queue};
use common::worker::{Terms, WorkerName};
use jiff::SignedDuration;
use tokio::sync::watch;

use crate::config::ReadMode;
use crate::meter::free_space;
use crate::scratch;

/// A job that another worker should have is offered again after that long.
const OTHERS: SignedDuration = SignedDuration::from_secs(5);
/// A job that nobody else may have waits for this worker to prove an encoder.
const UNPROVED: SignedDuration = SignedDuration::from_secs(15);
/// A job that waits for room on this worker.
const ROOM: SignedDuration = SignedDuration::from_secs(2);
/// What a job needs in scratch at the least, in bytes.
const LEAST: u64 = 16 << 20;

/// What decides on each job.
pub struct Admission {
    name: WorkerName,
    terms: Terms,
    read: ReadMode,
    scratch: PathBuf,
    card: watch::Receiver<Arc<Card>>,
    controls: watch::Receiver<Controls>,
    held: Arc<Mutex<Held>>,
}

/// Room that running jobs hold.
#[derive(Default)]
struct Held {
    /// Bytes of scratch space.
    scratch: u64,
    /// Encodes, by what they run on.
    sessions: HashMap<Kind, u32>,
}

impl Held {
    /// Whether the device would refuse another encode.
    fn is_full(&self, kind: Kind, proof: &Proof) -> bool {
        let used = self.sessions.get(&kind).copied().unwrap_or(0);
        proof.sessions.is_some_and(|most| used >= most)
    }
}

impl Admission {
    /// For a worker of this name.
    pub fn new(
        name: WorkerName,
        terms: Terms,
        read: ReadMode,
        scratch: PathBuf,
        card: watch::Receiver<Arc<Card>>,
        controls: watch::Receiver<Controls>,
    ) -> Self {
        Self {
            name,
            terms,
            read,
            scratch,
            card,
            controls,
            held: Arc::default(),
        }
    }

    /// The queues that it serves: what it has proved and what its terms leave of it.
    pub fn queues(&self) -> Vec<Queue> {
        let mut queues = self.card.borrow().queues(&self.name);
        queues.retain(|queue| self.terms.only.is_empty() || self.terms.only.contains(queue));
        queues
    }

    fn is_downloaded(&self, job: &Job) -> bool {
        job.input.location.is_remote() && self.read == ReadMode::Download
    }

    /// Bytes of scratch space that a job may come to need: its output is
    /// seldom larger than its input.
    fn need(&self, job: &Job) -> u64 {
        let copies = 1 + u64::from(self.is_downloaded(job));
        job.input.size.saturating_mul(copies).max(LEAST)
    }

    /// Whether that much is free besides what running jobs may still need. One
    /// that runs alone and is read in place is not kept waiting for a guess.
    fn has_space(&self, held: &Held, job: &Job, need: u64) -> bool {
        if held.scratch == 0 && !self.is_downloaded(job) {
            return true;
        }
        let Some(free) = free_space(&self.scratch) else {
            return true;
        };
        let used = scratch::size(&self.scratch);
        free.saturating_add(used.min(held.scratch)) >= held.scratch.saturating_add(need)
    }
}

/// Room for one job, given up when dropped.
pub struct Ticket {
    held: Arc<Mutex<Held>>,
    scratch: u64,
    session: Option<Kind>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.scratch -= self.scratch;
        if let Some(kind) = self.session
            && let Some(sessions) = held.sessions.get_mut(&kind)
        {
            *sessions -= 1;
        }
    }
}

impl Claimant for Admission {
    type Ticket = Ticket;

    fn name(&self) -> &WorkerName {
        &self.name
    }

    fn is_open(&self, queue: &Queue) -> bool {
        let target = Target::Queue(queue.clone());
        if self.controls.borrow().is_paused(&target) {
            return false;
        }
        let Queue::Encoder(encoder) = queue else {
            return true;
        };
        let card = self.card.borrow();
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        card.proof(encoder)
            .is_some_and(|proof| !held.is_full(encoder.kind(), proof))
    }

    fn prefers(&self, queue: &Queue) -> bool {
        self.terms.prefer.contains(queue)
    }

    fn admit(&self, job: &Job, lane: &Lane) -> Result<Ticket, Decline> {
        if self.controls.borrow().is_paused(&Target::Batch(job.batch)) {
            return Err(Decline::Park);
        }
        let is_pinned = matches!(lane.queue, Queue::On(_));
        // Who pins a job to a worker wants it there, whatever its usual terms.
        if !is_pinned && !self.terms.admit(job.input.size) {
            return Err(Decline::Leave(OTHERS));
        }
        let card = self.card.borrow();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut session = None;
        if let Some(encode) = job.recipe.video_encode() {
            let Some((encoder, proof)) = encode.with.on(&card, &lane.queue) else {
                return Err(Decline::Leave(UNPROVED));
            };
            if held.is_full(encoder.kind(), proof) {
                return Err(Decline::Leave(ROOM));
            }
            session = proof.sessions.map(|_| encoder.kind());
        }
        let need = self.need(job);
        if !self.has_space(&held, job, need) {
            return Err(Decline::Leave(if is_pinned { ROOM } else { OTHERS }));
        }
        held.scratch += need;
        if let Some(kind) = session {
            *held.sessions.entry(kind).or_default() += 1;
        }
        Ok(Ticket {
            held: Arc::clone(&self.held),
            scratch: need,
            session,
        })
    }
}
