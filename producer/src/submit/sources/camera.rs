//! Recordings that a camera or a disc has cut into several files. They are found by names and sizes alone, so a
//! recording is only an offer: nothing is joined unless a person says so.

use std::collections::BTreeMap;
use std::fmt;

use common::names::location::Location;

use super::found::SourceFile;

/// What was found among files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Recordings {
    /// Those of at least two files that lack none.
    pub whole: Vec<Recording>,
    /// Those that lack a part: joined, they would have a hole.
    pub broken: Vec<Broken>,
}

/// Files of one recording, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recording {
    /// The camera or disc that names files in this way.
    pub by: &'static str,
    /// The indices of the files among all files; two at least.
    pub files: Vec<usize>,
}

/// A recording that lacks a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    by: &'static str,
    /// The name of its first file that is there.
    pub first: String,
    /// The number of the part that is missing, as names write it.
    missing: u32,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "is of a recording that lacks its part {} ({}), and is not joined: add that file, or name the files in their \
             order with -o FILE",
            self.missing, self.by
        )
    }
}

/// What a name says about a file: which recording it belongs to, and which part of it it is.
struct Named {
    by: &'static str,
    recording: String,
    part: u32,
    /// The number of the first part. `None` if the numbers go on from one recording to the next: then only a file that
    /// is as large as files can be has a next part.
    first: Option<u32>,
}

/// The sizes at which cameras begin a new file: just below 4 GiB and 2 GiB, the limits of their file systems.
const FULL: [(u64, u64); 2] = [(3_900_000_000, 1 << 32), (1_950_000_000, 1 << 31)];

/// A file of a recording.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    number: u32,
    first: Option<u32>,
    /// Its place among the sources.
    index: usize,
}

/// The parts of recordings. The key is the folder, how the camera names files, and the name that the parts share.
type Groups<'a> = BTreeMap<(Location, &'a str, String), Vec<Part>>;

/// The recordings among these files. Files of different folders belong together never.
pub(crate) fn recordings(sources: &[SourceFile]) -> Recordings {
    let mut groups = Groups::new();
    for (index, source) in sources.iter().enumerate() {
        let location = &source.input.location;
        if let Some(named) = named(&location.name()) {
            let key = (location.folder(), named.by, named.recording);
            let part = Part {
                number: named.part,
                first: named.first,
                index,
            };
            groups.entry(key).or_default().push(part);
        }
    }
    let mut found = Recordings::default();
    for ((_, by, _), mut parts) in groups {
        parts.sort_unstable();
        let is_full = |part: &Part| is_full(sources[part.index].input.size);
        // Numbers that go on from one recording to the next: a file that is not full ends one.
        let ends = |part: &Part| part.first.is_none() && !is_full(part);
        for parts in parts.split_inclusive(ends) {
            let missing = missing(parts, is_full);
            let files: Vec<usize> = parts.iter().map(|part| part.index).collect();
            match missing {
                Some(missing) => found.broken.push(Broken {
                    by,
                    first: sources[files[0]].name.to_string_lossy().into_owned(),
                    missing,
                }),
                None if files.len() > 1 => found.whole.push(Recording { by, files }),
                None => {}
            }
        }
    }
    found.whole.sort_by_key(|recording| recording.files[0]);
    found
}

/// The number of the first part that a recording lacks. Whether a part follows its last one is told by the size alone,
/// and only where numbers go on from one recording to the next. A single file may be as large by chance.
fn missing(parts: &[Part], is_full: impl Fn(&Part) -> bool) -> Option<u32> {
    let (begin, last) = (parts.first()?, parts.last()?);
    let from = begin.first.unwrap_or(begin.number);
    let numbers = parts.iter().map(|part| part.number);
    let gap = (from..).zip(numbers).find(|(due, is)| due != is);
    match gap {
        Some((due, _)) => Some(due),
        None if parts.len() > 1 && last.first.is_none() && is_full(last) => Some(last.number + 1),
        None => None,
    }
}

