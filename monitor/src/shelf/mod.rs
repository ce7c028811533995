//! The files of all libraries, some 150 bytes each: enough to list, sort and sum them up. Read from the broker when
//! somebody asks, each time from where the last answer ended.

mod answers;
mod query;
mod row;
mod words;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::broker::{Broker, BrokerError, StoredLibrary};
use common::job::run::report::Report;
use common::library::scan::ScanRecord;
use common::library::summary::Summary;
use common::matching::ratios::Ratios;
use common::names::subject::FileKey;
use common::names::token::Token;
use common::rules::condition::Condition;
use jiff::Timestamp;
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

use answers::Answers;

pub use query::{FileColumn, FilePage, FileQuery, LibraryFile};
pub use row::Files;

/// Changes of one request.
const PAGE: usize = 5000;
/// How long reports of completed jobs are kept: forecasts need not be exact.
const REPORTS_KEPT: Duration = Duration::from_secs(60);

/// What the monitor knows of libraries.
#[derive(Clone, Default)]
pub struct Shelf(Arc<Mutex<Known>>);

/// The libraries and their files, as last read.
#[derive(Default)]
pub struct Known {
    /// The libraries, by name.
    pub libraries: Vec<StoredLibrary>,
    scans: Vec<(Token, ScanRecord)>,
    files: HashMap<Token, Files>,
    /// When each library was added: one that was removed and added again has none of its files.
    added: HashMap<Token, Timestamp>,
    next: u64,
    answers: Answers,
    reports: Option<(Instant, Vec<Report>)>,
}

impl Shelf {
    /// What is known now, with all changes until now.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub async fn read(&self, broker: &Broker) -> Result<OwnedMutexGuard<Known>, BrokerError> {
        let mut known = Arc::clone(&self.0).lock_owned().await;
        known.catch_up(broker).await?;
        Ok(known)
    }
}

impl Known {
    async fn catch_up(&mut self, broker: &Broker) -> Result<(), BrokerError> {
        let libraries = broker.libraries().await?;
        let last = broker.last_file_sequence().await?;
        let is_other = |(name, added): (&Token, &Timestamp)| {
            let found = libraries.iter().find(|one| one.name == *name);
            found.is_none_or(|one| one.library.added != *added)
        };
        // Records that were purged leave no trace.
        if self.added.iter().any(is_other) || self.next > last + 1 {
            self.files.clear();
            self.answers.clear();
            self.next = 1;
        }
        self.added = libraries
            .iter()
            .map(|one| (one.name.clone(), one.library.added))
            .collect();
        self.libraries = libraries;
        self.scans = match self.libraries.as_slice() {
            [] => Vec::new(),
            _ => broker.scans().await?,
        };
        while self.next <= last {
            let (changes, next) = broker.file_changes(self.next, PAGE).await?;
            if next == self.next {
                break;
            }
            self.next = next;
            for change in changes {
                let name = &change.key.library;
                let Some(stored) = self.libraries.iter().find(|one| one.name == *name) else {
                    continue;
                };
                let record = change.value.as_ref();
                self.answers
                    .change(name, change.key.file, record, broker.now());
                let files = self.files.entry(name.clone()).or_default();
                match &change.value {
                    Some(record) => files.put(change.key.file, record, &stored.library.location),
                    None => files.remove(&change.key.file),
                }
            }
        }
        Ok(())
    }

    /// A library by its name.
    pub fn library(&self, name: &Token) -> Option<&StoredLibrary> {
        self.libraries.iter().find(|one| one.name == *name)
    }

    /// The scan of a library.
    pub fn scan(&self, name: &Token) -> Option<&ScanRecord> {
        let scan = self.scans.iter().find(|(scanned, _)| scanned == name)?;
        Some(&scan.1)
    }

    /// The sums of a library. `farm` is used for sources of a codec of which it has done none yet.
    pub fn summary(&self, name: &Token, farm: &Ratios) -> Summary {
        match self.files.get(name) {
            Some(files) => Summary::of(files.figures(), farm),
            None => Summary::default(),
        }
    }

    /// A page of the files of a library.
    pub fn page(&self, name: &Token, query: &FileQuery) -> FilePage {
        match self.files.get(name) {
            Some(files) => files.page(query),
            None => FilePage::default(),
        }
    }

    /// The files of a library for which a condition holds, by what stands for their locations.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub async fn matching(
        &mut self,
        broker: &Broker,
        name: &Token,
        condition: &Condition,
    ) -> Result<Arc<HashSet<Uuid>>, BrokerError> {
        if let Some(known) = self.answers.get(name, condition) {
            return Ok(known);
        }
        // These may be newer than the rows; the next reading takes the same changes again.
        let records = broker.files_of(name).await?.into_iter();
        let keyed = records.map(|record| (FileKey::of(name, &record.input.location).file, record));
        Ok(self.answers.find(name, condition, keyed, broker.now()))
    }

    /// Reports of jobs that completed lately.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub async fn reports(&mut self, broker: &Broker) -> Result<&[Report], BrokerError> {
        let is_old = |(read, _): &(Instant, Vec<Report>)| read.elapsed() > REPORTS_KEPT;
        if self.reports.as_ref().is_none_or(is_old) {
            self.reports = Some((Instant::now(), broker.recent_reports().await?));
        }
        Ok(self.reports.as_ref().map_or(&[], |(_, reports)| reports))
    }
}
