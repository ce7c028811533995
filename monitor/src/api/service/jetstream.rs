//! JetStream's own figures.

use async_nats::jetstream::consumer::Info as ConsumerInfo;
use async_nats::jetstream::stream::Info as StreamInfo;
use axum::extract::State;
use axum::http::StatusCode;
use common::names::subject::JOBS;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::app::App;
use crate::web::refusal::Refusal;

/// The most consumers in the answer.
const MOST: usize = 1000;

/// The broker's own figures.
#[derive(Serialize, ToSchema)]
pub(crate) struct JetStream {
    /// The server that the monitor is connected to.
    server: String,
    /// The server's version.
    version: String,
    /// Every stream and bucket.
    streams: Vec<StreamRow>,
    /// The lanes of the work queue, at the most 1000.
    consumers: Vec<ConsumerRow>,
}

/// A stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct StreamRow {
    name: String,
    subjects: Vec<String>,
    messages: u64,
    bytes: u64,
    first_sequence: u64,
    last_sequence: u64,
    consumers: usize,
    /// `file` or `memory`.
    storage: &'static str,
    cluster: Option<String>,
    leader: Option<String>,
    replicas: Vec<Replica>,
}

/// A server that follows a stream's leader.
#[derive(Serialize, ToSchema)]
pub(crate) struct Replica {
    name: String,
    /// Whether the replica has every write.
    current: bool,
    offline: bool,
    /// Writes that the replica is behind.
    lag: u64,
}

/// A consumer.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConsumerRow {
    name: String,
    pending: u64,
    ack_pending: usize,
    redelivered: usize,
    /// Requests of workers that wait for a message.
    waiting: usize,
    /// Stream sequence of the last message given out.
    delivered: u64,
    leader: Option<String>,
}

/// Streams, buckets and consumers in the broker's own figures.
#[utoipa::path(
    get, path = "/jetstream", tag = "state",
    responses((status = OK, body = JetStream), (status = SERVICE_UNAVAILABLE, body = Refusal))
)]
pub(crate) async fn jetstream(State(shared): State<App>) -> Result<axum::Json<JetStream>, Refusal> {
    let context = shared.broker.jetstream();
    let server = shared.broker.client().server_info();
    let mut infos = context.streams();
    let mut streams = Vec::new();
    while let Some(info) = infos.try_next().await.map_err(|error| away(&error))? {
        streams.push(stream(info));
    }
    streams.sort_by(|a, b| a.name.cmp(&b.name));
    let queue = context
        .get_stream_no_info(JOBS)
        .await
        .map_err(|error| away(&error))?;
    let consumers = queue
        .consumers()
        .take(MOST)
        .map_ok(consumer)
        .try_collect()
        .await
        .map_err(|error| away(&error))?;
    Ok(axum::Json(JetStream {
        server: server.server_name,
        version: server.version,
        streams,
        consumers,
    }))
}

fn away(error: &dyn std::error::Error) -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        format!("the broker gives no answer: {error}"),
    )
}

fn stream(info: StreamInfo) -> StreamRow {
    let (cluster, leader, replicas) = info.cluster.map_or_else(Default::default, |cluster| {
        let replicas = cluster.replicas.into_iter().map(|peer| Replica {
            name: peer.name,
            current: peer.current,
            offline: peer.offline,
            lag: peer.lag.unwrap_or_default(),
        });
        (cluster.name, cluster.leader, replicas.collect())
    });
    StreamRow {
        name: info.config.name,
        subjects: info.config.subjects,
        messages: info.state.messages,
        bytes: info.state.bytes,
        first_sequence: info.state.first_sequence,
        last_sequence: info.state.last_sequence,
        consumers: info.state.consumer_count,
        storage: match info.config.storage {
            async_nats::jetstream::stream::StorageType::File => "file",
            async_nats::jetstream::stream::StorageType::Memory => "memory",
        },
        cluster,
        leader,
        replicas,
    }
}

fn consumer(info: ConsumerInfo) -> ConsumerRow {
    ConsumerRow {
        name: info.name,
        pending: info.num_pending,
        ack_pending: info.num_ack_pending,
        redelivered: info.num_redelivered,
        waiting: info.num_waiting,
        delivered: info.delivered.stream_sequence,
        leader: info.cluster.and_then(|cluster| cluster.leader),
    }
}
