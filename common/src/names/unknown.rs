//! The error of a name that is none of a list.

/// A name that is none of those allowed.
#[derive(Debug, thiserror::Error)]
#[error("unknown {what} '{given}': one of {known}")]
pub struct UnknownName {
    what: &'static str,
    given: String,
    known: String,
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, given: &str, known: &[&str]) -> Self {
        Self {
            what,
            given: given.to_owned(),
            known: known.join(", "),
        }
    }
}
