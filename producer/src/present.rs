//! What is at the outputs already.

use std::collections::HashMap;

use common::location::Location;
use common::store::Stores;

use crate::exit::Error;
use crate::sources::Source;

/// What is at the outputs before any job is handed in.
pub struct Present {
    sizes: HashMap<Location, u64>,
}

impl Present {
    /// Looks at every output.
    ///
    /// # Errors
    /// Where the store gives no answer.
    pub async fn look(
        stores: &Stores,
        folder: &Location,
        sources: &[(Source, Location)],
    ) -> Result<Self, Error> {
        let sizes = if folder.is_remote() {
            let objects = stores.list(folder).await?;
            objects
                .into_iter()
                .map(|object| (object.location, object.size))
                .collect()
        } else {
            let size = |output: &Location| Some(output.path()?.symlink_metadata().ok()?.len());
            sources
                .iter()
                .filter_map(|(_, output)| Some((output.clone(), size(output)?)))
                .collect()
        };
        Ok(Self { sizes })
    }

    /// The size of what is at an output; `None` where nothing is.
    pub fn size(&self, output: &Location) -> Option<u64> {
        self.sizes.get(output).copied()
    }
}
