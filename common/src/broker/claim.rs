//! Claiming: taking a job so that exactly one worker owns it, and the writes
//! that only its owner may make.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::{
    NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_SCHEDULE, NATS_SCHEDULE_TARGET,
};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::{self, AckKind};
use async_nats::{Message, StatusCode};
use jiff::{SignedDuration, Timestamp};

use super::runs::{Versioned, Write};
use super::{Broker, BrokerError, Lanes};
use crate::failure::Failure;
use crate::job::Job;
use crate::queue::Lane;
use crate::run::{Delivery, Report, Run, Stage, State};
use crate::subject::{self, JOBS, Place};
use crate::wire;
use crate::worker::WorkerName;

/// The first retry comes after this, each further one after twice as long.
const FIRST_RETRY: SignedDuration = SignedDuration::from_secs(5);
/// The broker answers at once, whether or not there is a job: a longer silence
/// means that the request got lost with a leader.
const FETCH: Duration = Duration::from_secs(3);
/// No retry waits longer than this.
const LONGEST_RETRY: SignedDuration = SignedDuration::from_mins(10);

/// A job that this worker owns, until a write says otherwise.
#[derive(Clone)]
pub struct Claim {
    pub(super) broker: Broker,
    run: Run,
    revision: u64,
    message: std::sync::Arc<jetstream::Message>,
    pub(super) ack_wait: Duration,
}

/// The run is no longer this worker's.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// Another worker took it over, or a person cancelled it.
    #[error("the job is no longer this worker's")]
    Elsewhere,
    /// The broker gave no answer for so long that the lease must be taken for lost.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// What a look at the lanes found.
pub enum Look {
    /// A job, now claimed.
    Claimed {
        /// The claim.
        claim: Box<Claim>,
        /// Jobs that wait behind it in its lane.
        behind: u64,
    },
    /// Nothing waits.
    Empty,
}

