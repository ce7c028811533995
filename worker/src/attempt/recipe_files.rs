//! The files that a recipe names, placed where ffmpeg runs, under fixed names: no path of theirs is part of a filter.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use common::job::failure::Failure;
use common::job::further::FurtherRole;
use common::recipe::{LARGEST_RECIPE_FILE, PictureForm, Recipe};
use common::store::check_recipe_file;

use crate::attempt::scratch::AttemptFolder;
use crate::ffmpeg::Source;
use crate::ffmpeg::picture::{LUT, WATERMARK};

/// Copies the files into the attempt's folder. Returns the form of the watermark; `None` if there is none.
///
/// # Errors
/// The input's fault if a file is not what the recipe needs, or if the job does not bring it.
pub(crate) async fn place(
    recipe: &Recipe,
    further: &[(FurtherRole, Source)],
    folder: &Arc<AttemptFolder>,
) -> Result<Option<PictureForm>, Failure> {
    let Some(video) = recipe.video_encode() else {
        return Ok(None);
    };
    let asked = [
        (video.lut.is_some(), FurtherRole::Lut, LUT),
        (video.watermark.is_some(), FurtherRole::Watermark, WATERMARK),
    ];
    let mut form = None;
    for (_, role, name) in asked.into_iter().filter(|(is_asked, _, _)| *is_asked) {
        let found = further.iter().find(|(other, _)| *other == role);
        let Some((_, Source::File(path))) = found else {
            return Err(Failure::input(format!(
                "the recipe names a file for {name}, and the job does not bring it: enqueue it again"
            )));
        };
        let (path, folder) = (path.clone(), Arc::clone(folder));
        let placed = tokio::task::spawn_blocking(move || copy(&path, &role, &folder, name)).await;
        let bytes = placed.map_err(|error| Failure::worker(error.to_string()))??;
        if name == WATERMARK {
            form = PictureForm::of(&bytes);
        }
    }
    Ok(form)
}

/// Returns the first bytes.
fn copy(
    path: &Path,
    role: &FurtherRole,
    folder: &AttemptFolder,
    name: &str,
) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::worker(format!("the file for {name} cannot be read: {error}"))
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LARGEST_RECIPE_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_RECIPE_FILE {
        let most = LARGEST_RECIPE_FILE >> 20;
        return Err(Failure::input(format!(
            "the file for {name} is larger than {most} MiB"
        )));
    }
    check_recipe_file(role, &bytes)
        .map_err(|why| Failure::input(format!("the file for {name} cannot be used: {why}")))?;
    folder
        .work()
        .write(name, &bytes)
        .map_err(|error| Failure::worker(format!("{name} cannot be written: {error}")))?;
    bytes.truncate(16);
    Ok(bytes)
}
