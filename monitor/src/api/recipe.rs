//! The recipe that a request brings.

use common::recipe::Recipe;

use crate::refusal::Refusal;

pub(crate) fn check(recipe: &Recipe) -> Result<(), Refusal> {
    recipe
        .check()
        .map_err(|error| Refusal::unsound(error.to_string()))
}
