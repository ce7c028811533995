//! Offering fetched messages to a claimant, and carrying out its decisions.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::jetstream;
use futures::future::join_all;
use jiff::SignedDuration;
use tokio::time::Instant;
use tracing::Instrument;

use crate::broker::Broker;
use crate::broker::queue::claim::span;
use crate::broker::queue::claim::take::Taken;
use crate::broker::queue::poll::search::{SEARCH, Turn};
use crate::broker::queue::poll::{Claimant, Decline, PollResult};
use crate::farm::queue::Lane;
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::wire;
use crate::wire::WireError;

/// If a request about a message failed, the message is delivered again after this time.
const FAILED_WAIT: SignedDuration = SignedDuration::from_secs(10);

/// What is to be done with a fetched message.
enum Verdict<T> {
    Take(Job, T),
    Decline(SignedDuration),
    Release,
    Park(Job),
    SetAside(WireError),
}

impl Broker {
    /// Offers fetched messages to a claimant until as many as are wanted are claimed, and releases the rest.
    pub(super) async fn offer<C: Claimant>(
        &self,
        turn: &mut Turn<'_>,
        messages: Vec<jetstream::Message>,
        claimant: &C,
        wanted: usize,
        result: &mut PollResult<C::Ticket>,
    ) {
        let (lane, ack_wait) = (turn.lane, turn.known.ack_wait);
        let last = messages.last().and_then(|message| message.info().ok());
        if last.is_some_and(|info| info.pending > 0) {
            result.more = Some(lane.clone());
        }
        // A message that is kept for longer may be delivered to another worker meanwhile.
        let until = Instant::now() + SEARCH.min(ack_wait / 4);
        let enough = result.claims.len() + wanted;
        let mut waiting = VecDeque::from(messages);
        let mut full = None;
        while !waiting.is_empty() {
            let is_late = Instant::now() >= until;
            let mut room = enough - result.claims.len();
            let mut verdicts = Vec::new();
            while let Some(message) = waiting.pop_front() {
                let verdict = if let Some(wait) = full {
                    Verdict::Decline(wait)
                } else if room == 0 || is_late {
                    result.more = Some(lane.clone());
                    Verdict::Release
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
                    // Whether more are wanted is known only once these are claimed.
                    if room == 0 {
                        break;
                    }
                }
            }
            for (taken, ticket) in join_all(verdicts).await {
                match (taken, ticket) {
                    (Taken::Claimed(claim), Some(ticket)) => result.claims.push((*claim, ticket)),
                    (Taken::DeadLettered(run), _) => result.dead_letters.push(*run),
                    (Taken::Completed(done), _) => result.completed.push(*done),
                    _ => {}
                }
            }
        }
        turn.is_over |= full.is_some();
    }

    /// Carries out the decision about a message. If that fails, the message is left for later: it must not keep the
    /// worker from other jobs.
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
                let span = span::claiming(&message, &job, lane, worker);
                self.claim_one(lane, message.clone(), job, worker, ack_wait)
                    .instrument(span)
                    .await
            }
            // A declined message is kept until its lane is searched through.
            Verdict::Decline(_) => Ok(Taken::Nothing),
            Verdict::Release => {
                let left = self.nak_later(&message, SignedDuration::ZERO).await;
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
                if let Err(error) = self.nak_later(&message, FAILED_WAIT).await {
                    tracing::debug!(%error, "not declined; the broker redelivers it after the lease");
                }
                (Taken::Nothing, None)
            }
        }
    }
}

/// The claimant's verdict on a message.
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
