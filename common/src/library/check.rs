//! Whether a library can be as a person wants it: pure.

use crate::farm::worker::Heartbeat;
use crate::job::replacement::TrashError;
use crate::library::{Library, Results};
use crate::names::location::Location;
use crate::names::token::Token;
use crate::submit::output_set::{OutputSet, OutputSetError, SeveralOutputs};
use crate::submit::rules::RulesError;

/// Why a library cannot be as a person wants it.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// Its outputs go to the library itself, below it or above it.
    #[error(
        "the output folder {output} and the library {location} {how}: outputs would be taken for files of the library; choose a folder elsewhere, or have outputs replace their sources"
    )]
    OwnOutput {
        /// The library's folder.
        location: Box<Location>,
        /// The output folder.
        output: Box<Location>,
        /// How the folders lie to each other.
        how: &'static str,
    },
    /// Another library keeps some of its files.
    #[error(
        "{location} and {other}, which the library '{name}' keeps, {how}: one file belongs to one library; remove that library, or choose another folder"
    )]
    Overlap {
        /// The library's folder.
        location: Box<Location>,
        /// The folder of the other library.
        other: Box<Location>,
        /// The name of the other library.
        name: Token,
        /// How the folders lie to each other.
        how: &'static str,
    },
    /// The outputs of one library would be files of another.
    #[error(
        "the output folder {output} and {other}, which the library '{name}' keeps, {how}: outputs would be taken for files of that library; choose another folder"
    )]
    ForeignOutput {
        /// The output folder.
        output: Box<Location>,
        /// The folder of the other library.
        other: Box<Location>,
        /// The name of the other library.
        name: Token,
        /// How the folders lie to each other.
        how: &'static str,
    },
    /// The recipe makes several outputs of a file.
    #[error("a library makes one output of each file: leave the renditions out")]
    SeveralOutputs,
    /// The recipe names several encoders, and not when the next may take a job.
    #[error(
        "several encoders need a time after which the next may take a job: give --hop-after TIME"
    )]
    Fallbacks,
    /// The recipe or the names cannot be used.
    #[error(transparent)]
    Outputs(#[from] OutputSetError),
    /// The rules make no sense for such outputs.
    #[error(transparent)]
    Rules(#[from] Box<RulesError>),
    /// One file cannot be replaced by several.
    #[error(transparent)]
    Replacing(#[from] SeveralOutputs),
    /// Sources cannot go to the trash.
    #[error(transparent)]
    Trash(Box<TrashError>),
    /// Files in a bucket would become files on the disks of the workers.
    #[error(
        "the outputs of {location} would lie on the disks of the workers, in {output}: choose s3://BUCKET/PREFIX"
    )]
    Scattered {
        /// The library's folder.
        location: Box<Location>,
        /// The output folder.
        output: Box<Location>,
    },
    /// A time is out of bounds.
    #[error("{what} is {least} s to {most} s, not {given} s")]
    Time {
        /// What the time is for.
        what: &'static str,
        /// The shortest time.
        least: u64,
        /// The longest time.
        most: u64,
        /// The time that was given.
        given: u64,
    },
}

/// The longest time between two scans, and for a file to settle: a week.
const LONGEST: u64 = 7 * 24 * 3600;

/// How two folders lie to each other, if one holds the other.
fn relation(one: &Location, other: &Location) -> Option<&'static str> {
    if one == other {
        Some("are the same folder")
    } else if one.is_below(other) {
        Some("overlap: the first is in the second")
    } else if other.is_below(one) {
        Some("overlap: the second is in the first")
    } else {
        None
    }
}

