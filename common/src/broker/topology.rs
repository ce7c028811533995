//! The streams and buckets of a farm.

use std::time::Duration;

use async_nats::jetstream::{kv, stream};

use super::{Broker, BrokerError};
use crate::subject;

/// How long history is kept.
const HISTORY: Duration = Duration::from_secs(90 * 24 * 3600);
/// Lanes: up to ten priorities for each encoder, codec and pinned worker.
const MAX_CONSUMERS: i32 = 100_000;
/// How long the broker remembers that a heartbeat ran out, for watchers.
const EXPIRY_MARKER: Duration = Duration::from_secs(60);

impl Broker {
    /// Makes what is missing; leaves what exists as it is, so that an operator
    /// can change limits and replicas.
    pub(super) async fn ensure_topology(&self) -> Result<(), BrokerError> {
        let replicas = self.replicas;
        for config in [jobs(replicas), events(replicas), dead(replicas)] {
            let what = format!("making the stream {}", config.name);
            self.jetstream
                .get_or_create_stream(config)
                .await
                .map_err(BrokerError::request(what))?;
        }
        for config in [
            runs(replicas),
            workers(replicas),
            control(replicas),
            batches(replicas),
        ] {
            let what = format!("making the bucket {}", config.bucket);
            if self.jetstream.get_key_value(&config.bucket).await.is_err() {
                self.jetstream
                    .create_key_value(config)
                    .await
                    .map_err(BrokerError::request(what))?;
            }
        }
        Ok(())
    }
}

fn jobs(num_replicas: usize) -> stream::Config {
    stream::Config {
        name: subject::JOBS.to_owned(),
        description: Some("jobs that wait or run".to_owned()),
        subjects: subject::JOBS_SUBJECTS.map(str::to_owned).to_vec(),
        retention: stream::RetentionPolicy::WorkQueue,
        storage: stream::StorageType::File,
        max_consumers: MAX_CONSUMERS,
        allow_direct: true,
        allow_atomic_publish: true,
        allow_message_schedules: true,
        republish: Some(stream::Republish {
            source: subject::WAKE_SOURCE.to_owned(),
            destination: subject::WAKE_DESTINATION.to_owned(),
            headers_only: true,
        }),
        num_replicas,
        ..Default::default()
    }
}

fn events(num_replicas: usize) -> stream::Config {
    stream::Config {
        name: subject::EVENTS.to_owned(),
        description: Some("history of jobs".to_owned()),
        subjects: vec![subject::EVENTS_SUBJECTS.to_owned()],
        storage: stream::StorageType::File,
        max_age: HISTORY,
        allow_direct: true,
        // History is worth no flush for each entry: nothing is decided by it.
        persist_mode: (num_replicas == 1).then_some(stream::PersistenceMode::Async),
        num_replicas,
        ..Default::default()
    }
}

fn dead(num_replicas: usize) -> stream::Config {
    stream::Config {
        name: subject::DEAD.to_owned(),
        description: Some("jobs that failed for good".to_owned()),
        subjects: vec![subject::DEAD_SUBJECTS.to_owned()],
        storage: stream::StorageType::File,
        max_messages_per_subject: 1,
        allow_direct: true,
        num_replicas,
        ..Default::default()
    }
}

fn runs(num_replicas: usize) -> kv::Config {
    kv::Config {
        bucket: subject::RUNS.to_owned(),
        description: "what has become of jobs since a worker took them".to_owned(),
        history: 1,
        storage: stream::StorageType::File,
        num_replicas,
        ..Default::default()
    }
}

fn control(num_replicas: usize) -> kv::Config {
    kv::Config {
        bucket: subject::CONTROL.to_owned(),
        description: "standing orders: pauses and working hours".to_owned(),
        history: 1,
        storage: stream::StorageType::File,
        num_replicas,
        ..Default::default()
    }
}

fn batches(num_replicas: usize) -> kv::Config {
    kv::Config {
        bucket: subject::BATCHES.to_owned(),
        description: "what was enqueued together".to_owned(),
        history: 1,
        max_age: HISTORY,
        storage: stream::StorageType::File,
        num_replicas,
        ..Default::default()
    }
}

fn workers(num_replicas: usize) -> kv::Config {
    kv::Config {
        bucket: subject::WORKERS.to_owned(),
        description: "heartbeats of live workers".to_owned(),
        history: 1,
        // Worth no disk: live workers tell a restarted broker within seconds, and
        // make this anew for it.
        storage: stream::StorageType::Memory,
        limit_markers: Some(EXPIRY_MARKER),
        num_replicas,
        ..Default::default()
    }
}