impl Broker {
    /// Takes the most urgent job of these lanes.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn claim(&self, lanes: &Lanes, worker: &WorkerName) -> Result<Look, BrokerError> {
        for (lane, ack_wait) in lanes.iter() {
            while let Some(message) = self.fetch(lane).await? {
                let behind = message.info().map(|info| info.pending).unwrap_or_default();
                if let Some(claim) = self.take(lane, message, worker, ack_wait).await? {
                    return Ok(Look::Claimed {
                        claim: Box::new(claim),
                        behind,
                    });
                }
            }
        }
        Ok(Look::Empty)
    }

    /// One message of a lane, if there is one at once. A plain request: it
    /// needs one permission and no consumer handle.
    async fn fetch(&self, lane: &Lane) -> Result<Option<jetstream::Message>, BrokerError> {
        let name = lane.consumer();
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{JOBS}.{name}");
        // With an inbox of its own: a job arrives under its own subject, by
        // which the shared inbox would not know it for an answer.
        let request = async_nats::Request::new()
            .payload(r#"{"batch":1,"no_wait":true}"#.into())
            .inbox(self.client.new_inbox())
            .timeout(Some(FETCH));
        let answer = self.client.send_request(subject, request).await;
        let message: Message = match answer {
            Ok(message) => message,
            Err(error) => {
                return Err(BrokerError::Request {
                    what: format!("taking from the lane {name}"),
                    message: error.to_string(),
                });
            }
        };
        match message.status {
            None => Ok(Some(jetstream::Message {
                message,
                context: self.jetstream.clone(),
            })),
            Some(StatusCode::NOT_FOUND | StatusCode::TIMEOUT | StatusCode::REQUEST_TERMINATED) => {
                Ok(None)
            }
            Some(status) => Err(BrokerError::Request {
                what: format!("taking from the lane {name}"),
                message: status.to_string(),
            }),
        }
    }

    /// Makes a delivered message this worker's run, or settles it where the
    /// job needs nothing more of it.
    async fn take(
        &self,
        lane: &Lane,
        message: jetstream::Message,
        worker: &WorkerName,
        ack_wait: Duration,
    ) -> Result<Option<Claim>, BrokerError> {
        let what = || format!("message on {}", message.subject);
        let sequence = message
            .info()
            .map_err(BrokerError::request(what()))?
            .stream_sequence;
        let job: Job = match wire::decode(&message.payload) {
            Ok(job) => job,
            Err(source) => return self.set_aside(&message, source).await.map(|()| None),
        };
        loop {
            let now = Timestamp::now();
            let mut found = self.versioned_run(&job.id).await?;
            let drops = |found: &Versioned| found.run.on_delivery(sequence) == Delivery::Drop;
            if found.as_ref().is_some_and(drops) {
                // A replica that lags behind still shows the attempt before this one, and no
                // compare-and-set guards an acknowledgement: it would lose the job.
                found = self.versioned_run_at_leader(&job.id).await?;
            }
            let (next, expected) = match found {
                None => (
                    Run::first(job.clone(), lane, sequence, worker.clone(), now),
                    0,
                ),
                Some(found) => match found.run.on_delivery(sequence) {
                    Delivery::TakeOver => (
                        found.run.take_over(lane, sequence, worker.clone(), now),
                        found.revision,
                    ),
                    Delivery::Drop => {
                        self.settle(&found.run, &message).await?;
                        return Ok(None);
                    }
                },
            };
            // A conflict means that the run has just changed: look again.
            if let Write::Done(revision) = self.write_run(&next, expected).await? {
                self.record(&next).await;
                if next.state.is_terminal() {
                    self.settle(&next, &message).await?;
                    return Ok(None);
                }
                return Ok(Some(Claim {
                    broker: self.clone(),
                    run: next,
                    revision,
                    message: message.into(),
                    ack_wait,
                }));
            }
        }
    }

    /// Lets go of a message whose run has said all there is to say. A failed
    /// job is a dead letter before its message goes.
    async fn settle(&self, run: &Run, message: &jetstream::Message) -> Result<(), BrokerError> {
        if let State::Failed { .. } = run.state {
            self.bury(run).await?;
        }
        message.ack().await.map_err(BrokerError::request(format!(
            "acknowledging job {}",
            run.job.id
        )))
    }

    /// Publishes a dead letter; one that is there already is enough.
    async fn bury(&self, run: &Run) -> Result<(), BrokerError> {
        let what = || format!("publishing the dead letter of job {}", run.job.id);
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
        let subject = subject::dead(&run.queue, &run.job.id);
        let answer = self
            .jetstream
            .publish_with_headers(subject, headers, wire::encode(run))
            .await
            .map_err(BrokerError::request(what()))?
            .await;
        match answer {
            Err(error) if error.kind() != PublishErrorKind::WrongLastSequence => {
                Err(BrokerError::request(what())(error))
            }
            _ => Ok(()),
        }
    }

    /// A message that this program cannot read. One from a newer program is
    /// left for a newer worker; rubbish must not block its lane.
    async fn set_aside(
        &self,
        message: &jetstream::Message,
        error: wire::WireError,
    ) -> Result<(), BrokerError> {
        let subject = message.subject.as_str();
        let what = || format!("setting {subject} aside");
        let answer = if matches!(error, wire::WireError::Newer { .. }) {
            tracing::warn!(subject, %error, "left for a newer worker");
            message
                .ack_with(AckKind::Nak(Some(Duration::from_secs(60))))
                .await
        } else {
            tracing::error!(subject, %error, "not a job of this farm: moved to the dead letters");
            let name = subject.split('.').nth(3).unwrap_or("unknown");
            let queue = subject.split('.').nth(1).unwrap_or("unknown");
            self.jetstream
                .publish(format!("dead.{queue}.{name}"), message.payload.clone())
                .await
                .map_err(BrokerError::request(what()))?
                .await
                .map_err(BrokerError::request(what()))?;
            message.ack().await
        };
        answer.map_err(BrokerError::request(what()))
    }

    /// Rings the bell of a queue, for jobs that came back or were left over:
    /// the broker itself rings only when one is first published.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn ring(&self, lane: &Lane) -> Result<(), BrokerError> {
        self.client
            .publish(subject::wake(&lane.queue), bytes::Bytes::new())
            .await
            .map_err(BrokerError::request("waking a worker"))
    }
}

impl Claim {
    /// The run as this worker last wrote it.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The job.
    pub fn job(&self) -> &Job {
        &self.run.job
    }

