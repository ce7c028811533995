//! The exit codes of all programs.

use std::process::ExitCode;

use crate::broker::BrokerError;

/// The exit codes of all programs. Scripts branch on them, so they are part of the contract. A program that only wraps
/// another one (`worker sandbox`, the guards of `encode`) ends with the exit code of that program instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All work is done; or a service was told to stop, and has stopped.
    Done = 0,
    /// Some of the work failed or was refused.
    Failed = 1,
    /// The command line, the configuration or an input is invalid.
    Usage = 2,
    /// The broker, a store or another program that is needed does not answer.
    OutOfReach = 3,
    /// The user interrupted the program.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<&BrokerError> for Exit {
    fn from(error: &BrokerError) -> Self {
        match error {
            BrokerError::Addresses(_)
            | BrokerError::Authority(_)
            | BrokerError::UnsoundJob { .. } => Self::Usage,
            // The broker answers, but the stored data cannot be read.
            BrokerError::BrokenRun { .. } | BrokerError::Wire { .. } => Self::Failed,
            _ => Self::OutOfReach,
        }
    }
}
