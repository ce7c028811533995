//! The settings and presets of the farm.

use axum::extract::State;
use common::farm::retention::Days;
use common::names::token::Token;
use common::recipe::preset::{Listed, Presets};
use common::recipe::{Outputs, Recipe};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::app::App;
use crate::web::refusal::Refusal;

/// The settings of the farm.
#[derive(Serialize, ToSchema)]
pub(crate) struct Settings {
    /// How long history is kept.
    history: HistoryRow,
    /// The preset of jobs that name no recipe.
    default: Option<Token>,
    /// Every preset, by name.
    presets: Vec<PresetRow>,
}

/// How long history is kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryRow {
    /// Days, if a person has set them.
    days: Option<Days>,
    /// Seconds that the broker keeps events; 0 is for ever.
    events: u64,
    /// Seconds that the broker keeps batches; 0 is for ever.
    batches: u64,
}

/// A preset.
#[derive(Serialize, ToSchema)]
pub(crate) struct PresetRow {
    name: Token,
    note: Option<String>,
    recipe: Recipe,
    /// The names and renditions of the outputs.
    outputs: Outputs,
    /// The preset in one line.
    words: String,
    /// Whether a preset of this name is built in.
    built_in: bool,
    /// The revision of the saved preset; `null` if none of this name was saved.
    revision: Option<u64>,
}

impl From<&Listed> for PresetRow {
    fn from(listed: &Listed) -> Self {
        Self {
            name: listed.name.clone(),
            note: listed.preset.note.clone(),
            words: listed.preset.to_string(),
            recipe: listed.preset.recipe.clone(),
            outputs: listed.preset.outputs.clone(),
            built_in: listed.built_in,
            revision: listed.revision,
        }
    }
}

/// All settings of the farm.
#[utoipa::path(
    get, path = "/settings", tag = "settings",
    responses((status = OK, body = Settings), (status = SERVICE_UNAVAILABLE, body = Refusal))
)]
pub(crate) async fn settings(State(shared): State<App>) -> Result<axum::Json<Settings>, Refusal> {
    let (presets, kept): (Presets, _) =
        tokio::try_join!(shared.broker.presets(), shared.broker.retention())?;
    Ok(axum::Json(Settings {
        history: HistoryRow {
            days: kept.set,
            events: kept.events.as_secs(),
            batches: kept.batches.as_secs(),
        },
        default: presets.default_name().cloned(),
        presets: presets.iter().map(PresetRow::from).collect(),
    }))
}
