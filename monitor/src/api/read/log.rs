//! The live log of a job.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use common::broker::LogLine;
use common::job::id::JobId;
use common::job::part::Part;
use futures::{Stream, StreamExt};
use serde::Deserialize;
use tokio_util::task::AbortOnDropHandle;
use utoipa::IntoParams;

use crate::access::caller::Caller;
use crate::view::board::event;
use crate::web::app::App;
use crate::web::backlog::{Backlog, Next};
use crate::web::refusal::{Named, Params, Refusal};
use crate::web::streams::OpenStream;

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
/// stored; the record of a failed job holds the last lines. Very long lines are cut; the oldest lines are left out if they
/// come quicker than they are read.
#[utoipa::path(
    get, path = "/jobs/{job}/log", tag = "jobs", params(("job" = String, Path), Wanted),
    responses(
        (status = OK, body = String, content_type = "text/event-stream"),
        (status = TOO_MANY_REQUESTS, body = Refusal)
    )
)]
pub(crate) async fn follow(
    State(shared): State<App>,
    Extension(caller): Extension<Caller>,
    Named(job): Named<JobId>,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Refusal> {
    let stream = shared.streams.open(&caller)?;
    let lines = shared.broker.log(&job).await?;
    let lines = Box::pin(lines.take_until(shared.shutdown.cancelled_owned()));
    let backlog = Arc::new(Backlog::default());
    let filling = tokio::spawn(fill(backlog.clone(), lines, wanted.part));
    let reader = Reader {
        backlog,
        _filling: AbortOnDropHandle::new(filling),
        _stream: stream,
    };
    let events = futures::stream::unfold(reader, |reader| async {
        let event = match reader.backlog.next().await? {
            Next::Event(event) => event,
            Next::Dropped(lines) => line(&format!(
                "[{lines} lines left out: they came quicker than they were read]"
            )),
        };
        Some((Ok::<_, Infallible>(event), reader))
    });
    Ok((
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(events),
    )
        .into_response())
}

/// A page that reads a log.
struct Reader {
    backlog: Arc<Backlog>,
    _filling: AbortOnDropHandle<()>,
    _stream: OpenStream,
}

/// Takes the lines from the broker as they come, however slowly the page reads.
async fn fill(
    backlog: Arc<Backlog>,
    mut lines: impl Stream<Item = LogLine> + Unpin,
    part: Option<Part>,
) {
    while let Some(next) = lines.next().await {
        if part.is_none_or(|part| part == next.part) {
            backlog.push(line(&next.to_string()));
        }
    }
    backlog.end();
}

/// The event of a line.
fn line(text: &str) -> Bytes {
    // JSON, so that no line can end the event.
    event(
        "line",
        &serde_json::to_string(text).expect("a line is a string"),
    )
}
