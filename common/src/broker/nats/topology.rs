//! The streams and buckets of a farm.

use std::time::Duration;

use async_nats::jetstream::{kv, stream};

use crate::broker::{Broker, BrokerError};
use crate::farm::retention::Days;
use crate::names::subject;

/// Lanes: up to ten priorities for each encoder, codec and pinned worker.
const MAX_CONSUMERS: i32 = 100_000;
/// How long the broker remembers that a heartbeat ran out, for watchers.
const EXPIRY_MARKER: Duration = Duration::from_secs(60);

impl Broker {
    /// Makes what is missing; leaves what exists as it is, so that an operator
    /// can change limits and replicas.
    pub(crate) async fn ensure_topology(&self) -> Result<(), BrokerError> {
        let replicas = self.replicas;
        for config in [jobs(replicas), dead(replicas), outputs(replicas)] {
            self.ensure_stream(config).await?;
        }
        for config in [
            runs(replicas),
            workers(replicas),
            control(replicas),
            settings(replicas),
        ] {
            self.ensure_bucket(config).await?;
        }
        self.ensure_history().await
    }

    /// What holds history is made to keep it as long as was set, if it is made.
    async fn ensure_history(&self) -> Result<(), BrokerError> {
        let are_there = self.jetstream.get_stream(subject::EVENTS).await.is_ok()
            && self.jetstream.get_key_value(subject::BATCHES).await.is_ok();
        if are_there {
            return Ok(());
        }
        let kept = self.retention_to_be().await?;
        self.ensure_stream(events(self.replicas, kept)).await?;
        self.ensure_bucket(batches(self.replicas, kept)).await
    }

    async fn ensure_stream(&self, config: stream::Config) -> Result<(), BrokerError> {
        let what = format!("making the stream {}", config.name);
        self.jetstream
            .get_or_create_stream(config)
            .await
            .map(drop)
            .map_err(BrokerError::request(what))
    }

    async fn ensure_bucket(&self, config: kv::Config) -> Result<(), BrokerError> {
        let what = format!("making the bucket {}", config.bucket);
        if self.jetstream.get_key_value(&config.bucket).await.is_err() {
            self.jetstream
                .create_key_value(config)
                .await
                .map_err(BrokerError::request(what))?;
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

fn events(num_replicas: usize, kept: Days) -> stream::Config {
    stream::Config {
        name: subject::EVENTS.to_owned(),
        description: Some("history of jobs".to_owned()),
        subjects: vec![subject::EVENTS_SUBJECTS.to_owned()],
        storage: stream::StorageType::File,
        max_age: kept.duration(),
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

/// A key-value bucket in all but the name of its maker: that knows no buckets
/// that take atomic batches.
fn outputs(num_replicas: usize) -> stream::Config {
    stream::Config {
        name: format!("KV_{}", subject::OUTPUTS),
        description: Some("which job an output belongs to".to_owned()),
        subjects: vec![subject::kv(subject::OUTPUTS, ">")],
        max_messages_per_subject: 1,
        storage: stream::StorageType::File,
        discard: stream::DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        allow_atomic_publish: true,
        num_replicas,
        ..Default::default()
    }
}

fn control(num_replicas: usize) -> kv::Config {
    kv::Config {
        bucket: subject::CONTROL.to_owned(),
        description: "standing orders: pauses and working hours".to_owned(),
        history: 1,
        republish: Some(stream::Republish {
            source: subject::kv(subject::CONTROL, ">"),
            destination: subject::ORDERS.to_owned(),
            headers_only: true,
        }),
        storage: stream::StorageType::File,
        num_replicas,
        ..Default::default()
    }
}

fn settings(num_replicas: usize) -> kv::Config {
    kv::Config {
        bucket: subject::SETTINGS.to_owned(),
        description: "presets, the default among them, and how long history is kept".to_owned(),
        history: 1,
        storage: stream::StorageType::File,
        num_replicas,
        ..Default::default()
    }
}

fn batches(num_replicas: usize, kept: Days) -> kv::Config {
    kv::Config {
        bucket: subject::BATCHES.to_owned(),
        description: "what was enqueued together".to_owned(),
        history: 1,
        max_age: kept.duration(),
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
