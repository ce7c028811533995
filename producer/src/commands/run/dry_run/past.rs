//! What a forecast is estimated by.

use common::farm::worker::Heartbeat;
use common::job::media_info::MediaInfo;
use common::matching::estimate;
use common::matching::estimate::Estimate;
use common::matching::history::History;
use common::matching::plan::Plan;
use common::recipe::Recipe;
use common::rules::Rules;

/// What the farm has done and who is there, to estimate by.
pub(super) struct Past<'a> {
    pub(super) workers: &'a [Heartbeat],
    pub(super) history: History,
    pub(super) rules: &'a Rules,
}

impl Past<'_> {
    /// Says so if an output of the forecast size would not be smaller enough.
    pub(super) fn doubt(&self, size: u64, estimate: &Estimate) -> Option<String> {
        let saving = self.rules.min_saving?;
        let is_too_large = estimate.bytes? > saving.most(size);
        is_too_large.then(|| {
            format!(
                "by the forecast it saves less than --min-saving {saving}: its source would be kept"
            )
        })
    }

    pub(super) fn estimate(&self, recipe: &Recipe, size: u64, media: &MediaInfo) -> Estimate {
        let plan = Plan::of(recipe, self.workers);
        Estimate::of(recipe, (size, media), &plan.candidates, &self.history)
    }

    pub(super) fn slots(&self, recipe: &Recipe) -> usize {
        estimate::slots(&Plan::of(recipe, self.workers).candidates, self.workers)
    }
}
