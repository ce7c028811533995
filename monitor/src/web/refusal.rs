//! Errors of the API: one line that says what happened, why, and what to do.

use std::time::Duration;

use axum::Extension;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use common::broker::{BrokerError, HookStoreError, SettingsError};
use common::store::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::audit::told::Told;
use crate::scale::NoDemand;

/// How long the body of a request may take to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Why a request was refused or failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refusal {
    #[serde(skip)]
    status: StatusCode,
    /// What, why and what to do, in one line.
    error: String,
    /// When to try again.
    #[serde(skip)]
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            error: error.into(),
            retry_after: None,
        }
    }

    /// The sender asks too much, and may ask again after this time.
    pub(crate) fn too_much(error: impl Into<String>, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, error)
        }
    }

    /// The thing that the request names does not exist.
    pub(crate) fn unknown(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, what)
    }

    /// The request contains an invalid value.
    pub(crate) fn unsound(what: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, what)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after;
        let told = Told(self.error.clone());
        let mut response = (self.status, Extension(told), axum::Json(self)).into_response();
        if let Some(after) = retry_after {
            let seconds = after.as_secs_f64().ceil() as u64;
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<BrokerError> for Refusal {
    fn from(error: BrokerError) -> Self {
        let status = match error {
            // The broker answers, but its data cannot be read.
            BrokerError::BrokenRun { .. } | BrokerError::Wire { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            BrokerError::UnsoundJob { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<NoDemand> for Refusal {
    fn from(error: NoDemand) -> Self {
        match error {
            NoDemand::Broker(error) => error.into(),
            NoDemand::Incomplete => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(_) => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            StoreError::LeadsOut(place) => Self::unsound(format!(
                "a link at or above {place} leads out of the monitor's store (--store): choose another folder"
            )),
            _ => Self::new(StatusCode::BAD_GATEWAY, error.to_string()),
        }
    }
}

impl From<SettingsError> for Refusal {
    fn from(error: SettingsError) -> Self {
        let status = match error {
            SettingsError::Broker(error) => return error.into(),
            SettingsError::Taken(_) | SettingsError::Changed(_) => StatusCode::CONFLICT,
            SettingsError::Unknown(_) | SettingsError::BuiltIn(_) | SettingsError::IsDefault(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
        };
        Self::new(status, error.to_string())
    }
}

impl From<HookStoreError> for Refusal {
    fn from(error: HookStoreError) -> Self {
        let status = match error {
            HookStoreError::Broker(error) => return error.into(),
            HookStoreError::Taken(_) | HookStoreError::Changed(_) => StatusCode::CONFLICT,
            HookStoreError::Unknown { .. } | HookStoreError::TooMany => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
        };
        Self::new(status, error.to_string())
    }
}

/// A request's body, read from JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let reading = axum::Json::from_request(request, state);
        let Ok(read) = tokio::time::timeout(PATIENCE, reading).await else {
            return Err(Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                "the rest of the request does not come",
            ));
        };
        match read {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => {
                let text = rejection.body_text();
                Err(Refusal::new(rejection.status(), in_short(&text)))
            }
        }
    }
}

/// The part of a body's error that says what is wrong and where, without Rust's types and byte
/// positions.
fn in_short(text: &str) -> &str {
    let text = text
        .strip_prefix("Failed to deserialize the JSON body into the target type: ")
        .unwrap_or(text);
    match text.rsplit_once(" at line ") {
        Some((text, place)) if place.starts_with(|c: char| c.is_ascii_digit()) => text,
        _ => text,
    }
}

/// The query parameters of a request.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(Refusal::new(rejection.status(), rejection.body_text())),
        }
    }
}

/// The parameter in a request's path.
pub(crate) struct Named<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(rejection) => Err(Refusal::new(StatusCode::NOT_FOUND, rejection.body_text())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::in_short;

    #[test]
    fn a_body_that_says_what_cannot_be_meant_is_refused_in_short() {
        let words = "recipe.video.encode.filters: filter 'movie' is not allowed";
        let text = format!(
            "Failed to deserialize the JSON body into the target type: {words} at line 1 column 99"
        );
        assert_eq!(in_short(&text), words);
        assert_eq!(in_short("looks at line noise"), "looks at line noise");
    }
}
