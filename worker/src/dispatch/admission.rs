//! Which jobs this worker takes: those that it has proved an encoder for, that
//! its terms admit, and that it has room for. Room is held from before a job
//! is claimed until it has ended. How much there is on the disk is measured
//! before jobs are looked for: a disk may be slow, and claiming must not wait.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::broker::{Claimant, Decline};
use common::farm::card::{Capabilities, Proof};
use common::farm::orders::{Controls, Target};
use common::farm::places::Places;
use common::farm::queue::{Lane, Queue};
use common::farm::worker::Terms;
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::recipe::encoder::EncoderKind;
use jiff::SignedDuration;
use tokio::sync::watch;

use crate::attempt::scratch;
use crate::config::ReadMode;
use crate::reach::Reach;
use crate::report::load::free_space;

/// A job that another worker should have is offered again after that long.
const OTHERS: SignedDuration = SignedDuration::from_secs(5);
/// A job that nobody else may have waits for this worker to prove an encoder.
const UNPROVED: SignedDuration = SignedDuration::from_secs(15);
/// A job whose input or output this worker cannot reach. Another may.
const AWAY: SignedDuration = SignedDuration::from_secs(5);
/// A job that waits for room on this worker.
const ROOM: SignedDuration = SignedDuration::from_secs(2);
/// How long a look for jobs waits for the disk.
const MEASURING: Duration = Duration::from_secs(1);
/// What a job needs in scratch at the least, in bytes.
const LEAST: u64 = 16 << 20;

/// What decides on each job.
pub struct Admission {
    name: WorkerName,
    terms: Terms,
    places: Places,
    read: ReadMode,
    scratch: PathBuf,
    card: watch::Receiver<Arc<Capabilities>>,
    controls: watch::Receiver<Controls>,
    reach: Arc<Reach>,
    held: Arc<Mutex<Held>>,
    /// Free and used bytes where scratch files lie, when last measured; `None`
    /// where this system does not tell.
    space: Mutex<Option<Space>>,
}

/// What the disk of the scratch folder has.
#[derive(Clone, Copy)]
struct Space {
    free: u64,
    /// By this worker's jobs.
    used: u64,
}

/// Room that running jobs hold.
#[derive(Default)]
struct Held {
    /// Bytes of scratch space.
    scratch: u64,
    /// Encodes, by what they run on.
    sessions: HashMap<EncoderKind, u32>,
}

impl Held {
    /// Whether the device would refuse another encode.
    fn is_full(&self, kind: EncoderKind, proof: &Proof) -> bool {
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
        card: watch::Receiver<Arc<Capabilities>>,
        controls: watch::Receiver<Controls>,
        reach: Arc<Reach>,
    ) -> Self {
        Self {
            name,
            terms,
            places: reach.allowed(),
            read,
            scratch,
            card,
            controls,
            reach,
            held: Arc::default(),
            space: Mutex::default(),
        }
    }

    /// Measures how much scratch space there is. A disk that does not answer in
    /// time counts as it was.
    pub async fn measure(&self) {
        let folder = self.scratch.clone();
        let measured = tokio::task::spawn_blocking(move || {
            free_space(&folder).map(|free| Space {
                free,
                used: scratch::size(&folder),
            })
        });
        if let Ok(Ok(space)) = tokio::time::timeout(MEASURING, measured).await {
            *self.space.lock().unwrap_or_else(PoisonError::into_inner) = space;
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
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
        let space = *self.space.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Space { free, used }) = space else {
            return true;
        };
        free.saturating_add(used.min(held.scratch)) >= held.scratch.saturating_add(need)
    }
}

