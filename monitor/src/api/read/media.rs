//! The files that new jobs can be made from.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::web::app::App;
use crate::web::refusal::{Params, Refusal};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Where {
    /// The folder below the store's root; `/` separates names.
    #[serde(default)]
    folder: String,
}

/// The entries of a folder.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct FolderRow {
    /// The store's root; `null` if the monitor has no store.
    root: Option<String>,
    folders: Vec<String>,
    files: Vec<FileRow>,
}

/// A file.
#[derive(Serialize, ToSchema)]
pub(crate) struct FileRow {
    name: String,
    size: u64,
}

/// The entries of a folder of the store.
#[utoipa::path(
    get, path = "/store", tag = "new", params(Where),
    responses((status = OK, body = FolderRow), (status = NOT_FOUND, body = Refusal))
)]
pub(crate) async fn browse(
    State(shared): State<App>,
    Params(Where { folder }): Params<Where>,
) -> Result<axum::Json<FolderRow>, Refusal> {
    // The page always asks, so a missing store is an answer and not an error.
    let Some(media) = &shared.media else {
        return Ok(axum::Json(FolderRow::default()));
    };
    let found = media.folder(&folder).await?;
    let files = found
        .files
        .into_iter()
        .map(|(name, size)| FileRow { name, size });
    Ok(axum::Json(FolderRow {
        root: Some(media.root().to_string()),
        folders: found.folders,
        files: files.collect(),
    }))
}
