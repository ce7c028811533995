//! Libraries: added, changed, scanned, paused and removed.

use axum::extract::State;
use axum::http::StatusCode;
use common::broker::{CatalogError, Overwrite};
use common::farm::hours::Hours;
use common::farm::queue::Priority;
use common::job::Fallbacks;
use common::job::sidecar::Sidecars;
use common::job::split::Split;
use common::library::exclude::Exclusions;
use common::library::{Library, Results, check};
use common::names::token::Token;
use common::recipe::{NameTemplate, Outputs, Recipe};
use common::rules::Rules;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::change::place::place;
use crate::api::change::replacement::WantedReplacement;
use crate::web::app::App;
use crate::web::refusal::{Json, Named, Params, Refusal};

/// A library as a person wants it.
#[derive(Deserialize, ToSchema)]
pub(crate) struct WantedLibrary {
    /// The folder or bucket prefix: `/films` or `s3://bucket/prefix`.
    location: String,
    recipe: Recipe,
    /// The outputs' names, without extension; by default those of the sources.
    name: Option<NameTemplate>,
    /// The preset that the recipe began with, for the placeholder `{preset}` of names.
    #[schema(value_type = Option<String>)]
    preset: Option<Token>,
    /// Which files are left as they are.
    #[serde(default)]
    rules: Rules,
    /// The folder or bucket prefix of the outputs.
    output: Option<String>,
    /// Has outputs take the place of their sources, instead of `output`.
    replacement: Option<WantedReplacement>,
    /// What becomes of the files beside its files; `carry` by default.
    sidecars: Option<Sidecars>,
    /// Whether its files are encoded in parts; `auto` by default.
    split: Option<Split>,
    /// When jobs are enqueued, by the clock of the worker that scans; always by default.
    #[schema(value_type = Option<String>)]
    schedule: Option<Hours>,
    /// Patterns of files that are left out, e.g. `Extras/**`.
    #[serde(default)]
    exclude: Vec<String>,
    /// Seconds for which a file must stay as it is; 60 by default.
    settle: Option<u64>,
    /// Seconds from one scan to the next; 600 by default.
    every: Option<u64>,
    /// How many files are checked for damage each day; none by default.
    #[serde(default)]
    verify_per_day: u32,
    /// 1 (low) to 10 (high); 5 by default.
    #[serde(default)]
    #[schema(value_type = u8)]
    priority: Priority,
    /// Seconds after which each fallback encoder opens to a waiting job. Needed if the recipe names several encoders.
    hop_after: Option<u64>,
    /// Whether it is added paused.
    #[serde(default)]
    paused: bool,
    /// The revision of the library that is changed; a library without one is added.
    revision: Option<u64>,
}

/// What is in the way of a library that was stored.
#[derive(Serialize, ToSchema)]
pub(crate) struct StoredAnswer {
    revision: u64,
    warnings: Vec<String>,
}

/// The revision that a person has seen.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SeenRevision {
    /// Only if this is its revision.
    revision: Option<u64>,
}

impl From<CatalogError> for Refusal {
    fn from(error: CatalogError) -> Self {
        let status = match error {
            CatalogError::Broker(error) => return error.into(),
            CatalogError::Taken(_) | CatalogError::Changed(_) => StatusCode::CONFLICT,
            CatalogError::Unsound(_) => StatusCode::UNPROCESSABLE_ENTITY,
            CatalogError::Unknown { .. } => StatusCode::NOT_FOUND,
        };
        Self::new(status, error.to_string())
    }
}

impl WantedLibrary {
    fn library(self, before: Option<&Library>, now: jiff::Timestamp) -> Result<Library, Refusal> {
        let unsound = |why: &dyn std::fmt::Display| Refusal::unsound(why.to_string());
        let location = place("location", &self.location)?;
        let results = match (&self.output, self.replacement) {
            (Some(output), None) => Results::Folder(place("output", output)?),
            (None, Some(wanted)) => Results::Replace(wanted.replacement_in(&location)?),
            _ => {
                return Err(Refusal::unsound(
                    "say where the outputs go: give either output or replacement",
                ));
            }
        };
        let queues = self.recipe.fallback_queues();
        let new = Library::new(location, self.recipe, results, now);
        Ok(Library {
            outputs: Outputs::new(self.name, None).map_err(|why| unsound(&why))?,
            preset: self.preset,
            rules: self.rules,
            sidecars: self.sidecars.unwrap_or(new.sidecars),
            split: self.split.unwrap_or(new.split),
            schedule: self.schedule,
            exclude: Exclusions::new(&self.exclude).map_err(|why| unsound(&why))?,
            settle: self.settle.unwrap_or(new.settle),
            every: self.every.unwrap_or(new.every),
            verify_per_day: self.verify_per_day,
            priority: self.priority,
            fallbacks: self
                .hop_after
                .filter(|after| *after > 0 && !queues.is_empty())
                .map(|after| Fallbacks { queues, after }),
            paused: self.paused,
            added: before.map_or(now, |before| before.added),
            asked: before.and_then(|before| before.asked),
            ..new
        })
    }
}

