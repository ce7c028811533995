//! The operations on the broker that the programs share, and that all must perform in exactly the same way. Their
//! common errors are described at [`BrokerError`].
//!
//! ```text
//! nats     streams, consumers and buckets: knows no job
//! queue    a job's way: enqueued, polled, claimed, leased, ended; its messages, its run
//! submit   one batch: its outputs named and looked up, its missing jobs enqueued
//! split    plans of split jobs, their parts, and what follows from the end of a part
//! steer    changes by people: cancel, move, retry
//! read     jobs, lanes and history, without taking part
//! ladder   renditions of one source, and the master files that follow once all are made
//! library  libraries, their scan leases, and what is known of their files
//! farm     the streams of a farm, its workers, orders and settings
//! server   the configuration of a nats-server for a farm, and the rights of its users
//! ```

mod error;
mod farm;
mod ladder;
mod library;
mod nats;
mod queue;
mod read;
pub mod server;
mod split;
mod steer;
mod submit;

pub use error::{BrokerError, RequestFailure};
pub use farm::autoscalers::{ScaleError, ScaleQuestion, StoredAutoscaler};
pub use farm::hooks::HookStoreError;
pub use farm::namesake::Namesake;
pub use farm::notifications::StoredDelivery;
pub use farm::preview::PreviewError;
pub use farm::quarantine::LiftError;
pub use farm::registry::{HEARTBEAT, LiveWorkers};
pub use farm::replicas::Replicas;
pub use farm::requests::Requests;
pub use farm::samples::{LONGEST_SAMPLE, SampleError};
pub use farm::settings::{Overwrite, SettingsError};
pub use farm::topology::StreamFault;
pub use ladder::due::{AnnouncedMaster, DueMaster};
pub use ladder::status::{LadderStatus, LadderView, MasterProgress, RenditionView};
pub use library::catalog::{CatalogError, StoredLibrary};
pub use library::scans::ScanLease;
pub use nats::authority::{Authority, AuthorityError};
pub use nats::clock::Clock;
pub use nats::connect::{ConnectOptions, Refusals};
pub use nats::servers::{Servers, ServersError};
pub use nats::snapshot::{StreamCopy, StreamHeading, StreamRestore};
pub use nats::unreadable::Unreadable;
pub use queue::claim::completed::CompletedJob;
pub use queue::claim::lease::{Lease, LeaseEnd};
#[cfg(test)]
pub(crate) use queue::claim::owner::Question;
pub use queue::claim::{Claim, ClaimError};
pub use queue::enqueue::{EnqueueResult, Enqueued};
pub use queue::lanes::Lanes;
pub use queue::poll::{Claimant, Decline, PollEffort, PollResult};
pub use read::inspect::{Change, Changes, LaneStatus};
pub use read::log::LogLine;
pub use read::position::QueuePositions;
pub use steer::change::SteerResult;
pub use submit::ladders::RefusedLadders;
pub use submit::names::{NamesError, Outputs};
pub use submit::new_batch::{NewBatch, SubmittedJob};
pub use submit::samples::{SamplePlan, SamplePlanError};

use std::time::Duration;

use async_nats::jetstream;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::names::nkey::Signer;
use nats::Nats;
use queue::claim::owner::Owned;

/// A connection to the broker of a farm.
#[derive(Clone)]
pub struct Broker {
    nats: Nats,
    owned: Owned,
    ack_wait: Duration,
    replicas: usize,
    retry_after: Duration,
    signer: Option<Signer>,
}

impl Broker {
    /// Connects to a farm. Creates nothing on the broker.
    ///
    /// # Errors
    /// The server is out of reach, too old, refuses, or has no farm.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, BrokerError> {
        let broker = Self::reach(options).await?;
        match broker.nats.ask_time().await {
            Err(error) if error.failure() == Some(RequestFailure::NoStream) => {
                let url = options.servers.to_string();
                return Err(BrokerError::NoFarm { url });
            }
            answer => broker.keep_time(answer),
        }
        Ok(broker)
    }

    /// Connects, and makes the streams and buckets of a farm that are missing.
    ///
    /// # Errors
    /// The server is out of reach, too old, or refuses.
    pub async fn set_up(options: &ConnectOptions) -> Result<Self, BrokerError> {
        let broker = Self::reach(options).await?;
        broker.make_missing_streams().await?;
        broker.keep_time(broker.nats.ask_time().await);
        Ok(broker)
    }

    async fn reach(options: &ConnectOptions) -> Result<Self, BrokerError> {
        Ok(Self {
            nats: Nats::connect(options).await?,
            owned: Owned::default(),
            ack_wait: options.ack_wait,
            replicas: options.replicas.count(),
            retry_after: options.retry_after,
            signer: options.signer.clone(),
        })
    }

    fn keep_time(&self, asked: Result<(), BrokerError>) {
        if let Err(error) = asked {
            tracing::debug!(%error, "this machine's clock is taken for the broker's");
        }
        self.nats.keep_time();
    }

    /// The client, for core NATS.
    pub fn client(&self) -> &async_nats::Client {
        &self.nats.client
    }

    /// The JetStream context.
    pub fn jetstream(&self) -> &jetstream::Context {
        &self.nats.jetstream
    }

    /// Subscribes to a subject of core NATS; `what` names the purpose in an error.
    pub async fn subscribe(
        &self,
        what: &str,
        subject: impl async_nats::ToSubject,
    ) -> Result<async_nats::Subscriber, BrokerError> {
        self.nats.subscribe(what, subject).await
    }

    /// Changes each time the client has connected. Messages that were sent while it was not connected are lost.
    pub fn connections(&self) -> watch::Receiver<()> {
        self.nats.link.connections()
    }

    /// The time by the broker's clock.
    pub fn now(&self) -> Timestamp {
        self.nats.clock.now()
    }

    /// The broker's clock.
    pub fn clock(&self) -> Clock {
        self.nats.clock.clone()
    }

    /// Messages and values that this program has met and cannot read, by subject.
    pub fn unreadable(&self) -> Vec<Unreadable> {
        self.nats.unread.all()
    }
}
