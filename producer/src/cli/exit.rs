//! Exit codes, and errors that carry one.

use std::fmt;

use common::broker::{BrokerError, LiftError, RequestFailure};
use common::names::printable::printable;
pub(crate) use common::program::exit::Exit;
use common::store::{RecipeFileError, StoreError};

pub(crate) const HELP: &str = "Exit codes: 0 all done; 1 some job failed, cannot run, or could no longer be changed; 2 usage error, or nothing matches; \
    3 broker, store or a program of the farm out of reach; 130 interrupted";

/// Why a command failed, in one line.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    exit: Exit,
    message: String,
    /// Whether the broker has left a request without an answer.
    is_unanswered: bool,
}

impl Error {
    fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self {
            exit,
            message: printable(&message.to_string()),
            is_unanswered: false,
        }
    }

    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, message)
    }

    pub(crate) fn out_of_reach(message: impl fmt::Display) -> Self {
        Self::new(Exit::OutOfReach, message)
    }

    pub(crate) fn interrupted(message: impl fmt::Display) -> Self {
        Self::new(Exit::Interrupted, message)
    }

    /// The same with a way out.
    #[must_use]
    pub(crate) fn with(self, advice: &str) -> Self {
        Self {
            message: format!("{}; {advice}", self.message),
            ..self
        }
    }

    /// Whether the broker has left a request without an answer: it does so where a right is missing, too.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.is_unanswered
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<BrokerError> for Error {
    fn from(error: BrokerError) -> Self {
        let is_unanswered = error.failure() == Some(RequestFailure::Timeout);
        Self {
            is_unanswered,
            ..Self::new(Exit::from(&error), error)
        }
    }
}

impl From<LiftError> for Error {
    fn from(error: LiftError) -> Self {
        match error {
            LiftError::Broker(error) => error.into(),
            error => Self::out_of_reach(error),
        }
    }
}

impl From<RecipeFileError> for Error {
    fn from(error: RecipeFileError) -> Self {
        match error {
            RecipeFileError::Unreadable { what, source } => {
                let source = Self::from(source);
                Self {
                    message: format!("{what} cannot be read: {}", source.message),
                    ..source
                }
            }
            error @ RecipeFileError::Unfit { .. } => Self::usage(error),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(_)
            | StoreError::Outside(_)
            | StoreError::LeadsOut(_)
            | StoreError::Name { .. }
            | StoreError::Local { .. } => Self::usage(error),
            StoreError::Remote { .. }
            | StoreError::Refused { .. }
            | StoreError::Settings { .. }
            | StoreError::Away { .. } => Self::out_of_reach(error),
            StoreError::Stopped(_) => Self::interrupted(error),
        }
    }
}
