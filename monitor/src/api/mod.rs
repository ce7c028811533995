//! What the monitor answers over HTTP, described by an OpenAPI document that is
//! made from the routes themselves.

mod change;
mod look;
pub(crate) mod media;
mod service;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::routing::get;
use bytes::Bytes;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{COOKIE, guard};
use crate::app::App;
use crate::page;
use crate::refusal::Refusal;

/// The document, without what the routes add to it.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "ffmpeg-easy monitor",
        description = "See everything, steer everything: what the page itself uses."
    ),
    modifiers(&Schemes),
    security(("session" = []), ("password" = [])),
)]
struct Document;

/// How a request says who it comes from.
struct Schemes;

impl utoipa::Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
        components.add_security_scheme("session", cookie);
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("password", SecurityScheme::Http(bearer));
    }
}

/// What readers may look at and operators steer.
fn guarded() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(look::state::state))
        .routes(routes!(look::live::live))
        .routes(routes!(look::jobs::list, change::create::create))
        .routes(routes!(look::jobs::ids))
        .routes(routes!(look::jobs::one))
        .routes(routes!(look::log::follow))
        .routes(routes!(look::preview::media))
        .routes(routes!(look::preview::still))
        .routes(routes!(change::steer::cancel))
        .routes(routes!(change::steer::retry))
        .routes(routes!(change::steer::relocate))
        .routes(routes!(change::steer::fits))
        .routes(routes!(change::orders::list))
        .routes(routes!(change::orders::pause, change::orders::resume))
        .routes(routes!(change::orders::lift))
        .routes(routes!(
            change::orders::set_hours,
            change::orders::leave_hours
        ))
        .routes(routes!(look::batches::list))
        .routes(routes!(change::create::browse))
        .routes(routes!(change::create::plan))
        .routes(routes!(look::foresee::foresee))
        .routes(routes!(change::presets::vocabulary))
        .routes(routes!(change::presets::save, change::presets::remove))
        .routes(routes!(change::settings::settings))
        .routes(routes!(change::settings::keep_history))
        .routes(routes!(
            change::settings::set_default,
            change::settings::leave_default
        ))
        .routes(routes!(service::jetstream::jetstream))
        .routes(routes!(look::history::history))
        .routes(routes!(look::history::csv))
}

/// What Prometheus scrapes, guarded as well.
fn metrics() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(service::metrics::metrics))
}

/// Every documented route: the guarded ones as given, beside those that are open to all.
fn described(guarded: OpenApiRouter<App>, metrics: OpenApiRouter<App>) -> OpenApiRouter<App> {
    let session = OpenApiRouter::new().routes(routes!(
        service::session::standing,
        service::session::begin,
        service::session::end
    ));
    let health = OpenApiRouter::new()
        .routes(routes!(service::health::alive))
        .routes(routes!(service::health::ready));
    OpenApiRouter::with_openapi(Document::openapi())
        .nest("/api/v1", guarded.merge(session))
        .merge(metrics)
        .merge(health)
}

/// The OpenAPI document, made from the routes.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    described(guarded(), metrics()).into_openapi()
}

/// Every route.
pub(crate) fn routes(shared: App) -> Router {
    let role = middleware::from_fn_with_state(shared.access.clone(), guard::role);
    let (api, document) = described(
        guarded().route_layer(role.clone()),
        metrics().route_layer(role),
    )
    .split_for_parts();
    let document: Bytes = serde_json::to_vec(&document)
        .expect("the document is plain data with string keys")
        .into();
    Router::new()
        .merge(page::routes())
        .merge(api)
        .route(
            "/api/v1/openapi.json",
            get(|| async move { ([(CONTENT_TYPE, "application/json")], document) }),
        )
        .route("/api/{*nothing}", get(unknown))
        .layer(middleware::from_fn(service::survive::survive))
        .layer(middleware::from_fn_with_state(
            shared.access.clone(),
            guard::origin,
        ))
        .layer(middleware::map_response(service::security::headers))
        .with_state(shared)
}

async fn unknown() -> Refusal {
    Refusal::unknown("there is no such route: see /api/v1/openapi.json")
}
