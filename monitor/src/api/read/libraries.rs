//! Libraries: what they hold, and pages of their files.

use axum::extract::State;
use common::library::Library;
use common::library::file::FileStateKind;
use common::library::scan::ScanRecord;
use common::library::summary::Summary;
use common::matching::history::History;
use common::matching::ratios::Ratios;
use common::names::token::Token;
use common::rules::condition::Condition;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::shelf::{FileColumn, FilePage, FileQuery, Known};
use crate::web::app::App;
use crate::web::refusal::{Named, Params, Refusal};

/// The most files of a page.
const MOST: usize = 500;

/// A library with its sums.
#[derive(Serialize, ToSchema)]
pub(crate) struct LibraryRow {
    #[schema(value_type = String)]
    name: Token,
    library: Library,
    revision: u64,
    /// The recipe in words.
    words: String,
    /// Who scans it, and what the last scan has found.
    scan: Option<ScanRecord>,
    /// Whether a worker holds its scan lease.
    kept: bool,
    summary: Summary,
}

impl LibraryRow {
    fn of(known: &Known, name: &Token, farm: &Ratios, now: jiff::Timestamp) -> Option<Self> {
        let stored = known.library(name)?;
        let scan = known.scan(name).cloned();
        Some(Self {
            name: name.clone(),
            words: stored.library.recipe.to_string(),
            library: stored.library.clone(),
            revision: stored.revision,
            kept: scan.as_ref().is_some_and(|scan| scan.is_held(now)),
            scan,
            summary: known.summary(name, farm),
        })
    }
}

fn unknown(name: &Token) -> Refusal {
    Refusal::unknown(format!("there is no library '{name}'"))
}

/// All libraries, by name. What could be saved is told by one library alone.
#[utoipa::path(
    get, path = "/libraries", operation_id = "list_libraries", tag = "libraries",
    responses((status = OK, body = Vec<LibraryRow>), (status = SERVICE_UNAVAILABLE, body = Refusal))
)]
pub(crate) async fn list(
    State(shared): State<App>,
) -> Result<axum::Json<Vec<LibraryRow>>, Refusal> {
    let known = shared.shelf.read(&shared.broker).await?;
    let now = shared.broker.now();
    let names = known.libraries.iter().map(|stored| &stored.name);
    let row = |name| LibraryRow::of(&known, name, &Ratios::default(), now);
    Ok(axum::Json(names.filter_map(row).collect()))
}

/// One library.
#[utoipa::path(
    get, path = "/libraries/{library}", operation_id = "show_library", tag = "libraries",
    params(("library" = String, Path)),
    responses((status = OK, body = LibraryRow), (status = NOT_FOUND, body = Refusal))
)]
pub(crate) async fn one(
    State(shared): State<App>,
    Named(name): Named<Token>,
) -> Result<axum::Json<LibraryRow>, Refusal> {
    let mut known = shared.shelf.read(&shared.broker).await?;
    let stored = known.library(&name).ok_or_else(|| unknown(&name))?;
    let recipe = stored.library.recipe.clone();
    let reports = known.reports(&shared.broker).await?;
    let farm = reports.iter().collect::<History>().ratios(&recipe);
    let row = LibraryRow::of(&known, &name, &farm, shared.broker.now());
    row.map(axum::Json).ok_or_else(|| unknown(&name))
}

/// Which files, in which order.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilesQuery {
    /// States, comma-separated; all by default.
    #[serde(default)]
    state: String,
    /// Only files whose film has this codec.
    codec: Option<String>,
    /// Only files whose path contains this text.
    #[serde(default)]
    text: String,
    /// Only files for which this condition holds, as in rules.
    #[serde(rename = "where")]
    condition: Option<String>,
    /// Only files whose last check has found damage.
    #[serde(default)]
    damaged: bool,
    #[serde(default)]
    #[param(inline)]
    sort: FileColumn,
    /// In descending order.
    #[serde(default)]
    descending: bool,
    /// Files to skip.
    #[serde(default)]
    offset: usize,
    /// The most files in the answer, up to 500; 50 by default.
    #[serde(default = "usual")]
    limit: usize,
}

fn usual() -> usize {
    50
}

impl FilesQuery {
    fn condition(&self) -> Result<Option<Condition>, Refusal> {
        let text = self.condition.as_deref().map(str::trim);
        let text = text.filter(|text| !text.is_empty());
        let condition: Result<Option<Condition>, _> = text.map(str::parse).transpose();
        condition.map_err(|why| Refusal::unsound(why.to_string()))
    }

    fn query(self) -> Result<FileQuery, Refusal> {
        let names = self.state.split(',').filter(|name| !name.is_empty());
        let states: Result<Vec<FileStateKind>, _> = names.map(str::parse).collect();
        Ok(FileQuery {
            states: states.map_err(|why| Refusal::unsound(why.to_string()))?,
            codec: self.codec,
            text: self.text,
            damaged: self.damaged,
            only: None,
            sort: self.sort,
            descending: self.descending,
            offset: self.offset,
            limit: self.limit.clamp(1, MOST),
        })
    }
}

/// A page of the files of a library.
#[utoipa::path(
    get, path = "/libraries/{library}/files", operation_id = "list_files", tag = "libraries",
    params(("library" = String, Path), FilesQuery),
    responses((status = OK, body = FilePage), (status = NOT_FOUND, body = Refusal), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn files(
    State(shared): State<App>,
    Named(name): Named<Token>,
    Params(asked): Params<FilesQuery>,
) -> Result<axum::Json<FilePage>, Refusal> {
    let condition = asked.condition()?;
    let mut query = asked.query()?;
    let mut known = shared.shelf.read(&shared.broker).await?;
    if known.library(&name).is_none() {
        return Err(unknown(&name));
    }
    if let Some(condition) = condition {
        query.only = Some(known.matching(&shared.broker, &name, &condition).await?);
    }
    // Many files take a while, and other requests must not wait.
    let page = tokio::task::spawn_blocking(move || known.page(&name, &query)).await;
    page.map(axum::Json).map_err(|_| {
        Refusal::new(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            "the search of the files failed: the monitor's log says where",
        )
    })
}
