//! Routes that change nothing: readers may call them, whatever their method.
//!
//! More than 12 entries: one file for each resource, all of one kind.

mod autoscalers;
mod batches;
mod forecast;
mod history;
mod hooks;
mod jobs;
mod libraries;
mod live;
mod log;
mod matching;
mod media;
mod orders;
mod parts;
mod preview;
mod samples;
mod scale;
mod settings;
mod state;
mod vocabulary;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::web::app::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(state::state))
        .routes(routes!(live::live))
        .routes(routes!(scale::scale))
        .routes(routes!(autoscalers::list))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::ids))
        .routes(routes!(jobs::one))
        .routes(routes!(parts::parts))
        .routes(routes!(log::follow))
        .routes(routes!(preview::media))
        .routes(routes!(preview::still))
        .routes(routes!(preview::frame))
        .routes(routes!(preview::frames))
        .routes(routes!(matching::fits))
        .routes(routes!(matching::plan))
        .routes(routes!(orders::list))
        .routes(routes!(batches::list))
        .routes(routes!(samples::samples))
        .routes(routes!(libraries::list))
        .routes(routes!(libraries::one))
        .routes(routes!(libraries::files))
        .routes(routes!(media::browse))
        .routes(routes!(forecast::forecast))
        .routes(routes!(vocabulary::vocabulary))
        .routes(routes!(settings::settings))
        .routes(routes!(hooks::list))
        .routes(routes!(history::history))
        .routes(routes!(history::csv))
}
