//! The master files of a ladder: the record of what the farm has written.
//!
//! The contents follow from the streams that the ladder's members report alone. So two workers that write at once do no
//! harm. The record is written before the files. It tells which files in their places are the farm's own, as the fence
//! of a run does for an output.

use serde::{Deserialize, Serialize};

use crate::job::Job;
use crate::job::ladder::{Ladder, LadderStream};
use crate::job::run::{Run, RunState};
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::wire;

/// Most digests of earlier contents that a record keeps.
const MOST_EARLIER: usize = 16;

/// What belongs into the master files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterContents {
    /// The HLS master playlist.
    pub playlist: String,
    /// The DASH manifest.
    pub manifest: String,
}

/// The stored record of a ladder's master files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MasterRecord {
    /// The ladder.
    pub ladder: Ladder,
    /// Digest of the streams that the files tell of.
    pub streams: Digest,
    /// The HLS master playlist.
    pub playlist: MasterFile,
    /// The DASH manifest.
    pub manifest: MasterFile,
    /// Whether the files are there.
    pub state: MasterState,
    /// Digests of files that the farm has put in these places before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Digest>,
}

impl wire::Message for MasterRecord {}

/// One of the two master files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MasterFile {
    /// Size in bytes.
    pub size: u64,
    /// Digest of the whole file.
    pub digest: Digest,
}

impl MasterFile {
    fn of(text: &str) -> Self {
        Self {
            size: text.len() as u64,
            digest: Digest::of(text.as_bytes()),
        }
    }
}

/// Whether the master files of a record are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum MasterState {
    /// They are about to be written.
    Announced,
    /// They are there.
    There,
    /// They were not written, for this reason: a file of another origin has one of their places.
    Refused(String),
}

impl MasterRecord {
    /// The record of files with these contents that are about to be written, in place of what `before` tells. Files that
    /// were written for another ladder are not this one's.
    pub fn announce(
        (ladder, streams): (&Ladder, &[LadderStream]),
        contents: &MasterContents,
        before: Option<&Self>,
    ) -> Self {
        let mut earlier: Vec<Digest> = Vec::new();
        if let Some(before) = before.filter(|before| before.ladder == *ladder) {
            let own = [&before.playlist.digest, &before.manifest.digest];
            for digest in own.into_iter().chain(&before.earlier) {
                if !earlier.contains(digest) {
                    earlier.push(digest.clone());
                }
            }
        }
        earlier.truncate(MOST_EARLIER);
        Self {
            ladder: ladder.clone(),
            streams: digest_of(streams),
            playlist: MasterFile::of(&contents.playlist),
            manifest: MasterFile::of(&contents.manifest),
            state: MasterState::Announced,
            earlier,
        }
    }

    /// Whether the files tell of these streams of this ladder.
    pub fn tells_of(&self, ladder: &Ladder, streams: &[LadderStream]) -> bool {
        self.ladder == *ladder && self.streams == digest_of(streams)
    }

    /// Whether the farm has written a file with this digest, or was about to.
    pub fn knows(&self, digest: &Digest) -> bool {
        let own = [&self.playlist.digest, &self.manifest.digest];
        own.into_iter()
            .chain(&self.earlier)
            .any(|one| one == digest)
    }

    /// The locations of the two files with what belongs there; the master playlist comes last, as it does when they
    /// are written.
    pub fn files(&self) -> [(Location, &MasterFile); 2] {
        [
            (self.ladder.manifest(), &self.manifest),
            (self.ladder.master.clone(), &self.playlist),
        ]
    }
}

fn digest_of(streams: &[LadderStream]) -> Digest {
    let text = serde_json::to_vec(streams).expect("plain data with string keys always serialises");
    Digest::of(&text)
}

/// The streams that a run has made for a ladder; `None` if it is not completed, or made its output for no ladder or
/// another one.
pub fn streams_for<'a>(run: &'a Run, ladder: &Ladder) -> Option<&'a [LadderStream]> {
    match &run.state {
        RunState::Completed { report } if is_member(&run.job, ladder) => {
            (!report.ladder.is_empty()).then_some(&report.ladder)
        }
        _ => None,
    }
}

/// Whether a job makes a rendition of this ladder.
pub fn is_member(job: &Job, ladder: &Ladder) -> bool {
    job.ladder.as_ref() == Some(ladder) && ladder.members.contains(&job.output)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder(master: &str) -> Ladder {
        let place = |name| Location::s3("media", name).expect("a location");
        Ladder {
            master: place(master),
            members: vec![place("film-720p.mp4")],
        }
    }

    fn contents(text: &str) -> MasterContents {
        MasterContents {
            playlist: format!("playlist {text}"),
            manifest: format!("manifest {text}"),
        }
    }

    #[test]
    fn a_record_knows_what_was_written_for_the_same_ladder_and_nothing_else() {
        let of = |text: &str, before: Option<&MasterRecord>| {
            MasterRecord::announce((&ladder("film.m3u8"), &[]), &contents(text), before)
        };
        let first = of("1", None);
        let second = of("2", Some(&first));
        let knows = |record: &MasterRecord, text: &str| {
            let MasterContents { playlist, manifest } = contents(text);
            [playlist, manifest].map(|text| record.knows(&Digest::of(text.as_bytes())))
        };
        assert_eq!(knows(&second, "1"), [true, true]);
        assert_eq!(knows(&second, "2"), [true, true]);
        assert_eq!(knows(&second, "3"), [false, false]);
        let other = ladder("other.m3u8");
        let other = MasterRecord::announce((&other, &[]), &contents("2"), Some(&first));
        assert_eq!(knows(&other, "1"), [false, false], "of another ladder");
        let mut last = first;
        for text in 0..100 {
            last = of(&text.to_string(), Some(&last));
        }
        assert!(last.earlier.len() <= MOST_EARLIER);
        assert_eq!(knows(&last, "98"), [true, true]);
    }
}
