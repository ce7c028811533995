//! What the monitor answers over HTTP, described by an OpenAPI document that is
//! made from the routes themselves.

mod batches;
mod controls;
mod create;
mod foresee;
mod health;
mod history;
mod jetstream;
mod jobs;
mod live;
mod log;
mod metrics;
mod peek;
mod presets;
mod refusal;
mod security;
mod session;
mod settings;
mod state;
mod steer;
mod survive;

use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::routing::get;
use bytes::Bytes;
use common::broker::Broker;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Access, COOKIE, guard};
use crate::audience::Audience;
use crate::board::Board;
use crate::listing::Listing;
use crate::media::Media;
use crate::page;

pub(crate) use jobs::Pages;
pub(crate) use peek::Stills;
pub(crate) use refusal::Refusal;

/// What all routes share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) broker: Broker,
    pub(crate) board: Arc<Board>,
    pub(crate) listing: Arc<Listing>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) stills: Arc<Stills>,
    pub(crate) media: Option<Arc<Media>>,
    pub(crate) audience: Audience,
    pub(crate) access: Arc<Access>,
    pub(crate) shutdown: CancellationToken,
}

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
fn guarded() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(state::state))
        .routes(routes!(live::live))
        .routes(routes!(jobs::list, create::create))
        .routes(routes!(jobs::ids))
        .routes(routes!(jobs::one))
        .routes(routes!(log::follow))
        .routes(routes!(peek::media))
        .routes(routes!(peek::still))
        .routes(routes!(steer::cancel))
        .routes(routes!(steer::retry))
        .routes(routes!(steer::relocate))
        .routes(routes!(steer::fits))
        .routes(routes!(controls::list))
        .routes(routes!(controls::pause, controls::resume))
        .routes(routes!(controls::lift))
        .routes(routes!(controls::set_hours, controls::leave_hours))
        .routes(routes!(batches::list))
        .routes(routes!(create::browse))
        .routes(routes!(create::plan))
        .routes(routes!(foresee::foresee))
        .routes(routes!(presets::vocabulary))
        .routes(routes!(presets::save, presets::remove))
        .routes(routes!(settings::settings))
        .routes(routes!(settings::keep_history))
        .routes(routes!(settings::set_default, settings::leave_default))
        .routes(routes!(jetstream::jetstream))
        .routes(routes!(history::history))
        .routes(routes!(history::csv))
}

/// What Prometheus scrapes, guarded as well.
fn metrics() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(metrics::metrics))
}

/// Every documented route: the guarded ones as given, beside those that are open to all.
fn described(
    guarded: OpenApiRouter<Shared>,
    metrics: OpenApiRouter<Shared>,
) -> OpenApiRouter<Shared> {
    let session =
        OpenApiRouter::new().routes(routes!(session::standing, session::begin, session::end));
    let health = OpenApiRouter::new()
        .routes(routes!(health::alive))
        .routes(routes!(health::ready));
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
pub(crate) fn routes(shared: Shared) -> Router {
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
        .layer(middleware::from_fn(survive::survive))
        .layer(middleware::from_fn_with_state(
            shared.access.clone(),
            guard::origin,
        ))
        .layer(middleware::map_response(security::headers))
        .with_state(shared)
}

async fn unknown() -> Refusal {
    Refusal::unknown("there is no such route: see /api/v1/openapi.json")
}
