//! Filling slots: has the most urgent jobs claimed that this worker may run, and
//! hands them on. Nothing here waits for the broker, so that ended jobs, people's
//! orders, new lanes and the word to stop are heard at once, whatever a look at
//! the lanes takes.
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

use async_nats::Message;
use async_nats::connection::State;
use common::broker::{Broker, BrokerError, Haste};
use common::farm::queue::Lane;
use common::job::failure::Fault;
use common::job::id::JobId;
use common::job::run::Run;
use futures::StreamExt;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::dispatch::admission::Admission;
use crate::dispatch::availability::Duty;
use crate::dispatch::search::{Found, News, Search, jitter};
use crate::report::heartbeat::Heartbeater;
use crate::stop::Stop;
use crate::work::{AttemptEnd, Work};

/// How long a stopping worker tries to give back what it could not finish: a
/// broker that is gone must not hold it up.
const GIVE_BACK: Duration = Duration::from_secs(5);

/// Fills the slots of one worker.
pub struct Dispatcher<W> {
    /// The farm.
    pub broker: Broker,
    /// What is done with jobs.
    pub work: Arc<W>,
    /// Which jobs are taken.
    pub admission: Arc<Admission>,
    /// Whether any are.
    pub duty: Duty,
    /// What the farm hears of it.
    pub heartbeater: Arc<Heartbeater>,
    /// Jobs at once.
    pub slots: usize,
    /// How long a stopping worker goes on with what it can finish.
    pub drain_timeout: Duration,
}

/// Who looks for jobs, and whether that happens just now.
enum Eye {
    Resting(Box<Search>),
    Looking {
        task: JoinHandle<(Box<Search>, Found)>,
        haste: watch::Sender<Haste>,
    },
}

/// What comes of a look, or between two.
enum Sight {
    Looked(Result<(Box<Search>, Found), JoinError>),
    /// A bell rang, for a job of this lane.
    Rung(Option<Lane>),
}

impl Eye {
    /// Returns when the look that is under way has ended, or a bell rings.
    async fn next(&mut self) -> Sight {
        match self {
            Self::Looking { task, .. } => Sight::Looked(task.await),
            Self::Resting(search) => Sight::Rung(search.bell().await),
        }
    }

    /// Has a look that is under way come to its end soon.
    fn hurry(&self, to: Haste) {
        if let Self::Looking { haste, .. } = self {
            haste.send_if_modified(|haste| {
                let is_more = to > *haste;
                *haste = to.max(*haste);
                is_more
            });
        }
    }
}

/// Jobs and other tasks that run.
#[derive(Default)]
struct Tasks {
    jobs: JoinSet<(JobId, AttemptEnd)>,
    /// Running jobs that have cost a worker before: none is started beside them.
    suspects: HashSet<Id>,
    /// Finding out whether the machine is well: how an encode of its own went.
    proofs: JoinSet<Result<(), String>>,
    /// What is waited for at the very end only.
    background: TaskTracker,
}

impl<W: Work> Dispatcher<W> {
    /// Works until told to stop, then drains: what can be finished in time is,
    /// the rest is given back.
    ///
    /// # Errors
    /// Where the broker refuses at the start. Later trouble is waited out.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), BrokerError> {
        // Listens first: what is made in between is heard of.
        let mut made = self.broker.new_lanes().await?;
        let mut asked = self.broker.asked_to_lift(self.duty.name()).await?;
        let mut connections = self.broker.connections();
        let mut controls = self.duty.controls();
        let mut tasks = Tasks::default();
        let stop = Stop::new();
        // It finds the lanes at its first look, or as soon as the broker answers.
        let search = Search::afresh(
            self.broker.clone(),
            Arc::clone(&self.admission),
            tasks.background.clone(),
        );
        let mut eye = Eye::Resting(Box::new(search));
        let mut news = News {
            disturbed: true,
            ..News::default()
        };
        let mut next_look = Instant::now();

