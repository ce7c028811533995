//! Sums over the files of a library: what is there, what was saved, and what could be saved: pure.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::library::file::{FileRecord, FileState, FileStateKind};
use crate::matching::ratios::Ratios;

/// What counts of one file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures<'a> {
    /// Its bytes.
    pub size: u64,
    /// The codec of its film.
    pub codec: Option<&'a str>,
    /// Lines of its film.
    pub height: Option<u32>,
    /// Its kind of high dynamic range, if it has one.
    pub hdr: Option<&'a str>,
    /// What becomes of it.
    pub state: FileStateKind,
    /// What its job has made of it, if that has ended well.
    pub made: Option<Made<'a>>,
    /// Whether its last check has found damage; `None` if it was never checked.
    pub is_damaged: Option<bool>,
}

/// What a job has made of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Made<'a> {
    /// The codec of the source.
    pub codec: Option<&'a str>,
    /// Bytes of the source.
    pub before: u64,
    /// Bytes of the result: those of the source if the original was kept.
    pub after: u64,
}

impl<'a> From<&'a FileRecord> for Figures<'a> {
    fn from(record: &'a FileRecord) -> Self {
        let video = record.facts.as_ref().and_then(|facts| facts.video.as_ref());
        let made = match &record.state {
            FileState::Done(done) => Some(Made {
                codec: done.codec.as_deref().or(record.codec()),
                before: done.before,
                after: done.after,
            }),
            FileState::Kept { .. } => Some(Made {
                codec: record.codec(),
                before: record.input.size,
                after: record.input.size,
            }),
            _ => None,
        };
        let checked = record.check.at.is_some();
        Self {
            size: record.input.size,
            codec: record.codec(),
            // A film that is cropped at top and bottom belongs to the class of its width.
            height: video.map(|video| video.height.max(video.width / 16 * 9)),
            hdr: record.hdr(),
            state: record.state.kind(),
            made,
            is_damaged: checked.then_some(record.check.damage.is_some()),
        }
    }
}

/// Files and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileSum {
    /// Number of files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl FileSum {
    fn add(&mut self, size: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(size);
    }
}

/// Files that have something in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Share {
    /// What they have in common.
    pub name: String,
    /// The files.
    pub sum: FileSum,
}

/// Files in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateShare {
    /// The state.
    pub state: FileStateKind,
    /// The files.
    pub sum: FileSum,
}

/// Where a ratio comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Basis {
    /// Files of the library that are done.
    Library,
    /// Jobs of the farm with the same encoder.
    Farm,
}

/// What the files that are to be done could save.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Saving {
    /// The codec of the sources.
    pub codec: String,
    /// The files.
    pub sum: FileSum,
    /// Bytes of an output for each byte of its source; `None` if no such file was done yet.
    pub ratio: Option<f64>,
    /// What the ratio was measured on.
    pub basis: Option<Basis>,
}

impl Saving {
    /// Bytes that would be saved; `None` if that is not known yet.
    pub fn bytes(&self) -> Option<u64> {
        let left = self.sum.bytes as f64 * (1.0 - self.ratio?);
        Some(left.max(0.0) as u64)
    }
}

/// The sums of a library.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Summary {
    /// All files.
    pub all: FileSum,
    /// Files by codec, most bytes first.
    pub codecs: Vec<Share>,
    /// Files by resolution, the largest pictures first.
    pub resolutions: Vec<Share>,
    /// Files by kind of high dynamic range, most bytes first.
    pub hdr: Vec<Share>,
    /// Files by state; states without files are left out.
    pub states: Vec<StateShare>,
    /// Files whose job is to be enqueued, waits or runs.
    pub to_do: FileSum,
    /// Files that were done, with the bytes of their sources.
    pub done: FileSum,
    /// Bytes that the files that are done need less than their sources; negative if they need more.
    pub saved: i64,
    /// What the files that are to be done could save, most bytes first.
    pub savings: Vec<Saving>,
    /// Bytes that could be saved, of files of which that is known.
    pub would_save: u64,
    /// Files of which it is not known yet what they could save.
    pub not_known: FileSum,
    /// Files whose last check has found no damage.
    pub sound: u64,
    /// Files whose last check has found damage.
    pub damaged: u64,
}

/// The name of what is not known.
const UNKNOWN: &str = "not known";

/// Classes of resolution, by the least number of lines. Films are often cropped, so the limits lie below the usual
/// heights.
const CLASSES: [(u32, &str); 6] = [
    (2800, "8K"),
    (1500, "4K"),
    (1150, "1440p"),
    (730, "1080p"),
    (580, "720p"),
    (1, "SD"),
];

/// The class of a resolution.
pub fn resolution(height: Option<u32>) -> &'static str {
    let class = CLASSES
        .iter()
        .find(|(least, _)| height.is_some_and(|height| height >= *least));
    class.map_or(UNKNOWN, |(_, name)| name)
}

