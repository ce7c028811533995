//! The streams and buckets of a farm.

use std::time::Duration;

use async_nats::jetstream::stream;

use crate::broker::{Broker, BrokerError, RequestFailure};
use crate::farm::retention::Days;
use crate::names::subject;

/// Most lanes: up to ten priorities for each encoder, codec and pinned worker.
const MAX_CONSUMERS: i32 = 100_000;
/// How long the broker keeps the marker of an expired heartbeat, for watchers.
const EXPIRY_MARKER: Duration = Duration::from_secs(60);

impl Broker {
    /// Makes the streams that are missing. Existing ones stay as they are, so that an operator can change limits and
    /// replicas.
    pub(crate) async fn make_missing_streams(&self) -> Result<(), BrokerError> {
        let replicas = self.replicas;
        let mut names = self.nats.stream_names().await?;
        names.sort_unstable();
        let is_missing = |config: &stream::Config| names.binary_search(&config.name).is_err();
        let state = state(replicas);
        for config in state.iter().filter(|config| is_missing(config)) {
            self.make(config).await?;
        }
        // The setting outlives the streams: history that is made anew is kept for the days that were set.
        let history = [
            events(replicas, Days::DEFAULT),
            batches(replicas, Days::DEFAULT),
        ];
        let mut missing = history.into_iter().filter(is_missing).peekable();
        if missing.peek().is_none() {
            return Ok(());
        }
        let kept = self.retention_to_be().await?.duration();
        for config in missing {
            let config = stream::Config {
                max_age: kept,
                ..config
            };
            self.make(&config).await?;
        }
        Ok(())
    }

    /// What of the farm's streams is not as the programs need it. Limits, ages and copies are the operator's choice.
    pub async fn stream_faults(&self) -> Result<Vec<StreamFault>, BrokerError> {
        let mut faults = Vec::new();
        for designed in farm_streams(self.replicas) {
            let what = format!("looking at {}", designed.name);
            let verb = format!("STREAM.INFO.{}", designed.name);
            let found: Result<stream::Info, BrokerError> =
                self.nats.api(&what, verb, &serde_json::json!({})).await;
            let settings = match found {
                Ok(info) => differing(&designed, &info.config),
                Err(error) if error.failure() == Some(RequestFailure::NoStream) => {
                    faults.push(StreamFault {
                        stream: designed.name,
                        settings: None,
                    });
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !settings.is_empty() {
                faults.push(StreamFault {
                    stream: designed.name,
                    settings: Some(settings),
                });
            }
        }
        Ok(faults)
    }

    async fn make(&self, config: &stream::Config) -> Result<(), BrokerError> {
        let made = self.nats.create_stream(config).await;
        made.map_err(|error| match error {
            BrokerError::Request {
                what,
                kind: kind @ RequestFailure::Timeout,
                source,
            } => BrokerError::Request {
                what: format!(
                    "{what} (the broker does not answer users without this right: run `producer setup` as a user who has it)"
                ),
                kind,
                source,
            },
            error => error,
        })
    }
}

/// A stream that is missing, or not as the programs need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFault {
    /// Its name.
    pub stream: String,
    /// The settings that differ; `None` if the stream is missing.
    pub settings: Option<Vec<&'static str>>,
}

/// The settings without which the programs do not work.
fn differing(designed: &stream::Config, found: &stream::Config) -> Vec<&'static str> {
    let subjects = |config: &stream::Config| {
        let mut subjects = config.subjects.clone();
        subjects.sort_unstable();
        subjects
    };
    let same = [
        ("subjects", subjects(designed) == subjects(found)),
        ("retention", designed.retention == found.retention),
        ("allow_direct", designed.allow_direct == found.allow_direct),
        (
            "max_msgs_per_subject",
            designed.max_messages_per_subject.max(0) == found.max_messages_per_subject.max(0),
        ),
        ("republish", designed.republish == found.republish),
        (
            "allow_rollup_hdrs",
            designed.allow_rollup <= found.allow_rollup,
        ),
        (
            "allow_msg_ttl",
            designed.allow_message_ttl <= found.allow_message_ttl,
        ),
        (
            "allow_atomic",
            designed.allow_atomic_publish <= found.allow_atomic_publish,
        ),
        (
            "allow_msg_schedules",
            designed.allow_message_schedules <= found.allow_message_schedules,
        ),
    ];
    let differing = same.into_iter().filter(|(_, is_same)| !is_same);
    differing.map(|(name, _)| name).collect()
}

