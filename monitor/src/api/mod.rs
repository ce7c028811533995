//! The HTTP API, described by an OpenAPI document that is made from the routes.

mod change;
mod further;
mod jobs;
pub(crate) mod media;
mod read;
mod service;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::routing::get;
use bytes::Bytes;
use utoipa::OpenApi;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Access, Role, cookie, guard};
use crate::audit::{Audit, record};
use crate::page;
use crate::web::app::App;
use crate::web::refusal::Refusal;

/// Bytes of the longest name and password together.
const LONGEST_LOGIN: usize = 4096;

/// The OpenAPI document without the routes.
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

/// The ways to send a password or a session.
struct Schemes;

impl utoipa::Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(cookie::NAME)));
        components.add_security_scheme("session", cookie);
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("password", SecurityScheme::Http(bearer));
    }
}

/// Every documented route, each behind the guard of the role that it needs.
struct Routes {
    read: OpenApiRouter<App>,
    change: OpenApiRouter<App>,
    jetstream: OpenApiRouter<App>,
    metrics: OpenApiRouter<App>,
}

impl Routes {
    fn new() -> Self {
        let change = change::routes().routes(routes!(service::activity::activity));
        let jetstream = OpenApiRouter::new().routes(routes!(service::jetstream::jetstream));
        let metrics = OpenApiRouter::new().routes(routes!(service::metrics::metrics));
        Self {
            read: needing(Role::Reader, read::routes()),
            change: needing(Role::Operator, change),
            jetstream: needing(Role::Reader, jetstream),
            metrics: needing(Role::Reader, metrics),
        }
    }

    fn guarded(self, access: &Arc<Access>, audit: &Arc<Audit>) -> Self {
        let readers = middleware::from_fn_with_state(access.clone(), guard::readers);
        let operators = middleware::from_fn_with_state(access.clone(), guard::operators);
        let record = middleware::from_fn_with_state(audit.clone(), record::record);
        Self {
            read: self.read.route_layer(readers.clone()),
            // The guard comes first: whoever it refuses changes nothing.
            change: self.change.route_layer(record).route_layer(operators),
            jetstream: self.jetstream.route_layer(readers.clone()),
            metrics: self.metrics.route_layer(readers),
        }
    }

    /// All of them, and the routes that need no role.
    fn described(self) -> OpenApiRouter<App> {
        let session = OpenApiRouter::new().routes(routes!(
            service::session::info,
            service::session::begin,
            service::session::end
        ));
        // Strangers may send these.
        let session = session.layer(DefaultBodyLimit::max(LONGEST_LOGIN));
        let health = OpenApiRouter::new()
            .routes(routes!(service::health::alive))
            .routes(routes!(service::health::ready));
        let api = self.read.merge(self.change).merge(self.jetstream);
        OpenApiRouter::with_openapi(Document::openapi())
            .nest("/api/v1", api.merge(session))
            .merge(self.metrics)
            .merge(health)
    }
}

/// Says in the document which role the routes need, as `x-role`.
fn needing(role: Role, mut routes: OpenApiRouter<App>) -> OpenApiRouter<App> {
    let role = match role {
        Role::Reader => "reader",
        Role::Operator => "operator",
    };
    for path in routes.get_openapi_mut().paths.paths.values_mut() {
        let operations = [
            &mut path.get,
            &mut path.put,
            &mut path.post,
            &mut path.delete,
        ];
        for operation in operations.into_iter().flatten() {
            operation
                .extensions
                .get_or_insert_with(Extensions::default)
                .merge(Extensions::from_iter([("x-role", role)]));
        }
    }
    routes
}

/// The OpenAPI document, made from the routes.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    Routes::new().described().into_openapi()
}

/// Every route.
pub(crate) fn routes(shared: App) -> Router {
    let (api, document) = Routes::new()
        .guarded(&shared.access, &shared.audit)
        .described()
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
