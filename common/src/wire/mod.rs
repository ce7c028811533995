//! Messages as bytes: JSON in an envelope with a version, so that a program that gets a message of a newer one says
//! so instead of guessing.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Version of every message that this program writes.
pub const VERSION: u32 = 1;

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
pub fn encode<T: Serialize>(body: &T) -> Bytes {
    serde_json::to_vec(&Envelope { v: VERSION, body })
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

    #[test]
    fn a_newer_message_says_that_it_is_newer() {
        let error = decode::<u8>(br#"{"v":2,"body":{"shape":"unknown"}}"#).expect_err("newer");
        assert!(matches!(error, WireError::Newer { found: 2 }), "{error}");
        let error = decode::<u8>(b"hello").expect_err("no message");
        assert!(matches!(error, WireError::Malformed(_)), "{error}");
        assert_eq!(decode::<u8>(&encode(&7_u8)).expect("ours"), 7);
    }
}
