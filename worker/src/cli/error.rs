//! Why a worker program ends, and by which exit code it says so.

use std::process::ExitCode;

use common::broker::BrokerError;

use crate::report::namesake::NameError;

/// A setting is wrong.
const USAGE: u8 = 2;
/// The broker or a store is out of reach.
const UNREACHABLE: u8 = 3;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that cannot be used.
    #[error("{0}")]
    Usage(String),
    /// A store that gives no answer.
    #[error("{0}")]
    OutOfReach(String),
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl Error {
    pub(crate) fn other(error: impl Into<anyhow::Error>) -> Self {
        Self::Other(error.into())
    }

    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(USAGE),
            Self::OutOfReach(_) | Self::Broker(_) => ExitCode::from(UNREACHABLE),
            Self::Other(_) => ExitCode::FAILURE,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Taken { .. } => Self::Usage(error.to_string()),
            NameError::Broker(error) => Self::Broker(error),
        }
    }
}

/// Settings that cannot be used, each in a line of its own.
impl From<Vec<String>> for Error {
    fn from(wrong: Vec<String>) -> Self {
        Self::Usage(wrong.join("\nerror: "))
    }
}
