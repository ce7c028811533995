//! Which jobs this worker takes: jobs for which it has a proved encoder and room, and which its terms admit. Nothing
//! here waits: everything that a job is compared with was measured before the poll.
//!
//! Room is reserved from before a job is claimed until the job has ended.

use std::sync::Arc;

use common::broker::{Claimant, Decline};
use common::farm::card::Capabilities;
use common::farm::orders::{Orders, Target};
use common::farm::places::Places;
use common::farm::queue::{Lane, Queue};
use common::farm::worker::Terms;
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::part::Part;
use common::job::split::Split;
use common::matching::encoder;
use jiff::SignedDuration;
use tokio::sync::watch;

use crate::cli::config::ReadMode;
use crate::dispatch::reserved::Shares;
pub use crate::dispatch::reserved::{Reserved, Ticket};
use crate::dispatch::room::{Room, copied, need};
use crate::work::reach::Reach;
use crate::work::unfit::Unfit;

/// How long a job that other workers can run is left to them.
const OTHERS: SignedDuration = SignedDuration::from_secs(5);
/// The wait before the next offer of a job whose encoder is not proved here.
const UNPROVED: SignedDuration = SignedDuration::from_secs(15);
/// The wait before the next offer of a job whose place is out of reach.
const AWAY: SignedDuration = SignedDuration::from_secs(5);
/// The wait before the next offer of a job for which there is no room.
const ROOM: SignedDuration = SignedDuration::from_secs(2);

/// Decides which jobs a worker may claim.
pub struct Admission {
    pub name: WorkerName,
    pub terms: Terms,
    pub places: Places,
    pub read: ReadMode,
    pub card: watch::Receiver<Arc<Capabilities>>,
    pub controls: watch::Receiver<Orders>,
    pub reach: Arc<Reach>,
    pub reserved: Reserved,
    /// The split jobs whose chunks are left to other workers.
    pub unfit: Unfit,
}

impl Admission {
    /// The queues that the worker serves: those of its proved encoders that its terms admit.
    pub fn queues(&self) -> Vec<Queue> {
        let mut queues = self.card.borrow().queues(&self.name);
        queues.retain(|queue| self.terms.only.is_empty() || self.terms.only.contains(queue));
        queues
    }

    /// Decides on the jobs of one poll. `room` was measured for this poll; `None` if this system does not report it.
    pub(crate) fn with(&self, room: Option<Room>) -> Applicant<'_> {
        Applicant {
            admission: self,
            room,
        }
    }
}

/// A worker in one poll.
pub(crate) struct Applicant<'a> {
    admission: &'a Admission,
    room: Option<Room>,
}

impl Applicant<'_> {
    /// Whether `need` bytes are free besides the reserved space. A job that runs alone, and whose files are not copied
    /// first, always starts, because the need is only an estimate.
    fn has_space(&self, reserved: &Shares, job: &Job, need: u64) -> bool {
        if reserved.scratch == 0 && copied(job, self.admission.read) == 0 {
            return true;
        }
        let Some(Room { free, used }) = self.room else {
            return true;
        };
        free.saturating_add(used.min(reserved.scratch)) >= reserved.scratch.saturating_add(need)
    }
}

/// Whether the part of a job that waits in this lane is one that encodes video.
fn needs_encoder(job: &Job, lane: &Lane) -> bool {
    let is_join = job.split != Split::Off && lane.queue == Queue::Copy;
    job.id.part() != Part::Rest && !is_join
}

