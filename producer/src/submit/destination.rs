//! Where results go.

use std::path::{Path, PathBuf};

use common::names::location::Location;

use crate::cli::exit::Error;
use crate::cli::settings::Settings;
use crate::download::target::DownloadTarget;
use crate::submit::paths;

#[derive(Clone, Debug)]
pub(crate) struct Destination {
    /// Where workers make them.
    pub folder: Location,
    /// Where they are downloaded to, if anywhere.
    pub download_to: Option<DownloadTarget>,
}

impl Destination {
    /// Results go to `output`, or else to `out/` in the store. With a store in a bucket, results for a local folder are
    /// made in the bucket and downloaded from there.
    pub(crate) fn new(output: Option<&Path>, settings: &Settings) -> Result<Self, Error> {
        let at = |folder| Self {
            folder,
            download_to: None,
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

    pub(crate) fn folders(&self) -> Result<Vec<Location>, Error> {
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

/// The absolute location of an output folder that a person named.
pub(crate) fn output_folder(text: &Path) -> Result<Location, Error> {
    if let Some(text) = text.to_str().filter(|text| text.contains("://")) {
        let location = Location::from_argument(text).map_err(Error::usage)?;
        return match location.path() {
            Some(path) => local_folder(&path),
            None => Ok(location),
        };
    }
    local_folder(text)
}

fn local_folder(path: &Path) -> Result<Location, Error> {
    let failed = |why: String| {
        Error::usage(format!(
            "cannot use the output folder {}: {why}",
            path.display()
        ))
    };
    let resolved: PathBuf = paths::resolved(path).map_err(|error| failed(error.to_string()))?;
    if resolved.exists() && !resolved.is_dir() {
        return Err(failed("it is a file".to_owned()));
    }
    Location::file(&resolved).map_err(Error::usage)
}
