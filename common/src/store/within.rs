//! Stores limited to the places that a program may use.

use std::sync::Arc;

use super::{StoreError, Stores};
use crate::farm::places::Places;
use crate::names::location::Location;
use crate::store::roots::Roots;

/// The places that a program may use.
pub(super) struct Within {
    places: Places,
    roots: Roots,
}

impl Stores {
    /// The same stores, limited to these folders and bucket prefixes; without a prefix, all buckets that the
    /// credentials open.
    #[must_use]
    pub fn within(mut self, roots: Roots, buckets: Vec<Location>) -> Self {
        let places = Places {
            roots: roots.locations(),
            buckets,
        };
        self.within = Some(Arc::new(Within { places, roots }));
        self
    }

    /// The places that the program may use; empty without a limit.
    pub fn places(&self) -> Places {
        let within = self.within.as_ref();
        within
            .map(|within| within.places.clone())
            .unwrap_or_default()
    }

    /// Whether local files are limited to some folders.
    pub(super) fn limits_folders(&self) -> bool {
        self.within.is_some()
    }

    /// Like [`Stores::impatient`], with the same settings, limits and leftovers.
    #[must_use]
    pub fn hurried(&self) -> Self {
        Self {
            settings: Arc::clone(&self.settings),
            within: self.within.clone(),
            leftovers: Arc::clone(&self.leftovers),
            ..Self::impatient()
        }
    }

    /// The root of a local file.
    pub fn root_of(&self, location: &Location) -> Option<Location> {
        let roots = &self.within.as_ref()?.places.roots;
        let holds = |root: &&Location| !location.is_remote() && location.is_below(root);
        roots.iter().find(holds).cloned()
    }

    /// Refuses a location outside the limits.
    pub(super) fn check(&self, location: &Location) -> Result<(), StoreError> {
        match &self.within {
            Some(within) if !within.places.admit(location) => {
                Err(StoreError::Outside(location.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Runs `work` on the files below the roots, on a thread that may block.
    ///
    /// # Errors
    /// The error of `work`; [`StoreError::Outside`] outside the limits, or without a limit.
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
