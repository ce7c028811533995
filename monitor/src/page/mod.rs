//! The web page: files of our own, nothing from elsewhere.
//!
//! Browsers get `assets/` as it is, without a build step. `types/` checks it, and is not served.

mod assets;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::web::app::App;
use assets::Asset;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route(
            "/",
            get(|headers: HeaderMap| async move { serve("index.html", &headers) }),
        )
        .route(
            "/assets/{*name}",
            get(|Path(name): Path<String>, headers: HeaderMap| async move { serve(&name, &headers) }),
        )
}

/// Serves one file. A browser asks each time whether the file is still the same, so that no page mixes old and new files
/// after an update of the monitor.
fn serve(name: &str, request: &HeaderMap) -> Response {
    let Some(asset) = Asset::named(name) else {
        return (StatusCode::NOT_FOUND, "no such file\n").into_response();
    };
    let etag = asset.etag();
    let is_known = request
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let headers = [
        (CACHE_CONTROL, "no-cache".to_owned()),
        (ETAG, etag),
        (CONTENT_TYPE, asset.media_type().to_owned()),
    ];
    if is_known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, asset.into_content()).into_response()
    }
}
