//! Lanes: the durable pull consumers, made when somebody first needs one.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::Stream;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::{Broker, BrokerError};
use crate::queue::{Lane, Priority, Queue};
use crate::subject::{self, JOBS};

/// Pull requests that may wait on one lane: more than workers that ever look at once.
const MAX_WAITING: i64 = 65_536;

/// The lanes that a worker knows of, the most urgent first.
#[derive(Default)]
pub struct Lanes {
    known: BTreeMap<std::cmp::Reverse<Lane>, Duration>,
}

impl Lanes {
    /// Each lane with its ack wait, the most urgent first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Lane, Duration)> {
        self.known
            .iter()
            .map(|(lane, ack_wait)| (&lane.0, *ack_wait))
    }

    /// The shortest lease of them.
    pub fn shortest_ack_wait(&self) -> Option<Duration> {
        self.known.values().min().copied()
    }

    /// Whether the lane is known.
    pub fn contains(&self, lane: &Lane) -> bool {
        self.known.contains_key(&std::cmp::Reverse(lane.clone()))
    }

    fn insert(&mut self, lane: Lane, ack_wait: Duration) {
        self.known.insert(std::cmp::Reverse(lane), ack_wait);
    }
}

impl Broker {
    /// The work queue, for `what` is to be done with it.
    pub(super) async fn job_stream(&self, what: &str) -> Result<Stream<()>, BrokerError> {
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
    pub(super) async fn open_lane(&self, lane: &Lane) -> Result<Duration, BrokerError> {
        let name = lane.consumer();
        let what = format!("opening the lane {name}");
        let stream = self.job_stream(&what).await?;
        if let Ok(info) = stream.consumer_info(&name).await {
            return Ok(info.config.ack_wait);
        }
        let config = pull::Config {
            durable_name: Some(name),
            filter_subject: subject::lane(lane),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            max_deliver: -1,
            max_ack_pending: -1,
            max_waiting: MAX_WAITING,
            ..Default::default()
        };
        stream
            .create_consumer(config)
            .await
            .map_err(BrokerError::request(what))?;
        Ok(self.ack_wait)
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

    /// Finds the lanes of these queues that others have made.
    ///
    /// # Errors
    /// Where the broker refuses.
    pub async fn find_lanes(&self, queues: &[Queue], lanes: &mut Lanes) -> Result<(), BrokerError> {
        let what = "listing the lanes";
        let stream = self.job_stream(what).await?;
        let mut names = stream.consumer_names();
        while let Some(name) = names.try_next().await.map_err(BrokerError::request(what))? {
            if let Some(lane) = Lane::from_consumer(&name)
                && queues.contains(&lane.queue)
            {
                self.add_lane(lanes, lane).await?;
            }
        }
        Ok(())
    }

    /// Makes lanes anew that forgot messages: nothing of them is pending or held,
    /// and yet some are in the stream for longer than a lease. By its own defects
    /// or by a purge from outside a broker comes to that, and would give them to
    /// nobody ever again.
    ///
    /// # Errors
    /// Where the broker refuses.
    pub async fn mend(&self, lanes: &Lanes) -> Result<(), BrokerError> {
        for (lane, ack_wait) in lanes.iter() {
            let Some(sequence) = self.forgotten(lane, ack_wait).await? else {
                continue;
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
            self.open_lane(lane).await?;
        }
        Ok(())
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
        for queue in queues {
            for priority in Priority::descending() {
                let lane = Lane {
                    priority,
                    queue: queue.clone(),
                };
                if !lanes.contains(&lane)
                    && self
                        .first_from(JOBS, &subject::lane(&lane), 1)
                        .await?
                        .is_some()
                {
                    self.add_lane(lanes, lane).await?;
                }
            }
        }
        Ok(())
    }
}
