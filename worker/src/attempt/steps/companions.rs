//! Companions: the files beside the output are made of the verified output.

use std::sync::Arc;

use common::job::companion::{Companion, Suffix};
use common::job::failure::Failure;
use common::names::location::Location;
use common::store::StoreError;

use crate::attempt::companions;
use crate::attempt::companions::Made;
use crate::attempt::input;
use crate::attempt::ladder::VIDEO_PLAYLIST;
use crate::attempt::publish::earlier;
use crate::attempt::steps::{Attempt, Unfinished, Verified};

impl Attempt<'_> {
    /// Makes sure that no file lies where a companion is to appear, before hours are spent on the output.
    ///
    /// # Errors
    /// The input's fault if there is one that may not be replaced; or the store does not tell.
    pub(super) async fn companions_have_room(&self) -> Result<(), Failure> {
        let recipe = &self.job.recipe;
        // The names of further files of a ladder are known once its tracks are.
        let playlist = recipe
            .segment()
            .and_then(|_| Suffix::new(VIDEO_PLAYLIST).ok());
        for suffix in recipe.companions.suffixes().into_iter().chain(playlist) {
            let to = suffix.beside(&self.job.output);
            let is_free = match self.executor.stores.head(&to).await {
                Ok(_) | Err(StoreError::LeadsOut(_)) => earlier::replaces(&self.job, &suffix),
                // A store that keeps its names secret refuses to tell of a missing object, too.
                Err(StoreError::Missing(_) | StoreError::Refused { .. }) => true,
                Err(error) => return Err(input::failure(error)),
            };
            if !is_free {
                return Err(earlier::occupied(&to, true));
            }
        }
        Ok(())
    }

    pub(super) async fn add_companions(
        &self,
        mut verified: Verified,
    ) -> Result<Verified, Unfinished> {
        let card = Arc::clone(&self.executor.card.borrow());
        let made = companions::make(&verified, &self.job.output, Some(&card));
        let made = tokio::select! {
            made = made => made?,
            () = self.stop.cancelled() => {
                return Err(Failure::passing("broken off while making files beside the output").into());
            }
        };
        verified.companions.extend(made);
        Ok(verified)
    }
}

/// A companion as the report tells it.
pub(super) async fn described(made: &Made) -> Result<Companion, Failure> {
    Ok(Companion {
        suffix: made.suffix.clone(),
        size: made.file.size(),
        digest: made.file.digest().await?,
    })
}

/// Where the companions of an output appear.
pub(super) fn places<'a>(
    made: &'a [Made],
    output: &'a Location,
) -> impl Iterator<Item = (&'a Made, Location)> {
    made.iter().map(|made| (made, made.suffix.beside(output)))
}
