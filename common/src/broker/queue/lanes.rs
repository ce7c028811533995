//! Lanes: the durable pull consumers, made when somebody first needs one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::jetstream::stream::Stream;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::broker::{Broker, BrokerError};
use crate::farm::queue::{Lane, Priority, Queue};
use crate::names::subject;
use crate::names::subject::JOBS;

/// Pull requests that may wait on one lane: more than workers that ever look at once.
const MAX_WAITING: i64 = 65_536;
/// Lanes that are asked about at once: one after the other, a far broker would
/// take minutes.
const AT_ONCE: usize = 16;

/// The lanes that a worker knows of, the most urgent first. A clone shares what is
/// learned of a lane by polling it.
#[derive(Clone, Default)]
pub struct Lanes {
    known: BTreeMap<std::cmp::Reverse<Lane>, Arc<Known>>,
}

/// What is known of a lane.
pub(crate) struct Known {
    /// How long a job of it may go without a sign of life.
    pub ack_wait: Duration,
    /// How many jobs the next fetch asks for at the least: more than are wanted,
    /// where the last ones were all declined.
    pub reach: AtomicUsize,
    /// Whether the last look was broken off before it knew all jobs of the lane.
    pub is_unfinished: AtomicBool,
    /// Until when the lane is left to others, as all its jobs were declined.
    rests_until: Mutex<Option<Instant>>,
}

impl Known {
    fn rests_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the lane to others for a while.
    pub(crate) fn rest(&self, length: Duration) {
        *self.rests_until() = Instant::now().checked_add(length);
    }

    fn rouse(&self) {
        *self.rests_until() = None;
    }

    /// Whether the lane is left to others.
    pub(crate) fn is_resting(&self) -> bool {
        self.rests_until()
            .is_some_and(|until| Instant::now() < until)
    }
}

impl Lanes {
    /// Each lane, the most urgent first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Lane, &Known)> {
        self.known
            .iter()
            .map(|(lane, known)| (&lane.0, known.as_ref()))
    }

    /// The name of each, the most urgent first.
    pub fn names(&self) -> impl Iterator<Item = &Lane> {
        self.known.keys().map(|lane| &lane.0)
    }

    /// Those of these names that are known.
    #[must_use]
    pub fn only<'a>(&self, names: impl IntoIterator<Item = &'a Lane>) -> Self {
        let known = names.into_iter().filter_map(|lane| {
            let lane = std::cmp::Reverse(lane.clone());
            let known = Arc::clone(self.known.get(&lane)?);
            Some((lane, known))
        });
        Self {
            known: known.collect(),
        }
    }

    /// Adds other lanes; of a lane that both know, what the other knows holds.
    pub fn extend(&mut self, other: Self) {
        self.known.extend(other.known);
    }

    /// The shortest lease of them.
    pub fn shortest_ack_wait(&self) -> Option<Duration> {
        self.known.values().map(|known| known.ack_wait).min()
    }

    /// Whether the lane is known.
    pub fn contains(&self, lane: &Lane) -> bool {
        self.known.contains_key(&std::cmp::Reverse(lane.clone()))
    }

    /// A job was published in this lane: it may be one that is not declined.
    pub fn rouse(&self, lane: &Lane) {
        if let Some(known) = self.known.get(&std::cmp::Reverse(lane.clone())) {
            known.rouse();
        }
    }

    /// What was declined before may not be any more.
    pub fn rouse_all(&self) {
        self.known.values().for_each(|known| known.rouse());
    }

    fn insert(&mut self, lane: Lane, ack_wait: Duration) {
        let known = Known {
            ack_wait,
            reach: AtomicUsize::new(0),
            is_unfinished: AtomicBool::new(false),
            rests_until: Mutex::new(None),
        };
        self.known.insert(std::cmp::Reverse(lane), known.into());
    }
}

impl Broker {
    /// The work queue, for `what` is to be done with it.
    pub(crate) async fn job_stream(&self, what: &str) -> Result<Stream<()>, BrokerError> {
        self.jetstream
            .get_stream_no_info(JOBS)
            .await
            .map_err(BrokerError::request(what))
    }

