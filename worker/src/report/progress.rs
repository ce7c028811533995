//! Publishes the progress of a running job.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::broker::Broker;
use common::farm::worker_name::WorkerName;
use common::job::event::{Event, What};
use common::job::id::JobId;
use common::job::progress::{EncodeProgress, Progress};
use common::job::run::Stage;
use common::names::location::Location;
use common::names::subject;
use common::wire;

/// The fractions of an encode that are recorded in the job's history.
const MARKS: [f32; 3] = [0.25, 0.5, 0.75];

/// Publishes the progress of one attempt at a job.
#[derive(Clone)]
pub struct Reporter {
    broker: Broker,
    worker: WorkerName,
    job: JobId,
    attempt: u32,
    /// How many of [`MARKS`] have been passed.
    marks: Arc<AtomicUsize>,
}

impl Reporter {
    pub fn new(broker: Broker, worker: WorkerName, job: JobId, attempt: u32) -> Self {
        Self {
            broker,
            worker,
            job,
            attempt,
            marks: Arc::default(),
        }
    }

    /// Adds ffmpeg's command line to the job's history; that of a part to the log, for parts have no history.
    pub async fn command(&self, line: String) {
        if !self.job.is_whole() {
            return self.log(format!("$ {line}")).await;
        }
        let event = Event {
            job: self.job,
            attempt: self.attempt,
            at: self.broker.now(),
            what: What::Command(line),
            priority: None,
        };
        self.broker.record_event(&event).await;
    }

    /// Publishes a line of ffmpeg's log, without waiting for an answer.
    pub async fn log(&self, line: String) {
        if let Err(error) = self.broker.publish_log(&self.job, line).await {
            tracing::debug!(job = %self.job, %error, "a line of its log was not heard");
        }
    }

    /// Adds the progress to the job's history when the encode passes one of [`MARKS`].
    async fn mark(&self, fraction: f32, encode: EncodeProgress) {
        let passed = MARKS.iter().filter(|mark| fraction >= **mark).count();
        if fraction < 1.0 && self.marks.fetch_max(passed, Ordering::Relaxed) < passed {
            let event = Event {
                job: self.job,
                attempt: self.attempt,
                at: self.broker.now(),
                what: What::Progress(encode),
                priority: None,
            };
            self.broker.record_event(&event).await;
        }
    }

    /// Publishes the progress, without waiting for an answer. Nothing depends on it.
    pub async fn report(
        &self,
        stage: Stage,
        fraction: Option<f32>,
        encode: Option<EncodeProgress>,
        eta: Option<f32>,
    ) {
        if let (Stage::Encoding, Some(fraction), Some(encode)) = (stage, fraction, encode) {
            self.mark(fraction, encode).await;
        }
        self.publish(stage, fraction, encode, eta, None).await;
    }

    /// Publishes that the job waits, with its finished output, for this place.
    pub async fn waits(&self, place: &Location) {
        let place = Some(place.clone());
        self.publish(Stage::Publishing, None, None, None, place)
            .await;
    }

    async fn publish(
        &self,
        stage: Stage,
        fraction: Option<f32>,
        encode: Option<EncodeProgress>,
        eta: Option<f32>,
        waits_for: Option<Location>,
    ) {
        let progress = Progress {
            job: self.job,
            worker: self.worker.clone(),
            attempt: self.attempt,
            stage,
            fraction,
            encode,
            eta,
            waits_for,
            at: self.broker.now(),
        };
        let subject = subject::progress(&self.job);
        let published = self
            .broker
            .client()
            .publish(subject, wire::encode(&progress))
            .await;
        if let Err(error) = published {
            tracing::debug!(job = %self.job, %error, "progress was not published");
        }
    }
}
