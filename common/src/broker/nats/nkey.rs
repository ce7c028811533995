//! Nkeys: the keys by which users of the broker prove who they are. The broker knows the public half only.

use std::fmt;
use std::str::FromStr;

use nkeys::{KeyPair, KeyPairType};
use serde::{Deserialize, Serialize};

/// The secret half of a user's key: a seed that begins with `SU`. `Debug` hides it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserSeed(String);

/// The text is no seed of a user. The message does not hold the text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the seed of a user's nkey: expected 58 characters that begin with SU")]
pub struct UserSeedError;

impl UserSeed {
    /// A new key.
    pub fn new() -> Self {
        let pair = KeyPair::new_user();
        Self(pair.seed().expect("a new pair has its seed"))
    }

    /// The seed itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The public half, which begins with `U`.
    pub fn public_key(&self) -> String {
        let pair = KeyPair::from_seed(&self.0);
        pair.expect("checked when it was read").public_key()
    }
}

impl Default for UserSeed {
    fn default() -> Self {
        Self::new()
    }
}

impl FromStr for UserSeed {
    type Err = UserSeedError;

    fn from_str(text: &str) -> Result<Self, UserSeedError> {
        match KeyPair::from_seed(text) {
            Ok(pair) if pair.key_pair_type() == KeyPairType::User => Ok(Self(text.to_owned())),
            _ => Err(UserSeedError),
        }
    }
}

impl TryFrom<String> for UserSeed {
    type Error = UserSeedError;

    fn try_from(text: String) -> Result<Self, UserSeedError> {
        text.parse()
    }
}

impl From<UserSeed> for String {
    fn from(seed: UserSeed) -> Self {
        seed.0
    }
}

impl fmt::Debug for UserSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserSeed(hidden, of {})", self.public_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_reads_back_and_is_not_shown() {
        let seed = UserSeed::new();
        assert!(seed.public_key().starts_with('U'));
        assert_eq!(seed.reveal().parse(), Ok(seed.clone()));
        assert!(!format!("{seed:?}").contains(seed.reveal()));
    }

    #[test]
    fn other_keys_are_refused_without_showing_them() {
        let account = KeyPair::new_account().seed().expect("a seed");
        let public = UserSeed::new().public_key();
        for text in ["", "secret", &account, &public] {
            assert_eq!(text.parse::<UserSeed>(), Err(UserSeedError));
        }
    }
}
