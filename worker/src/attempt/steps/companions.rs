//! Companions: the files beside the output. Those that show the output are made when it is verified.

use std::sync::Arc;

use common::job::companion::{Companion, Suffix};
use common::job::failure::Failure;
use common::job::input::Input;
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
    pub(super) async fn companions_have_room(&self, suffixes: Vec<Suffix>) -> Result<(), Failure> {
        let recipe = &self.job.recipe;
        // The names of further files of a ladder are known once its tracks are.
        let playlist = recipe
            .segment()
            .and_then(|_| Suffix::new(VIDEO_PLAYLIST).ok());
        for suffix in suffixes.into_iter().chain(playlist) {
            let to = suffix.beside(&self.job.output);
            let found = self.executor.stores.head(&to).await;
            if is_taken(found)? && !earlier::replaces(&self.job, &suffix) {
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

/// Whether a file lies at a place.
///
/// # Errors
/// The store does not tell, and may be asked again.
fn is_taken(found: Result<Input, StoreError>) -> Result<bool, Failure> {
    match found {
        Ok(_) | Err(StoreError::LeadsOut(_)) => Ok(true),
        // A store that keeps its names secret refuses to tell of a missing object, too.
        Err(StoreError::Missing(_) | StoreError::Refused { .. }) => Ok(false),
        Err(error) => Err(input::failure(error)),
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

#[cfg(test)]
mod tests {
    use common::job::failure::Fault;

    use super::*;

    #[test]
    fn a_store_that_does_not_tell_is_no_free_place() {
        let place = Location::s3("media", "out/a.contact.jpg").expect("a location");
        assert_eq!(is_taken(Err(StoreError::Missing(place.clone()))), Ok(false));
        assert_eq!(is_taken(Err(StoreError::LeadsOut(place.clone()))), Ok(true));
        let away = StoreError::Remote {
            location: place,
            message: "503 Service Unavailable".to_owned(),
        };
        let failure = is_taken(Err(away)).expect_err("nobody knows");
        assert_ne!(failure.fault, Fault::Input, "it is tried again");
    }
}
