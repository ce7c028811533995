//! The spans of a claimed job: it has waited, is claimed, and is processed.

use std::time::SystemTime;

use async_nats::jetstream;
use opentelemetry::trace::{Span as _, SpanKind, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::broker::queue::claim::Claim;
use crate::farm::queue::Lane;
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::spans;
use crate::spans::TARGET;

/// The span of a worker that claims a delivered job.
pub(crate) fn claiming(
    message: &jetstream::Message,
    job: &Job,
    lane: &Lane,
    worker: &WorkerName,
) -> Span {
    let span = tracing::info_span!(
        target: TARGET,
        "claim",
        otel.name = %format_args!("claim {}", lane.queue),
        otel.kind = "client",
        messaging.system = "nats",
        messaging.operation.type = "receive",
        messaging.operation.name = "claim",
        messaging.destination.name = %lane.queue,
        messaging.message.id = %job.id,
        ffmpeg_easy.job = %job.id,
        ffmpeg_easy.batch = %job.batch,
        ffmpeg_easy.worker = %worker,
    );
    set_parent(&span, spans::extract(message.headers.as_ref()));
    span
}

/// The context of a claimed job: that of its message, or else that of the claim, which is under way.
pub(super) fn context(message: &jetstream::Message) -> Context {
    let sent = spans::extract(message.headers.as_ref());
    if sent.span().span_context().is_valid() {
        sent
    } else {
        Context::current()
    }
}

impl Claim {
    /// Records the span of a job that has waited in the queue since its message was stored. What came between two
    /// deliveries of one message was an attempt, and no wait.
    pub(super) fn record_wait(&self) {
        let is_first = self.run.attempt <= 1 || self.run.delivered <= 1;
        if !is_first || !self.context.span().span_context().is_sampled() {
            return;
        }
        let Ok(info) = self.message.info() else {
            return;
        };
        let from = SystemTime::from(info.published);
        // Both times are the broker's: its clock may be ahead of this machine's.
        let to = SystemTime::from(self.broker.now()).max(from);
        let lane = self.lane();
        let tracer = global::tracer("ffmpeg-easy");
        let mut span = tracer
            .span_builder(format!("wait {}", lane.queue))
            .with_kind(SpanKind::Internal)
            .with_start_time(from)
            .with_attributes([
                KeyValue::new("messaging.system", "nats"),
                KeyValue::new("messaging.destination.name", lane.queue.to_string()),
                KeyValue::new("ffmpeg_easy.job", self.run.job.id.to_string()),
            ])
            .start_with_context(&tracer, &self.context);
        span.end_with_timestamp(to);
    }

    /// A span for an attempt at this job: a further one is a further span of the same trace.
    pub fn span(&self, worker: &WorkerName) -> Span {
        let (run, lane) = (self.run(), self.lane());
        let span = tracing::info_span!(
            target: TARGET,
            "process",
            otel.name = %format_args!("process {}", lane.queue),
            otel.kind = "consumer",
            messaging.system = "nats",
            messaging.operation.type = "process",
            messaging.operation.name = "process",
            messaging.destination.name = %lane.queue,
            messaging.message.id = %run.job.id,
            ffmpeg_easy.job = %run.job.id,
            ffmpeg_easy.batch = %run.job.batch,
            ffmpeg_easy.attempt = run.attempt,
            ffmpeg_easy.delivery = run.delivered,
            ffmpeg_easy.worker = %worker,
        );
        set_parent(&span, self.context.clone());
        span
    }
}

fn set_parent(span: &Span, parent: Context) {
    if !span.is_disabled() && parent.span().span_context().is_valid() {
        // It can only fail for a span that has begun, and for one that no receiver gets.
        let _ = span.set_parent(parent);
    }
}
