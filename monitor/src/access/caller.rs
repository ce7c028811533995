//! Whoever sends a request, once that is known.

use std::sync::Arc;

use super::Role;
use super::network::Network;
use super::people::Person;

/// Who sends a request, and what they may do: an extension of each request that a guard lets pass.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) role: Role,
    pub(crate) holder: Holder,
}

/// How the caller came in. Streams are counted by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// With the secret of a session.
    Session(String, Arc<Person>),
    /// With a password or token in the request.
    Bearer(Arc<Person>),
    /// Nobody is asked.
    Anyone(Network),
}

impl Caller {
    /// The caller's name, where people have names.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.holder {
            Holder::Session(_, person) | Holder::Bearer(person) => person.name.as_deref(),
            Holder::Anyone(_) => None,
        }
    }
}
