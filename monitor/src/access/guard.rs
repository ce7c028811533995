//! The guards before every route.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::caller::{Caller, Holder};
use super::visitor::Visitor;
use super::{Access, NotNow, Role, cookie};
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
    Extension(visitor): Extension<Visitor>,
    request: Request,
    next: Next,
) -> Response {
    pass(&access, Role::Reader, &visitor, request, next).await
}

/// Lets operators pass.
pub(crate) async fn operators(
    State(access): State<Arc<Access>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
    next: Next,
) -> Response {
    pass(&access, Role::Operator, &visitor, request, next).await
}

async fn pass(
    access: &Access,
    needed: Role,
    visitor: &Visitor,
    mut request: Request,
    next: Next,
) -> Response {
    match access.caller(request.headers(), visitor).await {
        Ok(Some(caller)) if caller.role >= needed => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Ok(Some(_)) => Refusal::new(
            StatusCode::FORBIDDEN,
            "this needs an operator's password; yours is a reader's",
        )
        .into_response(),
        Ok(None) => Refusal::new(
            StatusCode::UNAUTHORIZED,
            "this needs a password: open a session, or send it as 'Authorization: Bearer'",
        )
        .into_response(),
        Err(not_now) => Refusal::from(not_now).into_response(),
    }
}

impl Access {
    /// Who sends a request with these headers; `None` for a stranger.
    pub(crate) async fn caller(
        &self,
        headers: &HeaderMap,
        visitor: &Visitor,
    ) -> Result<Option<Caller>, NotNow> {
        let caller = self.identify(headers, visitor).await?;
        if caller.is_some() {
            visitor.vouch();
        }
        Ok(caller)
    }

    async fn identify(
        &self,
        headers: &HeaderMap,
        visitor: &Visitor,
    ) -> Result<Option<Caller>, NotNow> {
        let from = visitor.network();
        if !self.is_locked() {
            return Ok(Some(Caller {
                role: Role::Operator,
                holder: Holder::Anyone(from),
            }));
        }
        if let Some(secret) = cookie::secret(headers)
            && let Some(person) = self.of_session(secret)
        {
            return Ok(Some(Caller {
                role: person.role,
                holder: Holder::Session(secret.to_owned(), person),
            }));
        }
        let Some(password) = bearer(headers) else {
            return Ok(None);
        };
        let person = self.person(from, None, password.to_owned()).await?;
        Ok(person.map(|person| Caller {
            role: person.role,
            holder: Holder::Bearer(person),
        }))
    }
}

impl From<NotNow> for Refusal {
    fn from(NotNow { after }: NotNow) -> Self {
        let seconds = after.as_secs_f64().ceil();
        let text = format!("too many passwords are tried: try yours again in {seconds} s");
        Self::too_much(text, after)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
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
}
