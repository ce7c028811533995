//! Sessions: a password is sent once, and a cookie stands for it afterwards.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{COOKIE, LIFETIME, Role, guard};
use crate::web::app::App;
use crate::web::refusal::{Json, Refusal};

/// What the sender of the request may do.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionInfo {
    /// `null` if a password is needed first.
    role: Option<Role>,
    /// Whether the monitor asks for passwords.
    locked: bool,
}

/// A password.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Login {
    password: String,
}

/// What the sender of the request may do.
#[utoipa::path(
    get, path = "/session", operation_id = "session_info", tag = "access", security(()),
    responses((status = OK, body = SessionInfo))
)]
pub(crate) async fn info(State(shared): State<App>, headers: HeaderMap) -> axum::Json<SessionInfo> {
    axum::Json(SessionInfo {
        role: shared.access.role(&headers).await,
        locked: shared.access.is_locked(),
    })
}

/// Begins a session: the answer sets its cookie.
#[utoipa::path(
    post, path = "/session", tag = "access", security(()), request_body = Login,
    responses((status = OK, body = SessionInfo), (status = UNAUTHORIZED, body = Refusal))
)]
pub(crate) async fn begin(
    State(shared): State<App>,
    headers: HeaderMap,
    Json(login): Json<Login>,
) -> Result<Response, Refusal> {
    let Some(role) = shared.access.role_of(login.password).await else {
        return Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "this is not the password",
        ));
    };
    let secret = shared.access.begin(role).ok_or_else(|| {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the system gives no randomness",
        )
    })?;
    let info = axum::Json(SessionInfo {
        role: Some(role),
        locked: true,
    });
    let cookie = cookie(&secret, LIFETIME, &headers);
    Ok(([(SET_COOKIE, cookie)], info).into_response())
}

/// Ends the session.
#[utoipa::path(delete, path = "/session", tag = "access", security(()), responses((status = NO_CONTENT)))]
pub(crate) async fn end(State(shared): State<App>, headers: HeaderMap) -> Response {
    if let Some(secret) = guard::session(&headers) {
        shared.access.end(secret);
    }
    (
        StatusCode::NO_CONTENT,
        [(SET_COOKIE, cookie("", Duration::ZERO, &headers))],
    )
        .into_response()
}

/// The cookie is out of reach for scripts and for foreign pages. It is sent over TLS only, if a
/// proxy terminates TLS.
fn cookie(secret: &str, lifetime: Duration, headers: &HeaderMap) -> String {
    let is_secure = headers
        .get("x-forwarded-proto")
        .is_some_and(|scheme| scheme.as_bytes() == b"https");
    let secure = if is_secure { "; Secure" } else { "" };
    let seconds = lifetime.as_secs();
    format!("{COOKIE}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}
