//! Looking for jobs: the lanes that a worker knows of, the bells that it
//! listens to, and one look at all of them.
//!
//! A look talks to the broker, which may be far or give no answer, so it is a
//! task of its own: the dispatcher hears of everything else meanwhile. It may
//! have claimed a job at any moment, so it is told to hurry, and never dropped.

use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError, Claim, Haste, Lanes};
use common::farm::queue::{Lane, Queue};
use common::job::run::Run;
use common::names::subject::JobSubject;
use futures::StreamExt;
use futures::stream::SelectAll;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::dispatch::admission::{Admission, Ticket};

/// Longest wait of an idle worker between two looks, in milliseconds, while
/// jobs are held: one whose lease ran out starts elsewhere within 1 s.
const LOOK_MS: std::ops::Range<u64> = 500..900;
/// An idle worker finds out so often within a lease whether jobs are held.
const GLANCES: u32 = 3;
/// Longest wait between two glances: a bell may be lost with its listener.
const GLANCE: Duration = Duration::from_secs(10);
/// Wait between two searches for lanes that others have made.
const DISCOVER: Duration = Duration::from_secs(45);
/// How long such a search may hold up a look: a cluster without a leader leaves
/// it unanswered for long. After each that took too long, the next one may take
/// longer by as much: the broker may just be far.
const PATIENCE: Duration = Duration::from_secs(2);
/// No search takes longer than so many times that.
const MOST_PATIENCE: u32 = 5;
/// Wait after the broker gave no answer.
const TROUBLE: Duration = Duration::from_secs(1);

/// What a worker has heard since its last look.
#[derive(Default)]
pub(crate) struct News {
    /// Lanes that may be new.
    pub lanes: Vec<Lane>,
    /// The connection was lost: what others said meanwhile was not heard.
    pub reconnected: bool,
    /// The card was proved anew: it may be less than before.
    pub proved: bool,
    /// What was declined before may not be any more: a job has ended, or orders have changed.
    pub changed: bool,
    /// Something happened, or nobody listened.
    pub disturbed: bool,
}

/// What a look found.
#[derive(Default)]
pub(crate) struct Found {
    /// Jobs, now this worker's.
    pub claims: Vec<(Claim, Ticket)>,
    /// Jobs that failed for good because their last owner vanished.
    pub dead_letters: Vec<Run>,
    /// How long the next look may wait, if nothing happens.
    pub rest: Duration,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.claims.is_empty() && self.dead_letters.is_empty()
    }
}

/// What a worker knows of the lanes.
pub(crate) struct Search {
    broker: Broker,
    admission: Arc<Admission>,
    /// What nobody waits for until the worker ends.
    background: TaskTracker,
    queues: Vec<Queue>,
    lanes: Lanes,
    /// When to search for lanes that nobody told of.
    discover: Instant,
    /// Whether all lanes are to be searched for anew.
    is_lost: bool,
    /// Searches for lanes that took too long, one after the other.
    slow: u32,
    bells: Option<SelectAll<async_nats::Subscriber>>,
    /// Whether jobs of these lanes are held by anyone, as far as is known.
    is_busy: bool,
    /// When that is to be found out again.
    glance: Instant,
}

impl Search {
    /// Knows of no lane yet.
    pub(crate) fn afresh(
        broker: Broker,
        admission: Arc<Admission>,
        background: TaskTracker,
    ) -> Self {
        Self {
            queues: admission.queues(),
            broker,
            admission,
            background,
            lanes: Lanes::default(),
            discover: Instant::now() + DISCOVER,
            is_lost: true,
            slow: 0,
            bells: None,
            is_busy: true,
            glance: Instant::now(),
        }
    }

    /// Returns when a bell rings, with the lane of the job that rang.
    pub(crate) async fn bell(&mut self) -> Option<Lane> {
        let Some(bells) = &mut self.bells else {
            return std::future::pending().await;
        };
        let bell = bells.next().await;
        if bell.is_none() {
            self.bells = None;
        }
        rung(&bell?)
    }

    /// Leaves the queue groups. What rang here meanwhile was meant for whoever
    /// is idle.
    pub(crate) fn stop_listening(&mut self) {
        let Some(bells) = self.bells.take() else {
            return;
        };
        let client = self.broker.client().clone();
        self.background.spawn(async move {
            for mut bell in bells {
                if bell.drain().await.is_err() {
                    continue;
                }
                while let Some(message) = bell.next().await {
                    let headers = message.headers.unwrap_or_default();
                    let passed = client
                        .publish_with_headers(message.subject, headers, message.payload)
                        .await;
                    if let Err(error) = passed {
                        tracing::debug!(%error, "no bell passed on");
                    }
                }
            }
        });
    }

    /// Claims up to `free` jobs. Trouble is told in the log and waited out.
    pub(crate) async fn look(
        mut self: Box<Self>,
        news: News,
        free: usize,
        haste: watch::Receiver<Haste>,
    ) -> (Box<Self>, Found) {
        let mut found = Found::default();
        if let Err(error) = self.try_look(news, free, &haste, &mut found).await {
            tracing::warn!(%error, "the broker gives no answer; trying again");
            // A lane may be gone, or a whole broker new.
            self.is_lost = true;
            self.bells = None;
            self.distrust();
            if found.is_empty() {
                found.rest = TROUBLE;
            }
        }
        (self, found)
    }