impl Summary {
    /// Sums up the files of a library. `farm` is used for sources of a codec of which the library has done none yet.
    pub fn of<'a>(files: impl IntoIterator<Item = Figures<'a>>, farm: &Ratios) -> Self {
        let mut summary = Self::default();
        let mut codecs: BTreeMap<&str, FileSum> = BTreeMap::new();
        let mut resolutions: BTreeMap<&str, FileSum> = BTreeMap::new();
        let mut hdr: BTreeMap<&str, FileSum> = BTreeMap::new();
        let mut states: BTreeMap<FileStateKind, FileSum> = BTreeMap::new();
        let mut to_do: BTreeMap<&str, FileSum> = BTreeMap::new();
        let mut own = Ratios::default();
        for file in files {
            summary.all.add(file.size);
            states.entry(file.state).or_default().add(file.size);
            match file.is_damaged {
                Some(true) => summary.damaged += 1,
                Some(false) => summary.sound += 1,
                None => {}
            }
            if let Some(made) = &file.made {
                own.add(made.codec.unwrap_or(UNKNOWN), made.before, made.after);
                if file.state == FileStateKind::Done {
                    summary.done.add(made.before);
                    summary.saved += made.before as i64 - made.after as i64;
                }
            }
            // Files that are left out are not looked at.
            if file.state == FileStateKind::Excluded {
                continue;
            }
            let codec = file.codec.unwrap_or(UNKNOWN);
            codecs.entry(codec).or_default().add(file.size);
            resolutions
                .entry(resolution(file.height))
                .or_default()
                .add(file.size);
            let range = match (file.hdr, file.height) {
                (Some(kind), _) => kind,
                (None, Some(_)) => "SDR",
                (None, None) => UNKNOWN,
            };
            hdr.entry(range).or_default().add(file.size);
            if file.state.is_to_do() {
                summary.to_do.add(file.size);
                to_do.entry(codec).or_default().add(file.size);
            }
        }
        summary.codecs = shares(codecs);
        summary.hdr = shares(hdr);
        summary.resolutions = CLASSES
            .iter()
            .map(|(_, name)| *name)
            .chain([UNKNOWN])
            .filter_map(|name| {
                let sum = *resolutions.get(name)?;
                let name = name.to_owned();
                Some(Share { name, sum })
            })
            .collect();
        summary.states = states
            .into_iter()
            .map(|(state, sum)| StateShare { state, sum })
            .collect();
        let to_do = shares(to_do).into_iter();
        summary.savings = to_do.map(|share| saving(share, &own, farm)).collect();
        for saving in &summary.savings {
            match saving.bytes() {
                Some(bytes) => summary.would_save = summary.would_save.saturating_add(bytes),
                None => {
                    summary.not_known.files += saving.sum.files;
                    summary.not_known.bytes += saving.sum.bytes;
                }
            }
        }
        summary
    }
}

fn saving(share: Share, own: &Ratios, farm: &Ratios) -> Saving {
    let measured = [(own, Basis::Library), (farm, Basis::Farm)]
        .into_iter()
        .find_map(|(ratios, basis)| Some((ratios.left(&share.name)?.share, basis)));
    Saving {
        codec: share.name,
        sum: share.sum,
        ratio: measured.map(|(ratio, _)| ratio),
        basis: measured.map(|(_, basis)| basis),
    }
}

/// The sums, most bytes first.
fn shares(sums: BTreeMap<&str, FileSum>) -> Vec<Share> {
    let share = |(name, sum): (&str, FileSum)| Share {
        name: name.to_owned(),
        sum,
    };
    let mut shares: Vec<Share> = sums.into_iter().map(share).collect();
    shares.sort_by_key(|share| std::cmp::Reverse(share.sum.bytes));
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(codec: &'static str, size: u64, state: FileStateKind) -> Figures<'static> {
        Figures {
            size,
            codec: Some(codec),
            height: Some(1080),
            hdr: None,
            state,
            made: None,
            is_damaged: None,
        }
    }

    #[test]
    fn the_forecast_is_measured_on_what_was_done_before() {
        let done = Figures {
            made: Some(Made {
                codec: Some("h264"),
                before: 1000,
                after: 400,
            }),
            ..file("hevc", 400, FileStateKind::Done)
        };
        let kept = Figures {
            made: Some(Made {
                codec: Some("h264"),
                before: 1000,
                after: 1000,
            }),
            ..file("h264", 1000, FileStateKind::Kept)
        };
        let files = [
            done,
            kept,
            file("h264", 10_000, FileStateKind::Waiting),
            file("mpeg2video", 8_000, FileStateKind::Queued),
            file("vc1", 50, FileStateKind::Waiting),
            file("hevc", 7_000, FileStateKind::Skipped),
            file("h264", 9_999, FileStateKind::Excluded),
        ];
        let mut farm = Ratios::default();
        farm.add("mpeg2video", 100, 25);
        farm.add("h264", 100, 99);
        let summary = Summary::of(files, &farm);
        assert_eq!(summary.all.files, 7);
        assert_eq!((summary.done.files, summary.done.bytes), (1, 1000));
        assert_eq!(summary.saved, 600);
        assert_eq!(summary.to_do.files, 3);
        let saved: Vec<_> = summary
            .savings
            .iter()
            .map(|saving| (saving.codec.as_str(), saving.bytes(), saving.basis))
            .collect();
        assert_eq!(
            saved,
            [
                ("h264", Some(3_000), Some(Basis::Library)),
                ("mpeg2video", Some(6_000), Some(Basis::Farm)),
                ("vc1", None, None),
            ]
        );
        assert_eq!(summary.would_save, 9_000);
        assert_eq!((summary.not_known.files, summary.not_known.bytes), (1, 50));
        let codecs: Vec<&str> = summary
            .codecs
            .iter()
            .map(|share| share.name.as_str())
            .collect();
        assert_eq!(codecs, ["h264", "mpeg2video", "hevc", "vc1"]);
    }

    #[test]
    fn cropped_films_keep_their_class() {
        for (height, class) in [
            (Some(2160), "4K"),
            (Some(1606), "4K"),
            (Some(1080), "1080p"),
            (Some(800), "1080p"),
            (Some(720), "720p"),
            (Some(576), "SD"),
            (Some(480), "SD"),
            (None, "not known"),
        ] {
            assert_eq!(resolution(height), class, "{height:?}");
        }
    }
}
