//! A worker's name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::token::{Token, TokenError};

/// A worker's name: unique in the farm, fit for a subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerName(Token);

impl WorkerName {
    /// A name made from a host's, with `-` for characters that a subject cannot carry.
    pub fn from_host(host: &str) -> Self {
        Self(Token::sanitised(host))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for WorkerName {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for WorkerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
