//! Stores of a program that was told where it may read and write.

use std::sync::Arc;

use super::{StoreError, Stores};
use crate::farm::places::Places;
use crate::names::location::Location;
use crate::store::roots::Roots;

/// Where a program may read and write.
pub(super) struct Within {
    places: Places,
    roots: Roots,
}

impl Stores {
    /// The same, but for what lies below these folders and bucket prefixes only;
    /// without a prefix, for whatever the credentials open.
    #[must_use]
    pub fn within(mut self, roots: Roots, buckets: Vec<Location>) -> Self {
        let places = Places {
            roots: roots.locations(),
            buckets,
        };
        self.within = Some(Arc::new(Within { places, roots }));
        self
    }

    /// Where it may read and write. Nothing where it was never told: then it may everywhere.
    pub fn places(&self) -> Places {
        let within = self.within.as_ref();
        within
            .map(|within| within.places.clone())
            .unwrap_or_default()
    }

    /// The same for one question, as [`Stores::impatient`]. What it leaves is tidied
    /// up with the rest.
    #[must_use]
    pub fn hurried(&self) -> Self {
        Self {
            within: self.within.clone(),
            leftovers: Arc::clone(&self.leftovers),
            ..Self::impatient()
        }
    }

    /// The folder that it was given in which a local file lies.
    pub fn root_of(&self, location: &Location) -> Option<Location> {
        let roots = &self.within.as_ref()?.places.roots;
        let holds = |root: &&Location| !location.is_remote() && location.is_below(root);
        roots.iter().find(holds).cloned()
    }

    /// Refuses what lies outside.
    pub(super) fn check(&self, location: &Location) -> Result<(), StoreError> {
        match &self.within {
            Some(within) if !within.places.admit(location) => {
                Err(StoreError::Outside(location.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Does something with the files below the folders that it was given, where
    /// waiting for a disk holds nobody up.
    ///
    /// # Errors
    /// What the work says; [`StoreError::Outside`] where it was given none.
    pub async fn on_disk<T: Send + 'static>(
        &self,
        location: &Location,
        work: impl FnOnce(&Roots, &Location) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.check(location)?;
        let within = self.within.clone();
        let within = within.ok_or_else(|| StoreError::Outside(location.clone()))?;
        let at = location.clone();
        tokio::task::spawn_blocking(move || work(&within.roots, &at))
            .await
            .map_err(|error| StoreError::Local {
                what: location.to_string(),
                source: std::io::Error::other(error),
            })?
    }
}
