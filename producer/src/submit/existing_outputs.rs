//! Files that are at the outputs already.

use std::collections::HashMap;
use std::path::Path;

use common::names::location::Location;
use common::store::Stores;

use crate::cli::exit::Error;
use crate::download::target::DownloadTarget;

/// The sizes of files that are at the outputs before any job is submitted.
pub(crate) struct ExistingOutputs {
    sizes: HashMap<Location, u64>,
    /// The same where results are downloaded to.
    target: HashMap<Location, u64>,
}

impl ExistingOutputs {
    /// Reads the sizes of all outputs, and of their downloads.
    pub(crate) async fn look(
        stores: &Stores,
        folder: &Location,
        target: Option<&DownloadTarget>,
        outputs: impl Iterator<Item = &Location> + Clone,
    ) -> Result<Self, Error> {
        let sizes = if folder.is_remote() {
            let objects = stores.list(folder).await?;
            objects
                .into_iter()
                .map(|object| (object.location, object.size))
                .collect()
        } else {
            outputs
                .clone()
                .filter_map(|output| Some((output.clone(), size(&output.path()?)?)))
                .collect()
        };
        let downloaded = |output: &Location| {
            let place = target?.place(output)?;
            Some((output.clone(), size(&place.path()?)?))
        };
        Ok(Self {
            sizes,
            target: outputs.filter_map(downloaded).collect(),
        })
    }

    /// The size of the file at an output, or else of its download.
    pub(crate) fn size(&self, output: &Location) -> Option<u64> {
        let found = self.sizes.get(output).or_else(|| self.target.get(output));
        found.copied()
    }

    /// Whether a file is only where the output would be downloaded to.
    pub(crate) fn is_only_downloaded(&self, output: &Location) -> bool {
        !self.sizes.contains_key(output) && self.target.contains_key(output)
    }
}

fn size(path: &Path) -> Option<u64> {
    Some(path.symlink_metadata().ok()?.len())
}
