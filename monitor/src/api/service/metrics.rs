//! Metrics for Prometheus.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use async_nats::jetstream::stream::StorageType;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use common::broker::Broker;
use common::matching::scale::Scale;
use common::names::subject::DEAD;
use common::program::metrics;
use common::program::metrics::Metrics;
use futures::TryStreamExt;
use jiff::Timestamp;

use crate::index::{Index, LISTED, Who};
use crate::scale::QueueScale;
use crate::snapshot::Snapshot;
use crate::snapshot::attention::Attention;
use crate::snapshot::workers::Presence;
use crate::web::app::App;
use crate::web::refusal::Refusal;

/// How long to wait for the first frame.
const PATIENCE: Duration = Duration::from_secs(5);

/// Metrics in the Prometheus text format.
#[utoipa::path(
    get, path = "/metrics", tag = "metrics",
    responses(
        (status = OK, body = String, content_type = "text/plain"),
        (status = SERVICE_UNAVAILABLE, body = Refusal)
    )
)]
pub(crate) async fn metrics(State(shared): State<App>) -> Result<Response, Refusal> {
    let _viewer = shared.audience.join();
    let frame = shared.board.frame(PATIENCE).await.ok_or_else(|| {
        Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the broker gives no answer: see whether it runs, then try again",
        )
    })?;
    let now = shared.broker.now();
    // While not all jobs are read, these are left out, as what the index tells is.
    let demand = shared.scaler.demand().await.ok();
    let stored = stored(&shared.broker).await;
    let text = shared.search(move |listing| {
        let mut text = Metrics::default();
        state(&mut text, &frame.snapshot, now);
        if let Some(stored) = stored {
            broker(&mut text, &stored);
        }
        if let Some(demand) = demand {
            scale(&mut text, &demand.queues());
        }
        if listing.is_complete() {
            jobs(&mut text, &listing.read());
        }
        text.into_text()
    });
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text.await?).into_response())
}

/// What the broker holds.
#[derive(Default)]
struct Stored {
    /// Bytes of all streams on disk.
    bytes: u64,
    dead_letters: u64,
}

/// What the broker holds; `None` if it gives no answer.
async fn stored(broker: &Broker) -> Option<Stored> {
    let context = broker.jetstream();
    let mut streams = context.streams();
    let mut stored = Stored::default();
    while let Some(info) = streams.try_next().await.ok()? {
        if info.config.storage == StorageType::File {
            stored.bytes = stored.bytes.saturating_add(info.state.bytes);
        }
        if info.config.name == DEAD {
            stored.dead_letters = info.state.messages;
        }
    }
    Some(stored)
}

fn broker(text: &mut Metrics, stored: &Stored) {
    text.single(
        "ffmpeg_easy_broker_stored_bytes",
        "gauge",
        "Bytes of all streams on the broker's disk.",
        stored.bytes,
    );
    text.single(
        "ffmpeg_easy_dead_letters",
        "gauge",
        "Stored copies of jobs that failed for good.",
        stored.dead_letters,
    );
}

fn state(text: &mut Metrics, state: &Snapshot, now: Timestamp) {
    text.single(
        "ffmpeg_easy_broker_up",
        "gauge",
        "Whether the broker answers.",
        u8::from(state.broker.connected),
    );
    queues(text, state, now);
    workers(text, state);
    places_and_clocks(text, state);
    text.single(
        "ffmpeg_easy_encode_fps",
        "gauge",
        "Frames per second of all encodes together.",
        state.totals.fps,
    );
}

fn queues(text: &mut Metrics, state: &Snapshot, now: Timestamp) {
    let name = "ffmpeg_easy_queue_pending";
    let help = "Pending jobs, and parts of split jobs, by queue and priority.";
    text.family(name, "gauge", help);
    for row in &state.queues {
        for (priority, pending) in &row.by_priority {
            let labels: [(&str, &dyn Display); 2] = [("queue", &row.queue), ("priority", priority)];
            text.sample(name, &labels, pending);
        }
    }
    let name = "ffmpeg_easy_queue_oldest_seconds";
    text.family(name, "gauge", "Age of the oldest waiting job.");
    for row in &state.queues {
        if let Some(oldest) = row.oldest {
            let age = now.duration_since(oldest.0).as_secs_f64().max(0.0);
            text.sample(name, &[("queue", &row.queue)], format_args!("{age:.3}"));
        }
    }
    let name = "ffmpeg_easy_queue_running";
    text.family(name, "gauge", "Running jobs, by queue.");
    for row in &state.queues {
        text.sample(name, &[("queue", &row.queue)], row.running);
    }
    let name = "ffmpeg_easy_queue_workers";
    text.family(name, "gauge", "Workers that take jobs of the queue.");
    for row in &state.queues {
        text.sample(name, &[("queue", &row.queue)], row.served_by);
    }
    let name = "ffmpeg_easy_queue_paused";
    text.family(name, "gauge", "Whether a person has paused the queue.");
    for row in &state.queues {
        text.sample(name, &[("queue", &row.queue)], u8::from(row.paused));
    }
}

/// A family of samples about queues: name, help, and the value for one of them.
type OfQueues = (&'static str, &'static str, fn(&Scale) -> u64);

