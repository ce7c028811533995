//! What is known of the files of libraries.

use std::collections::HashMap;

use async_nats::header::NATS_ROLLUP;
use bytes::Bytes;

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
const PAGE: usize = 5000;

impl Broker {
    /// What is known of every file of a library.
    pub async fn files_of(&self, library: &Token) -> Result<Vec<FileRecord>, BrokerError> {
        let bucket = subject::bucket(FILES);
        let filter = subject::kv(FILES, &subject::files_of(library));
        // A record that was written during the reading comes twice: the later one counts.
        let mut latest: HashMap<String, FileRecord> = HashMap::new();
        let mut from = 1;
        loop {
            let page = match self.nats.page(&bucket, &filter, from, PAGE).await {
                Err(_) if self.nats.lacks(&bucket).await => Vec::new(),
                page => page?,
            };
            let Some(last) = page.last() else {
                break;
            };
            let is_last = last.behind == 0;
            from = last.sequence + 1;
            for stored in page {
                match stored.is_marker {
                    true => drop(latest.remove(&stored.subject)),
                    false => {
                        let record = self.nats.read(&stored);
                        latest.extend(record.map(|record| (stored.subject, record)));
                    }
                }
            }
            if is_last {
                break;
            }
        }
        Ok(latest.into_values().collect())
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
