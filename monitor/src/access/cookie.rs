//! The cookie of a session.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HOST};

/// The cookie's name, where the monitor has the usual port of its protocol. Elsewhere the port is added: browsers send
/// a host's cookies to all of its ports, and there may be a monitor at each.
pub(crate) const NAME: &str = "farm_session";

/// The secret in the cookie of a request.
pub(crate) fn secret(headers: &HeaderMap) -> Option<&str> {
    let wanted = name(headers);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| {
            let (name, value) = cookie.trim().split_once('=')?;
            (name == wanted).then_some(value)
        })
}

/// The value of `Set-Cookie` in the answer to a request with these headers. The cookie is out of reach for scripts and
/// for foreign pages, and if the page came encrypted, it is never sent otherwise.
pub(crate) fn set(
    secret: &str,
    lifetime: Duration,
    headers: &HeaderMap,
    is_secure: bool,
) -> String {
    let name = name(headers);
    let is_secure = is_secure
        || headers
            .get("x-forwarded-proto")
            .is_some_and(|scheme| scheme.as_bytes() == b"https");
    let secure = if is_secure { "; Secure" } else { "" };
    let seconds = lifetime.as_secs();
    format!("{name}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

fn name(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match host.and_then(|host| host.rsplit_once(':')) {
        Some((_, port)) if port.parse::<u16>().is_ok() => format!("{NAME}_{port}"),
        _ => NAME.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        pairs.iter().copied().map(header).collect()
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let found = headers(&[("cookie", "a=b; farm_session=secret; c=d")]);
        assert_eq!(secret(&found), Some("secret"));
        assert_eq!(secret(&headers(&[("cookie", "xfarm_session=no")])), None);
    }

    #[test]
    fn each_port_of_a_host_has_its_own_session() {
        let cookies = (
            "cookie",
            "farm_session=a; farm_session_8080=b; farm_session_8081=c",
        );
        for (host, session) in [
            ("farm", "a"),
            ("farm:8080", "b"),
            ("[::1]:8081", "c"),
            ("[::1]", "a"),
        ] {
            let request = headers(&[("host", host), cookies]);
            assert_eq!(secret(&request), Some(session), "{host}");
        }
        let made = set(
            "s",
            Duration::ZERO,
            &headers(&[("host", "farm:8080")]),
            true,
        );
        assert!(
            made.starts_with("farm_session_8080=s; ") && made.ends_with("; Secure"),
            "{made}"
        );
        let made = set("s", Duration::ZERO, &headers(&[]), false);
        assert!(!made.contains("Secure"), "{made}");
    }
}