fn is_full(size: u64) -> bool {
    FULL.iter()
        .any(|(least, most)| (*least..=*most).contains(&size))
}

/// Reads a name; `None` if no camera is known to give such names to parts.
fn named(name: &str) -> Option<Named> {
    let name = name.to_ascii_uppercase();
    let (stem, extension) = name.rsplit_once('.')?;
    let digits = |text: &str, count: usize| -> Option<u32> {
        let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().ok()).flatten()
    };
    let is = |known: &[&str]| known.contains(&extension);
    if is(&["MP4"]) && stem.is_ascii() {
        // GX010001, GX020001: two digits of the part, four of the recording.
        for letters in ["GX", "GH", "GL"] {
            if let Some(rest) = stem.strip_prefix(letters)
                && rest.len() == 6
            {
                return Some(Named {
                    by: "GoPro",
                    recording: format!("{letters}{}", &rest[2..]),
                    part: digits(&rest[..2], 2)?,
                    first: Some(digits(&rest[2..], 4).map(|_| 1)?),
                });
            }
        }
        // GOPR0001, GP010001, GP020001.
        if let Some(recording) = stem.strip_prefix("GOPR") {
            digits(recording, 4)?;
            return Some(Named {
                by: "GoPro HERO",
                recording: recording.to_owned(),
                part: 0,
                first: Some(0),
            });
        }
        if let Some(rest) = stem.strip_prefix("GP")
            && rest.len() == 6
        {
            digits(&rest[2..], 4)?;
            return Some(Named {
                by: "GoPro HERO",
                recording: rest[2..].to_owned(),
                part: digits(&rest[..2], 2)?,
                first: Some(0),
            });
        }
    }
    if is(&["MP4", "MOV"])
        && let Some(rest) = stem.strip_prefix("DJI_")
        && let Some((recording, part)) = rest.split_once('_')
    {
        // DJI_0001_001, DJI_0001_002.
        digits(recording, 4)?;
        return Some(Named {
            by: "DJI",
            recording: recording.to_owned(),
            part: digits(part, 3)?,
            first: Some(1),
        });
    }
    if is(&["VOB"])
        && let Some(rest) = stem.strip_prefix("VTS_")
        && let Some((title, part)) = rest.split_once('_')
    {
        // VTS_01_0.VOB holds the menus.
        digits(title, 2)?;
        return Some(Named {
            by: "DVD",
            recording: title.to_owned(),
            part: digits(part, 1).filter(|part| *part > 0)?,
            first: Some(1),
        });
    }
    let numbered = [
        ("AVCHD", "", 5, &["MTS", "M2TS"][..]),
        ("Sony", "C", 4, &["MP4"]),
        ("Canon", "MVI_", 4, &["MP4", "MOV"]),
    ];
    numbered
        .into_iter()
        .find_map(|(by, prefix, count, extensions)| {
            let number = digits(stem.strip_prefix(prefix)?, count)?;
            is(extensions).then(|| Named {
                by,
                recording: extension.to_owned(),
                part: number,
                first: None,
            })
        })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use common::job::input::Input;

    use super::*;

    const LARGE: u64 = 4_000_000_000;

    /// The maker of the camera, and the names of the parts.
    type Shown = (&'static str, Vec<String>);

    /// The recordings among these files, as names, and the parts that others lack.
    fn all(files: &[(&str, u64)]) -> (Vec<Shown>, Vec<(String, u32)>) {
        let source = |(name, size): &(&str, u64)| {
            let input = Input {
                location: Location::s3("media", name).expect("a location"),
                size: *size,
                version: String::new(),
            };
            SourceFile::new(input, PathBuf::from(name), false)
        };
        let sources: Vec<SourceFile> = files.iter().map(source).collect();
        let names = |recording: Recording| {
            let files = recording.files.iter();
            let names = files.map(|index| sources[*index].input.location.key());
            (recording.by, names.collect())
        };
        let Recordings { whole, broken } = recordings(&sources);
        let lacking = broken.into_iter().map(|one| (one.first, one.missing));
        (whole.into_iter().map(names).collect(), lacking.collect())
    }

    fn found(files: &[(&str, u64)]) -> Vec<(&'static str, Vec<String>)> {
        all(files).0
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn parts_are_found_by_the_names_that_cameras_give() {
        for (by, files) in [
            (
                "GoPro",
                &["GX010001.MP4", "GX020001.MP4", "GX030001.MP4"][..],
            ),
            ("GoPro", &["gh010042.mp4", "gh020042.mp4"]),
            (
                "GoPro HERO",
                &["GOPR0001.MP4", "GP010001.MP4", "GP020001.MP4"],
            ),
            ("DJI", &["DJI_0001_001.MP4", "DJI_0001_002.MP4"]),
            ("DVD", &["VTS_01_1.VOB", "VTS_01_2.VOB", "VTS_01_3.VOB"]),
        ] {
            let mut given: Vec<(&str, u64)> = files.iter().map(|name| (*name, 1)).collect();
            given.reverse();
            assert_eq!(found(&given), [(by, names(files))]);
        }
    }

    #[test]
    fn files_that_are_numbered_only_belong_together_where_one_is_full() {
        let files = [
            ("00000.MTS", LARGE),
            ("00001.MTS", LARGE),
            ("00002.MTS", 5),
            ("00003.MTS", 5),
            ("C0001.MP4", LARGE),
            ("C0002.MP4", 7),
        ];
        assert_eq!(
            found(&files),
            [
                ("AVCHD", names(&["00000.MTS", "00001.MTS", "00002.MTS"])),
                ("Sony", names(&["C0001.MP4", "C0002.MP4"])),
            ]
        );
    }

    #[test]
    fn what_is_no_whole_recording_is_not_offered() {
        for files in [
            // Two recordings.
            &[("GX010001.MP4", 1), ("GX010002.MP4", 1)][..],
            // Menus of a DVD, and another title.
            &[
                ("VTS_01_0.VOB", 1),
                ("VTS_01_1.VOB", 1),
                ("VTS_02_1.VOB", 1),
            ],
            // Other folders.
            &[("a/GX010001.MP4", 1), ("b/GX020001.MP4", 1)],
            &[("00000.MTS", 5), ("00001.MTS", 5)],
            &[("film1.mp4", LARGE), ("film2.mp4", LARGE)],
            &[("GX01ÄÖ.MP4", 1), ("GX02ÄÖ.MP4", 1)],
        ] {
            assert_eq!(found(files), [], "{files:?}");
        }
    }
    #[test]
    fn a_recording_that_lacks_a_part_is_not_joined_in_pieces() {
        for (files, first, part) in [
            (
                &["GX010001.MP4", "GX020001.MP4", "GX040001.MP4"][..],
                "GX010001.MP4",
                3,
            ),
            (&["GX020001.MP4", "GX030001.MP4"], "GX020001.MP4", 1),
            (
                &["VTS_01_1.VOB", "VTS_01_2.VOB", "VTS_01_4.VOB"],
                "VTS_01_1.VOB",
                3,
            ),
            (&["GOPR0001.MP4", "GP020001.MP4"], "GOPR0001.MP4", 1),
            (&["00000.MTS", "00001.MTS", "00003.MTS"], "00000.MTS", 2),
            (&["C0001.MP4", "C0002.MP4"], "C0001.MP4", 3),
        ] {
            let sized: Vec<(&str, u64)> = files.iter().map(|name| (*name, LARGE)).collect();
            assert_eq!(
                all(&sized),
                (Vec::new(), vec![(first.to_owned(), part)]),
                "{files:?}"
            );
        }
        let others = [
            ("GX010001.MP4", 1),
            ("GX020001.MP4", 1),
            ("GX030002.MP4", 1),
        ];
        let (whole, broken) = all(&others);
        assert_eq!(whole, [("GoPro", names(&["GX010001.MP4", "GX020001.MP4"]))]);
        assert_eq!(broken, [("GX030002.MP4".to_owned(), 1)]);
    }
}
