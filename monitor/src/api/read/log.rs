//! The live log of a job.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use common::job::id::JobId;
use common::names::subject;
use futures::StreamExt;

use crate::view::board::event;
use crate::web::app::App;
use crate::web::refusal::{Named, Refusal};

/// The lines that ffmpeg writes to its log from now on, as server-sent events `line`. The log is
/// not stored; the record of a failed job holds the last lines.
#[utoipa::path(
    get, path = "/jobs/{job}/log", tag = "jobs", params(("job" = String, Path)),
    responses((status = OK, body = String, content_type = "text/event-stream"))
)]
pub(crate) async fn follow(
    State(shared): State<App>,
    Named(job): Named<JobId>,
) -> Result<Response, Refusal> {
    let client = shared.broker.client();
    let lines = client
        .subscribe(subject::logs(&job))
        .await
        .map_err(|error| {
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("the log cannot be followed: {error}"),
            )
        })?;
    let events = lines
        .take_until(shared.shutdown.cancelled_owned())
        .map(|message| {
            let text = String::from_utf8_lossy(&message.payload);
            // JSON, so that no line can end the event.
            let line = serde_json::to_string(&text).expect("a line is a string");
            Ok::<_, Infallible>(event("line", &line))
        });
    Ok((
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(events),
    )
        .into_response())
}
