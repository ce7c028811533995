//! The faults of the soak.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `kill -9` of a worker at one of the steps of a job. A supervisor starts the worker again.
    WorkerKilled,
    /// A worker is stopped for longer than its lease at one of the steps, and then continued.
    WorkerFrozen,
    /// A worker is told to end, and started again.
    WorkerStopped,
    /// A worker's network to the broker is cut for longer than its lease.
    BrokerCutOff,
    /// A worker's network to the store is cut for longer than its lease.
    StoreCutOff,
    /// All connections of a worker break.
    ConnectionsBroken,
    /// The network of every worker is slow and loses a tenth.
    NetworkLossy,
    /// `kill -9` of the broker, and a restart.
    BrokerKilled,
    /// `kill -9` of the store, and a restart.
    StoreKilled,
    /// The store refuses a fifth of all requests.
    StoreFails,
    /// ffmpeg crashes.
    FfmpegCrashes,
    /// ffmpeg writes half an output and exits with 0.
    FfmpegLies,
    /// ffmpeg hangs.
    FfmpegHangs,
    /// The store is out of reach for over two minutes.
    StoreAway,
    /// The store refuses all credentials for 40 seconds.
    CredentialsRefused,
    /// The broker is away for several leases.
    BrokerAway,
    /// The store takes longer than a lease to complete an upload.
    CompletionSlow,
    /// An object of a stranger appears at the output of a pending job.
    OutputOccupied,
    /// A person cancels a job at one of its steps.
    JobCancelled,
    /// A worker's clock is ten minutes off, and its ffmpeg crashes: other workers retry the job soon.
    ClockWrong,
}

impl Fault {
    pub(crate) const ALL: [Self; 20] = [
        Self::WorkerKilled,
        Self::WorkerFrozen,
        Self::WorkerStopped,
        Self::BrokerCutOff,
        Self::StoreCutOff,
        Self::ConnectionsBroken,
        Self::NetworkLossy,
        Self::BrokerKilled,
        Self::StoreKilled,
        Self::StoreFails,
        Self::FfmpegCrashes,
        Self::FfmpegLies,
        Self::FfmpegHangs,
        Self::StoreAway,
        Self::CredentialsRefused,
        Self::BrokerAway,
        Self::CompletionSlow,
        Self::OutputOccupied,
        Self::JobCancelled,
        Self::ClockWrong,
    ];

    /// Whether the fault is that of no worker and no job, so that none may be charged with it.
    pub(crate) fn is_nobodys(self) -> bool {
        matches!(
            self,
            Self::StoreCutOff
                | Self::StoreKilled
                | Self::StoreAway
                | Self::CredentialsRefused
                | Self::BrokerKilled
                | Self::BrokerAway
                | Self::CompletionSlow
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::WorkerKilled => "worker killed at a step of a job",
            Self::WorkerFrozen => "worker frozen for longer than its lease",
            Self::WorkerStopped => "worker told to stop",
            Self::BrokerCutOff => "worker cut off from the broker for longer than its lease",
            Self::StoreCutOff => "worker cut off from the store",
            Self::ConnectionsBroken => "connections broken",
            Self::NetworkLossy => "network slow and lossy",
            Self::BrokerKilled => "broker killed",
            Self::StoreKilled => "store killed",
            Self::StoreFails => "store fails one request in five",
            Self::FfmpegCrashes => "ffmpeg crashes",
            Self::FfmpegLies => "ffmpeg says that half an output is whole",
            Self::FfmpegHangs => "ffmpeg hangs",
            Self::StoreAway => "store out of reach for over two minutes",
            Self::CredentialsRefused => "store refuses all credentials for 40 s",
            Self::BrokerAway => "broker away for longer than the lease",
            Self::CompletionSlow => "store completes an upload after more than a lease",
            Self::OutputOccupied => "a stranger's object at an output",
            Self::JobCancelled => "job cancelled at one of its steps",
            Self::ClockWrong => "ffmpeg crashes on a worker whose clock is ten minutes off",
        })
    }
}
