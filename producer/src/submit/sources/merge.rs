//! Sources that are joined: several files that one job makes one output of.

use std::path::PathBuf;

use common::job::Job;
use common::job::further::{FurtherInput, FurtherRole, Join};

use super::camera::{Broken, recordings};
use super::found::SourceFile;
use crate::cli::exit::Error;
use crate::display::units;

/// Most files that are joined: the first, and the further inputs of its job.
const MOST: usize = 1 + Job::MOST_FURTHER;

/// What is joined.
#[derive(Clone, Debug)]
pub(crate) struct Merge {
    /// The files in their order, or folders with files in the order of their names.
    pub paths: Vec<PathBuf>,
    pub into: Into,
    pub join: Join,
}

/// What the files become.
#[derive(Clone, Debug)]
pub(crate) enum Into {
    /// One output with this file name.
    File(PathBuf),
    /// An output for each recording that a camera has cut, with this extension.
    Recordings(&'static str),
}

impl Merge {
    /// One source for each output, whose name is the output's, and the recordings that lack a part.
    ///
    /// # Errors
    /// If there is nothing to join.
    pub(crate) fn sources(
        &self,
        found: Vec<SourceFile>,
    ) -> Result<(Vec<SourceFile>, Vec<Broken>), Error> {
        match &self.into {
            Into::File(name) => match found.len() {
                0 | 1 => Err(Error::usage(
                    "merge needs two files at least: name them in their order",
                )),
                files if files > MOST => Err(Error::usage(format!(
                    "{files} files are more than merge joins at once, {MOST}: join groups of them first, then their \
                     outputs"
                ))),
                _ => {
                    let source = joined(found, name.clone(), self.join);
                    Ok((vec![source], Vec::new()))
                }
            },
            Into::Recordings(extension) => {
                let recordings = recordings(&found);
                if let ([], [broken, ..]) = (&recordings.whole[..], &recordings.broken[..]) {
                    return Err(Error::failed(format!("{} {broken}", broken.first)));
                }
                if recordings.whole.is_empty() {
                    return Err(Error::usage(format!(
                        "none of {} look like parts of one recording: name the files in their order, with -o FILE",
                        units::count(found.len(), "file")
                    )));
                }
                let of = |files: &[usize]| {
                    let parts: Vec<SourceFile> =
                        files.iter().map(|index| found[*index].clone()).collect();
                    let name = parts[0].name.with_extension(extension);
                    joined(parts, name, self.join)
                };
                let whole = recordings.whole.iter();
                let sources = whole.map(|recording| of(&recording.files));
                Ok((sources.collect(), recordings.broken))
            }
        }
    }
}

/// One source of several files.
fn joined(files: Vec<SourceFile>, name: PathBuf, join: Join) -> SourceFile {
    let mut files = files.into_iter();
    let first = files.next().expect("two files at least");
    let further = files.map(|file| FurtherInput {
        input: file.input,
        role: FurtherRole::Continuation(join),
    });
    // The first file has the files of the recipe, too.
    let further = further.chain(first.further).collect();
    SourceFile {
        name,
        further,
        input: first.input,
        is_named: first.is_named,
    }
}

#[cfg(test)]
mod tests {
    use common::job::input::Input;
    use common::names::location::Location;

    use super::*;

    #[test]
    fn more_files_than_a_job_may_have_are_refused_before_any_is_sent() {
        let file = |number: usize| {
            let name = format!("{number}.ts");
            let location = Location::s3("media", &name).expect("a location");
            let (size, version) = (1, "1".to_owned());
            let input = Input {
                location,
                size,
                version,
            };
            SourceFile::new(input, PathBuf::from(name), true)
        };
        let merge = Merge {
            paths: Vec::new(),
            into: Into::File(PathBuf::from("all.mkv")),
            join: Join::ByRecipe,
        };
        let sources = |files: usize| merge.sources((0..files).map(file).collect());
        let (all, _) = sources(MOST).expect("as many as fit");
        assert_eq!(all[0].further.len(), Job::MOST_FURTHER);
        let refused = sources(MOST + 1).expect_err("one too many").to_string();
        assert!(refused.contains("join groups of them first"), "{refused}");
    }
}
