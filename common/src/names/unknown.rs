//! The error for a name that is not on a list.

/// The name is not on the list of allowed names.
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