/// Adds a library, or changes the one whose revision the request names.
#[utoipa::path(
    put, path = "/libraries/{library}", operation_id = "save_library", tag = "libraries",
    params(("library" = String, Path)), request_body = WantedLibrary,
    responses(
        (status = OK, body = StoredAnswer),
        (status = CONFLICT, body = Refusal),
        (status = UNPROCESSABLE_ENTITY, body = Refusal)
    )
)]
pub(crate) async fn save(
    State(shared): State<App>,
    Named(name): Named<Token>,
    Json(wanted): Json<WantedLibrary>,
) -> Result<axum::Json<StoredAnswer>, Refusal> {
    let broker = &shared.broker;
    let (over, before) = match wanted.revision {
        Some(revision) => {
            let stored = broker.library(&name).await?;
            (Overwrite::Revision(revision), Some(stored.library))
        }
        None => (Overwrite::Nothing, None),
    };
    let library = wanted.library(before.as_ref(), broker.now())?;
    let revision = broker.save_library(&name, &library, over).await?;
    let warnings = check::warnings(&library, &broker.workers().await?);
    Ok(axum::Json(StoredAnswer { revision, warnings }))
}

/// Removes a library. Its jobs and all files stay.
#[utoipa::path(
    delete, path = "/libraries/{library}", operation_id = "remove_library", tag = "libraries",
    params(("library" = String, Path), SeenRevision),
    responses(
        (status = NO_CONTENT),
        (status = CONFLICT, body = Refusal),
        (status = NOT_FOUND, body = Refusal)
    )
)]
pub(crate) async fn remove(
    State(shared): State<App>,
    Named(name): Named<Token>,
    Params(seen): Params<SeenRevision>,
) -> Result<StatusCode, Refusal> {
    shared.broker.remove_library(&name, seen.revision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Scans a library now.
#[utoipa::path(
    put, path = "/libraries/{library}/scan", operation_id = "scan_library", tag = "libraries",
    params(("library" = String, Path)),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = Refusal), (status = CONFLICT, body = Refusal))
)]
pub(crate) async fn scan(
    State(shared): State<App>,
    Named(name): Named<Token>,
) -> Result<StatusCode, Refusal> {
    let now = shared.broker.now();
    change(&shared, &name, |library| {
        if library.paused {
            let why = "the library is paused: resume it first";
            return Err(Refusal::new(StatusCode::CONFLICT, why));
        }
        library.asked = Some(now);
        Ok(())
    })
    .await
}

/// Pauses a library: no more scans, and its waiting jobs are not started.
#[utoipa::path(
    put, path = "/libraries/{library}/pause", operation_id = "pause_library", tag = "libraries",
    params(("library" = String, Path)),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = Refusal))
)]
pub(crate) async fn pause(
    State(shared): State<App>,
    Named(name): Named<Token>,
) -> Result<StatusCode, Refusal> {
    set_paused(&shared, &name, true).await
}

/// Resumes a library.
#[utoipa::path(
    delete, path = "/libraries/{library}/pause", operation_id = "resume_library", tag = "libraries",
    params(("library" = String, Path)),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = Refusal))
)]
pub(crate) async fn resume(
    State(shared): State<App>,
    Named(name): Named<Token>,
) -> Result<StatusCode, Refusal> {
    set_paused(&shared, &name, false).await
}

async fn set_paused(shared: &App, name: &Token, paused: bool) -> Result<StatusCode, Refusal> {
    change(shared, name, |library| {
        library.paused = paused;
        Ok(())
    })
    .await
}

async fn change(
    shared: &App,
    name: &Token,
    edit: impl FnMut(&mut Library) -> Result<(), Refusal>,
) -> Result<StatusCode, Refusal> {
    shared.broker.edit_library(name, edit).await?;
    Ok(StatusCode::NO_CONTENT)
}
