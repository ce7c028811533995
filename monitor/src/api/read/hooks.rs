//! Hooks: who is told of what happens, without their secrets.

use axum::extract::State;
use common::names::token::Token;
use common::notify::delivery::HookHealth;
use common::notify::event::EventKind;
use common::notify::hook::SavedHook;
use common::notify::template::built_in;
use serde::Serialize;
use utoipa::ToSchema;

use crate::snapshot::moment::Moment;
use crate::web::app::App;
use crate::web::refusal::Refusal;

/// The hooks of the farm, and what new ones are made of.
#[derive(Serialize, ToSchema)]
pub(crate) struct Hooks {
    /// Every hook, by name.
    hooks: Vec<HookRow>,
    /// The events that a hook can be told of.
    events: Vec<EventKind>,
    /// The events that a hook is told of unless it says otherwise.
    usual: Vec<EventKind>,
    /// The built-in templates.
    templates: Vec<String>,
}

/// A hook, without its secrets.
#[derive(Serialize, ToSchema)]
pub(crate) struct HookRow {
    name: Token,
    /// The service and the server.
    target: String,
    on: Vec<EventKind>,
    /// The form of the request.
    template: String,
    /// Whether messages are signed.
    signed: bool,
    /// The only batch label or library that it is told of.
    only: Option<String>,
    added: Moment,
    revision: u64,
    /// When the other side last took a message.
    sent: Option<Moment>,
    /// When an attempt last failed.
    failed: Option<Moment>,
    /// Why, in one sentence.
    error: Option<String>,
    /// Whether the last attempt failed.
    failing: bool,
    /// How many messages were dropped because too many waited.
    dropped: u64,
}

impl HookRow {
    fn new(saved: SavedHook, health: &HookHealth) -> Self {
        let SavedHook {
            name,
            hook,
            revision,
        } = saved;
        Self {
            name,
            target: hook.shown(),
            template: hook.template_name(),
            signed: hook.secret.is_some(),
            on: hook.on.into_iter().collect(),
            only: hook.only,
            added: Moment(hook.added),
            revision,
            sent: health.sent.map(Moment),
            failed: health.failed.map(Moment),
            error: health.error.clone(),
            failing: health.is_failing(),
            dropped: health.dropped,
        }
    }
}

/// Every hook. Secrets are never shown.
#[utoipa::path(
    get, path = "/hooks", operation_id = "list_hooks", tag = "hooks",
    responses((status = OK, body = Hooks), (status = SERVICE_UNAVAILABLE, body = Refusal))
)]
pub(crate) async fn list(State(shared): State<App>) -> Result<axum::Json<Hooks>, Refusal> {
    let (hooks, healths) = tokio::try_join!(shared.broker.hooks(), shared.broker.hook_healths())?;
    let healthy = HookHealth::default();
    let row = |saved: SavedHook| {
        let health = healths.get(&saved.name).unwrap_or(&healthy);
        HookRow::new(saved, health)
    };
    Ok(axum::Json(Hooks {
        hooks: hooks.into_iter().map(row).collect(),
        events: EventKind::ALL.to_vec(),
        usual: EventKind::USUAL.to_vec(),
        templates: built_in::names().map(str::to_owned).to_vec(),
    }))
}
