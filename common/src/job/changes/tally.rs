//! Tallies: equal changes of several outputs, counted.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::job::changes::{Change, Fate, Kind};

/// A change that several outputs have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Number of outputs.
    pub files: usize,
    /// The kind of thing.
    pub kind: Kind,
    /// Converted or lost.
    pub fate: Fate,
    /// The thing in the outputs, if it is the same in all.
    pub to: Option<String>,
    /// Why it was not kept.
    pub why: Option<String>,
}

/// Counts the changes of several outputs that are neither kept nor asked for: losses first, the most frequent before
/// the rest.
pub fn tally<'a>(lists: impl Iterator<Item = &'a [Change]>) -> Vec<Tally> {
    type Key<'a> = (Fate, Kind, Option<&'a str>);
    /// Number of outputs, and the thing in them.
    type Found<'a> = (usize, Option<&'a str>);
    let mut groups: BTreeMap<Key<'a>, Found<'a>> = BTreeMap::new();
    for list in lists {
        let mut own: BTreeMap<Key<'a>, Option<&'a str>> = BTreeMap::new();
        for change in list.iter().filter(|change| change.is_news()) {
            let key = (change.fate, change.kind, change.why.as_deref());
            let to = change.to.as_deref();
            let same = own.entry(key).or_insert(to);
            *same = same.filter(|same| to == Some(*same));
        }
        for (key, to) in own {
            let (files, same) = groups.entry(key).or_insert((0, to));
            *files += 1;
            *same = same.filter(|same| to == Some(*same));
        }
    }
    let mut tallies: Vec<Tally> = groups
        .into_iter()
        .map(|((fate, kind, why), (files, to))| Tally {
            files,
            kind,
            fate,
            to: to.map(str::to_owned),
            why: why.map(str::to_owned),
        })
        .collect();
    tallies.sort_by_key(|tally| std::cmp::Reverse((tally.fate, tally.files)));
    tallies
}

/// `12 files lose captions (libx265 writes none)`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = self.files == 1;
        let files = if one { "file" } else { "files" };
        write!(f, "{} {files} ", self.files)?;
        match self.fate {
            Fate::Lost => write!(
                f,
                "{} {}",
                if one { "loses" } else { "lose" },
                self.kind.noun()
            )?,
            fate => write!(
                f,
                "{} {} {fate}",
                if one { "has" } else { "have" },
                self.kind.noun()
            )?,
        }
        if let Some(to) = &self.to {
            write!(f, " to {to}")?;
        }
        if let Some(why) = &self.why {
            write!(f, " ({why})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_the_same_loss_are_one_line() {
        let captions = || Change::lost(Kind::Captions, 0, "CEA-608", "libx265 writes none");
        let text = |track, from| Change::converted(Kind::Track, track, from, "mov_text", "mp4");
        let lists = [
            vec![captions(), text(2, "subrip"), text(3, "ass")],
            vec![captions()],
            vec![
                Change::kept(Kind::Chapters, None, "3 chapters"),
                Change::lost(Kind::Track, 1, "audio", "as asked for").wanted(),
            ],
        ];
        let lines: Vec<String> = tally(lists.iter().map(Vec::as_slice))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            lines,
            [
                "2 files lose captions (libx265 writes none)",
                "1 file has a track converted to mov_text (mp4)",
            ]
        );
    }
}
