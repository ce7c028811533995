//! Outputs that take the places of their sources, as requests ask for them.

use common::job::replacement::{HardLinks, Replacement};
use common::names::location::Location;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::change::place::place;
use crate::web::refusal::Refusal;

/// How outputs take the place of their sources.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedReplacement {
    /// The folder or bucket prefix whose trash takes the sources; by default that of the library, or the root of the
    /// monitor's store.
    trash: Option<String>,
    /// Days for which the trash keeps a source; 30 by default.
    days: Option<u32>,
    /// What to do about a source with further names; `refuse` by default.
    #[serde(default)]
    hard_links: HardLinks,
}

impl WantedReplacement {
    /// The replacement of sources in a folder or prefix.
    ///
    /// # Errors
    /// If its trash is no place for them, or its days are out of bounds.
    pub(super) fn replacement_in(&self, folder: &Location) -> Result<Replacement, Refusal> {
        let trash = self
            .trash
            .as_deref()
            .map(|text| place("trash", text))
            .transpose()?;
        let days = self.days.unwrap_or(Replacement::DAYS);
        if !(1..=Replacement::MOST_DAYS).contains(&days) {
            let most = Replacement::MOST_DAYS;
            return Err(Refusal::unsound(format!(
                "days are 1 to {most}, not {days}"
            )));
        }
        let replacement = Replacement {
            trash: Replacement::trash_in(trash.as_ref().unwrap_or(folder)),
            days,
            hard_links: self.hard_links,
        };
        replacement
            .check(folder)
            .map_err(|why| Refusal::unsound(why.to_string()))?;
        Ok(replacement)
    }
}
