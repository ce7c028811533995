//! Routes that change something: operators alone may call them.

mod check;
mod create;
mod hooks;
mod libraries;
mod orders;
mod place;
mod presets;
mod replacement;
mod sample;
mod settings;
mod steer;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::web::app::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create))
        .routes(routes!(check::check))
        .routes(routes!(sample::sample))
        .routes(routes!(steer::cancel))
        .routes(routes!(steer::retry))
        .routes(routes!(steer::undo))
        .routes(routes!(steer::move_jobs))
        .routes(routes!(orders::pause, orders::resume))
        .routes(routes!(orders::lift))
        .routes(routes!(orders::set_hours, orders::leave_hours))
        .routes(routes!(hooks::save, hooks::remove))
        .routes(routes!(hooks::test))
        .routes(routes!(libraries::save, libraries::remove))
        .routes(routes!(libraries::scan))
        .routes(routes!(libraries::pause, libraries::resume))
        .routes(routes!(presets::save, presets::remove))
        .routes(routes!(settings::keep_history))
        .routes(routes!(settings::set_default, settings::leave_default))
}
