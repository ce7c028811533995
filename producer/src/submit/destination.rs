//! Where results go.

use std::path::{Path, PathBuf};

use common::names::location::Location;
use common::submit::output_set::OutputSet;

use crate::cli::exit::Error;
use crate::cli::settings::Settings;
use crate::download::target::DownloadTarget;
use crate::submit::paths::output_folder;
use crate::submit::replace::{ReplaceOptions, Replacing};
use crate::submit::sources::SourceFile;

#[derive(Clone, Debug)]
pub(crate) struct Destination {
    /// Where workers make them.
    pub folder: Location,
    /// Where they are downloaded to, if anywhere.
    pub download_to: Option<DownloadTarget>,
    /// Whether outputs take the places of their sources, all of which lie below the folder.
    pub replacing: Option<Replacing>,
}

impl Destination {
    /// Results go to `output`, or else to `out/` in the store. With a store in a bucket, results for a local folder are
    /// made in the bucket and downloaded from there.
    pub(crate) fn new(output: Option<&Path>, settings: &Settings) -> Result<Self, Error> {
        let at = |folder| Self {
            folder,
            download_to: None,
            replacing: None,
        };
        match (output, &settings.store) {
            (Some(output), store) => {
                let folder = output_folder(output)?;
                match (folder.path(), store) {
                    (Some(dir), Some(store)) if store.is_remote() => {
                        let target = DownloadTarget::in_store(store, dir);
                        Ok(Self {
                            folder: target.folder().clone(),
                            download_to: Some(target),
                            replacing: None,
                        })
                    }
                    _ => Ok(at(folder)),
                }
            }
            (None, Some(store)) => Ok(at(store.join("out"))),
            (None, None) => Err(Error::usage(
                "no place for the results: give -o LOCATION, or --store (STORE_URL)",
            )),
        }
    }

    /// Results go where `--replace` or `output` says.
    pub(crate) fn by(
        replace: &ReplaceOptions,
        named: &[PathBuf],
        output: Option<&Path>,
        settings: &Settings,
    ) -> Result<Self, Error> {
        match replace.terms(named)? {
            Some((replacing, folder)) => Ok(Self {
                folder,
                download_to: None,
                replacing: Some(replacing),
            }),
            None => Self::new(output, settings),
        }
    }

    /// Results go to a folder of this machine.
    pub(crate) fn here(folder: &Path) -> Result<Self, Error> {
        Ok(Self {
            folder: output_folder(folder)?,
            download_to: None,
            replacing: None,
        })
    }

    /// The outputs of a set that go there.
    pub(crate) fn fit(&self, set: OutputSet) -> Result<OutputSet, Error> {
        match self.replacing {
            Some(_) => set.that_replaces().map_err(Error::usage),
            None => Ok(set),
        }
    }

    /// The name that the outputs of a source are named after, below the folder.
    pub(crate) fn name_of(&self, source: &SourceFile) -> PathBuf {
        if self.replacing.is_none() {
            return source.name.clone();
        }
        let at = &source.input.location;
        let below = match (at.path(), self.folder.path()) {
            (Some(path), Some(folder)) => path.strip_prefix(folder).ok().map(Path::to_owned),
            _ => {
                let (key, folder) = (at.key(), self.folder.key());
                let rest = key.strip_prefix(folder.trim_end_matches('/'));
                rest.map(|rest| PathBuf::from(rest.trim_start_matches('/')))
            }
        };
        below.unwrap_or_else(|| source.name.clone())
    }

    /// The store that local files are uploaded to first, if any. Sources that are replaced stay where they are.
    pub(crate) fn upload_to(&self, settings: &Settings) -> Option<Location> {
        let store = settings.store.clone().filter(Location::is_remote);
        store.filter(|_| self.replacing.is_none())
    }

    /// The folders that hold results and no sources.
    pub(crate) fn folders(&self) -> Result<Vec<Location>, Error> {
        if self.replacing.is_some() {
            return Ok(Vec::new());
        }
        let target = self
            .download_to
            .as_ref()
            .map(DownloadTarget::location)
            .transpose()?;
        Ok(std::iter::once(self.folder.clone()).chain(target).collect())
    }

    /// Refuses to make results of remote inputs on the disks of the workers.
    pub(crate) fn refuse_scattered<'a>(
        &self,
        inputs: impl IntoIterator<Item = &'a Location>,
    ) -> Result<(), Error> {
        let remote = inputs.into_iter().find(|input| input.is_remote());
        match remote {
            Some(input) if !self.folder.is_remote() => Err(Error::usage(format!(
                "results would stay on the disks of the workers, as {input} is in a bucket and {} is not: give --store s3://BUCKET/PREFIX to have results downloaded, or -o s3://BUCKET/PREFIX",
                self.folder
            ))),
            _ => Ok(()),
        }
    }
}