        while !shutdown.is_cancelled() {
            while let Some(ended) = tasks.jobs.try_join_next_with_id() {
                self.note(ended, &mut tasks);
                news.changed = true;
            }
            let availability = self.duty.availability(tasks.jobs.len());
            self.heartbeater.stand(&availability);
            let is_full = tasks.jobs.len() >= self.slots || !tasks.suspects.is_empty();
            let has_room = availability.is_ready() && !is_full && self.duty.is_trusted();
            if !has_room {
                eye.hurry(Haste::Stop);
            }
            eye = match eye {
                Eye::Resting(mut search) if !has_room => {
                    search.stop_listening();
                    Eye::Resting(search)
                }
                Eye::Resting(search) if news.disturbed || Instant::now() >= next_look => {
                    let free = self.slots - tasks.jobs.len();
                    let (haste, told) = watch::channel(Haste::Thorough);
                    let look = search.look(std::mem::take(&mut news), free, told);
                    Eye::Looking {
                        task: tokio::spawn(look),
                        haste,
                    }
                }
                eye => eye,
            };
            let is_resting = matches!(eye, Eye::Resting(_));
            tokio::select! {
                sight = eye.next() => match sight {
                    Sight::Looked(looked) => {
                        let found;
                        (eye, found) = self.looked(looked, &tasks);
                        next_look = Instant::now() + found.rest;
                        // More may wait behind what was claimed.
                        news.disturbed |= !found.claims.is_empty();
                        self.start(found, &mut tasks, &stop);
                        continue;
                    }
                    Sight::Rung(lane) => news.lanes.extend(lane),
                },
                () = tokio::time::sleep_until(next_look), if is_resting && has_room => continue,
                Some(ended) = tasks.jobs.join_next_with_id() => {
                    self.note(ended, &mut tasks);
                    news.changed = true;
                }
                Some(lane) = made.next() => {
                    if !self.admission.queues().contains(&lane.queue) {
                        continue;
                    }
                    news.lanes.push(lane);
                }
                Ok(()) = connections.changed() => news.reconnected = true,
                Ok(()) = controls.changed() => news.changed = true,
                Some(proved) = tasks.proofs.join_next() => {
                    self.judge(proved);
                    news.proved = true;
                }
                Some(request) = asked.next() => self.lift(request, &mut tasks),
                () = tokio::time::sleep(jitter()), if !availability.is_ready() => {
                    self.try_again(&mut tasks);
                }
                () = shutdown.cancelled() => break,
            }
            // A look that is under way may have passed what this is about.
            news.disturbed = true;
            eye.hurry(Haste::Brief);
        }
        self.drain(eye, tasks, stop).await;
        Ok(())
    }

    /// Takes up what a look has found.
    fn looked(
        &self,
        looked: Result<(Box<Search>, Found), JoinError>,
        tasks: &Tasks,
    ) -> (Eye, Found) {
        let (search, found) = looked.unwrap_or_else(|error| {
            tracing::error!(%error, "a look at the lanes died; what it claimed will run out");
            let search = Search::afresh(
                self.broker.clone(),
                Arc::clone(&self.admission),
                tasks.background.clone(),
            );
            let found = Found {
                rest: jitter(),
                ..Found::default()
            };
            (Box::new(search), found)
        });
        (Eye::Resting(search), found)
    }

    /// Starts what was claimed; where this worker is not to be trusted, all is
    /// given back. Of jobs that have cost a worker before, one is
    /// started and all else is given back: what lost its worker together comes back
    /// together, and would lose the next one together.
    fn start(&self, found: Found, tasks: &mut Tasks, stop: &Stop) {
        for run in found.dead_letters {
            let work = Arc::clone(&self.work);
            tasks
                .background
                .spawn(async move { work.clean_up(&run).await });
        }
        let mut claims = found.claims;
        let suspect = claims.iter().position(|(claim, _)| is_suspect(claim.run()));
        let others = match suspect {
            // Claimed before a job's end put this worker in doubt.
            _ if !self.duty.is_trusted() => std::mem::take(&mut claims),
            Some(index) => {
                let suspect = claims.remove(index);
                std::mem::replace(&mut claims, vec![suspect])
            }
            None => Vec::new(),
        };
        for (claim, ticket) in others {
            tasks.background.spawn(async move {
                let job = claim.job().id;
                if let Err(error) = claim.hand_back().await {
                    tracing::debug!(%job, %error, "not given back; its lease will run out");
                }
                drop(ticket);
            });
        }
        for (claim, ticket) in claims {
            let (work, stop) = (Arc::clone(&self.work), stop.clone());
            let task = tasks.jobs.spawn(async move {
                let job = claim.job().id;
                let outcome = work.execute(claim, stop).await;
                drop(ticket);
                (job, outcome)
            });
            if suspect.is_some() {
                tasks.suspects.insert(task.id());
            }
        }
    }

    /// Learns how a job ended.
    fn note(&self, ended: Result<(Id, (JobId, AttemptEnd)), JoinError>, tasks: &mut Tasks) {
        match ended {
            Ok((task, (job, outcome))) => {
                tasks.suspects.remove(&task);
                if self.duty.note(job, outcome) {
                    tracing::warn!(
                        "several jobs in a row failed by this worker's fault: making an encode of its own"
                    );
                    let (work, suspects) = (Arc::clone(&self.work), self.duty.suspects());
                    tasks
                        .proofs
                        .spawn(async move { work.prove(suspects).await });
                }
            }
            Err(error) => {
                tracing::error!(%error, "a job's task died; its lease will run out");
                tasks.suspects.remove(&error.id());
            }
        }
    }

    /// Decides whether the jobs or the machine are at fault, by how an encode of
    /// the worker's own went.
    fn judge(&self, proved: Result<Result<(), String>, JoinError>) {
        let proof = proved.unwrap_or_else(|error| Err(error.to_string()));
        let was_quarantined = self.duty.judge(
            proof
                .as_ref()
                .map_or_else(|why| Err(why.as_str()), |()| Ok(())),
        );
        match (proof, was_quarantined) {
            (Ok(()), true) => tracing::info!("out of quarantine: taking jobs again"),
            (Ok(()), false) => {
                tracing::warn!("an encode of this worker's own passes: the jobs are at fault");
            }
            (Err(why), false) => {
                tracing::error!(%why, "an encode of this worker's own fails, too: it rests");
            }
            (Err(why), true) => {
                tracing::error!(%why, "an encode of this worker's own fails again: it rests on");
            }
        }
    }

    /// Has it found out whether the machine is well again, where a quarantine
    /// has lasted long enough.
    fn try_again(&self, tasks: &mut Tasks) {
        if tasks.proofs.is_empty() && self.duty.is_to_try_again() {
            let (work, suspects) = (Arc::clone(&self.work), self.duty.suspects());
            tasks
                .proofs
                .spawn(async move { work.prove_again(suspects).await });
        }
    }

    /// Ends a quarantine, as a person asks for, and says whether there was one.
    fn lift(&self, request: Message, tasks: &mut Tasks) {
        let was_quarantined = self.duty.lift();
        if was_quarantined {
            tracing::warn!("a person lifts the quarantine: taking jobs again");
            // A try that is under way decides nothing any more.
            tasks.proofs = JoinSet::new();
        }
        let broker = self.broker.clone();
        tasks.background.spawn(async move {
            if let Err(error) = broker.answer_lift(&request, was_quarantined).await {
                tracing::debug!(%error, "no answer reached who asked to lift a quarantine");
            }
        });
    }

    async fn drain(&self, eye: Eye, mut tasks: Tasks, stop: Stop) {
        self.heartbeater.stop();
        tracing::info!(running = tasks.jobs.len(), "stopping: no new jobs");
        // Without a broker nothing can be finished, nor given back.
        let is_cut_off = self.broker.client().connection_state() != State::Connected;
        let time = if is_cut_off {
            Duration::ZERO
        } else {
            self.drain_timeout
        };
        let deadline = Instant::now() + time;
        stop.at(deadline);
        eye.hurry(Haste::Stop);
        tasks.proofs.abort_all();
        let drained = async {
            match eye {
                Eye::Resting(mut search) => search.stop_listening(),
                Eye::Looking { task, .. } => {
                    // What it has claimed is given back, or finished where there is time.
                    if let Ok((mut search, found)) = task.await {
                        search.stop_listening();
                        self.start(found, &mut tasks, &stop);
                    }
                }
            }
            while tasks.jobs.join_next().await.is_some() {}
            while tasks.proofs.join_next().await.is_some() {}
            tasks.background.close();
            tasks.background.wait().await;
        };
        if tokio::time::timeout_at(deadline + GIVE_BACK, drained)
            .await
            .is_err()
        {
            tracing::warn!("not all jobs could be given back; their leases will run out");
            tasks.jobs.shutdown().await;
        }
    }
}

/// Whether a worker has failed over the job before, or vanished with it.
fn is_suspect(run: &Run) -> bool {
    let mut faults = run.failures.iter().map(|attempt| attempt.failure.fault);
    faults.any(|fault| fault == Fault::Worker)
}
