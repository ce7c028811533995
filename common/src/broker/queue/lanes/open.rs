//! Opening lanes: a lane is made when a program first needs it.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::broker::nats::all_of;
use crate::broker::queue::lanes::Lanes;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::{Lane, Priority, Queue};
use crate::names::subject;
use crate::names::subject::JOBS;

/// Lanes that are opened at the same time.
const AT_ONCE: usize = 16;
/// Pull requests that may wait on one lane: more than the workers that ever poll at once.
const MAX_WAITING: i64 = 65_536;

impl Broker {
    /// Makes a lane if it is missing, and returns its ack wait: an existing lane keeps the one with which it was
    /// made.
    pub(crate) async fn open_lane(&self, lane: &Lane) -> Result<Duration, BrokerError> {
        self.open_lane_with(lane, self.ack_wait).await
    }

    /// Like [`Self::open_lane`], with an ack wait for a lane that is missing.
    pub(super) async fn open_lane_with(
        &self,
        lane: &Lane,
        lease: Duration,
    ) -> Result<Duration, BrokerError> {
        let name = lane.consumer();
        if let Some(info) = self.nats.consumer(JOBS, &name).await? {
            return Ok(info.config.ack_wait);
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
        // Strict creation: a lane that another program has made meanwhile keeps its ack wait.
        let Err(error) = self.nats.create_consumer(JOBS, &name, config).await else {
            return Ok(lease);
        };
        // Another program may have been quicker.
        let info = self.nats.consumer(JOBS, &name).await?.ok_or(error)?;
        Ok(info.config.ack_wait)
    }

    /// Makes lanes that are missing, several at the same time.
    pub(crate) async fn open_lanes(
        &self,
        lanes: impl IntoIterator<Item = &Lane>,
    ) -> Result<(), BrokerError> {
        let mut opening = Vec::new();
        for lane in lanes {
            opening.push(self.open_lane(lane));
        }
        all_of(opening).await.map(drop)
    }

    /// Adds a lane to those that a worker knows, and makes it if it is missing.
    pub async fn add_lane(&self, lanes: &mut Lanes, lane: Lane) -> Result<(), BrokerError> {
        if !lanes.contains(&lane) {
            let ack_wait = self.open_lane(&lane).await?;
            lanes.insert(lane, ack_wait);
        }
        Ok(())
    }

    /// Each lane that any program makes, before its first job is published.
    pub async fn new_lanes(&self) -> Result<BoxStream<'static, Lane>, BrokerError> {
        let what = "listening for new lanes";
        let notices = self.nats.subscribe(what, subject::LANES_MADE).await?;
        let lanes = notices.filter_map(async |notice| {
            let (_, consumer) = notice.subject.rsplit_once('.')?;
            Lane::from_consumer(consumer)
        });
        Ok(lanes.boxed())
    }

    /// Adds several lanes to those that a worker knows, at the same time. If the future is dropped, lanes that are
    /// added already stay.
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

    /// Adds the existing lanes of these queues. If the future is dropped, lanes that are added already stay.
    pub async fn find_lanes(&self, queues: &[Queue], lanes: &mut Lanes) -> Result<(), BrokerError> {
        let names = self.nats.consumer_names(JOBS).await?;
        let found = names.iter().filter_map(|name| Lane::from_consumer(name));
        let found = found.filter(|lane| queues.contains(&lane.queue) && !lanes.contains(lane));
        self.add_lanes(lanes, found.collect()).await
    }

    /// Makes the lanes of these queues that have pending jobs but no consumer: the program that published the jobs
    /// died before it made the lane.
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
                        let first = self.nats.first_from(JOBS, &subject::lane(&lane), 1).await;
                        first.map(|first| first.map(|_| lane))
                    });
                }
            }
        }
        let waiting = all_of(asking).await?.into_iter().flatten();
        self.add_lanes(lanes, waiting.collect()).await
    }
}
