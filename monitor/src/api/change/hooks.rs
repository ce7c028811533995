//! Saving, trying and removing hooks.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use common::broker::Overwrite;
use common::names::token::Token;
use common::notify::delivery::Answer;
use common::notify::event::EventKind;
use common::notify::hook::Hook;
use common::notify::occurrence::Occurrence;
use common::notify::secret::Secret;
use common::notify::template::{Template, TemplateChoice};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::web::app::App;
use crate::web::refusal::{Json, Named, Params, Refusal};

/// A hook to save.
#[derive(Deserialize, ToSchema)]
pub(crate) struct HookBody {
    /// The address, with its secrets: `https://…`, `ntfy://TOPIC`, `discord://ID/TOKEN`, `smtps://…`.
    #[schema(value_type = String)]
    url: Secret,
    /// The events that it is told of. Left out: all but `job-completed`.
    on: Option<BTreeSet<EventKind>>,
    /// The name of a built-in template. Left out: the one that the address stands for.
    template: Option<String>,
    /// A template of one's own, as TOML.
    own_template: Option<String>,
    /// What messages are signed with.
    #[schema(value_type = Option<String>)]
    secret: Option<Secret>,
    /// The only batch label or library that it is told of.
    only: Option<String>,
    /// The revision to replace, from `GET /hooks`. Left out: nothing may be replaced.
    revision: Option<u64>,
}

/// The revision that was saved.
#[derive(Serialize, ToSchema)]
pub(crate) struct SavedHookRevision {
    revision: u64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HookRevision {
    /// Remove only this revision, from `GET /hooks`.
    revision: Option<u64>,
}

/// What became of a test.
#[derive(Serialize, ToSchema)]
pub(crate) struct HookTest {
    /// Whether the other side took the message.
    taken: bool,
    /// What the other side said.
    words: String,
}

impl HookBody {
    fn template(&self) -> Result<Option<TemplateChoice>, Refusal> {
        let unsound = |error: &dyn std::fmt::Display| Refusal::unsound(error.to_string());
        match (&self.template, &self.own_template) {
            (Some(_), Some(_)) => Err(Refusal::unsound(
                "a hook has one template: template or own_template",
            )),
            (Some(name), None) => {
                let name = name.parse().map_err(|error| unsound(&error as &_))?;
                Ok(Some(TemplateChoice::Named(name)))
            }
            (None, Some(text)) => {
                let own = Template::read(text).map_err(|error| unsound(&error))?;
                Ok(Some(TemplateChoice::Own(Box::new(own))))
            }
            (None, None) => Ok(None),
        }
    }
}

/// Saves a hook: a new one, or the next revision of one.
#[utoipa::path(
    put, path = "/hooks/{hook}", operation_id = "save_hook", tag = "hooks",
    params(("hook" = String, Path)), request_body = HookBody,
    responses(
        (status = OK, body = SavedHookRevision), (status = UNPROCESSABLE_ENTITY, body = Refusal),
        (status = CONFLICT, body = Refusal, description = "there is one already, or another revision")
    )
)]
pub(crate) async fn save(
    State(shared): State<App>,
    Named(name): Named<Token>,
    Json(body): Json<HookBody>,
) -> Result<axum::Json<SavedHookRevision>, Refusal> {
    let template = body.template()?;
    let hook = Hook {
        url: body.url,
        on: body.on.unwrap_or_else(|| BTreeSet::from(EventKind::USUAL)),
        template,
        secret: body.secret,
        only: body.only,
        added: shared.broker.now(),
    };
    hook.prepare()
        .map_err(|error| Refusal::unsound(error.to_string()))?;
    let over = body
        .revision
        .map_or(Overwrite::Nothing, Overwrite::Revision);
    let revision = shared.broker.save_hook(&name, &hook, over).await?;
    Ok(axum::Json(SavedHookRevision { revision }))
}

/// Removes a hook.
#[utoipa::path(
    delete, path = "/hooks/{hook}", operation_id = "remove_hook", tag = "hooks",
    params(("hook" = String, Path), HookRevision),
    responses(
        (status = NO_CONTENT), (status = UNPROCESSABLE_ENTITY, body = Refusal),
        (status = CONFLICT, body = Refusal, description = "it is another revision")
    )
)]
pub(crate) async fn remove(
    State(shared): State<App>,
    Named(name): Named<Token>,
    Params(HookRevision { revision }): Params<HookRevision>,
) -> Result<StatusCode, Refusal> {
    shared.broker.remove_hook(&name, revision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends one test message now, and tells what the other side said.
#[utoipa::path(
    post, path = "/hooks/{hook}/test", operation_id = "test_hook", tag = "hooks",
    params(("hook" = String, Path)),
    responses((status = OK, body = HookTest), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn test(
    State(shared): State<App>,
    Named(name): Named<Token>,
) -> Result<axum::Json<HookTest>, Refusal> {
    let saved = shared.broker.hook(&name).await?;
    let prepared = saved.hook.prepare();
    let prepared = prepared.map_err(|error| Refusal::unsound(error.to_string()))?;
    let now = shared.broker.now();
    let answer = shared
        .sender
        .send(&prepared, &Occurrence::test(now), now)
        .await;
    shared.broker.note_answer(&name, &answer).await?;
    Ok(axum::Json(HookTest {
        taken: matches!(answer, Answer::Taken(_)),
        words: answer.words().to_owned(),
    }))
}
