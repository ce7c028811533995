//! Why the worker program ends, and with which exit code.

use common::broker::BrokerError;
use common::program::exit::Exit;

use crate::report::namesake::NameError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A wrong setting.
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

    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::OutOfReach(_) => Exit::OutOfReach,
            Self::Broker(error) => error.into(),
            Self::Other(_) => Exit::Failed,
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

/// Wrong settings, each on its own line.
impl From<Vec<String>> for Error {
    fn from(wrong: Vec<String>) -> Self {
        Self::Usage(wrong.join("\nerror: "))
    }
}
