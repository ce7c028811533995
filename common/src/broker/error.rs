//! Errors of requests to the broker.

use std::error::Error;
use std::path::PathBuf;

use async_nats::StatusCode;
use async_nats::client::{PublishErrorKind, RequestErrorKind};
use async_nats::jetstream;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{
    PublishErrorKind as StoreErrorKind, RequestErrorKind as ApiErrorKind,
};
use async_nats::jetstream::stream::{LastRawMessageError, LastRawMessageErrorKind};

use crate::broker::nats::authority::AuthorityError;
use crate::broker::nats::servers::ServersError;
use crate::job::id::JobId;
use crate::job::run::Unsound;
use crate::names::location::Location;
use crate::wire::WireError;

/// The cause of an error.
type Source = Box<dyn Error + Send + Sync>;

/// An operation on the broker failed.
///
/// Every operation of [`Broker`](super::Broker) fails with [`BrokerError::Request`] if the broker does not answer in
/// time, refuses, or the connection is lost. Only further errors are documented at the operation.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The addresses of the servers cannot be read.
    #[error(transparent)]
    Addresses(#[from] ServersError),
    /// The certificate authority cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The server cannot be reached, or refuses the connection.
    #[error(
        "cannot reach the NATS server at {url}: {source}; is it running, and is NATS_URL, --nats or the farm file right?"
    )]
    Unreachable {
        /// The address without credentials.
        url: String,
        /// The cause that the network or the server gave.
        source: Source,
    },
    /// The server knows no such user, or the user cannot prove who it is.
    #[error(
        "the NATS server at {url} refuses this user ({source}): its key or password is missing, wrong, or was taken back; \
         `producer setup add` on the machine that has made the farm prints a line with a new key"
    )]
    Unauthorized {
        /// The address without credentials.
        url: String,
        /// What the server says.
        source: Source,
    },
    /// The file with the credentials cannot be read.
    #[error("cannot read the broker's credentials: {source}: {}", file.display())]
    Credentials {
        /// The file.
        file: PathBuf,
        /// The cause that the system gave.
        source: std::io::Error,
    },
    /// The server is too old.
    #[error(
        "the NATS server at {url} is version {found}; the farm needs {needed} or later: update nats-server"
    )]
    TooOld {
        /// The address without credentials.
        url: String,
        /// The server's version.
        found: String,
        /// The oldest supported version.
        needed: &'static str,
    },
    /// The server runs without JetStream.
    #[error(
        "the NATS server at {url} runs without JetStream: start it with -js or a jetstream {{}} block"
    )]
    NoJetStream {
        /// The address without credentials.
        url: String,
    },
    /// The broker has no streams of a farm.
    #[error(
        "there is no farm on the broker at {url} yet: enqueue a job, start a worker, or run `producer setup`"
    )]
    NoFarm {
        /// The address without credentials.
        url: String,
    },
    /// A request failed.
    #[error("{what}: {source}")]
    Request {
        /// The operation, as a phrase for the message.
        what: String,
        /// The kind of failure, for callers that branch on it.
        kind: RequestFailure,
        /// The cause that the server or the network gave.
        source: Source,
    },
    /// The stored run of a job cannot be decoded.
    #[error(
        "the run of job {job} is broken ({source}): `producer retry {job}` starts the job anew, where the farm still has it"
    )]
    BrokenRun {
        /// The job.
        job: JobId,
        /// The revision of the broken run.
        revision: u64,
        /// Why it cannot be decoded.
        source: WireError,
    },
    /// A job that is to be enqueued holds a value with which no program could read it.
    #[error("the job for {output} cannot be enqueued: {source}")]
    UnsoundJob {
        /// The job's output.
        output: Location,
        /// The value.
        source: Unsound,
    },
    /// A message was written by a newer program, or is not the farm's.
    #[error("{what}: {source}")]
    Wire {
        /// Where the message was found.
        what: String,
        /// Why it cannot be decoded.
        source: WireError,
    },
}

/// Why a request to the broker failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFailure {
    /// No answer came in time. A missing permission looks the same.
    Timeout,
    /// No server listens on the subject of the request: the stream has no leader or does not exist.
    NoLeader,
    /// The server says that the stream does not exist.
    NoStream,
    /// The server refuses; holds the JetStream error code.
    Refused(u64),
    /// The message is larger than the server's limit.
    TooLarge,
    /// The connection is closed or broken.
    Closed,
    /// Any other failure, such as an answer that cannot be decoded.
    Other,
}

/// The server's answer to a plain request is an error or missing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("no answer")]
    Silence,
    #[error("the connection to the broker is lost")]
    Closed,
    #[error("the stream does not exist or has no leader")]
    NoLeader,
    #[error("the lane does not exist")]
    NoConsumer,
    #[error("{code} {description}")]
    Status { code: u16, description: String },
}

impl NoAnswer {
    pub(crate) fn status(status: StatusCode, description: Option<String>) -> Self {
        match status {
            StatusCode::NO_RESPONDERS => Self::NoLeader,
            status => Self::Status {
                code: status.as_u16(),
                description: description.unwrap_or_default(),
            },
        }
    }
}

