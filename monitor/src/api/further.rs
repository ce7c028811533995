//! The further inputs of jobs that a request asks for.

use common::job::further::FurtherInput;
use common::job::input::Input;
use common::recipe::Recipe;
use common::store::{Stores, SubtitleSearch};

use crate::web::refusal::Refusal;

/// Finds the further inputs of jobs of one recipe.
pub(super) struct FurtherInputs<'a> {
    /// The files that the recipe names: the same for each input.
    named: Vec<FurtherInput>,
    /// The search for subtitle files, if the recipe takes them.
    subtitles: Option<SubtitleSearch<'a>>,
}

impl<'a> FurtherInputs<'a> {
    /// # Errors
    /// If a file that the recipe names is missing, or is not what the recipe needs.
    pub(super) async fn new(stores: &'a Stores, recipe: &Recipe) -> Result<Self, Refusal> {
        let named = stores.recipe_files(recipe).await;
        let takes_subtitles = recipe.subtitle_tracks.external;
        Ok(Self {
            named: named.map_err(|error| Refusal::unsound(error.to_string()))?,
            subtitles: takes_subtitles.then(|| SubtitleSearch::new(stores)),
        })
    }

    /// The further inputs of a job with this input; or why there can be none, because subtitles of the input cannot
    /// become tracks.
    ///
    /// # Errors
    /// If a bucket cannot be listed.
    pub(super) async fn of(
        &mut self,
        input: &Input,
    ) -> Result<Result<Vec<FurtherInput>, String>, Refusal> {
        let mut further = Vec::new();
        if let Some(search) = &mut self.subtitles {
            let beside = search.beside(&input.location).await?;
            if let Some(why) = beside
                .unreadable
                .into_iter()
                .chain(beside.unsupported)
                .next()
            {
                return Ok(Err(format!(
                    "{why}; or leave subtitle files out of the recipe"
                )));
            }
            further.extend(beside.files);
        }
        further.extend(self.named.iter().cloned());
        Ok(Ok(further))
    }
}
