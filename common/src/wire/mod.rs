//! Messages as bytes: JSON in an envelope with a version, so that a program that gets a message of a newer one says
//! so instead of guessing.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::names::token::Token;

/// The newest version of messages that this program writes and understands. A message has the oldest version whose
/// programs understand all of it.
pub const VERSION: u32 = SPLITS;

/// The version of messages that every program of the farm understands.
pub(crate) const FIRST: u32 = 1;
/// The version from which on programs know that a job may have further inputs.
pub(crate) const FURTHER_INPUTS: u32 = 2;
/// The version from which on programs know that a job may have a place in a ladder.
pub(crate) const LADDERS: u32 = 3;
/// The version from which on programs know kinds of jobs, rules, the replacement of sources and sidecars.
pub(crate) const LIBRARIES: u32 = 4;
/// The version from which on programs know that a job may be split.
pub(crate) const SPLITS: u32 = 5;

/// What programs of the farm store, or send to each other.
pub trait Message: Serialize {
    /// The oldest version whose programs understand all of this message. Older programs must refuse it, because they
    /// would do less than it says.
    fn version(&self) -> u32 {
        FIRST
    }
}

impl Message for bool {}
impl Message for u64 {}
impl Message for Token {}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    v: u32,
    body: T,
}

#[derive(Deserialize)]
struct VersionOnly {
    v: u32,
}

/// The bytes cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// A newer program wrote the message.
    #[error("the message has version {found}, this program understands up to {VERSION}: update it")]
    Newer {
        /// Version of the message.
        found: u32,
    },
    /// The bytes are no message of the farm.
    #[error("the message cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// Encodes a message in its envelope.
pub fn encode<T: Message>(body: &T) -> Bytes {
    let v = body.version();
    serde_json::to_vec(&Envelope { v, body })
        .expect("messages are plain data with string keys")
        .into()
}

/// Decodes a message from its envelope.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    match serde_json::from_slice::<Envelope<T>>(bytes) {
        Ok(envelope) if envelope.v <= VERSION => Ok(envelope.body),
        Ok(Envelope { v: found, .. }) => Err(WireError::Newer { found }),
        // A newer message may be unreadable because it is newer: that comes first.
        Err(error) => match serde_json::from_slice::<VersionOnly>(bytes) {
            Ok(VersionOnly { v: found }) if found > VERSION => Err(WireError::Newer { found }),
            _ => Err(error.into()),
        },
    }
}

#[cfg(test)]
mod golden;
#[cfg(feature = "openapi")]
mod openapi;

/// Whether a value is left out of its stored form, because a reader fills in the default.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farm::preview::{ForecastRequest, PreviewRequest};
    use crate::farm::queue::Lane;
    use crate::job::Job;
    use crate::job::further::{FurtherInput, FurtherRole, Join};
    use crate::job::run::{Delivered, Run};
    use crate::recipe::Choice;
    use crate::recipe::encoder::Codec;
    use crate::rules::Rules;
    use crate::testing;

    #[test]
    fn a_newer_message_says_that_it_is_newer() {
        let error = decode::<bool>(br#"{"v":99,"body":{"shape":"unknown"}}"#).expect_err("newer");
        assert!(matches!(error, WireError::Newer { found: 99 }), "{error}");
        let error = decode::<bool>(b"hello").expect_err("no message");
        assert!(matches!(error, WireError::Malformed(_)), "{error}");
        assert!(decode::<bool>(&encode(&true)).expect("ours"));
    }

    #[test]
    fn programs_from_before_further_inputs_refuse_jobs_that_have_some() {
        #[derive(Deserialize)]
        struct AnyVersion {
            v: u32,
        }
        let version = |message: Bytes| {
            let message: AnyVersion = serde_json::from_slice(&message).expect("an envelope");
            message.v
        };
        let alone = testing::job(Choice::Codec(Codec::Hevc), 10);
        let mut joined = alone.clone();
        joined.further.push(FurtherInput {
            input: joined.input.clone(),
            role: FurtherRole::Continuation(Join::ByRecipe),
        });
        let run = |job: &Job| {
            let lane = Lane::from_consumer("any_hevc_p5").expect("a lane");
            let (seen, worker) = (
                Delivered {
                    sequence: 1,
                    count: 1,
                },
                "w".parse(),
            );
            let now = jiff::Timestamp::UNIX_EPOCH;
            Run::first(job.clone(), &lane, seen, worker.expect("a name"), now)
        };
        for (job, expected) in [(&alone, 1), (&joined, 2)] {
            assert_eq!(version(encode(job)), expected);
            assert_eq!(version(encode(&run(job))), expected);
            let asked = PreviewRequest::ForecastRequest(Box::new(ForecastRequest {
                rules: Rules::default(),
                input: job.input.clone(),
                further: job.further.clone(),
                recipe: job.recipe.clone(),
            }));
            assert_eq!(version(encode(&asked)), expected);
        }
        let read: Job = decode(&encode(&joined)).expect("this program understands it");
        assert_eq!(read, joined);
    }
}
