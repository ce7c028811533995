//! Writes down each change that a request makes.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::told::Told;
use super::{Audit, RecordedChange, asked};
use crate::access::caller::Caller;
use crate::access::visitor::Visitor;
use crate::snapshot::moment::Moment;
use crate::web::refusal::{PATIENCE, Refusal};

/// Bytes of the longest body.
const LONGEST: usize = 2 << 20;

/// Lets a request pass, and writes down what it changed.
pub(crate) async fn record(
    State(audit): State<Arc<Audit>>,
    Extension(visitor): Extension<Visitor>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() == Method::GET {
        return next.run(request).await;
    }
    let when = Moment(Timestamp::now());
    let (parts, body) = request.into_parts();
    let reading = tokio::time::timeout(PATIENCE, to_bytes(body, LONGEST));
    let Ok(Ok(body)) = reading.await else {
        return Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body of the request is too long, or does not come",
        )
        .into_response();
    };
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let asked = asked::in_short(&body);
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    audit.add(RecordedChange {
        when,
        who: caller.name().map(str::to_owned),
        role: caller.role,
        from: visitor.address.to_string(),
        method,
        path,
        asked,
        status: response.status().as_u16(),
        result: response.extensions().get().map(|Told(text)| text.clone()),
    });
    response
}
