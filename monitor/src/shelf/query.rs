//! Pages of files, filtered and sorted.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use common::job::id::JobId;
use common::library::file::FileStateKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::row::{Files, Row};

/// Which files, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileQuery {
    /// Only files in these states; all if empty.
    pub states: Vec<FileStateKind>,
    /// Only files whose film has this codec.
    pub codec: Option<String>,
    /// Only files whose path contains this text.
    pub text: String,
    /// Only files whose last check has found damage.
    pub damaged: bool,
    /// Only these files, if set: those for which a condition holds.
    pub only: Option<Arc<HashSet<Uuid>>>,
    pub sort: FileColumn,
    /// In descending order.
    pub descending: bool,
    /// Files to skip.
    pub offset: usize,
    /// The most files in the answer.
    pub limit: usize,
}

/// What files are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileColumn {
    /// Path below the library's folder.
    #[default]
    Name,
    /// Bytes.
    Size,
    /// What becomes of the file.
    State,
    /// Codec of the film.
    Codec,
    /// Lines of the film.
    Height,
    /// Bytes that were saved.
    Saved,
}

/// One page of the files that match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct FilePage {
    pub files: Vec<LibraryFile>,
    /// How many files match in all.
    pub total: usize,
    /// How many files match in each state, whatever states the query names.
    pub states: Vec<(FileStateKind, usize)>,
}

/// A file of a page.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LibraryFile {
    /// The path below the library's folder.
    pub path: String,
    pub state: FileStateKind,
    /// Why it is in this state, shortened.
    pub why: Option<String>,
    /// Its bytes.
    pub size: u64,
    /// Bytes of its source, if its output is in place.
    pub before: Option<u64>,
    /// Bytes of its output, if that is in place.
    pub after: Option<u64>,
    pub codec: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// Kind of high dynamic range.
    pub hdr: Option<String>,
    #[schema(value_type = Option<String>)]
    pub job: Option<JobId>,
    /// The damage that its last check has found, shortened.
    pub damage: Option<String>,
    /// Whether it was checked for damage.
    pub checked: bool,
}

impl Files {
    /// A page of the files.
    pub fn page(&self, query: &FileQuery) -> FilePage {
        let codec = query.codec.as_deref().map(|codec| self.words.known(codec));
        let needle = query.text.to_lowercase();
        let matches = |(file, row): &(&Uuid, &Row)| {
            query.only.as_ref().is_none_or(|only| only.contains(*file))
                && codec.is_none_or(|codec| codec == Some(row.codec))
                && (!query.damaged || row.damage > 0)
                && (needle.is_empty() || row.path.to_lowercase().contains(&needle))
        };
        let mut states: BTreeMap<FileStateKind, usize> = BTreeMap::new();
        let mut found: Vec<&Row> = Vec::new();
        for (_, row) in self.rows.iter().filter(matches) {
            *states.entry(row.state).or_default() += 1;
            if query.states.is_empty() || query.states.contains(&row.state) {
                found.push(row);
            }
        }
        let total = found.len();
        let order = |one: &&Row, other: &&Row| {
            let order = self.compare(query.sort, one, other);
            let order = if query.descending {
                order.reverse()
            } else {
                order
            };
            order.then_with(|| one.path.cmp(&other.path))
        };
        // Only what is before the end of the page needs to be in order.
        let end = query.offset.saturating_add(query.limit).min(total);
        if end < total && end > 0 {
            found.select_nth_unstable_by(end - 1, order);
        }
        found.truncate(end);
        found.sort_unstable_by(order);
        let page = found.into_iter().skip(query.offset);
        FilePage {
            files: page.map(|row| self.shown(row)).collect(),
            total,
            states: states.into_iter().collect(),
        }
    }

    fn compare(&self, by: FileColumn, one: &Row, other: &Row) -> Ordering {
        let saved = |row: &Row| i128::from(row.before) - i128::from(row.after);
        match by {
            FileColumn::Name => one.path.cmp(&other.path),
            FileColumn::Size => one.size.cmp(&other.size),
            FileColumn::State => one.state.cmp(&other.state),
            FileColumn::Codec => self.words.get(one.codec).cmp(&self.words.get(other.codec)),
            FileColumn::Height => one.height.cmp(&other.height),
            FileColumn::Saved => saved(one).cmp(&saved(other)),
        }
    }

    fn shown(&self, row: &Row) -> LibraryFile {
        let word = |id| self.words.get(id).map(str::to_owned);
        let is_done = row.state == FileStateKind::Done;
        LibraryFile {
            path: row.path.to_string(),
            state: row.state,
            why: word(row.why),
            size: row.size,
            before: is_done.then_some(row.before),
            after: is_done.then_some(row.after),
            codec: word(row.codec),
            width: (row.width > 0).then_some(row.width),
            height: (row.height > 0).then_some(row.height),
            hdr: word(row.hdr),
            job: row.job,
            damage: word(row.damage),
            checked: row.is_checked,
        }
    }
}
