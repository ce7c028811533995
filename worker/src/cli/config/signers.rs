//! Whose signed jobs a worker takes, by its option and the farm's file.

use std::str::FromStr;

use common::job::signature::Signers;
use common::names::nkey::{PublicKey, PublicKeyError};
use common::program::farm_file::WorkerSection;

/// The word for the keys that the farm's file lists.
const FARM: &str = "farm";

/// Whose signature a job must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequiredSignature {
    /// Of one of the keys that the farm's file lists.
    Farm,
    /// Of this key.
    Key(PublicKey),
}

impl FromStr for RequiredSignature {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        match text {
            FARM => Ok(Self::Farm),
            key => key.parse().map(Self::Key),
        }
    }
}

/// The keys of the option; `None` if jobs need no signature.
///
/// # Errors
/// The farm's file lists no key.
pub(crate) fn signers(
    required: &[RequiredSignature],
    file: &WorkerSection,
) -> Result<Option<Signers>, String> {
    if required.is_empty() {
        return Ok(None);
    }
    let mut keys = Vec::new();
    for one in required {
        match one {
            RequiredSignature::Key(key) => keys.push(key.clone()),
            RequiredSignature::Farm if file.signers.is_empty() => {
                return Err(
                    "--require-signature farm: the farm file lists no keys in `signers` of [worker]: paste a new line of \
                     `producer setup add worker NAME`, or name the keys that `producer setup list` shows"
                        .to_owned(),
                );
            }
            RequiredSignature::Farm => keys.extend_from_slice(&file.signers),
        }
    }
    Ok(Some(keys.into()))
}
