//! What an answer tells the record of changes.

/// What came of a change, where the status of the answer does not say all: an extension of the answer.
#[derive(Clone, Debug)]
pub(crate) struct Told(pub(crate) String);