impl Claimant for Applicant<'_> {
    type Ticket = Ticket;

    fn name(&self) -> &WorkerName {
        &self.admission.name
    }

    fn is_open(&self, queue: &Queue) -> bool {
        let target = Target::Queue(queue.clone());
        if self.admission.controls.borrow().is_paused(&target) {
            return false;
        }
        let card = self.admission.card.borrow();
        if matches!(queue, Queue::On(_) | Queue::Copy) {
            return true;
        }
        let reserved = self.admission.reserved.shares();
        encoder::usual(&card, queue)
            .is_some_and(|(encoder, proof)| !reserved.is_full(encoder.kind(), proof))
    }

    fn prefers(&self, queue: &Queue) -> bool {
        self.admission.terms.prefer.contains(queue)
    }

    fn admit(&self, job: &Job, lane: &Lane) -> Result<Ticket, Decline> {
        if self
            .admission
            .controls
            .borrow()
            .is_paused(&Target::Batch(job.batch))
        {
            return Err(Decline::Park);
        }
        // Before any file of the job is touched.
        if self.admission.places.admit_all(&job.needed()).is_err() {
            return Err(Decline::Leave(OTHERS));
        }
        if self.admission.unfit.has(&job.id) {
            return Err(Decline::Leave(UNPROVED));
        }
        let is_pinned = matches!(lane.queue, Queue::On(_));
        // A pinned job runs on its worker, whatever the worker's usual terms.
        if !is_pinned && !self.admission.terms.admit(job.bytes()) {
            return Err(Decline::Leave(OTHERS));
        }
        let card = self.admission.card.borrow();
        if card.missing_metric(&job.recipe).is_some() {
            return Err(Decline::Leave(UNPROVED));
        }
        let mut reserved = self.admission.reserved.shares();
        let mut session = None;
        // Joining and copying need no encoder.
        let encode = job
            .recipe
            .video_encode()
            .filter(|_| needs_encoder(job, lane));
        if let Some(encode) = encode {
            let Ok((encoder, proof)) = encoder::choose(&card, encode, &lane.queue) else {
                return Err(Decline::Leave(UNPROVED));
            };
            if reserved.is_full(encoder.kind(), proof) {
                let usual = encoder::usual(&card, &lane.queue);
                let is_usual = usual.is_some_and(|(usual, _)| usual == encoder);
                // The next job of the lane may need another device.
                return Err(if is_pinned || !is_usual {
                    Decline::Leave(ROOM)
                } else {
                    Decline::Full(ROOM)
                });
            }
            session = proof.sessions.map(|_| encoder.kind());
        }
        let need = need(job, self.admission.read);
        if !self.has_space(&reserved, job, need) {
            return Err(Decline::Full(if is_pinned { ROOM } else { OTHERS }));
        }
        // The last check, because admitting the job may test whether a place is back.
        if !self.admission.reach.admits(job) {
            return Err(Decline::Leave(AWAY));
        }
        reserved.scratch += need;
        if let Some(kind) = session {
            *reserved.sessions.entry(kind).or_default() += 1;
        }
        Ok(Ticket {
            reserved: self.admission.reserved.clone(),
            scratch: need,
            session,
        })
    }
}

#[cfg(test)]
mod tests {
    use common::farm::card::Proof;
    use common::farm::queue::Priority;
    use common::job::further::{FurtherInput, FurtherRole, Join};
    use common::job::id::BatchId;
    use common::job::input::Input;
    use common::names::location::Location;
    use common::recipe::encoder::Encoder;
    use common::recipe::{Captions, Choice, Recipe, VideoEncode};
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

    fn admission(terms: Terms) -> Admission {
        let (_, card) = watch::channel(Arc::new(card()));
        let (_, controls) = watch::channel(Orders::default());
        let none: [&std::path::Path; 0] = [];
        let media = vec!["s3://media/in".parse().expect("a location")];
        let stores = Stores::new().within(Roots::new(none).expect("no folder"), media);
        let reach = Reach::new(&stores, common::broker::Clock::default());
        Admission {
            name: "w".parse().expect("a name"),
            terms,
            places: reach.allowed(),
            read: ReadMode::InPlace,
            card,
            controls,
            reach,
            unfit: Unfit::default(),
            reserved: Reserved::default(),
        }
    }

    #[test]
    fn a_device_without_a_session_left_closes_the_queues_that_would_use_it() {
        let admission = admission(Terms::default());
        let applicant = admission.with(None);
        let (_, any_lane) = job("hevc_nvenc", 1);
        let any_lane = Lane {
            queue: Queue::Any(common::recipe::encoder::Codec::Hevc),
            ..any_lane
        };
        let any = |size| {
            let (mut job, _) = job("hevc_nvenc", size);
            let choice = Choice::Codec(common::recipe::encoder::Codec::Hevc);
            job.recipe = Recipe::encode(VideoEncode::new(choice)).expect("a sound recipe");
            applicant.admit(&job, &any_lane)
        };
        let _first = any(1).expect("free");
        assert!(applicant.is_open(&any_lane.queue));
        let second = any(2).expect("free");
        assert_eq!(any(3).err(), Some(Decline::Full(ROOM)), "none of the lane");
        assert!(!applicant.is_open(&any_lane.queue), "not even looked at");
        // The next job that is pinned to this worker may need another device.
        let pinned = Lane {
            queue: Queue::On("w".parse().expect("a name")),
            ..any_lane.clone()
        };
        let (nvenc, _) = job("h264_nvenc", 4);
        assert_eq!(
            applicant.admit(&nvenc, &pinned).err(),
            Some(Decline::Leave(ROOM))
        );
        drop(second);
        assert!(applicant.is_open(&any_lane.queue));
        any(5).expect("given back");
    }

    #[test]
    fn a_job_of_a_codec_waits_for_the_device_that_it_needs_only() {
        let admission = admission(Terms::default());
        let applicant = admission.with(None);
        let any = |in_two_passes: bool| {
            let (mut job, lane) = job("hevc_nvenc", 1);
            let mut video = VideoEncode::new(Choice::Codec(common::recipe::encoder::Codec::Hevc));
            if in_two_passes {
                // NVENC has no two passes.
                video.rate = common::recipe::Rate::Bitrate("1M".parse().expect("a bitrate"));
                video.two_pass = true;
            }
            job.recipe = Recipe::encode(video).expect("a sound recipe");
            let lane = Lane {
                queue: job.recipe.queue(),
                ..lane
            };
            applicant.admit(&job, &lane)
        };
        let _nvenc = [any(false).expect("free"), any(false).expect("free")];
        any(true).expect("software has no sessions");
        assert_eq!(any(false).err(), Some(Decline::Full(ROOM)));
    }

