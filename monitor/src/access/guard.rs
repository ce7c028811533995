//! The guards before every route.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Access, Role};
use crate::web::refusal::Refusal;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses requests for a foreign host name, and changes requested by pages of another origin.
pub(crate) async fn origin(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    // Every browser names a host: a request without a host comes from a program.
    if let Some(host) = headers.get(HOST)
        && !host.to_str().is_ok_and(|host| access.is_ours(host))
    {
        return Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "this monitor does not go by that name: start it with --host NAME, or use its address",
        )
        .into_response();
    }
    if !request.method().is_safe() && is_from_elsewhere(headers) {
        return Refusal::new(
            StatusCode::FORBIDDEN,
            "the page that asks for this is not the monitor's",
        )
        .into_response();
    }
    next.run(request).await
}

/// Lets readers and operators pass.
pub(crate) async fn readers(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    pass(&access, Role::Reader, request, next).await
}

/// Lets operators pass.
pub(crate) async fn operators(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    pass(&access, Role::Operator, request, next).await
}

async fn pass(access: &Access, needed: Role, request: Request, next: Next) -> Response {
    match access.role(request.headers()).await {
        Some(role) if role >= needed => next.run(request).await,
        Some(_) => Refusal::new(
            StatusCode::FORBIDDEN,
            "this needs an operator's password; yours is a reader's",
        )
        .into_response(),
        None => Refusal::new(
            StatusCode::UNAUTHORIZED,
            "this needs a password: open a session, or send it as 'Authorization: Bearer'",
        )
        .into_response(),
    }
}

impl Access {
    /// The role of the sender of these headers.
    pub(crate) async fn role(&self, headers: &HeaderMap) -> Option<Role> {
        if !self.is_locked() {
            return Some(Role::Operator);
        }
        if let Some(role) = session(headers).and_then(|secret| self.sessions.role(secret)) {
            return Some(role);
        }
        let password = headers
            .get(AUTHORIZATION)?
            .to_str()
            .ok()?
            .strip_prefix("Bearer ")?;
        self.role_of(password.to_owned()).await
    }
}

/// The secret in the session's cookie.
pub(crate) fn session(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| {
            let (name, value) = cookie.trim().split_once('=')?;
            (name == super::COOKIE).then_some(value)
        })
}

/// Browsers state the origin of a request. A client that states none is no browser, so no foreign page can make it send
/// its cookie.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(SEC_FETCH_SITE) {
        return !matches!(site, "same-origin" | "none");
    }
    match text(ORIGIN) {
        Some(origin) => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_none() || authority != text(HOST)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let value = axum::http::HeaderValue::from_static(value);
                (HeaderName::from_static(name), value)
            })
            .collect()
    }

    #[test]
    fn only_our_own_page_and_programs_may_change_things() {
        let host = ("host", "127.0.0.1:8080");
        for ours in [
            vec![host],
            vec![host, ("sec-fetch-site", "same-origin")],
            vec![host, ("origin", "http://127.0.0.1:8080")],
        ] {
            assert!(!is_from_elsewhere(&headers(&ours)), "{ours:?}");
        }
        for theirs in [
            vec![host, ("sec-fetch-site", "cross-site")],
            vec![host, ("sec-fetch-site", "same-site")],
            vec![host, ("origin", "http://evil.example")],
            vec![host, ("origin", "http://127.0.0.1:9090")],
            vec![host, ("origin", "null")],
        ] {
            assert!(is_from_elsewhere(&headers(&theirs)), "{theirs:?}");
        }
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let found = headers(&[("cookie", "a=b; farm_session=secret; c=d")]);
        assert_eq!(session(&found), Some("secret"));
        assert_eq!(session(&headers(&[("cookie", "xfarm_session=no")])), None);
    }
}
