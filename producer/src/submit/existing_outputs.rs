//! Looking for files that are at the outputs already.

use std::collections::HashSet;
use std::path::Path;

use common::names::location::Location;
use common::store::Stores;
use common::submit::existing_outputs::{ExistingFile, ExistingOutputs};
use common::submit::output_job::JobsByOutput;

use crate::cli::exit::Error;
use crate::download::target::DownloadTarget;
use crate::submit::send::Wanted;

/// Reads the sizes of the files at the outputs that are wanted. If an output is missing, a download of it counts.
pub(crate) async fn look(
    stores: &Stores,
    folder: &Location,
    target: Option<&DownloadTarget>,
    wanted: &[Wanted],
    jobs: JobsByOutput,
) -> Result<ExistingOutputs, Error> {
    let mut existing = ExistingOutputs {
        jobs,
        ..ExistingOutputs::default()
    };
    let file = |size, is_download| ExistingFile { size, is_download };
    if folder.is_remote() {
        for object in stores.list(folder).await? {
            existing
                .files
                .insert(object.location, file(object.size, false));
        }
    }
    let masters = wanted.iter().filter_map(|one| one.ladder.as_ref());
    let masters: HashSet<Location> = masters
        .flat_map(|ladder| [ladder.master.clone(), ladder.manifest()])
        .collect();
    for output in wanted.iter().map(|one| &one.output).chain(&masters) {
        let size =
            |location: &Location, is_download| Some(file(size(&location.path()?)?, is_download));
        let download = || size(&target?.place(output)?, true);
        if !existing.files.contains_key(output)
            && let Some(found) = size(output, false).or_else(download)
        {
            existing.files.insert(output.clone(), found);
        }
    }
    Ok(existing)
}

fn size(path: &Path) -> Option<u64> {
    Some(path.symlink_metadata().ok()?.len())
}
