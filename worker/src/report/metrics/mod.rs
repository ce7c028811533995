//! What a worker tells Prometheus of itself.

pub mod counters;
mod serve;

use std::fmt::Display;
use std::sync::Arc;

use async_nats::connection::State;
use common::broker::Broker;
use common::farm::worker::{Heartbeat, WorkerStatus};
use common::program::metrics::Metrics;

use crate::ffmpeg;
use crate::report::heartbeat::Heartbeater;
use crate::report::metrics::counters::{Counters, Work};

pub use serve::{listen, serve};

/// Where the metrics of a worker come from.
pub struct Sources {
    pub broker: Broker,
    pub heartbeater: Arc<Heartbeater>,
    pub counters: Arc<Counters>,
}

impl Sources {
    /// All metrics now, in the text format.
    async fn read(&self) -> String {
        let mut metrics = Metrics::default();
        let now = self.heartbeater.current().await;
        let is_connected = self.broker.client().connection_state() == State::Connected;
        worker(&mut metrics, &now, is_connected);
        self.counters.read(|by_encoder| {
            jobs(
                &mut metrics,
                by_encoder
                    .iter()
                    .map(|(encoder, work)| (encoder.as_str(), work)),
            );
        });
        metrics.into_text()
    }
}

/// The state of the worker.
fn worker(metrics: &mut Metrics, now: &Heartbeat, is_connected: bool) {
    let name = "ffmpeg_easy_worker_info";
    metrics.family(name, "gauge", "The worker: always 1.");
    let labels: [(&str, &dyn Display); 3] = [
        ("worker", &now.name),
        ("version", &env!("CARGO_PKG_VERSION")),
        ("ffmpeg", &now.card.ffmpeg.version),
    ];
    metrics.sample(name, &labels, 1);
    let started = now.started.as_duration().as_secs_f64();
    let is = |status: WorkerStatus| f64::from(u8::from(now.status == status));
    let gauges: [(&str, &str, f64); 7] = [
        (
            "ffmpeg_easy_worker_start_time_seconds",
            "When the worker started, in seconds since 1970.",
            started,
        ),
        (
            "ffmpeg_easy_worker_ready",
            "Whether the worker takes jobs.",
            is(WorkerStatus::Ready),
        ),
        (
            "ffmpeg_easy_worker_quarantined",
            "Whether the worker rests, because jobs and then a proof encode failed on it.",
            is(WorkerStatus::Quarantined),
        ),
        (
            "ffmpeg_easy_worker_broker_up",
            "Whether the worker is connected to the broker.",
            f64::from(u8::from(is_connected)),
        ),
        (
            "ffmpeg_easy_worker_slots",
            "Jobs that the worker runs at once, at the most.",
            f64::from(now.slots),
        ),
        (
            "ffmpeg_easy_worker_places_away",
            "Stores and folders that the worker cannot reach.",
            now.away.len() as f64,
        ),
        (
            "ffmpeg_easy_worker_clock_ahead_seconds",
            "Seconds by which the worker's clock is ahead of the broker's.",
            now.clock_ahead,
        ),
    ];
    for (name, help, value) in gauges {
        metrics.single(name, "gauge", help, value);
    }
    metrics.single(
        "ffmpeg_easy_worker_scratch_free_bytes",
        "gauge",
        "Free bytes for scratch files.",
        now.load.scratch_free,
    );
    metrics.single(
        "ffmpeg_easy_worker_memory_bytes",
        "gauge",
        "Memory of the worker itself, without its tools.",
        now.load.own_memory,
    );
    let name = "ffmpeg_easy_worker_sandbox";
    metrics.family(
        name,
        "gauge",
        "Whether this part of the sandbox confines ffmpeg.",
    );
    let sandbox = now.card.sandbox.unwrap_or_default();
    for (part, is_there) in [
        ("files", sandbox.files),
        ("network", sandbox.network),
        ("own_network", sandbox.own_network),
        ("system_calls", sandbox.system_calls),
    ] {
        metrics.sample(name, &[("part", &part)], u8::from(is_there));
    }
    metrics.single(
        "ffmpeg_easy_worker_tool_starts_total",
        "counter",
        "Starts of ffmpeg and ffprobe, also for tests of encoders.",
        ffmpeg::run::starts(),
    );
}

/// A family of samples: name, kind, help, and the value for one encoder.
type Family = (&'static str, &'static str, &'static str, fn(&Work) -> f64);

/// The work since the worker started, by encoder; `copy` stands for jobs that encode no video.
fn jobs<'a>(metrics: &mut Metrics, work: impl Iterator<Item = (&'a str, &'a Work)> + Clone) {
    let families: [Family; 6] = [
        (
            "ffmpeg_easy_worker_jobs_running",
            "gauge",
            "Jobs, and parts of split jobs, that run now.",
            |work| f64::from(work.running),
        ),
        (
            "ffmpeg_easy_worker_jobs_completed_total",
            "counter",
            "Attempts that completed their job or part.",
            |work| work.completed as f64,
        ),
        (
            "ffmpeg_easy_worker_jobs_released_total",
            "counter",
            "Attempts that ended without a result: the job was released, cancelled, split or lost.",
            |work| work.released as f64,
        ),
        (
            "ffmpeg_easy_worker_encode_seconds_total",
            "counter",
            "Time that ffmpeg encoded, of completed attempts.",
            |work| work.encode_seconds,
        ),
        (
            "ffmpeg_easy_worker_input_bytes_total",
            "counter",
            "Sizes of the inputs of completed attempts.",
            |work| work.input_bytes as f64,
        ),
        (
            "ffmpeg_easy_worker_output_bytes_total",
            "counter",
            "Sizes of the outputs of completed attempts.",
            |work| work.output_bytes as f64,
        ),
    ];
    for (name, kind, help, value) in families {
        metrics.family(name, kind, help);
        for (encoder, work) in work.clone() {
            metrics.sample(name, &[("encoder", &encoder)], value(work));
        }
    }
    let name = "ffmpeg_easy_worker_jobs_failed_total";
    let help = "Attempts that failed, by whose fault it was.";
    metrics.family(name, "counter", help);
    for (encoder, work) in work {
        for (fault, failed) in &work.failed {
            let labels: [(&str, &dyn Display); 2] = [("encoder", &encoder), ("fault", fault)];
            metrics.sample(name, &labels, failed);
        }
    }
}
