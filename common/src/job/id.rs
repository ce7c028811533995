//! Ids of jobs and batches.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::job::input::Input;
use crate::names::location::Location;
use crate::recipe::Recipe;

/// Identifies a job: a UUIDv5 of its input, recipe and output, so that the same work asked for twice is one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Uuid);

/// Namespace of the farm's job ids. It was chosen at random and never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x5b3c_7f1e_61d4_4f0a_9c52_e0a7_48d1_93b6);

impl JobId {
    /// The id of no job.
    pub(crate) const NIL: Self = Self(Uuid::nil());

    /// The id of encoding this input by this recipe to this output. A `salt` makes a different id for work that a
    /// person wants to have done again.
    pub fn of(input: &Input, recipe: &Recipe, output: &Location, salt: Option<Uuid>) -> Self {
        let identity = serde_json::to_vec(&(input, recipe, output, salt))
            .expect("plain data with string keys always serialises");
        Self(Uuid::new_v5(&NAMESPACE, &identity))
    }
}

/// Identifies the jobs that one command enqueued together; sorts by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(Uuid);

impl BatchId {
    /// A new id, made now.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl Default for BatchId {
    fn default() -> Self {
        Self::new()
    }
}

/// The text is no id.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no id: ids look like 9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab")]
pub struct IdError(String);

macro_rules! text_form {
    ($id:ident) => {
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl FromStr for $id {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self).map_err(|_| IdError(text.to_owned()))
            }
        }
    };
}

text_form!(JobId);
text_form!(BatchId);
