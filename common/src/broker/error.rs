//! What can go wrong between a program and the broker.

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

use crate::job::id::JobId;
use crate::wire::WireError;

/// The error beneath.
type Source = Box<dyn Error + Send + Sync>;

/// An operation on the broker failed.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The server cannot be reached, or refuses us.
    #[error(
        "cannot reach the NATS server at {url}: {source}; is it running, and is NATS_URL or --nats right?"
    )]
    Unreachable {
        /// The address without credentials.
        url: String,
        /// What the network or the server said.
        source: Source,
    },
    /// The file with the credentials cannot be read.
    #[error("cannot read the broker's credentials: {source}: {}", file.display())]
    Credentials {
        /// The file.
        file: PathBuf,
        /// What the system says.
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
        /// The oldest version that will do.
        needed: &'static str,
    },
    /// The server stores nothing.
    #[error(
        "the NATS server at {url} runs without JetStream: start it with -js or a jetstream {{}} block"
    )]
    NoJetStream {
        /// The address without credentials.
        url: String,
    },
    /// Nobody has set up a farm on the broker.
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
        /// What was to be done.
        what: String,
        /// What callers branch on.
        kind: RequestFailure,
        /// What the server or the network said.
        source: Source,
    },
    /// The run of a job is no run.
    #[error(
        "the run of job {job} is broken ({source}): `producer retry {job}` starts the job anew, where the farm still has it"
    )]
    BrokenRun {
        /// The job.
        job: JobId,
        /// The revision of the broken run.
        revision: u64,
        /// What is wrong with it.
        source: WireError,
    },
    /// A message of another version or origin.
    #[error("{what}: {source}")]
    Wire {
        /// Where it was found.
        what: String,
        /// What is wrong with it.
        source: WireError,
    },
}

/// Why a request to the broker failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFailure {
    /// No answer came in time. A missing permission looks like this, too.
    Timeout,
    /// Nobody listens where the request was sent: a stream without a leader, or
    /// one that does not exist.
    NoLeader,
    /// The server says that there is no such stream.
    NoStream,
    /// The server refuses, with this code of JetStream's.
    Refused(u64),
    /// The message is larger than the server takes.
    TooLarge,
    /// The connection is closed or broken.
    Closed,
    /// Anything else, such as an answer that makes no sense.
    Other,
}

/// What the server's answer to a plain request says instead of what was asked for.
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
    /// For `map_err`: what was to be done when the broker failed.
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

    /// Why the request failed, where this was one.
    pub fn failure(&self) -> Option<RequestFailure> {
        match self {
            Self::Request { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// Whether a guard of a write did not hold: somebody else wrote first.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self.failure(), Some(RequestFailure::Refused(code)) if is_conflict(code))
    }
}

/// Whether the server's code says that a guard of a write does not hold.
pub(crate) fn is_conflict(code: u64) -> bool {
    /// The same, of a cluster or of an atomic batch.
    const WRONG_LAST_SEQUENCE_CONSTANT: u64 = 10_164;
    code == ErrorCode::STREAM_WRONG_LAST_SEQUENCE.0 || code == WRONG_LAST_SEQUENCE_CONSTANT
}

/// The first cause that says why the request failed.
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