impl BrokerError {
    /// For `map_err`: an error of the operation `what`.
    pub(crate) fn request<E: Into<Source>>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |error| {
            let source = error.into();
            Self::Request {
                what,
                kind: failure(&*source),
                source,
            }
        }
    }

    /// The kind of failure, if this is the error of a request.
    pub fn failure(&self) -> Option<RequestFailure> {
        match self {
            Self::Request { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// Whether the guard of a write did not hold, because another program wrote first.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self.failure(), Some(RequestFailure::Refused(code)) if is_conflict(code))
    }

    /// Nothing is wrong if another program wrote first.
    pub(crate) fn unless_conflict(self) -> Result<(), Self> {
        match self.is_conflict() {
            true => Ok(()),
            false => Err(self),
        }
    }

    /// Whether a message was refused because its stream lets none expire.
    pub(crate) fn is_no_expiry(&self) -> bool {
        /// JetStream's code for it.
        const PER_MESSAGE_TTL_DISABLED: u64 = 10_166;
        matches!(
            self.failure(),
            Some(RequestFailure::Refused(PER_MESSAGE_TTL_DISABLED))
        )
    }
}

/// Whether a JetStream error code says that the guard of a write did not hold.
pub(crate) fn is_conflict(code: u64) -> bool {
    /// The code in clusters and for atomic batches.
    const WRONG_LAST_SEQUENCE_CONSTANT: u64 = 10_164;
    code == ErrorCode::STREAM_WRONG_LAST_SEQUENCE.0 || code == WRONG_LAST_SEQUENCE_CONSTANT
}

/// The first cause in the chain that has a known kind of failure.
fn failure(error: &(dyn Error + 'static)) -> RequestFailure {
    std::iter::successors(Some(error), |cause| Error::source(*cause))
        .find_map(known)
        .unwrap_or(RequestFailure::Other)
}

fn known(error: &(dyn Error + 'static)) -> Option<RequestFailure> {
    use RequestFailure::{Closed, NoLeader, Other, Refused, Timeout, TooLarge};
    if let Some(error) = error.downcast_ref::<jetstream::Error>() {
        return Some(refused(error));
    }
    if let Some(error) = error.downcast_ref::<NoAnswer>() {
        return Some(match error {
            NoAnswer::Silence => Timeout,
            NoAnswer::Closed => Closed,
            NoAnswer::NoLeader => NoLeader,
            NoAnswer::NoConsumer => Refused(ErrorCode::CONSUMER_NOT_FOUND.0),
            NoAnswer::Status { .. } => Other,
        });
    }
    if let Some(error) = error.downcast_ref::<async_nats::RequestError>() {
        return match error.kind() {
            RequestErrorKind::TimedOut => Some(Timeout),
            RequestErrorKind::NoResponders => Some(NoLeader),
            RequestErrorKind::MaxPayloadExceeded => Some(TooLarge),
            RequestErrorKind::InvalidSubject => Some(Other),
            RequestErrorKind::Other => Some(Closed),
        };
    }
    if let Some(error) = error.downcast_ref::<async_nats::PublishError>() {
        return match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => Some(TooLarge),
            PublishErrorKind::InvalidSubject => Some(Other),
            PublishErrorKind::Send => Some(Closed),
        };
    }
    if error.is::<async_nats::SubscribeError>() {
        return Some(Closed);
    }
    if let Some(error) = error.downcast_ref::<jetstream::context::PublishError>() {
        return match error.kind() {
            StoreErrorKind::StreamNotFound => Some(NoLeader),
            StoreErrorKind::WrongLastSequence | StoreErrorKind::WrongLastMessageId => {
                Some(Refused(ErrorCode::STREAM_WRONG_LAST_SEQUENCE.0))
            }
            StoreErrorKind::TimedOut | StoreErrorKind::MaxAckPending => Some(Timeout),
            StoreErrorKind::BrokenPipe => Some(Closed),
            StoreErrorKind::MaxPayloadExceeded => Some(TooLarge),
            // The cause says more.
            StoreErrorKind::Other => None,
        };
    }
    if let Some(error) = error.downcast_ref::<jetstream::context::RequestError>() {
        return match error.kind() {
            ApiErrorKind::NoResponders => Some(NoLeader),
            ApiErrorKind::TimedOut => Some(Timeout),
            ApiErrorKind::InvalidSubject => Some(Other),
            ApiErrorKind::Other => None,
        };
    }
    if let Some(error) = error.downcast_ref::<LastRawMessageError>() {
        return match error.kind() {
            LastRawMessageErrorKind::JetStream(error) => Some(refused(&error)),
            _ => None,
        };
    }
    None
}

fn refused(error: &jetstream::Error) -> RequestFailure {
    match error.error_code() {
        ErrorCode::STREAM_NOT_FOUND => RequestFailure::NoStream,
        code => RequestFailure::Refused(code.0),
    }
}
