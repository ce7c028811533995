//! What is known of the files of libraries.

use std::collections::HashMap;
use std::ops::Range;

use async_nats::header::NATS_ROLLUP;
use bytes::Bytes;
use tokio::task::JoinSet;

use crate::broker::nats::atomic;
use crate::broker::nats::direct::OPERATION;
use crate::broker::nats::message::Message;
use crate::broker::{Broker, BrokerError, Change, Changes};
use crate::library::file::FileRecord;
use crate::names::location::Location;
use crate::names::subject;
use crate::names::subject::{FILES, FileKey};
use crate::names::token::Token;
use crate::wire;

/// Records of one request.
const PAGE: usize = 2500;
/// Stretches of the stream that are read at the same time, so that the broker reads one while another is decoded here.
const STRETCHES: u64 = 4;
/// The shortest stretch: less is read by one request anyway.
const SHORTEST: u64 = 2 * PAGE as u64;

/// The latest records of a library by subject, each with its sequence; `None` stands for a removed one.
type Latest = HashMap<String, (u64, Option<FileRecord>)>;

/// Takes records that may be older than those that are known: of each file, the later one counts.
fn take(latest: &mut Latest, records: Latest) {
    for (subject, (sequence, record)) in records {
        if latest.get(&subject).is_none_or(|known| known.0 < sequence) {
            latest.insert(subject, (sequence, record));
        }
    }
}

/// The sequences from `first` to `last` in stretches of about the same length, each without its end.
fn stretches(first: u64, last: u64) -> Vec<Range<u64>> {
    let end = last.saturating_add(1);
    let length = end.saturating_sub(first).div_ceil(STRETCHES).max(SHORTEST);
    let mut stretches = Vec::new();
    let mut from = first;
    while from < end {
        let to = from.saturating_add(length).min(end);
        stretches.push(from..to);
        from = to;
    }
    stretches
}

impl Broker {
    /// What is known of every file of a library.
    pub async fn files_of(&self, library: &Token) -> Result<Vec<FileRecord>, BrokerError> {
        let bucket = subject::bucket(FILES);
        let extent = match self.nats.extent(&bucket).await {
            Err(_) if self.nats.lacks(&bucket).await => return Ok(Vec::new()),
            extent => extent?,
        };
        let first = extent.first.max(1);
        let mut reads = JoinSet::new();
        for stretch in stretches(first, extent.last) {
            let (broker, library) = (self.clone(), library.clone());
            reads.spawn(async move { broker.files_in(&library, stretch).await });
        }
        let mut latest = Latest::new();
        while let Some(read) = reads.join_next().await {
            let read = read.map_err(BrokerError::request("reading files of a library"))?;
            take(&mut latest, read?);
        }
        // What was written meanwhile has left its stretch, perhaps before that was read.
        let behind = first.max(extent.last + 1)..u64::MAX;
        take(&mut latest, self.files_in(library, behind).await?);
        let records = latest.into_values().filter_map(|(_, record)| record);
        Ok(records.collect())
    }

    /// The latest records of files of a library with these sequences.
    async fn files_in(&self, library: &Token, stretch: Range<u64>) -> Result<Latest, BrokerError> {
        let bucket = subject::bucket(FILES);
        let filter = subject::kv(FILES, &subject::files_of(library));
        let mut latest = Latest::new();
        let mut from = stretch.start;
        while from < stretch.end {
            let most = usize::try_from(stretch.end - from).unwrap_or(PAGE);
            let page = self
                .nats
                .page(&bucket, &filter, from, most.min(PAGE))
                .await?;
            let Some(last) = page.last() else {
                break;
            };
            let is_last = last.behind == 0;
            from = last.sequence + 1;
            let within = page
                .into_iter()
                .take_while(|stored| stored.sequence < stretch.end);
            for stored in within {
                let record = match stored.is_marker {
                    true => None,
                    false => match self.nats.read(&stored) {
                        Some(record) => Some(record),
                        // A newer program's: what this one knew of the file stays.
                        None => continue,
                    },
                };
                latest.insert(stored.subject, (stored.sequence, record));
            }
            if is_last {
                break;
            }
        }
        Ok(latest)
    }

    /// Up to `most` changes of files of all libraries since the sequence `from`, and the sequence from which to go on.
    pub async fn file_changes(
        &self,
        from: u64,
        most: usize,
    ) -> Result<Changes<FileKey, FileRecord>, BrokerError> {
        let bucket = subject::bucket(FILES);
        let all = subject::kv(FILES, ">");
        let page = self.nats.page(&bucket, &all, from, most).await?;
        let next = page.last().map_or(from, |last| last.sequence + 1);
        let changes = page.iter().filter_map(|stored| {
            Some(Change {
                key: FileKey::parse(&stored.subject)?,
                value: match stored.is_marker {
                    true => None,
                    false => Some(self.nats.read(stored)?),
                },
                sequence: stored.sequence,
                time: stored.time,
            })
        });
        Ok((changes.collect(), next))
    }

    /// The sequence of the last change of a file; 0 if there was none.
    pub async fn last_file_sequence(&self) -> Result<u64, BrokerError> {
        let bucket = subject::bucket(FILES);
        match self.nats.extent(&bucket).await {
            Err(_) if self.nats.lacks(&bucket).await => Ok(0),
            extent => Ok(extent?.last),
        }
    }

    /// Stores records of files of a library, in place of earlier ones.
    pub async fn note_files(
        &self,
        library: &Token,
        records: &[FileRecord],
    ) -> Result<(), BrokerError> {
        let what = format!("noting {} files of the library {library}", records.len());
        for some in records.chunks(atomic::MOST) {
            let messages: Vec<Message> = some
                .iter()
                .map(|record| {
                    let key = subject::file(library, &record.input.location);
                    Message::new(subject::kv(FILES, &key), wire::encode(record))
                })
                .collect();
            self.nats.store_all(&what, messages).await?;
        }
        Ok(())
    }

    /// Removes the records of files that are gone.
    pub async fn drop_files(&self, library: &Token, files: &[Location]) -> Result<(), BrokerError> {
        let what = format!("dropping {} files of the library {library}", files.len());
        for file in files {
            let key = subject::file(library, file);
            let marker = Message::new(subject::kv(FILES, &key), Bytes::new())
                .with(OPERATION, "PURGE")
                .with(NATS_ROLLUP, "sub");
            self.nats.store(&what, marker).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_hold_every_sequence_once() {
        for (first, last) in [(1, 0), (1, 1), (7, 5006), (1, 100_000), (250_001, 900_123)] {
            let stretches = stretches(first, last);
            assert!(stretches.len() as u64 <= STRETCHES);
            let mut next = first;
            for stretch in stretches {
                assert_eq!(stretch.start, next);
                assert!(stretch.end > next, "an empty stretch");
                next = stretch.end;
            }
            assert_eq!(next, last + 1);
        }
    }

    #[test]
    fn of_two_records_of_a_file_the_later_one_counts() {
        let one = |sequence| Latest::from([("file".to_owned(), (sequence, None))]);
        let mut latest = Latest::new();
        for sequence in [5, 3, 9, 7] {
            take(&mut latest, one(sequence));
        }
        assert_eq!(latest["file"].0, 9);
    }
}
