//! Looking at the lanes: fetches what waits, most urgent first, offers it to a
//! claimant, and claims what that admits.
//!
//! A look is a bounded step: each priority is searched for a short time only.
//! Where all that a fetch brought was declined, the next fetch of that lane asks
//! for more, in this look and in later ones, so that a good job behind many
//! others is reached.
//!
//! Jobs that are declined are kept until their lane is searched through, and are
//! there for other workers at once after that; the worker that declined them
//! leaves the lane alone for a while. Only where the time did not suffice do
//! they come back later, so that the next look gets on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::StatusCode;
use async_nats::jetstream;
use futures::StreamExt;
use futures::future::join_all;
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::broker::queue::claim::Taken;
use crate::broker::queue::lanes::Known;
use crate::broker::{Broker, BrokerError, Claim, Lanes};
use crate::farm::queue::{Lane, Queue};
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::job::run::Run;
use crate::names::subject;
use crate::names::subject::JOBS;
use crate::wire;

/// The broker answers at once to a request that may not wait: a longer silence
/// means that the request got lost with a leader.
const SILENCE: Duration = Duration::from_secs(3);
/// How long a look searches the lanes of one priority while nothing there is claimed.
const SEARCH: Duration = Duration::from_millis(250);
/// How long it searches in all. After that each lane is asked once.
const LONGEST: Duration = Duration::from_millis(750);
/// Jobs of one priority that one look declines.
const MOST_DECLINES: usize = 4096;
/// Jobs that one fetch asks for at the most.
const MOST_AT_ONCE: usize = 256;
/// How long a lane is left to others that took more than one look to search
/// through: each search hides its jobs from them.
const LONG_REST: Duration = Duration::from_secs(30);
/// A message over which a request failed is offered again after that long.
const TROUBLE: SignedDuration = SignedDuration::from_secs(10);

/// Who claims, and what it is willing to take.
pub trait Claimant: Sync {
    /// What holds a place for a job from before it is claimed until it has ended.
    type Ticket: Send;

    /// Its name.
    fn name(&self) -> &WorkerName;

    /// Whether it takes jobs of this queue just now.
    fn is_open(&self, queue: &Queue) -> bool;

    /// Whether it looks at this queue before others of the same priority.
    fn prefers(&self, queue: &Queue) -> bool;

    /// Whether it takes this job. Must not block: what takes time to find out is
    /// found out before the look.
    ///
    /// # Errors
    /// What is to become of the job otherwise.
    fn admit(&self, job: &Job, lane: &Lane) -> Result<Self::Ticket, Decline>;
}

/// Why a delivered job is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decline {
    /// Others may have it; this worker is offered it again after that long.
    Leave(SignedDuration),
    /// There is no room for any job of this lane: none is asked about in the rest
    /// of the look. This worker is offered them again after that long.
    Full(SignedDuration),
    /// Its batch is paused: it is put aside until that is over.
    Park,
}

/// Somebody who takes whatever there is.
impl Claimant for WorkerName {
    type Ticket = ();

    fn name(&self) -> &WorkerName {
        self
    }

    fn is_open(&self, _: &Queue) -> bool {
        true
    }

    fn prefers(&self, _: &Queue) -> bool {
        false
    }

    fn admit(&self, _: &Job, _: &Lane) -> Result<(), Decline> {
        Ok(())
    }
}

/// How much a look may go on for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Haste {
    /// It may search for a job that is wanted.
    Thorough,
    /// Another look is due: no lane is asked twice any more.
    Brief,
    /// What is claimed by now is enough.
    Stop,
}

/// What a look at the lanes found.
pub struct PollResult<T> {
    /// Jobs, now claimed, the most urgent first.
    pub claims: Vec<(Claim, T)>,
    /// A lane in which more jobs wait behind these.
    pub more: Option<Lane>,
    /// Jobs that failed for good because their last owner vanished.
    pub buried: Vec<Run>,
}

/// One of the lanes that are looked at together.
struct Turn<'a> {
    lane: &'a Lane,
    known: &'a Known,
    /// Fetches of this look that brought jobs and no claim.
    fruitless: u32,
    /// Not to be asked again in this look.
    is_over: bool,
    /// Broken off before all jobs of the lane were known.
    is_unfinished: bool,
    /// Whether it brought a claim.
    is_fruitful: bool,
    /// What was declined, and for how long.
    declined: Vec<(jetstream::Message, SignedDuration)>,
}

