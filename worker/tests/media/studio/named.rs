//! The files that a recipe names.

use common::job::further::FurtherRole;
use common::recipe::Recipe;
use worker::ffmpeg::Source;

/// The files that a recipe names, as a job brings them.
pub(super) fn further(recipe: &Recipe) -> Vec<(FurtherRole, Source)> {
    let Some(video) = recipe.video_encode() else {
        return Vec::new();
    };
    let watermark = video.watermark.as_ref().map(|watermark| &watermark.picture);
    let named = [
        (video.lut.as_ref(), FurtherRole::Lut),
        (watermark, FurtherRole::Watermark),
    ];
    let named = named
        .into_iter()
        .filter_map(|(location, role)| Some((role, location?.path()?)));
    named
        .map(|(role, path)| (role, Source::File(path)))
        .collect()
}
