//! The web page: files of our own, nothing from elsewhere.
//!
//! Browsers get `assets/` as it is, without a build step. `types/` checks it, and is not served.

mod assets;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::web::app::App;
use assets::Asset;

/// Pages that the browser finds by the fragment of the address.
const PLACES: [&str; 9] = [
    "jobs",
    "new",
    "samples",
    "workers",
    "batches",
    "libraries",
    "history",
    "broker",
    "settings",
];

pub(crate) fn routes() -> Router<App> {
    let to_fragment = || get(|uri: Uri| async move { Redirect::temporary(&in_fragment(&uri)) });
    let mut routes = Router::new();
    for place in PLACES {
        routes = routes
            .route(&format!("/{place}"), to_fragment())
            .route(&format!("/{place}/{{*rest}}"), to_fragment());
    }
    routes
        .route(
            "/",
            get(|headers: HeaderMap| async move { serve("index.html", &headers) }),
        )
        .route(
            "/assets/{*name}",
            get(|Path(name): Path<String>, headers: HeaderMap| async move { serve(&name, &headers) }),
        )
}

/// The address of a page that a person has typed without its `#`: `/jobs?text=a` is `/#/jobs?text=a`.
fn in_fragment(uri: &Uri) -> String {
    let typed = uri.path_and_query();
    format!("/#{}", typed.map_or("/", |typed| typed.as_str()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_address_leads_to_the_fragment_of_its_page() {
        let of = |typed: &str| in_fragment(&typed.parse().expect("an address"));
        assert_eq!(of("/libraries"), "/#/libraries");
        assert_eq!(of("/jobs?text=a%20b"), "/#/jobs?text=a%20b");
        assert_eq!(of("http://farm:8080/jobs/1f"), "/#/jobs/1f");
    }
}
