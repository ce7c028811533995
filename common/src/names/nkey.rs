//! Nkeys: the keys by which users of the broker prove who they are, and sign what they order. Others know the public half
//! only.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
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

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.pair().public_key())
    }

    fn pair(&self) -> KeyPair {
        KeyPair::from_seed(&self.0).expect("checked when it was read")
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

/// The public half of a user's key: 56 characters that begin with `U`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(String);

/// The text is no public key of a user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no public key of a user: expected 56 characters that begin with U, as `producer setup list` shows them"
)]
pub struct PublicKeyError(String);

impl PublicKey {
    /// Whether the secret half of this key has signed these bytes.
    pub fn has_signed(&self, bytes: &[u8], signature: &Signature) -> bool {
        let pair = KeyPair::from_public_key(&self.0);
        let signature = BASE64_URL_SAFE_NO_PAD.decode(&signature.0);
        match (pair, signature) {
            (Ok(pair), Ok(signature)) => pair.verify(bytes, &signature).is_ok(),
            _ => false,
        }
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        match KeyPair::from_public_key(text) {
            Ok(pair) if pair.key_pair_type() == KeyPairType::User => Ok(Self(text.to_owned())),
            _ => Err(PublicKeyError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for PublicKey {
    type Error = PublicKeyError;

    fn try_from(text: String) -> Result<Self, PublicKeyError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An Ed25519 signature: 64 bytes, in base64 for URLs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signature(String);

/// Signs with the key of a user.
#[derive(Clone)]
pub struct Signer {
    pair: Arc<KeyPair>,
    key: PublicKey,
}

impl Signer {
    /// The public half of its key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Signs these bytes.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        let signature = self.pair.sign(bytes);
        let signature = signature.expect("a pair that was read from its seed can sign");
        Signature(BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

impl From<&UserSeed> for Signer {
    fn from(seed: &UserSeed) -> Self {
        Self {
            pair: Arc::new(seed.pair()),
            key: seed.public_key(),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.key).finish()
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
        let public = seed.public_key();
        assert_eq!(public.to_string().parse(), Ok(public));
        assert_eq!(seed.reveal().parse(), Ok(seed.clone()));
        assert!(!format!("{seed:?}").contains(seed.reveal()));
    }

    #[test]
    fn other_keys_are_refused_without_showing_them() {
        let account = KeyPair::new_account().seed().expect("a seed");
        let public = UserSeed::new().public_key().to_string();
        for text in ["", "secret", &account, &public] {
            assert_eq!(text.parse::<UserSeed>(), Err(UserSeedError));
            let is_public = text.parse::<PublicKey>().is_ok();
            assert_eq!(is_public, text == public, "{text}");
        }
    }

    #[test]
    fn a_signature_is_of_one_key_and_of_these_bytes() {
        let signer = Signer::from(&UserSeed::new());
        let signature = signer.sign(b"one");
        assert!(signer.key().has_signed(b"one", &signature));
        assert!(!signer.key().has_signed(b"two", &signature));
        let other = UserSeed::new().public_key();
        assert!(!other.has_signed(b"one", &signature));
        for broken in ["", "?", "AAAA"] {
            assert!(
                !signer
                    .key()
                    .has_signed(b"one", &Signature(broken.to_owned()))
            );
        }
    }
}