/// All streams and buckets of a farm.
pub(super) fn farm_streams(replicas: usize) -> impl Iterator<Item = stream::Config> {
    let history = [
        events(replicas, Days::DEFAULT),
        batches(replicas, Days::DEFAULT),
    ];
    state(replicas).into_iter().chain(history)
}

/// The streams and buckets that hold the state of a farm, without its history.
fn state(replicas: usize) -> [stream::Config; 13] {
    [
        jobs(replicas),
        dead(replicas),
        outputs(replicas),
        runs(replicas),
        plans(replicas),
        workers(replicas),
        control(replicas),
        settings(replicas),
        hooks(replicas),
        notifications(replicas),
        libraries(replicas),
        files(replicas),
        autoscalers(replicas),
    ]
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
        // History needs no flush for each entry: no decision reads it.
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

/// A key-value bucket that keeps the last value of each key.
fn bucket(name: &str, description: &str, num_replicas: usize) -> stream::Config {
    stream::Config {
        name: subject::bucket(name),
        description: Some(description.to_owned()),
        subjects: vec![subject::kv(name, ">")],
        max_messages_per_subject: 1,
        storage: stream::StorageType::File,
        discard: stream::DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        num_replicas,
        ..Default::default()
    }
}

fn runs(replicas: usize) -> stream::Config {
    let description = "what has become of jobs since a worker took them";
    stream::Config {
        // Markers of removed runs.
        allow_message_ttl: true,
        ..bucket(subject::RUNS, description, replicas)
    }
}

fn plans(replicas: usize) -> stream::Config {
    let description = "how jobs are split, and which of their parts are done";
    stream::Config {
        // Markers of removed plans.
        allow_message_ttl: true,
        ..bucket(subject::PLANS, description, replicas)
    }
}

fn outputs(replicas: usize) -> stream::Config {
    stream::Config {
        allow_atomic_publish: true,
        // Markers of removed claims.
        allow_message_ttl: true,
        ..bucket(subject::OUTPUTS, "which job an output belongs to", replicas)
    }
}

fn control(replicas: usize) -> stream::Config {
    let description = "standing orders: pauses and working hours";
    stream::Config {
        republish: Some(stream::Republish {
            source: subject::kv(subject::CONTROL, ">"),
            destination: subject::ORDERS.to_owned(),
            headers_only: true,
        }),
        ..bucket(subject::CONTROL, description, replicas)
    }
}

fn settings(replicas: usize) -> stream::Config {
    let description = "presets, the default among them, and how long history is kept";
    bucket(subject::SETTINGS, description, replicas)
}

fn hooks(replicas: usize) -> stream::Config {
    let description = "who is told of what happens; holds secrets";
    bucket(subject::HOOKS, description, replicas)
}

fn notifications(replicas: usize) -> stream::Config {
    stream::Config {
        // Deliveries run out: an occurrence is told for a day, and known for some more.
        allow_message_ttl: true,
        ..bucket(subject::NOTIFICATIONS, "what hooks are told", replicas)
    }
}

fn libraries(replicas: usize) -> stream::Config {
    stream::Config {
        republish: Some(stream::Republish {
            source: subject::LIBRARY_SOURCE.to_owned(),
            destination: subject::LIBRARY_DESTINATION.to_owned(),
            headers_only: true,
        }),
        ..bucket(
            subject::LIBRARIES,
            "libraries, and who scans them",
            replicas,
        )
    }
}

fn files(replicas: usize) -> stream::Config {
    stream::Config {
        allow_atomic_publish: true,
        ..bucket(
            subject::FILES,
            "what is known of the files of libraries",
            replicas,
        )
    }
}

fn autoscalers(replicas: usize) -> stream::Config {
    let description = "autoscalers: their leases, workers and decisions";
    bucket(subject::AUTOSCALERS, description, replicas)
}

fn batches(replicas: usize, kept: Days) -> stream::Config {
    stream::Config {
        max_age: kept.duration(),
        // Markers of removed batches.
        allow_message_ttl: true,
        ..bucket(subject::BATCHES, "what was enqueued together", replicas)
    }
}

fn workers(replicas: usize) -> stream::Config {
    stream::Config {
        // Heartbeats need no disk: live workers make the bucket again on a restarted broker, within seconds.
        storage: stream::StorageType::Memory,
        allow_message_ttl: true,
        subject_delete_marker_ttl: Some(EXPIRY_MARKER),
        ..bucket(subject::WORKERS, "heartbeats of live workers", replicas)
    }
}