    /// The lane that it was taken from.
    pub fn lane(&self) -> Lane {
        Lane {
            priority: self.run.priority,
            queue: self.run.queue.clone(),
        }
    }

    /// How long the owner may take to make the output appear after it wrote
    /// the fence: the lease cannot be over by then.
    pub fn commit_time(&self) -> Duration {
        self.ack_wait * 2 / 3
    }

    /// Tells the broker that the job is being worked on. Says nothing about
    /// who owns it: the broker accepts this from anyone.
    pub(super) async fn keep_alive(&self) -> Result<(), async_nats::Error> {
        self.message.ack_with(AckKind::Progress).await
    }

    /// Writes the next state of the run, where it is still this worker's.
    async fn write(&mut self, next: Run) -> Result<(), Lost> {
        match self.broker.write_run(&next, self.revision).await? {
            Write::Done(revision) => {
                self.run = next;
                self.revision = revision;
                Ok(())
            }
            Write::Conflict => Err(Lost::Elsewhere),
        }
    }

    /// Begins another stage.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn enter(&mut self, stage: Stage) -> Result<(), Lost> {
        self.write(self.run.enter(stage, Timestamp::now())).await
    }

    /// The output is at its final key: the job is done.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn complete(mut self, report: Report) -> Result<Run, Lost> {
        self.write(self.run.complete(report, Timestamp::now()))
            .await?;
        self.end().await
    }

    /// The attempt failed: the job waits for its next one, or has failed for good.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn fail(mut self, failure: Failure) -> Result<Run, Lost> {
        let wait = retry_wait(self.run.spent());
        self.write(self.run.fail(failure, wait, Timestamp::now()))
            .await?;
        if let State::Waiting { until, .. } = self.run.state {
            self.publish_later(until).await?;
        }
        self.end().await
    }

    /// Gives the job back unharmed, for another worker to take at once.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn hand_back(mut self) -> Result<(), Lost> {
        self.write(self.run.hand_back(Timestamp::now())).await?;
        self.broker.record(&self.run).await;
        let _ = self.message.ack_with(AckKind::Nak(None)).await;
        Ok(self.broker.ring(&self.lane()).await?)
    }

    /// Lets go of a job that a person cancelled while it ran.
    pub async fn let_go(self) {
        if let Err(error) = self.message.ack().await {
            tracing::debug!(job = %self.run.job.id, %error, "not acknowledged; it will be dropped when it comes back");
        }
    }

    /// Records and acknowledges what was just written. The run has the say by
    /// now: an acknowledgement that is lost only brings the message back once
    /// more, to be settled by whoever gets it.
    async fn end(self) -> Result<Run, Lost> {
        self.broker.record(&self.run).await;
        self.broker.settle(&self.run, &self.message).await?;
        Ok(self.run)
    }

    /// Has the broker publish the job again at its time.
    async fn publish_later(&self, until: Timestamp) -> Result<(), BrokerError> {
        let what = || format!("scheduling the retry of job {}", self.run.job.id);
        let place = Place {
            lane: self.lane(),
            job: self.run.job.id,
        };
        let mut headers = HeaderMap::new();
        headers.insert(NATS_SCHEDULE, format!("@at {until}"));
        headers.insert(NATS_SCHEDULE_TARGET, subject::job(&place.lane, &place.job));
        self.broker
            .jetstream
            .publish_with_headers(
                subject::later(&place.job),
                headers,
                wire::encode(&self.run.job),
            )
            .await
            .map_err(BrokerError::request(what()))?
            .await
            .map_err(BrokerError::request(what()))?;
        Ok(())
    }
}

/// How long to wait after this many failed attempts.
fn retry_wait(spent: u32) -> SignedDuration {
    let doubled = 1_i32 << spent.saturating_sub(1).min(16);
    (FIRST_RETRY * doubled).min(LONGEST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_wait_twice_as_long_each_time_up_to_a_limit() {
        assert_eq!(retry_wait(1), SignedDuration::from_secs(5));
        assert_eq!(retry_wait(2), SignedDuration::from_secs(10));
        assert_eq!(retry_wait(40), LONGEST_RETRY);
    }
}
