//! The context of a trace in the messages of jobs. One trace has a job's whole way: it is created, waits, is claimed and
//! processed, once for each attempt. Parts of a split job belong to the trace of the attempt that made them.

use std::collections::{HashMap, HashSet};

use async_nats::HeaderMap;
use opentelemetry::Context;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::broker::nats::message::Message;
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::id::JobId;
use crate::spans;
use crate::spans::TARGET;

/// The spans of jobs that are about to be enqueued: each job has one, however often its batch is tried.
#[derive(Default)]
pub(crate) struct Created(HashMap<JobId, Span>);

impl Created {
    /// The message, with the context of its job's span.
    pub(crate) fn trace(&mut self, job: &Job, lane: &Lane, mut message: Message) -> Message {
        let span = self.0.entry(job.id).or_insert_with(|| created(job, lane));
        spans::inject(&span.context(), &mut message.headers);
        message
    }

    /// Notes that these jobs wait already, and are not enqueued.
    pub(crate) fn refuse(&self, waiting: &HashSet<JobId>) {
        for span in waiting.iter().filter_map(|job| self.0.get(job)) {
            spans::fail(span, "the job waits in the queue already");
        }
    }
}

/// The span of a job that is put into a lane. Its context goes along with the job's message.
fn created(job: &Job, lane: &Lane) -> Span {
    tracing::info_span!(
        target: TARGET,
        "create",
        otel.name = %format_args!("create {}", lane.queue),
        otel.kind = "producer",
        messaging.system = "nats",
        messaging.operation.type = "create",
        messaging.operation.name = "enqueue",
        messaging.destination.name = %lane.queue,
        messaging.message.id = %job.id,
        ffmpeg_easy.job = %job.id,
        ffmpeg_easy.batch = %job.batch,
        ffmpeg_easy.priority = %lane.priority,
    )
}

/// The message of a job that is put into a lane, with the context of a new span; within a trace, that span is part of it.
pub(crate) fn create(job: &Job, lane: &Lane, message: Message) -> Message {
    Created::default().trace(job, lane, message)
}

/// A message that continues what is under way.
pub(crate) fn within(mut message: Message) -> Message {
    spans::inject(&Context::current(), &mut message.headers);
    message
}

/// A message about a job, with the context of the message before it.
pub(crate) fn carry(from: Option<&HeaderMap>, mut message: Message) -> Message {
    spans::inject(&spans::extract(from), &mut message.headers);
    message
}
