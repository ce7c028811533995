//! What the doctor finds.

use std::fmt;

use common::names::printable::printable;
use serde::Serialize;

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Fine,
    /// It works, and may not as somebody means it to.
    Doubtful,
    Wrong,
}

/// One thing that was tried.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    pub state: State,
    /// What was tried, e.g. `store`.
    pub check: &'static str,
    /// Of what, e.g. the store's location.
    pub about: String,
    /// What was seen.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

impl Finding {
    fn new(
        state: State,
        check: &'static str,
        about: impl fmt::Display,
        found: impl fmt::Display,
        cure: Option<String>,
    ) -> Self {
        Self {
            state,
            check,
            about: printable(&about.to_string()),
            found: printable(&found.to_string()),
            cure,
        }
    }

    pub(super) fn fine(
        check: &'static str,
        about: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self::new(State::Fine, check, about, found, None)
    }

    pub(super) fn doubtful(
        check: &'static str,
        about: impl fmt::Display,
        found: impl fmt::Display,
        cure: impl Into<String>,
    ) -> Self {
        Self::new(State::Doubtful, check, about, found, Some(cure.into()))
    }

    pub(super) fn wrong(
        check: &'static str,
        about: impl fmt::Display,
        found: impl fmt::Display,
        cure: impl Into<String>,
    ) -> Self {
        Self::new(State::Wrong, check, about, found, Some(cure.into()))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.state {
            State::Fine => "ok   ",
            State::Doubtful => "look ",
            State::Wrong => "WRONG",
        };
        write!(
            f,
            "{mark}  {:<10} {}: {}",
            self.check, self.about, self.found
        )?;
        match &self.cure {
            Some(cure) => write!(f, "\n       → {cure}"),
            None => Ok(()),
        }
    }
}
