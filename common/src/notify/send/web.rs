//! Sending to a web server.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};

use super::{quoted, sign};
use crate::notify::delivery::Answer;
use crate::notify::hook::Prepared;
use crate::notify::occurrence::Occurrence;
use crate::notify::secret::Secret;
use crate::notify::target::{Credentials, Request, WebTarget};
use crate::notify::template::Method;

/// Most bytes of an answer that are read.
const LONGEST_ANSWER: usize = 64 * 1024;

pub(super) async fn send(
    client: &reqwest::Client,
    target: &WebTarget,
    hook: &Prepared,
    of: &Occurrence,
    now: Timestamp,
) -> Answer {
    let request = match target.request(&hook.template, of) {
        Ok(request) => request,
        Err(error) => return Answer::Refused(error.to_string()),
    };
    let server = target.server();
    let sent = build(client, request, hook.secret.as_ref(), of, now)
        .send()
        .await;
    let answer = match sent {
        Ok(answer) => answer,
        // The address may be secret.
        Err(error) => return unsent(&server, &error.without_url()),
    };
    let status = answer.status();
    let after = answer.headers().get(RETRY_AFTER);
    let after = after.and_then(|after| after.to_str().ok()?.parse().ok());
    let place = answer.headers().get(reqwest::header::LOCATION).cloned();
    let said = quoted(&said(answer).await);
    let mut words = format!("{server} answered {status}");
    if status.is_redirection() {
        let place = place.as_ref().and_then(|place| place.to_str().ok());
        let place = place.and_then(|place| reqwest::Url::parse(place).ok());
        let place = place.map(|place| place.origin().ascii_serialization());
        let place = place.unwrap_or_else(|| "another address".to_owned());
        words += &format!(
            ": redirects are not followed; save the hook with the address that it leads to (at {place})"
        );
    } else if !said.is_empty() {
        words += &format!(": {said}");
    }
    Answer::of_status(status.as_u16(), words, after.map(Duration::from_secs))
}

fn build(
    client: &reqwest::Client,
    request: Request,
    secret: Option<&Secret>,
    of: &Occurrence,
    now: Timestamp,
) -> reqwest::RequestBuilder {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
    };
    let id = of.id.to_string();
    let seconds = now.as_second();
    let mut built = client
        .request(method, request.url)
        .header("webhook-id", &id)
        .header("webhook-timestamp", seconds);
    for (name, value) in request.headers {
        // Control characters are left out of headers when they are filled.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            built = built.header(name, value);
        }
    }
    built = match request.credentials {
        Some(Credentials::Basic(user, password)) => built.basic_auth(user, Some(password.reveal())),
        Some(Credentials::Bearer(token)) => built.bearer_auth(token.reveal()),
        None => built,
    };
    let body = request.body.as_ref().map_or("", |(body, _)| body.as_str());
    if let Some(signature) = secret.and_then(|secret| sign::signature(secret, &id, seconds, body)) {
        built = built.header("webhook-signature", signature);
    }
    match request.body {
        Some((body, body_type)) => built
            .header(CONTENT_TYPE, body_type.content_type())
            .body(body),
        None => built,
    }
}

/// The beginning of what the other side said.
async fn said(mut answer: reqwest::Response) -> String {
    let mut said = Vec::new();
    // What breaks off is still told as far as it came.
    while let Ok(Some(chunk)) = answer.chunk().await {
        let room = LONGEST_ANSWER - said.len();
        said.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if said.len() == LONGEST_ANSWER {
            break;
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn unsent(server: &str, error: &reqwest::Error) -> Answer {
    let error = match error {
        error if error.is_timeout() => format!("{server} did not answer in time"),
        error if error.is_connect() => format!("{server} is out of reach: {}", innermost(error)),
        error => format!("sending to {server} failed: {}", innermost(error)),
    };
    Answer::Later { error, after: None }
}

/// The cause that no other error wraps.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    quoted(&cause.to_string())
}
