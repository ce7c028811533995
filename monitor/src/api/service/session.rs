//! Sessions: a password is sent once, and a cookie stands for it afterwards.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::visitor::Visitor;
use crate::access::{LIFETIME, Role, cookie};
use crate::audit::RecordedChange;
use crate::web::app::App;
use crate::web::refusal::{Json, Refusal};

/// What the sender of the request may do.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionInfo {
    /// `null` if a password is needed first.
    role: Option<Role>,
    /// The sender's name; `null` where people have none.
    name: Option<String>,
    /// Whether the monitor asks for passwords.
    locked: bool,
    /// Whether it asks for names as well.
    asks_names: bool,
}

/// A password or token.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Login {
    /// The name of the person whose password it is; left out for a password without a name, and for a token.
    #[serde(default)]
    name: Option<String>,
    password: String,
}

/// What the sender of the request may do.
#[utoipa::path(
    get, path = "/session", operation_id = "session_info", tag = "access", security(()),
    responses(
        (status = OK, body = SessionInfo),
        (status = TOO_MANY_REQUESTS, body = Refusal)
    )
)]
pub(crate) async fn info(
    State(App { access, .. }): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Result<axum::Json<SessionInfo>, Refusal> {
    let caller = access.caller(&headers, &visitor).await?;
    Ok(axum::Json(SessionInfo {
        role: caller.as_ref().map(|caller| caller.role),
        name: caller.and_then(|caller| caller.name().map(str::to_owned)),
        locked: access.is_locked(),
        asks_names: access.asks_names(),
    }))
}

/// Begins a session: the answer sets its cookie.
#[utoipa::path(
    post, path = "/session", tag = "access", security(()), request_body = Login,
    responses(
        (status = OK, body = SessionInfo),
        (status = UNAUTHORIZED, body = Refusal),
        (status = TOO_MANY_REQUESTS, body = Refusal)
    )
)]
pub(crate) async fn begin(
    State(App { access, audit, .. }): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Json(login): Json<Login>,
) -> Result<Response, Refusal> {
    let name = login.name.filter(|name| !name.is_empty());
    let found = access.person(visitor.network(), name, login.password);
    let Some(person) = found.await? else {
        let wrong = match access.asks_names() {
            true => "there is nobody of this name with this password",
            false => "this is not the password",
        };
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, wrong));
    };
    let secret = access.begin(person.clone()).ok_or_else(|| {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the system gives no randomness",
        )
    })?;
    audit.add(RecordedChange::login(&person, &visitor));
    let info = axum::Json(SessionInfo {
        role: Some(person.role),
        name: person.name.clone(),
        locked: true,
        asks_names: access.asks_names(),
    });
    let cookie = cookie::set(&secret, LIFETIME, &headers, visitor.is_secure);
    Ok(([(SET_COOKIE, cookie)], info).into_response())
}

/// Ends the session.
#[utoipa::path(delete, path = "/session", tag = "access", security(()), responses((status = NO_CONTENT)))]
pub(crate) async fn end(
    State(shared): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    if let Some(secret) = cookie::secret(&headers) {
        shared.access.end(secret);
    }
    let cookie = cookie::set("", Duration::ZERO, &headers, visitor.is_secure);
    (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response()
}
