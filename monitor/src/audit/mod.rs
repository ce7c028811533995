//! The record of changes: who changed what, when, and what came of it.
//!
//! Each change is appended to the file of `--audit` as a line of JSON, or else written to the log. The last ones are
//! kept for the page.

mod asked;
pub(crate) mod record;
pub(crate) mod told;

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use common::names::printable::printable;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::access::Role;
use crate::access::people::Person;
use crate::access::visitor::Visitor;
use crate::snapshot::moment::Moment;

/// The changes that are kept for the page.
const KEPT: usize = 500;

/// One change.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RecordedChange {
    when: Moment,
    /// The name of the person or program; `null` for a password without a name, and where nobody is asked.
    who: Option<String>,
    role: Role,
    /// Where the request came from.
    from: String,
    method: String,
    /// The route, below `/api/v1`.
    path: String,
    /// The body of the request: long lists and texts are cut, and addresses and secrets left out.
    #[schema(value_type = Option<Object>)]
    asked: Option<Value>,
    /// The status of the answer: below 300 if the change was made.
    status: u16,
    /// What came of it, where the status does not say all: e.g. `3 of 4 done`, or why it was refused.
    result: Option<String>,
}

impl RecordedChange {
    /// Somebody has begun a session.
    pub(crate) fn login(person: &Person, visitor: &Visitor) -> Self {
        Self {
            when: Moment(Timestamp::now()),
            who: person.name.clone(),
            role: person.role,
            from: visitor.address.to_string(),
            method: "POST".to_owned(),
            path: "/session".to_owned(),
            asked: None,
            status: 200,
            result: Some("logged in".to_owned()),
        }
    }
}

/// The record of changes.
#[derive(Default)]
pub(crate) struct Audit {
    /// `None` to write to the log.
    file: Option<PathBuf>,
    last: Mutex<VecDeque<RecordedChange>>,
}

impl Audit {
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn new(file: Option<PathBuf>) -> std::io::Result<Self> {
        let audit = Self {
            file,
            last: Mutex::default(),
        };
        audit.append("")?;
        Ok(audit)
    }

    /// Writes down a change.
    pub(crate) fn add(&self, change: RecordedChange) {
        let line = serde_json::to_string(&change).expect("a change is plain data");
        let written = self.append(&format!("{line}\n"));
        if let Err(error) = &written {
            tracing::error!(%error, "the file of --audit cannot be written: the change is logged here");
        }
        if self.file.is_none() || written.is_err() {
            tracing::info!(
                who = change.who.as_deref().map(printable),
                role = %change.role,
                from = change.from,
                asked = change.asked.as_ref().map(ToString::to_string),
                status = change.status,
                result = change.result,
                "changed: {} {}",
                change.method,
                change.path
            );
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= KEPT {
            last.pop_front();
        }
        last.push_back(change);
    }

    /// The last changes, newest first.
    pub(crate) fn last(&self) -> Vec<RecordedChange> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().rev().cloned().collect()
    }

    /// The file is opened for each line, so that it may be moved away at any time.
    fn append(&self, text: &str) -> std::io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(file)?.write_all(text.as_bytes())
    }
}
