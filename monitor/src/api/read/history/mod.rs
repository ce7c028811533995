//! What the farm has done, as sums and, job by job, as CSV.

mod sums;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::refusal::{Params, Refusal};
use crate::snapshot::moment::Moment;
use sums::{History, who};

/// How far back.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Span {
    /// Hours; a day where left out.
    #[serde(default = "a_day")]
    hours: u32,
}

fn a_day() -> u32 {
    24
}

/// What the farm has done lately.
#[utoipa::path(
    get, path = "/history", tag = "history", params(Span),
    responses((status = OK, body = History), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn history(
    State(shared): State<App>,
    Params(span): Params<Span>,
) -> Result<axum::Json<History>, Refusal> {
    let _viewer = shared.audience.join();
    shared.listing.caught_up().await;
    let listing = shared.listing.clone();
    // A million jobs take a while: others are answered meanwhile.
    let now = shared.broker.now();
    let sum = move || History::of(&listing.read(), span.hours, now);
    let history = tokio::task::spawn_blocking(sum).await;
    history.map(axum::Json).map_err(|_| {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "looking through the jobs failed",
        )
    })
}

/// Every completed job of the time, a line each.
#[utoipa::path(
    get, path = "/history.csv", tag = "history", params(Span),
    responses((status = OK, body = String, content_type = "text/csv"))
)]
pub(crate) async fn csv(State(shared): State<App>, Params(span): Params<Span>) -> Response {
    let _viewer = shared.audience.join();
    shared.listing.caught_up().await;
    let index = shared.listing.read();
    let span = SignedDuration::from_hours(i64::from(span.hours));
    let since = shared
        .broker
        .now()
        .checked_sub(span)
        .unwrap_or(Timestamp::MIN);
    let mut text = "job,name,ended,worker,encoder,input_bytes,output_bytes,frames,\
                    encode_seconds,total_seconds\r\n"
        .to_owned();
    for done in index.done().filter(|done| done.ended >= since) {
        let (worker, encoder) = who(&done);
        let cells = [
            done.job.to_string(),
            cell(done.name),
            Moment(done.ended).to_string(),
            worker,
            encoder,
            done.input_size.to_string(),
            done.output_size.to_string(),
            done.frames.to_string(),
            format!("{:.3}", done.encode_seconds),
            format!("{:.3}", done.total_seconds),
        ];
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"history.csv\""),
    ];
    (headers, text).into_response()
}

/// A name as one cell, which no spreadsheet takes for a formula.
fn cell(name: &str) -> String {
    let is_formula = name.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn names_stay_cells() {
        assert_eq!(cell("a \"b\", c.mkv"), "\"a \"\"b\"\", c.mkv\"");
        assert_eq!(cell("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
    }
}
