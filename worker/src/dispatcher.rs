//! Filling slots: listens for bells, claims the most urgent jobs that this
//! worker may run, and hands them on.
//!
//! A worker that finds nothing joins the queue group of each of its queues, so
//! that one bell wakes one idle worker, and looks again: a job published in
//! between rings. A full worker, or one that is to take no jobs, leaves them
//! and passes on what still rings there; it hears of new lanes all the same, so
//! that the slot that frees next goes to the most urgent job of all. No bell
//! announces a lease that ran out: for that an idle worker looks often, but
//! only while somebody holds a job of its lanes at all, which it finds out well
//! within a lease. So a farm without work costs its broker next to nothing.
//!
//! A job that has cost a worker before gets this one to itself, as far as it
//! can be had: if it takes it down again, it takes no other job with it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError, Claim, Lanes};
use common::control::Controls;
use common::failure::Fault;
use common::id::JobId;
use common::queue::{Lane, Queue};
use common::run::Run;
use common::subject::{self, Place};
use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::admission::Admission;
use crate::executor::Outcome;
use crate::presence::Presence;
use crate::standing::Duty;
use crate::stop::Stop;

/// Longest wait of an idle worker between two looks, in milliseconds, while
/// jobs are held: one whose lease ran out starts elsewhere within 1 s.
const LOOK_MS: std::ops::Range<u64> = 500..900;
/// An idle worker finds out so often within a lease whether jobs are held.
const GLANCES: u32 = 3;
/// Longest wait between two glances: a bell may be lost with its listener.
const GLANCE: Duration = Duration::from_secs(10);
/// Wait between two searches for lanes that others have made.
const DISCOVER: Duration = Duration::from_secs(45);
/// How long a stopping worker tries to give back what it could not finish: a
/// broker that is gone must not hold it up.
const GIVE_BACK: Duration = Duration::from_secs(15);
/// How long such a search may hold up the lanes that are known: a cluster
/// without a leader leaves it unanswered for long. One that follows failures
/// may take as often as long as there were in a row: the broker may just be far.
const SEARCH: Duration = Duration::from_secs(2);
/// Wait after the broker gave no answer.
const TROUBLE: Duration = Duration::from_secs(1);

type Bells = SelectAll<async_nats::Subscriber>;
type Orders = watch::Receiver<Controls>;

/// What is done with a claimed job.
pub trait Work: Send + Sync + 'static {
    /// Takes it to its end, or gives it back.
    fn execute(&self, claim: Claim, stop: Stop) -> impl Future<Output = Outcome> + Send;

    /// Gives up what the attempts at a job may have left that nobody goes on with.
    fn clean_up(&self, run: &Run) -> impl Future<Output = ()> + Send;

    /// Finds out anew what this machine can do.
    fn prove_again(&self) -> impl Future<Output = ()> + Send;
}

/// Fills the slots of one worker.
pub struct Dispatcher<W> {
    /// The farm.
    pub broker: Broker,
    /// What is done with jobs.
    pub work: Arc<W>,
    /// Which jobs are taken.
    pub admission: Admission,
    /// Whether any are.
    pub duty: Duty,
    /// What the farm hears of it.
    pub presence: Arc<Presence>,
    /// Jobs at once.
    pub slots: usize,
    /// How long a stopping worker goes on with what it can finish.
    pub drain_timeout: Duration,
}

/// What the dispatcher listens to and knows while it takes jobs.
struct Watch {
    queues: Vec<Queue>,
    lanes: Lanes,
    /// Tells of further ones.
    made: BoxStream<'static, Lane>,
    /// When to search for those that nobody told of.
    discover: Instant,
    bells: Option<Bells>,
    /// Running jobs that have cost a worker before: none is started beside them.
    suspects: HashSet<JobId>,
    /// Failures in a row to get an answer from the broker.
    failures: u32,
    /// Whether jobs of these lanes are held by anyone, as far as is known.
    is_busy: bool,
    /// When that is to be found out again.
    glance: Instant,
    /// Whether nothing but time has passed since the last look, while this listened.
    is_undisturbed: bool,
    /// Changes when what rings may have gone unheard.
    connections: watch::Receiver<()>,
}

