//! Passwords that were right, so that a program that sends one with every request has it checked once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ring::hmac;

use super::network::Network;
use super::people::Person;

/// The most passwords and networks that are remembered.
const MOST: usize = 1000;

/// Right passwords of each network, as hashes under a key that ends with the process: nobody can read a password from
/// them.
pub(super) struct Remembered {
    key: hmac::Key,
    known: Mutex<HashMap<[u8; 32], Arc<Person>>>,
}

impl Remembered {
    /// # Errors
    /// If the system gives no random numbers.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            known: Mutex::default(),
        })
    }

    /// Who has this password, if it came from this network before.
    pub(super) fn find(
        &self,
        from: Network,
        name: Option<&str>,
        password: &str,
    ) -> Option<Arc<Person>> {
        let hash = self.hash(from, name, password);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&hash).cloned()
    }

    pub(super) fn keep(&self, from: Network, password: &str, person: Arc<Person>) {
        let hash = self.hash(from, person.name.as_deref(), password);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            // Whoever is forgotten is checked again.
            known.clear();
        }
        known.insert(hash, person);
    }

    fn hash(&self, from: Network, name: Option<&str>, password: &str) -> [u8; 32] {
        let text = format!("{from}\n{}\n{password}", name.unwrap_or_default());
        let tag = hmac::sign(&self.key, text.as_bytes());
        tag.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}