    /// Whether anything waits in these lanes or is held by a worker.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn have_work(&self, lanes: &Lanes) -> Result<bool, BrokerError> {
        // Costs the broker a fraction of asking for each lane, and is true of most farms most of the time.
        if self.first_from(JOBS, ">", 1).await?.is_none() {
            return Ok(false);
        }
        let known = lanes.iter().map(|(lane, _)| self.knows_any(lane));
        let known = futures::future::try_join_all(known).await?;
        Ok(known.contains(&true))
    }

    /// Makes a lane where it is missing and returns its ack wait, which is
    /// whatever the lane was first made with.
    ///
    /// # Errors
    /// Where the broker refuses.
    pub(crate) async fn open_lane(&self, lane: &Lane) -> Result<Duration, BrokerError> {
        self.open_lane_with(lane, self.ack_wait).await
    }

    async fn open_lane_with(&self, lane: &Lane, lease: Duration) -> Result<Duration, BrokerError> {
        let name = lane.consumer();
        let what = || format!("opening the lane {name}");
        let stream = self.job_stream(&what()).await?;
        if let Some(ack_wait) = lease_of(&stream, &name, &what()).await? {
            return Ok(ack_wait);
        }
        let config = pull::Config {
            durable_name: Some(name.clone()),
            filter_subject: subject::lane(lane),
            ack_policy: AckPolicy::Explicit,
            ack_wait: lease,
            max_deliver: -1,
            max_ack_pending: -1,
            max_waiting: MAX_WAITING,
            ..Default::default()
        };
        // Strictly: a lane that exists by now keeps the lease that it was made with.
        let error = match stream.create_consumer_strict(config).await {
            Ok(_) => return Ok(lease),
            Err(error) => BrokerError::request(what())(error),
        };
        // Another program may have been quicker.
        lease_of(&stream, &name, &what()).await?.ok_or(error)
    }

    /// Makes lanes known to a worker.
    ///
    /// # Errors
    /// Where the broker refuses.
    pub async fn add_lane(&self, lanes: &mut Lanes, lane: Lane) -> Result<(), BrokerError> {
        if !lanes.contains(&lane) {
            let ack_wait = self.open_lane(&lane).await?;
            lanes.insert(lane, ack_wait);
        }
        Ok(())
    }

    /// Each lane as it is made, by whomever: before its first job is there.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn lanes_made(&self) -> Result<BoxStream<'static, Lane>, BrokerError> {
        let told = self.client.subscribe(subject::LANES_MADE).await;
        let told = told.map_err(BrokerError::request("listening for new lanes"))?;
        let lanes = told.filter_map(async |made| {
            let (_, consumer) = made.subject.rsplit_once('.')?;
            Lane::from_consumer(consumer)
        });
        Ok(lanes.boxed())
    }

    /// Makes several lanes known to a worker, at once. Broken off, it keeps those
    /// that it has got to know.
    async fn add_lanes(&self, lanes: &mut Lanes, found: Vec<Lane>) -> Result<(), BrokerError> {
        let mut opening = Vec::with_capacity(found.len());
        for lane in found {
            opening.push(async move { (self.open_lane(&lane).await, lane) });
        }
        let mut opened = futures::stream::iter(opening).buffer_unordered(AT_ONCE);
        while let Some((opened, lane)) = opened.next().await {
            lanes.insert(lane, opened?);
        }
        Ok(())
    }

    /// Finds the lanes of these queues that others have made. Broken off, it keeps
    /// those that it has found.
    ///
    /// # Errors
    /// Where the broker refuses.
    pub async fn find_lanes(&self, queues: &[Queue], lanes: &mut Lanes) -> Result<(), BrokerError> {
        let what = "listing the lanes";
        let stream = self.job_stream(what).await?;
        let mut names = stream.consumer_names();
        let mut found = Vec::new();
        while let Some(name) = names.try_next().await.map_err(BrokerError::request(what))? {
            let lane = Lane::from_consumer(&name);
            found.extend(lane.filter(|lane| queues.contains(&lane.queue) && !lanes.contains(lane)));
        }
        self.add_lanes(lanes, found).await
    }

    /// Makes lanes anew that forgot messages: nothing of them is pending or held,
    /// and yet some are in the stream for longer than a lease. By its own defects
    /// or by a purge from outside a broker comes to that, and would give them to
    /// nobody ever again.
    ///
    /// # Errors
    /// Where the broker refuses.
    pub async fn mend(&self, lanes: &Lanes) -> Result<(), BrokerError> {
        let mut mending = Vec::new();
        for (lane, known) in lanes.iter() {
            mending.push(self.mend_lane(lane, known.ack_wait));
        }
        let mut mended = futures::stream::iter(mending).buffer_unordered(AT_ONCE);
        while mended.try_next().await?.is_some() {}
        Ok(())
    }

    async fn mend_lane(&self, lane: &Lane, lease: Duration) -> Result<(), BrokerError> {
        let Some(sequence) = self.forgotten(lane, lease).await? else {
            return Ok(());
        };
        let name = lane.consumer();
        tracing::warn!(
            lane = name,
            sequence,
            "the broker forgot jobs of this lane: making it anew"
        );
        let what = format!("making the lane {name} anew");
        let stream = self.job_stream(&what).await?;
        stream
            .delete_consumer(&name)
            .await
            .map_err(BrokerError::request(what))?;
        self.open_lane_with(lane, lease).await.map(drop)
    }

    /// The first message that a lane should know of and does not.
    async fn forgotten(&self, lane: &Lane, lease: Duration) -> Result<Option<u64>, BrokerError> {
        let filter = subject::lane(lane);
        // The lane itself first: the search takes long where many jobs wait.
        if self.knows_any(lane).await? {
            return Ok(None);
        }
        let Some(before) = self.first_from(JOBS, &filter, 1).await? else {
            return Ok(None);
        };
        let is_young = |time: Timestamp| self.now().duration_since(time).unsigned_abs() < lease;
        if before.time.is_none_or(is_young) || self.knows_any(lane).await? {
            return Ok(None);
        }
        // It may have been settled between the two looks.
        let after = self.first_from(JOBS, &filter, 1).await?;
        let still = after.filter(|after| after.sequence == before.sequence);
        Ok(still.map(|stored| stored.sequence))
    }

    /// Whether a lane knows of jobs that wait or are held.
    async fn knows_any(&self, lane: &Lane) -> Result<bool, BrokerError> {
        let what = "looking at a lane";
        let stream = self.job_stream(what).await?;
        let info = stream.consumer_info(lane.consumer()).await;
        let info = info.map_err(BrokerError::request(what))?;
        Ok(info.num_ack_pending > 0 || info.num_pending > 0)
    }

    /// Makes the lanes of these queues in which jobs wait although nobody has
    /// made them: whoever published those did not, or died before.
    ///
    /// # Errors
    /// Where the broker refuses.
    pub async fn make_waiting_lanes(
        &self,
        queues: &[Queue],
        lanes: &mut Lanes,
    ) -> Result<(), BrokerError> {
        let mut asking = Vec::new();
        for queue in queues {
            for priority in Priority::descending() {
                let queue = queue.clone();
                let lane = Lane { priority, queue };
                if !lanes.contains(&lane) {
                    asking.push(async move {
                        let first = self.first_from(JOBS, &subject::lane(&lane), 1).await;
                        first.map(|first| first.map(|_| lane))
                    });
                }
            }
        }
        let mut waiting = Vec::new();
        let mut asked = futures::stream::iter(asking).buffer_unordered(AT_ONCE);
        while let Some(lane) = asked.try_next().await? {
            waiting.extend(lane);
        }
        self.add_lanes(lanes, waiting).await
    }
}

/// The ack wait that a lane was made with; `None` where the broker says that
/// there is no such lane.
async fn lease_of(
    stream: &Stream<()>,
    name: &str,
    what: &str,
) -> Result<Option<Duration>, BrokerError> {
    match stream.consumer_info(name).await {
        Ok(info) => Ok(Some(info.config.ack_wait)),
        Err(error) if error.kind() == ConsumerInfoErrorKind::NotFound => Ok(None),
        Err(error) => Err(BrokerError::request(what)(error)),
    }
}