impl Watch {
    /// Leaves the queue groups. What rang here meanwhile was meant for whoever
    /// is idle.
    fn stop_listening(&mut self, broker: &Broker) {
        self.is_undisturbed = false;
        let Some(bells) = self.bells.take() else {
            return;
        };
        let client = broker.client().clone();
        tokio::spawn(async move {
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

    /// Takes nothing for known that somebody would have told of.
    fn distrust(&mut self) {
        self.is_busy = true;
        self.glance = Instant::now();
        self.discover = Instant::now();
    }

    /// Takes up a lane that may be new.
    async fn learn(&mut self, broker: &Broker, lane: Lane) {
        if self.queues.contains(&lane.queue)
            && let Err(error) = broker.add_lane(&mut self.lanes, lane).await
        {
            tracing::warn!(%error, "a lane is out of reach");
        }
    }

    /// Finds out whether jobs are held, where it is time to.
    async fn glance(&mut self, broker: &Broker) -> Result<(), BrokerError> {
        if Instant::now() >= self.glance {
            self.is_busy = broker.have_work(&self.lanes).await?;
            if !self.is_busy {
                broker.tidy().await?;
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

type Jobs = JoinSet<(JobId, Outcome)>;

impl<W: Work> Dispatcher<W> {
    /// Works until told to stop, then drains: what can be finished in time is,
    /// the rest is given back.
    ///
    /// # Errors
    /// Where the broker refuses at the start. Later trouble is waited out.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), BrokerError> {
        let queues = self.admission.queues();
        // Listens first: what is made in between is heard of.
        let made = self.broker.lanes_made().await?;
        let mut watch = Watch {
            lanes: all_lanes(&self.broker, &queues).await?,
            queues,
            made,
            discover: Instant::now() + DISCOVER,
            bells: None,
            suspects: HashSet::new(),
            failures: 0,
            is_busy: true,
            glance: Instant::now(),
            is_undisturbed: false,
            connections: self.broker.connections(),
        };
        let mut jobs = Jobs::new();
        let stop = Stop::new();
        let mut controls = self.duty.controls();
        let proved = Arc::new(Notify::new());

        while !shutdown.is_cancelled() {
            while let Some(ended) = jobs.try_join_next() {
                self.note(ended, &mut watch, &proved);
            }
            let standing = self.duty.standing(jobs.len());
            self.presence.stand(&standing);
            let is_full = jobs.len() >= self.slots || !watch.suspects.is_empty();
            if !standing.is_ready() || is_full {
                watch.stop_listening(&self.broker);
                tokio::select! {
                    Some(ended) = jobs.join_next() => self.note(ended, &mut watch, &proved),
                    _ = controls.changed() => {}
                    Some(lane) = watch.made.next() => watch.learn(&self.broker, lane).await,
                    Ok(()) = watch.connections.changed() => watch.distrust(),
                    () = proved.notified() => {
                        // Proved anew: it may be less than before.
                        watch.queues = self.admission.queues();
                        watch.lanes = Lanes::default();
                        watch.discover = Instant::now();
                    }
                    () = tokio::time::sleep(jitter()), if !standing.is_ready() => self.end_quarantine(),
                    () = shutdown.cancelled() => {}
                }
                continue;
            }
            match self.fill(&mut watch, &mut jobs, &stop).await {
                Ok(true) => {}
                Ok(false) => {
                    self.wait(&mut watch, &mut jobs, &mut controls, &proved, &shutdown)
                        .await
                }
                Err(error) => {
                    tracing::warn!(%error, "the broker gives no answer; trying again");
                    tokio::select! {
                        () = tokio::time::sleep(TROUBLE) => {}
                        () = shutdown.cancelled() => {}
                    }
                    // A lane may be gone, or a whole broker new.
                    watch.failures += 1;
                    let search = all_lanes(&self.broker, &watch.queues);
                    let patience = SEARCH * watch.failures;
                    if let Ok(Ok(found)) = tokio::time::timeout(patience, search).await {
                        watch.lanes = found;
                    }
                    watch.bells = None;
                    watch.distrust();
                }
            }
        }
        watch.stop_listening(&self.broker);
        self.drain(jobs, stop).await;
        Ok(())
    }

    /// Claims what there are slots for. Says whether to look again at once.
    async fn fill(
        &self,
        watch: &mut Watch,
        jobs: &mut Jobs,
        stop: &Stop,
    ) -> Result<bool, BrokerError> {
        if Instant::now() >= watch.discover {
            let search = async {
                let known = &mut watch.lanes;
                self.broker.find_lanes(&watch.queues, known).await?;
                self.broker.mend(known).await
            };
            match tokio::time::timeout(SEARCH, search).await {
                Ok(Ok(())) => watch.discover = Instant::now() + DISCOVER,
                Ok(Err(error)) => tracing::debug!(%error, "lanes not found yet"),
                Err(_) => tracing::debug!("lanes not found yet: no answer"),
            }
        }
        // One glance costs less than a look at each lane.
        if watch.is_undisturbed && !watch.is_busy {
            watch.glance(&self.broker).await?;
            if !watch.is_busy {
                return Ok(false);
            }
        }
        let free = self.slots - jobs.len();
        let look = self
            .broker
            .claim(&watch.lanes, &self.admission, free)
            .await?;
        watch.failures = 0;
        if look.claims.len() == free
            && let Some(lane) = look.more
            && let Err(error) = self.broker.ring(&lane).await
        {
            // The bell of a job behind these may have rung here.
            tracing::debug!(%error, "no bell passed on");
        }
        for run in look.buried {
            let work = Arc::clone(&self.work);
            tokio::spawn(async move { work.clean_up(&run).await });
        }
        let is_any = !look.claims.is_empty();
        if !is_any && watch.bells.is_none() {
            watch.bells = Some(listen(&self.broker, &watch.queues).await?);
            return Ok(true);
        }
        if !is_any {
            watch.glance(&self.broker).await?;
        }
        for (claim, ticket) in look.claims {
            if is_suspect(claim.run()) {
                watch.suspects.insert(claim.job().id);
            }
            let (work, stop) = (Arc::clone(&self.work), stop.clone());
            jobs.spawn(async move {
                let job = claim.job().id;
                let outcome = work.execute(claim, stop).await;
                drop(ticket);
                (job, outcome)
            });
        }
        Ok(is_any)
    }

    /// Waits for whatever may make another look worth it.
    async fn wait(
        &self,
        watch: &mut Watch,
        jobs: &mut Jobs,
        controls: &mut Orders,
        proved: &Arc<Notify>,
        shutdown: &CancellationToken,
    ) {
        let patience = watch.patience();
        let bell = async {
            match &mut watch.bells {
                Some(bells) => bells.next().await,
                None => None,
            }
        };
        watch.is_undisturbed = false;
        tokio::select! {
            bell = bell => match bell {
                Some(bell) => {
                    if let Some(lane) = rung(&bell) {
                        watch.learn(&self.broker, lane).await;
                    }
                }
                None => watch.bells = None,
            },
            Some(lane) = watch.made.next() => watch.learn(&self.broker, lane).await,
            Ok(()) = watch.connections.changed() => watch.distrust(),
            () = tokio::time::sleep(patience) => watch.is_undisturbed = true,
            _ = controls.changed() => {}
            Some(ended) = jobs.join_next() => self.note(ended, watch, proved),
            () = shutdown.cancelled() => {}
        }
    }

    /// Learns how a job ended.
    fn note(
        &self,
        ended: Result<(JobId, Outcome), JoinError>,
        watch: &mut Watch,
        proved: &Arc<Notify>,
    ) {
        match ended {
            Ok((job, outcome)) => {
                watch.suspects.remove(&job);
                if self.duty.note(job, outcome) {
                    tracing::error!(
                        "too many jobs in a row failed by this worker's fault: proving its encoders again"
                    );
                    let (work, proved) = (Arc::clone(&self.work), Arc::clone(proved));
                    tokio::spawn(async move {
                        work.prove_again().await;
                        proved.notify_one();
                    });
                }
            }
            Err(error) => {
                tracing::error!(%error, "a job's task died; its lease will run out");
                watch.suspects.clear();
            }
        }
    }

    fn end_quarantine(&self) {
        if self.duty.quarantine_is_over() {
            self.duty.release();
            tracing::info!("out of quarantine: taking jobs again");
        }
    }

    async fn drain(&self, mut jobs: Jobs, stop: Stop) {
        self.presence.stop();
        tracing::info!(running = jobs.len(), "stopping: no new jobs");
        let deadline = Instant::now() + self.drain_timeout;
        stop.at(deadline);
        let drained = async { while jobs.join_next().await.is_some() {} };
        if tokio::time::timeout_at(deadline + GIVE_BACK, drained)
            .await
            .is_err()
        {
            tracing::warn!("not all jobs could be given back; their leases will run out");
            jobs.shutdown().await;
        }
    }
}

/// Whether a worker has failed over the job before, or vanished with it.
fn is_suspect(run: &Run) -> bool {
    let mut faults = run.failures.iter().map(|attempt| attempt.failure.fault);
    faults.any(|fault| fault == Fault::Worker)
}

/// Joins the queue groups.
async fn listen(broker: &Broker, queues: &[Queue]) -> Result<Bells, BrokerError> {
    let mut bells = Bells::new();
    for queue in queues {
        let bell = subject::wake(queue);
        let subscribed = broker.client().queue_subscribe(bell.clone(), bell).await;
        bells.push(subscribed.map_err(|error| BrokerError::Request {
            what: format!("listening for jobs of the queue {queue}"),
            message: error.to_string(),
        })?);
    }
    Ok(bells)
}

/// The lane of the job that rang.
fn rung(bell: &async_nats::Message) -> Option<Lane> {
    let subject = bell
        .headers
        .as_ref()?
        .get(async_nats::header::NATS_SUBJECT)?;
    Some(Place::parse(subject.as_str())?.lane)
}

/// Every lane of these queues, as far as anyone has made it or waits there.
async fn all_lanes(broker: &Broker, queues: &[Queue]) -> Result<Lanes, BrokerError> {
    let mut lanes = Lanes::default();
    broker.find_lanes(queues, &mut lanes).await?;
    broker.make_waiting_lanes(queues, &mut lanes).await?;
    Ok(lanes)
}

/// A wait between two looks that differs between workers and looks.
fn jitter() -> Duration {
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    Duration::from_millis(LOOK_MS.start + random % (LOOK_MS.end - LOOK_MS.start))
}