fn scale(text: &mut Metrics, queues: &[QueueScale]) {
    let families: [OfQueues; 3] = [
        (
            "ffmpeg_easy_startable_jobs",
            "Jobs that a new worker of the queue could start now, beyond those that idle slots take.",
            |scale| scale.startable,
        ),
        (
            "ffmpeg_easy_running_jobs",
            "Jobs that the workers of the queue run, whatever queue they are from.",
            |scale| scale.running,
        ),
        (
            "ffmpeg_easy_wanted_workers",
            "Workers of one job each that the queue needs.",
            |scale| scale.wanted,
        ),
    ];
    for (name, help, value) in families {
        text.family(name, "gauge", help);
        for row in queues {
            text.sample(name, &[("queue", &row.queue)], value(&row.scale));
        }
    }
}

/// Whether workers take jobs, with the names in the metrics.
const PRESENCES: [(Presence, &str); 6] = [
    (Presence::Ready, "ready"),
    (Presence::Draining, "draining"),
    (Presence::Drained, "drained"),
    (Presence::OffHours, "off_hours"),
    (Presence::Quarantined, "quarantined"),
    (Presence::Lost, "lost"),
];

fn workers(text: &mut Metrics, state: &Snapshot) {
    let live = || {
        let rows = state.workers.iter();
        rows.filter(|row| row.status != Presence::Lost)
    };
    let name = "ffmpeg_easy_workers";
    text.family(name, "gauge", "Workers, by whether they take jobs.");
    for (status, label) in PRESENCES {
        let workers = state.workers.iter().filter(|row| row.status == status);
        text.sample(name, &[("status", &label)], workers.count());
    }
    let name = "ffmpeg_easy_slots";
    let help = "Jobs that a worker runs at once, at the most.";
    text.family(name, "gauge", help);
    for row in live() {
        text.sample(name, &[("worker", &row.name)], row.slots);
    }
    let name = "ffmpeg_easy_slots_running";
    text.family(name, "gauge", "Running jobs, by worker.");
    for row in live() {
        text.sample(name, &[("worker", &row.name)], row.running.len());
    }
}

/// Places that workers cannot reach, and clocks that are wrong.
fn places_and_clocks(text: &mut Metrics, state: &Snapshot) {
    let name = "ffmpeg_easy_place_away";
    let help = "Workers that cannot reach a store or folder.";
    text.family(name, "gauge", help);
    for item in &state.attention {
        if let Attention::PlaceAway { place, workers, .. } = item {
            text.sample(name, &[("place", place)], workers);
        }
    }
    let name = "ffmpeg_easy_clock_ahead_seconds";
    let help = "Seconds by which a worker's clock is ahead of the broker's.";
    text.family(name, "gauge", help);
    for row in &state.workers {
        if row.status != Presence::Lost {
            text.sample(name, &[("worker", &row.name)], row.clock_ahead);
        }
    }
}

/// A family of samples: name, help, and the value for one row.
type Family = (&'static str, &'static str, fn(&Work) -> f64);

/// The work of one worker with one encoder.
#[derive(Default)]
struct Work {
    worker: String,
    encoder: String,
    jobs: u64,
    encode_seconds: f64,
    frames: u64,
    input_bytes: u64,
    output_bytes: u64,
}

fn jobs(text: &mut Metrics, index: &Index) {
    text.family("ffmpeg_easy_jobs", "gauge", "Jobs by state.");
    let counts = index.counts();
    for state in LISTED {
        text.sample(
            "ffmpeg_easy_jobs",
            &[("state", &state.as_str())],
            counts.of(state),
        );
    }
    text.single(
        "ffmpeg_easy_retries_total",
        "counter",
        "Attempts beyond each job's first.",
        index.retries(),
    );
    let (healthy, damaged) = index.checked();
    text.family(
        "ffmpeg_easy_checks_total",
        "counter",
        "Completed checks of files.",
    );
    for (result, checks) in [("healthy", healthy), ("damaged", damaged)] {
        text.sample("ffmpeg_easy_checks_total", &[("result", &result)], checks);
    }
    let mut work: BTreeMap<Who, Work> = BTreeMap::new();
    for done in index.done() {
        let sum = work.entry(done.who).or_insert_with(|| Work {
            worker: done.worker.map(ToString::to_string).unwrap_or_default(),
            encoder: done
                .encoder
                .map_or_else(|| "copy".to_owned(), ToString::to_string),
            ..Work::default()
        });
        sum.jobs += 1;
        sum.encode_seconds += f64::from(done.encode_seconds);
        sum.frames = sum.frames.saturating_add(done.frames);
        sum.input_bytes = sum.input_bytes.saturating_add(done.input_size);
        sum.output_bytes = sum.output_bytes.saturating_add(done.output_size);
    }
    let families: [Family; 5] = [
        (
            "ffmpeg_easy_encoded_jobs_total",
            "Encodes and copies completed.",
            |work| work.jobs as f64,
        ),
        (
            "ffmpeg_easy_encode_seconds_total",
            "Time that ffmpeg encoded.",
            |work| work.encode_seconds,
        ),
        (
            "ffmpeg_easy_encoded_frames_total",
            "Frames encoded.",
            |work| work.frames as f64,
        ),
        (
            "ffmpeg_easy_input_bytes_total",
            "Input bytes of completed encodes.",
            |work| work.input_bytes as f64,
        ),
        (
            "ffmpeg_easy_output_bytes_total",
            "Output bytes of completed encodes.",
            |work| work.output_bytes as f64,
        ),
    ];
    for (name, help, value) in families {
        text.family(name, "counter", help);
        for sum in work.values() {
            let labels: [(&str, &dyn Display); 2] =
                [("worker", &sum.worker), ("encoder", &sum.encoder)];
            text.sample(name, &labels, value(sum));
        }
    }
}