    #[test]
    fn a_devices_sessions_are_shared_by_its_encoders_and_given_back() {
        let admission = admission(Terms::default());
        let applicant = admission.with(None);
        let admit = |by: &str| {
            let (job, lane) = job(by, 1);
            applicant.admit(&job, &lane).map_err(|_| by.to_owned())
        };
        let first = admit("hevc_nvenc").expect("free");
        let _second = admit("h264_nvenc").expect("free");
        assert!(admit("hevc_nvenc").is_err(), "both are in use");
        let (_, lane) = job("hevc_nvenc", 1);
        assert!(!applicant.is_open(&lane.queue), "not even looked at");
        let _software = admit("libx265").expect("no device");
        drop(first);
        assert!(applicant.is_open(&lane.queue));
        admit("hevc_nvenc").expect("given back");
    }

    #[test]
    fn what_is_too_large_or_not_proved_is_left_to_others_unless_it_is_pinned() {
        let admission = admission(Terms {
            max_size: Some(10),
            ..Terms::default()
        });
        let applicant = admission.with(None);
        let (large, lane) = job("libx265", 11);
        assert_eq!(
            applicant.admit(&large, &lane).err(),
            Some(Decline::Leave(OTHERS))
        );
        let pinned = Lane {
            queue: Queue::On("w".parse().expect("a name")),
            ..lane
        };
        assert!(applicant.admit(&large, &pinned).is_ok());
        let (foreign, _) = job("av1_qsv", 1);
        assert_eq!(
            applicant.admit(&foreign, &pinned).err(),
            Some(Decline::Leave(UNPROVED))
        );
    }

    #[test]
    fn what_lies_elsewhere_is_left_to_others_even_where_it_is_pinned() {
        let admission = admission(Terms::default());
        let applicant = admission.with(None);
        let (job, lane) = job("libx265", 1);
        let pinned = Lane {
            queue: Queue::On("w".parse().expect("a name")),
            ..lane.clone()
        };
        assert!(applicant.admit(&job, &lane).is_ok());
        for elsewhere in ["s3://media/b", "s3://other/in/b", "file:///b"] {
            let elsewhere: Location = elsewhere.parse().expect("a location");
            let mut reads = job.clone();
            reads.input.location = elsewhere.clone();
            let mut writes = job.clone();
            writes.output = elsewhere;
            for (job, lane) in [(&reads, &lane), (&writes, &lane), (&writes, &pinned)] {
                let declined = applicant.admit(job, lane).err();
                assert_eq!(declined, Some(Decline::Leave(OTHERS)));
            }
        }
    }

    #[test]
    fn copies_that_are_made_before_the_encode_need_room_even_for_a_job_that_runs_alone() {
        let admission = admission(Terms::default());
        let room = |free: u64| {
            let free = free << 20;
            admission.with(Some(Room { free, used: 0 }))
        };
        let (mut joined, lane) = job("libx265", 100 << 20);
        let part = FurtherInput {
            role: FurtherRole::Continuation(Join::CopyIfAlike),
            input: joined.input.clone(),
        };
        joined.further.push(part);
        // Both parts are downloaded, joined into one file, and that is encoded.
        let none = room(599).admit(&joined, &lane).err();
        assert_eq!(none, Some(Decline::Full(OTHERS)));
        room(600).admit(&joined, &lane).expect("free enough");
        // A file of which captions are extracted is downloaded.
        let (mut captioned, lane) = job("libx265", 100 << 20);
        let recipe = captioned
            .recipe
            .edit(|draft| draft.captions = Captions::Srt);
        captioned.recipe = recipe.expect("a sound recipe");
        let none = room(199).admit(&captioned, &lane).err();
        assert_eq!(none, Some(Decline::Full(OTHERS)));
        room(200).admit(&captioned, &lane).expect("free enough");
    }

    #[test]
    fn scratch_space_is_held_until_a_job_has_ended() {
        let admission = admission(Terms::default());
        let (job, lane) = job("libx265", 100 << 20);
        let room = |free: u64, used: u64| {
            let (free, used) = (free << 20, used << 20);
            admission.with(Some(Room { free, used }))
        };
        let alone = room(10, 0).admit(&job, &lane);
        let first = alone.expect("a job that runs alone is not kept waiting for a guess");
        let second = room(200, 0).admit(&job, &lane).expect("free enough");
        let none = room(299, 0).admit(&job, &lane).err();
        assert_eq!(none, Some(Decline::Full(OTHERS)), "the two need 200 of it");
        // The bytes that running jobs have written are part of their reserved space.
        let third = room(200, 100).admit(&job, &lane).expect("free enough");
        drop((first, second, third));
        room(10, 0).admit(&job, &lane).expect("given back");
    }
}
