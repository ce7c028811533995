//! The mandate of a library: what its settings allow its jobs.

use crate::job::mandate::Mandate;
use crate::library::check::{self, LibraryError};
use crate::library::{Library, Results};

/// What the jobs of a library may do, for workers that take signed jobs only.
///
/// # Errors
/// Its recipe or the names of its outputs cannot be used.
pub fn mandate(library: &Library) -> Result<Mandate, LibraryError> {
    let set = check::outputs(library)?;
    let (recipe, fallbacks) = (set.first(), library.fallbacks.as_ref());
    Ok(Mandate {
        location: library.location.clone(),
        outputs: match &library.results {
            Results::Folder(folder) => Some(folder.clone()),
            Results::Replace(_) => None,
        },
        replacement: library.replacement().cloned(),
        work: Mandate::work(recipe, &library.rules, library.sidecars, fallbacks),
    })
}
