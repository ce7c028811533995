//! The files of one library.

use std::collections::HashMap;

use common::job::id::JobId;
use common::library::file::{FileRecord, FileStateKind};
use common::library::summary::{Figures, Made};
use common::names::location::Location;
use uuid::Uuid;

use super::words::Words;

/// Longest reason that is kept, in characters.
const REASON: usize = 160;

/// The files of one library, by what stands for their locations.
#[derive(Default)]
pub struct Files {
    pub(super) rows: HashMap<Uuid, Row>,
    pub(super) words: Words,
}

/// One file. Numbers stand for words that are kept once for all files.
pub(super) struct Row {
    /// The path below the library's folder.
    pub(super) path: Box<str>,
    pub(super) size: u64,
    /// Bytes of the source and of the result, if a job has ended well; both 0 otherwise.
    pub(super) before: u64,
    pub(super) after: u64,
    pub(super) job: Option<JobId>,
    pub(super) codec: u32,
    pub(super) made_codec: u32,
    pub(super) hdr: u32,
    pub(super) why: u32,
    pub(super) damage: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) state: FileStateKind,
    pub(super) is_checked: bool,
}

impl Files {
    /// Takes what is known of a file.
    pub fn put(&mut self, key: Uuid, record: &FileRecord, folder: &Location) {
        let figures = Figures::from(record);
        let video = record.facts.as_ref().and_then(|facts| facts.video.as_ref());
        let location = record.input.location.key();
        let path = location.strip_prefix(&folder.key()).unwrap_or(&location);
        let why = record.state.why().map(shortened);
        let damage = record.check.damage.as_deref().map(shortened);
        let words = &mut self.words;
        let row = Row {
            path: path.trim_start_matches('/').into(),
            size: record.input.size,
            before: figures.made.map_or(0, |made| made.before),
            after: figures.made.map_or(0, |made| made.after),
            job: record.state.job().copied(),
            codec: words.id(figures.codec),
            made_codec: words.id(figures.made.and_then(|made| made.codec)),
            hdr: words.id(figures.hdr),
            why: words.id(why.as_deref()),
            damage: words.id(damage.as_deref()),
            width: video.map_or(0, |video| video.width),
            height: video.map_or(0, |video| video.height),
            state: figures.state,
            is_checked: figures.is_damaged.is_some(),
        };
        self.rows.insert(key, row);
    }

    /// Takes the removal of a file.
    pub fn remove(&mut self, key: &Uuid) {
        self.rows.remove(key);
    }

    /// What counts of each file.
    pub fn figures(&self) -> impl Iterator<Item = Figures<'_>> {
        self.rows.values().map(|row| Figures {
            size: row.size,
            codec: self.words.get(row.codec),
            height: (row.height > 0).then(|| row.height.max(row.width / 16 * 9)),
            hdr: self.words.get(row.hdr),
            state: row.state,
            made: (row.before > 0).then(|| Made {
                codec: self.words.get(row.made_codec),
                before: row.before,
                after: row.after,
            }),
            is_damaged: row.is_checked.then_some(row.damage > 0),
        })
    }
}

fn shortened(reason: &str) -> String {
    reason.chars().take(REASON).collect()
}