/// Checks a library by itself, and beside the other libraries of the farm.
///
/// # Errors
/// If it cannot be as it is.
pub fn check(
    name: &Token,
    library: &Library,
    others: &[(Token, Library)],
) -> Result<(), LibraryError> {
    if library.outputs.renditions.len() > 1 {
        return Err(LibraryError::SeveralOutputs);
    }
    let set = outputs(library)?;
    if set.recipes().len() != 1 || set.is_ladder() {
        return Err(LibraryError::SeveralOutputs);
    }
    library.rules.check(&set).map_err(Box::new)?;
    if let Some(replacement) = library.replacement() {
        let checked = replacement.check(&library.location);
        checked.map_err(|why| LibraryError::Trash(Box::new(why)))?;
    }
    if library.fallbacks.is_none() && !library.recipe.fallback_queues().is_empty() {
        return Err(LibraryError::Fallbacks);
    }
    for (what, given, least) in [
        ("the time between two scans", library.every, 1),
        (
            "the time for which a file must stay as it is",
            library.settle,
            0,
        ),
    ] {
        if !(least..=LONGEST).contains(&given) {
            return Err(LibraryError::Time {
                what,
                least,
                most: LONGEST,
                given,
            });
        }
    }
    folders(name, library, others)
}

/// Checks that no file would belong to two libraries, and that no output is taken for a file of a library.
///
/// # Errors
/// The first folder that is in the way.
pub fn folders(
    name: &Token,
    library: &Library,
    others: &[(Token, Library)],
) -> Result<(), LibraryError> {
    let location = &library.location;
    let folder = |library: &'_ Library| match &library.results {
        Results::Folder(folder) => Some(folder.clone()),
        Results::Replace(_) => None,
    };
    let output = folder(library);
    if let Some(output) = &output {
        if let Some(how) = relation(output, location) {
            return Err(LibraryError::OwnOutput {
                location: Box::new(location.clone()),
                output: Box::new(output.clone()),
                how,
            });
        }
        if location.is_remote() && !output.is_remote() {
            return Err(LibraryError::Scattered {
                location: Box::new(location.clone()),
                output: Box::new(output.clone()),
            });
        }
    }
    for (taken, other) in others.iter().filter(|(taken, _)| taken != name) {
        if let Some(how) = relation(location, &other.location) {
            return Err(LibraryError::Overlap {
                location: Box::new(location.clone()),
                other: Box::new(other.location.clone()),
                name: taken.clone(),
                how,
            });
        }
        let pairs = [
            (output.clone(), other.location.clone()),
            (folder(other), location.clone()),
        ];
        for (output, place) in pairs {
            if let Some(output) = output
                && let Some(how) = relation(&output, &place)
            {
                let is_other = place == other.location;
                return Err(LibraryError::ForeignOutput {
                    output: Box::new(output),
                    other: Box::new(place),
                    name: if is_other {
                        taken.clone()
                    } else {
                        name.clone()
                    },
                    how,
                });
            }
        }
    }
    Ok(())
}

/// How the outputs of a library's files are made and named.
///
/// # Errors
/// If no file can have such an output.
pub fn outputs(library: &Library) -> Result<OutputSet, LibraryError> {
    let set = OutputSet::new(&library.recipe, &library.outputs, library.preset.clone())?;
    match library.results {
        Results::Folder(_) => Ok(set),
        Results::Replace(_) => Ok(set.that_replaces()?),
    }
}