/// What is to become of a fetched message.
enum Verdict<T> {
    Take(Job, T),
    Decline(SignedDuration),
    GiveBack,
    Park(Job),
    SetAside(wire::WireError),
}

impl Broker {
    /// Takes the most urgent jobs of these lanes, `most` at the most; those of
    /// equal priority in the order in which they were enqueued.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn claim<C: Claimant>(
        &self,
        lanes: &Lanes,
        claimant: &C,
        most: usize,
    ) -> Result<PollResult<C::Ticket>, BrokerError> {
        let (_calm, haste) = watch::channel(Haste::Thorough);
        self.claim_in(lanes, claimant, most, &haste).await
    }

    /// The same, in as much haste as is said meanwhile. It must be awaited to its
    /// end: what it has claimed would be lost.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn claim_in<C: Claimant>(
        &self,
        lanes: &Lanes,
        claimant: &C,
        most: usize,
        haste: &watch::Receiver<Haste>,
    ) -> Result<PollResult<C::Ticket>, BrokerError> {
        let mut look = PollResult {
            claims: Vec::new(),
            more: None,
            buried: Vec::new(),
        };
        match self.look(lanes, claimant, most, haste, &mut look).await {
            // What is claimed already must not be lost for what could not be.
            Err(error) if look.claims.is_empty() && look.buried.is_empty() => Err(error),
            Err(error) => {
                tracing::warn!(%error, "looked at some lanes only");
                Ok(look)
            }
            Ok(()) => Ok(look),
        }
    }

    async fn look<C: Claimant>(
        &self,
        lanes: &Lanes,
        claimant: &C,
        most: usize,
        haste: &watch::Receiver<Haste>,
        look: &mut PollResult<C::Ticket>,
    ) -> Result<(), BrokerError> {
        let end = Instant::now() + LONGEST;
        for mut group in groups(lanes, claimant) {
            let searched = self
                .search(&mut group, claimant, most, haste, end, look)
                .await;
            self.release(&mut group).await;
            if !searched? {
                break;
            }
        }
        Ok(())
    }

    /// Looks at the lanes of one priority. Says whether to go on with the next.
    async fn search<C: Claimant>(
        &self,
        group: &mut [Turn<'_>],
        claimant: &C,
        most: usize,
        haste: &watch::Receiver<Haste>,
        end: Instant,
        look: &mut PollResult<C::Ticket>,
    ) -> Result<bool, BrokerError> {
        let end = end.min(Instant::now() + SEARCH);
        let mut declined = 0;
        loop {
            let order = self.order(group).await?;
            let is_alone = order.len() == 1;
            let mut found = false;
            for index in order {
                let free = most - look.claims.len();
                if free == 0 || *haste.borrow() == Haste::Stop {
                    return Ok(false);
                }
                let turn = &mut group[index];
                let is_late = declined >= MOST_DECLINES
                    || Instant::now() >= end
                    || *haste.borrow() >= Haste::Brief;
                if turn.fruitless > 0 && is_late {
                    turn.is_over = true;
                    turn.is_unfinished = true;
                    continue;
                }
                // The job that waits longest may lie in any of several
                // lanes: then each job is looked for by itself.
                let wanted = if is_alone { free } else { 1 };
                let reach = turn.known.reach.load(Ordering::Relaxed);
                let messages = self.fetch(turn.lane, wanted.max(reach)).await?;
                if messages.is_empty() {
                    turn.is_over = true;
                    continue;
                }
                let (fetched, before) = (messages.len(), look.claims.len());
                self.offer(turn, messages, claimant, wanted, look).await;
                if look.claims.len() == before {
                    turn.fruitless += 1;
                    declined += fetched;
                    let reach = (2 * wanted.max(reach)).min(MOST_AT_ONCE);
                    turn.known.reach.store(reach, Ordering::Relaxed);
                } else {
                    turn.is_fruitful = true;
                    turn.known.reach.store(0, Ordering::Relaxed);
                }
                found = true;
                break;
            }
            if !found {
                return Ok(true);
            }
        }
    }

    /// Gives back what was declined: for others to have at once, where the lane
    /// was searched through.
    async fn release(&self, group: &mut [Turn<'_>]) {
        for turn in group {
            let longest = turn.declined.iter().map(|(_, wait)| *wait).max();
            let is_unfinished = turn.is_unfinished && !turn.is_fruitful;
            for (message, wait) in turn.declined.drain(..) {
                let wait = if is_unfinished {
                    wait
                } else {
                    SignedDuration::ZERO
                };
                if let Err(error) = self.leave(&message, wait).await {
                    tracing::debug!(%error, "it comes back by itself");
                }
            }
            let was_unfinished = turn
                .known
                .is_unfinished
                .swap(is_unfinished, Ordering::Relaxed);
            if let Some(longest) = longest.filter(|_| turn.is_over && !is_unfinished) {
                let rest = if was_unfinished {
                    LONG_REST
                } else {
                    longest.unsigned_abs()
                };
                turn.known.rest(rest);
            }
        }
    }

    /// The lanes that are still to be asked, in order: those first that brought
    /// the fewest jobs in vain, then the one whose next job was enqueued first.
    async fn order(&self, group: &[Turn<'_>]) -> Result<Vec<usize>, BrokerError> {
        let open = || (0..group.len()).filter(|index| !group[*index].is_over);
        let mut asking = Vec::new();
        // Of a lane that is alone nothing needs to be known.
        if open().count() > 1 {
            for index in open() {
                asking.push(self.head(group[index].lane));
            }
        }
        let mut heads = futures::future::try_join_all(asking).await?;
        heads.resize(open().count(), None);
        let mut order: Vec<_> = open().zip(heads).collect();
        // A lane without a head is looked at all the same: what comes back to it has none.
        order.sort_by_key(|(index, head)| (group[*index].fruitless, head.unwrap_or(0)));
        Ok(order.into_iter().map(|(index, _)| index).collect())
    }

    /// Offers fetched messages to a claimant until as many as are wanted are
    /// claimed, and gives the rest back.
    async fn offer<C: Claimant>(
        &self,
        turn: &mut Turn<'_>,
        messages: Vec<jetstream::Message>,
        claimant: &C,
        wanted: usize,
        look: &mut PollResult<C::Ticket>,
    ) {
        let (lane, ack_wait) = (turn.lane, turn.known.ack_wait);
        let last = messages.last().and_then(|message| message.info().ok());
        if last.is_some_and(|info| info.pending > 0) {
            look.more = Some(lane.clone());
        }
        // What is kept for longer may be offered to another worker meanwhile.
        let until = Instant::now() + SEARCH.min(ack_wait / 4);
        let enough = look.claims.len() + wanted;
        let mut waiting = VecDeque::from(messages);
        let mut full = None;
        while !waiting.is_empty() {
            let is_late = Instant::now() >= until;
            let mut room = enough - look.claims.len();
            let mut verdicts = Vec::new();
            while let Some(message) = waiting.pop_front() {
                let verdict = if let Some(wait) = full {
                    Verdict::Decline(wait)
                } else if room == 0 || is_late {
                    look.more = Some(lane.clone());
                    Verdict::GiveBack
                } else {
                    judge(&message, lane, claimant, &mut full)
                };
                if let Verdict::Decline(wait) = verdict {
                    turn.declined.push((message, wait));
                    continue;
                }
                let is_taken = matches!(verdict, Verdict::Take(..));
                verdicts.push(self.carry_out(lane, message, verdict, claimant.name(), ack_wait));
                if is_taken {
                    room -= 1;
                    // Whether more are wanted is known once these are claimed.
                    if room == 0 {
                        break;
                    }
                }
            }
            for (taken, ticket) in join_all(verdicts).await {
                match (taken, ticket) {
                    (Taken::Claimed(claim), Some(ticket)) => look.claims.push((*claim, ticket)),
                    (Taken::Buried(run), _) => look.buried.push(*run),
                    _ => {}
                }
            }
        }
        turn.is_over |= full.is_some();
    }

    /// Does what was decided about a message. Where that fails, the message is left
    /// for later: it must not keep the worker from others.
    async fn carry_out<T>(
        &self,
        lane: &Lane,
        message: jetstream::Message,
        verdict: Verdict<T>,
        worker: &WorkerName,
        ack_wait: Duration,
    ) -> (Taken, Option<T>) {
        let mut kept = None;
        let done = match verdict {
            Verdict::Take(job, ticket) => {
                kept = Some(ticket);
                self.take(lane, message.clone(), job, worker, ack_wait)
                    .await
            }
            // It is kept until its lane is searched through.
            Verdict::Decline(_) => Ok(Taken::Nothing),
            Verdict::GiveBack => {
                let left = self.leave(&message, SignedDuration::ZERO).await;
                left.map(|()| Taken::Nothing)
            }
            Verdict::Park(job) => {
                let parked = self.park(&job, lane, &message).await;
                parked.map(|()| Taken::Nothing)
            }
            Verdict::SetAside(error) => {
                let aside = self.set_aside(&message, error).await;
                aside.map(|()| Taken::Nothing)
            }
        };
        match done {
            Ok(taken) => (taken, kept),
            Err(error) => {
                tracing::warn!(subject = %message.subject, %error, "left for later");
                if let Err(error) = self.leave(&message, TROUBLE).await {
                    tracing::debug!(%error, "it comes back by itself");
                }
                (Taken::Nothing, None)
            }
        }
    }

    /// The place of the job that a lane gives out next among those that it has
    /// not given out before.
    async fn head(&self, lane: &Lane) -> Result<Option<u64>, BrokerError> {
        let what = "looking at a lane";
        let stream = self.job_stream(what).await?;
        let info = stream
            .consumer_info(lane.consumer())
            .await
            .map_err(BrokerError::request(what))?;
        if info.num_pending == 0 {
            return Ok(None);
        }
        let next = info.delivered.stream_sequence + 1;
        let head = self.first_from(JOBS, &subject::lane(lane), next).await?;
        Ok(head.map(|stored| stored.sequence))
    }

    /// Messages of a lane that are there at once. A plain request: it needs one
    /// permission and no consumer handle.
    async fn fetch(
        &self,
        lane: &Lane,
        most: usize,
    ) -> Result<Vec<jetstream::Message>, BrokerError> {
        let name = lane.consumer();
        let what = || format!("taking from the lane {name}");
        let failed = |message: &str| BrokerError::Request {
            what: what(),
            message: message.to_owned(),
        };
        // With an inbox of its own: a job arrives under its own subject, by
        // which the shared inbox would not know it for an answer.
        let inbox = self.client.new_inbox();
        let mut answers = self
            .client
            .subscribe(inbox.clone())
            .await
            .map_err(BrokerError::request(what()))?;
        self.client
            .publish_with_reply(
                format!("$JS.API.CONSUMER.MSG.NEXT.{JOBS}.{name}"),
                inbox,
                format!(r#"{{"batch":{most},"no_wait":true}}"#).into(),
            )
            .await
            .map_err(BrokerError::request(what()))?;
        let mut messages = Vec::new();
        while messages.len() < most {
            let message = match tokio::time::timeout(SILENCE, answers.next()).await {
                Ok(Some(message)) => message,
                // What has come already must not be lost for what has not.
                _ if !messages.is_empty() => break,
                Ok(None) => return Err(failed("the connection closed")),
                Err(_) => return Err(failed("no answer")),
            };
            match message.status {
                None => messages.push(jetstream::Message {
                    message,
                    context: self.jetstream.clone(),
                }),
                Some(
                    StatusCode::NOT_FOUND | StatusCode::TIMEOUT | StatusCode::REQUEST_TERMINATED,
                ) => break,
                Some(_) if !messages.is_empty() => break,
                Some(status) => return Err(failed(&status.to_string())),
            }
        }
        Ok(messages)
    }
}

/// What is to become of a message by the claimant's word.
fn judge<C: Claimant>(
    message: &jetstream::Message,
    lane: &Lane,
    claimant: &C,
    full: &mut Option<SignedDuration>,
) -> Verdict<C::Ticket> {
    let job: Job = match wire::decode(&message.payload) {
        Ok(job) => job,
        Err(error) => return Verdict::SetAside(error),
    };
    match claimant.admit(&job, lane) {
        Ok(ticket) => Verdict::Take(job, ticket),
        Err(Decline::Leave(wait)) => Verdict::Decline(wait),
        Err(Decline::Full(wait)) => {
            *full = Some(wait);
            Verdict::Decline(wait)
        }
        Err(Decline::Park) => Verdict::Park(job),
    }
}

/// Lanes to be looked at together, the most urgent first; within a priority
/// those that are preferred first.
fn groups<'a, C: Claimant>(lanes: &'a Lanes, claimant: &C) -> Vec<Vec<Turn<'a>>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (lane, known) in lanes.iter() {
        if claimant.is_open(&lane.queue) && !known.is_resting() {
            let rank = (lane.priority, claimant.prefers(&lane.queue));
            groups
                .entry(std::cmp::Reverse(rank))
                .or_default()
                .push(Turn {
                    lane,
                    known,
                    fruitless: 0,
                    is_over: false,
                    is_unfinished: false,
                    is_fruitful: false,
                    declined: Vec::new(),
                });
        }
    }
    groups.into_values().collect()
}
