//! The history of the farm: sums, and a CSV of all jobs.

mod sums;

use std::borrow::Cow;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::index::Index;
use crate::index::shared::Listing;
use crate::snapshot::moment::Moment;
use crate::web::app::App;
use crate::web::refusal::{Params, Refusal};
use sums::{History, who};

/// The time span.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Span {
    /// Hours up to now; 24 by default.
    #[serde(default = "a_day")]
    hours: u32,
}

fn a_day() -> u32 {
    24
}

/// Sums over the jobs that ended in the time span.
#[utoipa::path(
    get, path = "/history", tag = "history", params(Span),
    responses((status = OK, body = History), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn history(
    State(shared): State<App>,
    Params(span): Params<Span>,
) -> Result<axum::Json<History>, Refusal> {
    let now = shared.broker.now();
    let sum = move |listing: &Listing| History::of(&listing.read(), span.hours, now);
    Ok(axum::Json(shared.search(sum).await?))
}

/// Every job completed in the time span, one line each.
#[utoipa::path(
    get, path = "/history.csv", tag = "history", params(Span),
    responses((status = OK, body = String, content_type = "text/csv"))
)]
pub(crate) async fn csv(
    State(shared): State<App>,
    Params(span): Params<Span>,
) -> Result<Response, Refusal> {
    let span = SignedDuration::from_hours(i64::from(span.hours));
    let now = shared.broker.now();
    let since = now.checked_sub(span).unwrap_or(Timestamp::MIN);
    let table = shared.search(move |listing| table(&listing.read(), since));
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"history.csv\""),
    ];
    Ok((headers, table.await?).into_response())
}

/// The jobs that were completed since then, as CSV.
fn table(index: &Index, since: Timestamp) -> Vec<u8> {
    let mut table = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let mut write = |cells: [&str; 10]| {
        table
            .write_record(cells)
            .expect("memory takes every record");
    };
    write([
        "job",
        "name",
        "ended",
        "worker",
        "encoder",
        "input_bytes",
        "output_bytes",
        "frames",
        "encode_seconds",
        "total_seconds",
    ]);
    for done in index.done().filter(|done| done.ended >= since) {
        let (worker, encoder) = who(&done);
        write([
            &done.job.to_string(),
            &no_formula(done.name),
            &Moment(done.ended).to_string(),
            &worker,
            &encoder,
            &done.input_size.to_string(),
            &done.output_size.to_string(),
            &done.frames.to_string(),
            &format!("{:.3}", done.encode_seconds),
            &format!("{:.3}", done.total_seconds),
        ]);
    }
    table.into_inner().expect("memory takes every record")
}

/// The name, written so that no spreadsheet takes it for a formula.
fn no_formula(name: &str) -> Cow<'_, str> {
    if name.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{name}").into()
    } else {
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::completed;

    #[test]
    fn hostile_names_stay_cells_and_are_no_formulas() {
        for (name, cell) in [
            ("a \"b\", c.mkv", "\"a \"\"b\"\", c.mkv\""),
            ("=HYPERLINK(1).mkv", "'=HYPERLINK(1).mkv"),
        ] {
            let table = table(&completed(name), Timestamp::MIN);
            let table = String::from_utf8(table).expect("text");
            let row = table.lines().nth(1).expect("a row");
            assert!(row.contains(&format!(",{cell},")), "{row}");
        }
    }
}
