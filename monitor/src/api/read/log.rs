//! The live log of a job.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use common::job::id::JobId;
use common::job::part::Part;
use futures::StreamExt;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::view::board::event;
use crate::web::app::App;
use crate::web::refusal::{Named, Params, Refusal};

/// Which lines are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only those of this part of a split job, such as `chunk-3` or `rest`.
    #[param(value_type = Option<String>)]
    part: Option<Part>,
}

/// The lines that ffmpeg writes to its log from now on, as server-sent events `line`. A line of a
/// part of a split job begins with the name of the part, as in `[chunk-3] …`. The log is not
/// stored; the record of a failed job holds the last lines.
#[utoipa::path(
    get, path = "/jobs/{job}/log", tag = "jobs", params(("job" = String, Path), Wanted),
    responses((status = OK, body = String, content_type = "text/event-stream"))
)]
pub(crate) async fn follow(
    State(shared): State<App>,
    Named(job): Named<JobId>,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Refusal> {
    let lines = shared.broker.log(&job).await?;
    let events = lines
        .take_until(shared.shutdown.cancelled_owned())
        .filter(move |line| {
            let is_wanted = wanted.part.is_none_or(|part| part == line.part);
            std::future::ready(is_wanted)
        })
        .map(|line| {
            // JSON, so that no line can end the event.
            let line = serde_json::to_string(&line.to_string()).expect("a line is a string");
            Ok::<_, Infallible>(event("line", &line))
        });
    Ok((
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(events),
    )
        .into_response())
}