/// What is in the way of a library for now: nothing that it would be refused for.
pub fn warnings(library: &Library, workers: &[Heartbeat]) -> Vec<String> {
    let reaches = |worker: &&Heartbeat| {
        let needed = library.needed();
        worker.places.admit_all(&needed).is_ok()
    };
    let reaching: Vec<&Heartbeat> = workers.iter().filter(reaches).collect();
    if reaching.is_empty() {
        let location = &library.location;
        let option = match location.is_remote() {
            true => "--bucket",
            false => "--root",
        };
        return vec![format!(
            "no live worker reaches {location} and the place of its outputs, so it waits: start a worker with {option} {location}"
        )];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::replacement::Replacement;
    use crate::recipe::encoder::Codec;
    use crate::recipe::{Choice, Container, Outputs, Recipe, VideoEncode};

    fn at(text: &str) -> Location {
        Location::from_argument(text).expect("a location")
    }

    fn recipe() -> Recipe {
        Recipe::encode(VideoEncode::new(Choice::Codec(Codec::Hevc))).expect("sound")
    }

    fn library(location: &str, output: Option<&str>) -> Library {
        let results = match output {
            Some(output) => Results::Folder(at(output)),
            None => Results::Replace(Replacement {
                trash: at(location).join("trash"),
                days: 30,
                hard_links: Default::default(),
            }),
        };
        Library::new(at(location), recipe(), results, jiff::Timestamp::UNIX_EPOCH)
    }

    fn refused(library: &Library, others: &[(Token, Library)]) -> Option<String> {
        let name = "films".parse().expect("a name");
        let checked = check(&name, library, others);
        checked.err().map(|why| why.to_string())
    }

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        let mut never = library("/media/films", Some("/media/out"));
        let stored = "height > 1080 and height < 720".to_owned();
        never.rules.skip_if = Some(stored.try_into().expect("stored conditions are read"));
        let why = refused(&never, &[]).expect("refused");
        assert!(why.contains("--skip-if"), "{why}");
    }

    #[test]
    fn folders_that_hold_each_other_are_refused() {
        let other = |location, output| {
            let name: Token = "other".parse().expect("a name");
            vec![(name, library(location, output))]
        };
        for (case, others, why) in [
            (
                library("/media/films", Some("/media/films")),
                vec![],
                Some("same folder"),
            ),
            (
                library("/media/films", Some("/media/films/out")),
                vec![],
                Some("taken for files"),
            ),
            (
                library("/media/films", Some("/media/x/../films/out")),
                vec![],
                Some("taken for"),
            ),
            (
                library("/media/films", Some("/media")),
                vec![],
                Some("taken for files of the lib"),
            ),
            (library("/media/films", Some("/media/films2")), vec![], None),
            (library("/media/films", None), vec![], None),
            (
                library("s3://m/films", Some("s3://m/films/out")),
                vec![],
                Some("taken for files"),
            ),
            (library("s3://m/films", Some("s3://m/out")), vec![], None),
            (
                library("s3://m/films", Some("/out")),
                vec![],
                Some("disks of the workers"),
            ),
            (
                library("/a", Some("/out")),
                other("/a", Some("/out2")),
                Some("'other' keeps"),
            ),
            (
                library("/a/b", None),
                other("/a", None),
                Some("first is in the second"),
            ),
            (
                library("/a", None),
                other("/a/b", None),
                Some("second is in the first"),
            ),
            (
                library("/a/./b/../b", None),
                other("/a/b", None),
                Some("same folder"),
            ),
            (library("/ab", None), other("/a", None), None),
            (
                library("/a", Some("/b")),
                other("/b", Some("/c")),
                Some("files of that library"),
            ),
            (
                library("/b", Some("/c")),
                other("/a", Some("/b")),
                Some("files of that library"),
            ),
            (
                library("s3://m/", None),
                other("s3://m/films", None),
                Some("overlap"),
            ),
            (
                library("s3://m/films", None),
                other("s3://n/films", None),
                None,
            ),
        ] {
            let found = refused(&case, &others);
            match why {
                None => assert_eq!(found, None, "{}", case.location),
                Some(why) => {
                    let found = found.unwrap_or_else(|| panic!("{} {why}", case.location));
                    assert!(found.contains(why), "{found}");
                }
            }
        }
        let edited = library("/media/films", Some("/out"));
        let own = vec![("films".parse().expect("a name"), edited.clone())];
        assert_eq!(
            refused(&edited, &own),
            None,
            "a library is not in its own way"
        );
    }

    #[test]
    fn what_a_library_cannot_do_is_refused() {
        let sound = library("/media/films", Some("/out"));
        let renditions = ["1080p", "720p"].map(|text| text.parse().expect("a rendition"));
        let several = Library {
            outputs: Outputs::new(None, Some(renditions.to_vec())).expect("two"),
            ..sound.clone()
        };
        assert!(refused(&several, &[]).expect("two").contains("one output"));
        let ladder = Library {
            recipe: recipe()
                .edit(|draft| draft.container = Container::Cmaf)
                .expect("sound"),
            ..sound.clone()
        };
        assert!(
            refused(&ladder, &[])
                .expect("a ladder")
                .contains("one output")
        );
        let restless = Library {
            every: 0,
            ..sound.clone()
        };
        assert!(
            refused(&restless, &[])
                .expect("0 s")
                .contains("between two scans")
        );
        let patient = Library {
            settle: LONGEST + 1,
            ..sound
        };
        assert!(
            refused(&patient, &[])
                .expect("long")
                .contains("stay as it is")
        );
    }
}