/// Room for one job, given up when dropped.
pub struct Ticket {
    held: Arc<Mutex<Held>>,
    scratch: u64,
    session: Option<EncoderKind>,
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
        let card = self.card.borrow();
        let proved = match queue {
            Queue::Encoder(encoder) => card.proof(encoder).map(|proof| (encoder, proof)),
            Queue::Any(codec) => card.best(*codec),
            Queue::On(_) | Queue::Copy => return true,
        };
        let held = self.held();
        proved.is_some_and(|(encoder, proof)| !held.is_full(encoder.kind(), proof))
    }

    fn prefers(&self, queue: &Queue) -> bool {
        self.terms.prefer.contains(queue)
    }

    fn admit(&self, job: &Job, lane: &Lane) -> Result<Ticket, Decline> {
        if self.controls.borrow().is_paused(&Target::Batch(job.batch)) {
            return Err(Decline::Park);
        }
        // Before anything of it is looked at.
        if self.places.admit_all(&job.needed()).is_err() {
            return Err(Decline::Leave(OTHERS));
        }
        let is_pinned = matches!(lane.queue, Queue::On(_));
        // Who pins a job to a worker wants it there, whatever its usual terms.
        if !is_pinned && !self.terms.admit(job.input.size) {
            return Err(Decline::Leave(OTHERS));
        }
        let card = self.card.borrow();
        let mut held = self.held();
        let mut session = None;
        if let Some(encode) = job.recipe.video_encode() {
            let Some((encoder, proof)) = card.chosen(&encode.with, &lane.queue) else {
                return Err(Decline::Leave(UNPROVED));
            };
            if held.is_full(encoder.kind(), proof) {
                // One that is pinned here may need another device than the next.
                return Err(if is_pinned {
                    Decline::Leave(ROOM)
                } else {
                    Decline::Full(ROOM)
                });
            }
            session = proof.sessions.map(|_| encoder.kind());
        }
        let need = self.need(job);
        if !self.has_space(&held, job, need) {
            return Err(Decline::Full(if is_pinned { ROOM } else { OTHERS }));
        }
        // Last: this job may be the one that finds out whether a place is back.
        if !self.reach.admits(job) {
            return Err(Decline::Leave(AWAY));
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

#[cfg(test)]
mod tests {

    use common::farm::queue::Priority;
    use common::job::id::BatchId;
    use common::job::input::Input;
    use common::names::location::Location;
    use common::recipe::encoder::Encoder;
    use common::recipe::{Choice, Recipe, VideoEncode};
    use common::store::Stores;
    use common::store::roots::Roots;
    use common::testing;

    use super::*;

    fn encoder(name: &str) -> Encoder {
        name.parse().expect("a name")
    }

    /// NVENC that takes two encodes at once, and a software encoder.
    fn card() -> Capabilities {
        let proved = [
            ("hevc_nvenc", Some(2)),
            ("h264_nvenc", Some(2)),
            ("libx265", None),
        ];
        testing::card(proved.map(|(name, sessions)| {
            let encoder = encoder(name);
            let proof = Proof {
                largest: (4096, 2160),
                sessions,
                ..testing::proof(&encoder)
            };
            (encoder, proof)
        }))
    }

    fn job(by: &str, size: u64) -> (Job, Lane) {
        let folder = Location::s3("media", "in").expect("a location");
        let input = Input {
            location: folder.join("a"),
            size,
            version: "1".to_owned(),
        };
        let recipe =
            Recipe::encode(VideoEncode::new(Choice::Encoder(encoder(by)))).expect("a sound recipe");
        let lane = Lane {
            priority: Priority::default(),
            queue: recipe.queue(),
        };
        let output = folder.join("b");
        (Job::new(BatchId::new(), input, output, recipe, None), lane)
    }

    /// With a scratch folder of its own: what lies there counts as the jobs'.
    fn admission(terms: Terms) -> (Admission, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let (_, card) = watch::channel(Arc::new(card()));
        let (_, controls) = watch::channel(Controls::default());
        let name = "w".parse().expect("a name");
        let scratch = folder.path().to_owned();
        let none: [&std::path::Path; 0] = [];
        let media = vec!["s3://media/in".parse().expect("a location")];
        let stores = Stores::new().within(Roots::new(none).expect("no folder"), media);
        let reach = Reach::new(&stores, common::broker::Clock::default());
        let admission = Admission::new(
            name,
            terms,
            ReadMode::InPlace,
            scratch,
            card,
            controls,
            reach,
        );
        (admission, folder)
    }

    #[test]
    fn a_device_without_a_session_left_closes_the_queues_that_would_use_it() {
        let (admission, _folder) = admission(Terms::default());
        let (_, any_lane) = job("hevc_nvenc", 1);
        let any_lane = Lane {
            queue: Queue::Any(common::recipe::encoder::Codec::Hevc),
            ..any_lane
        };
        let any = |size| {
            let (mut job, _) = job("hevc_nvenc", size);
            let choice = Choice::Codec(common::recipe::encoder::Codec::Hevc);
            job.recipe = Recipe::encode(VideoEncode::new(choice)).expect("a sound recipe");
            admission.admit(&job, &any_lane)
        };
        let _first = any(1).expect("free");
        assert!(admission.is_open(&any_lane.queue));
        let second = any(2).expect("free");
        assert_eq!(any(3).err(), Some(Decline::Full(ROOM)), "none of the lane");
        assert!(!admission.is_open(&any_lane.queue), "not even looked at");
        // Where a job is pinned to this worker, the next one may need another device.
        let pinned = Lane {
            queue: Queue::On("w".parse().expect("a name")),
            ..any_lane.clone()
        };
        let (nvenc, _) = job("h264_nvenc", 4);
        assert_eq!(
            admission.admit(&nvenc, &pinned).err(),
            Some(Decline::Leave(ROOM))
        );
        drop(second);
        assert!(admission.is_open(&any_lane.queue));
        any(5).expect("given back");
    }

    #[test]
    fn a_devices_sessions_are_shared_by_its_encoders_and_given_back() {
        let (admission, _folder) = admission(Terms::default());
        let admit = |by: &str| {
            let (job, lane) = job(by, 1);
            admission.admit(&job, &lane).map_err(|_| by.to_owned())
        };
        let first = admit("hevc_nvenc").expect("free");
        let _second = admit("h264_nvenc").expect("free");
        assert!(admit("hevc_nvenc").is_err(), "both are in use");
        let (_, lane) = job("hevc_nvenc", 1);
        assert!(!admission.is_open(&lane.queue), "not even looked at");
        let _software = admit("libx265").expect("no device");
        drop(first);
        assert!(admission.is_open(&lane.queue));
        admit("hevc_nvenc").expect("given back");
    }

    #[test]
    fn what_is_too_large_or_not_proved_is_left_to_others_unless_it_is_pinned() {
        let (admission, _folder) = admission(Terms {
            max_size: Some(10),
            ..Terms::default()
        });
        let (large, lane) = job("libx265", 11);
        assert_eq!(
            admission.admit(&large, &lane).err(),
            Some(Decline::Leave(OTHERS))
        );
        let pinned = Lane {
            queue: Queue::On("w".parse().expect("a name")),
            ..lane
        };
        assert!(admission.admit(&large, &pinned).is_ok());
        let (foreign, _) = job("av1_qsv", 1);
        assert_eq!(
            admission.admit(&foreign, &pinned).err(),
            Some(Decline::Leave(UNPROVED))
        );
    }

    #[test]
    fn what_lies_elsewhere_is_left_to_others_even_where_it_is_pinned() {
        let (admission, _folder) = admission(Terms::default());
        let (job, lane) = job("libx265", 1);
        let pinned = Lane {
            queue: Queue::On("w".parse().expect("a name")),
            ..lane.clone()
        };
        assert!(admission.admit(&job, &lane).is_ok());
        for elsewhere in ["s3://media/b", "s3://other/in/b", "file:///b"] {
            let elsewhere: Location = elsewhere.parse().expect("a location");
            let mut reads = job.clone();
            reads.input.location = elsewhere.clone();
            let mut writes = job.clone();
            writes.output = elsewhere;
            for (job, lane) in [(&reads, &lane), (&writes, &lane), (&writes, &pinned)] {
                let declined = admission.admit(job, lane).err();
                assert_eq!(declined, Some(Decline::Leave(OTHERS)));
            }
        }
    }

    #[tokio::test]
    async fn scratch_space_is_held_until_a_job_has_ended() {
        let (admission, _folder) = admission(Terms::default());
        admission.measure().await;
        let free = free_space(&admission.scratch).expect("this system tells");
        let (job, lane) = job("libx265", free / 2);
        let first = admission.admit(&job, &lane).expect("it is alone");
        // Others may fill or empty the disk a little meanwhile.
        let second = admission.admit(&job, &lane);
        assert_eq!(
            admission.admit(&job, &lane).err(),
            Some(Decline::Full(OTHERS)),
            "more than there is"
        );
        drop((first, second));
        assert!(admission.admit(&job, &lane).is_ok());
    }
}
