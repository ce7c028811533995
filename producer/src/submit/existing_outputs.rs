//! What is at the outputs already.

use std::collections::HashMap;
use std::path::Path;

use common::names::location::Location;
use common::store::Stores;

use crate::download::target::DownloadTarget;
use crate::exit::Error;

/// What is at the outputs before any job is submitted.
pub(crate) struct ExistingOutputs {
    sizes: HashMap<Location, u64>,
    /// The same of where results are brought to.
    target: HashMap<Location, u64>,
}

impl ExistingOutputs {
    /// Looks at every output, and at what would be brought target of it.
    ///
    /// # Errors
    /// Where the store gives no answer.
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

    /// The size of what is at an output, or else of what was brought target of it;
    /// `None` where nothing is.
    pub(crate) fn size(&self, output: &Location) -> Option<u64> {
        let found = self.sizes.get(output).or_else(|| self.target.get(output));
        found.copied()
    }

    /// Whether there is something only where it would be brought to.
    pub(crate) fn is_only_downloaded(&self, output: &Location) -> bool {
        !self.sizes.contains_key(output) && self.target.contains_key(output)
    }
}

fn size(path: &Path) -> Option<u64> {
    Some(path.symlink_metadata().ok()?.len())
}