    async fn try_look(
        &mut self,
        news: News,
        free: usize,
        haste: &watch::Receiver<Haste>,
        found: &mut Found,
    ) -> Result<(), BrokerError> {
        if news.reconnected {
            self.distrust();
        }
        if news.proved {
            self.queues = self.admission.queues();
            self.stop_listening();
            self.is_lost = true;
        }
        if news.changed || news.reconnected {
            self.lanes.end_all_rests();
        }
        for lane in news.lanes {
            self.lanes.end_rest(&lane);
            self.learn(lane).await;
        }
        self.search().await;
        // One glance costs less than a look at each lane.
        if !news.disturbed && !self.is_busy && self.bells.is_some() {
            self.glance().await?;
            if !self.is_busy {
                found.rest = self.patience();
                return Ok(());
            }
        }
        self.claim(free, haste, found).await?;
        if found.claims.is_empty() && self.bells.is_none() {
            // What is published from now on rings; what was just now does not.
            self.listen().await?;
            self.claim(free, haste, found).await?;
        }
        if found.claims.is_empty() {
            self.glance().await?;
            found.rest = self.patience();
        }
        Ok(())
    }

    async fn claim(
        &mut self,
        free: usize,
        haste: &watch::Receiver<Haste>,
        found: &mut Found,
    ) -> Result<(), BrokerError> {
        self.admission.measure().await;
        let look = self
            .broker
            .poll_in(&self.lanes, &*self.admission, free, haste)
            .await?;
        if look.claims.len() == free
            && let Some(lane) = look.more
            && let Err(error) = self.broker.wake(&lane).await
        {
            // The bell of a job behind these may have rung here.
            tracing::debug!(%error, "no bell passed on");
        }
        found.claims.extend(look.claims);
        found.dead_letters.extend(look.dead_letters);
        Ok(())
    }

    /// Searches for lanes that nobody told of, where it is time to.
    async fn search(&mut self) {
        if !self.is_lost && Instant::now() < self.discover {
            return;
        }
        // What takes too long is broken off and goes on next time from where it
        // got to: the lanes that are known must not wait for it.
        self.discover = Instant::now() + DISCOVER;
        let patience = PATIENCE * (1 + self.slow).min(MOST_PATIENCE);
        let searched = async {
            if self.is_lost {
                return self.find_all().await;
            }
            self.broker
                .find_lanes(&self.queues, &mut self.lanes)
                .await?;
            self.broker.recreate_stuck_consumers(&self.lanes).await
        };
        match tokio::time::timeout(patience, searched).await {
            Ok(Ok(())) => (self.is_lost, self.slow) = (false, 0),
            Ok(Err(error)) => tracing::debug!(%error, "lanes not found yet"),
            Err(_) => {
                self.slow += 1;
                tracing::debug!("lanes not found yet: no answer");
            }
        }
    }

    /// Every lane of these queues, as far as anyone has made it or waits there.
    async fn find_all(&mut self) -> Result<(), BrokerError> {
        let mut lanes = Lanes::default();
        self.broker.find_lanes(&self.queues, &mut lanes).await?;
        let waiting = self.broker.make_waiting_lanes(&self.queues, &mut lanes);
        let all = waiting.await;
        self.lanes = lanes;
        all
    }

    /// Takes up a lane that may be new.
    async fn learn(&mut self, lane: Lane) {
        if self.queues.contains(&lane.queue)
            && let Err(error) = self.broker.add_lane(&mut self.lanes, lane).await
        {
            tracing::warn!(%error, "a lane is out of reach");
        }
    }

    /// Takes nothing for known that somebody would have told of.
    fn distrust(&mut self) {
        self.is_busy = true;
        self.glance = Instant::now();
        self.discover = Instant::now();
    }

    /// Joins the queue groups.
    async fn listen(&mut self) -> Result<(), BrokerError> {
        let mut bells = SelectAll::new();
        for queue in &self.queues {
            bells.push(self.broker.wakeups(queue).await?);
        }
        self.bells = Some(bells);
        Ok(())
    }

    /// Finds out whether jobs are held, where it is time to.
    async fn glance(&mut self) -> Result<(), BrokerError> {
        if Instant::now() >= self.glance {
            self.is_busy = self.broker.has_work(&self.lanes).await?;
            if !self.is_busy {
                self.broker.remove_front_marker().await?;
            }
            let lease = self.lanes.shortest_ack_wait().unwrap_or(GLANCE);
            self.glance = Instant::now() + (lease / GLANCES).min(GLANCE);
        }
        Ok(())
    }

    /// How long to wait for a bell before the next look.
    fn patience(&self) -> Duration {
        if self.is_busy {
            jitter()
        } else {
            self.glance.saturating_duration_since(Instant::now()) + jitter() / 10
        }
    }
}

/// The lane of the job that rang.
fn rung(bell: &async_nats::Message) -> Option<Lane> {
    let subject = bell
        .headers
        .as_ref()?
        .get(async_nats::header::NATS_SUBJECT)?;
    Some(JobSubject::parse(subject.as_str())?.lane)
}

/// A wait between two looks that differs between workers and looks.
pub(crate) fn jitter() -> Duration {
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    Duration::from_millis(LOOK_MS.start + random % (LOOK_MS.end - LOOK_MS.start))
}
