//! What the farm has done: sums over time, by worker and encoder, and why jobs
//! failed; also as CSV.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use common::failure::Fault;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::refusal::Params;
use super::{Refusal, Shared};
use crate::index::{Done, Index};
use crate::view::snapshot::Moment;

/// Points of a curve: as many as a chart shows.
const POINTS: i64 = 48;
/// Reasons that are told apart, the most frequent.
const REASONS: usize = 20;

/// How far back.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Span {
    /// Hours; a day where left out.
    #[serde(default = "a_day")]
    hours: u32,
}

fn a_day() -> u32 {
    24
}

/// What the farm has done.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct History {
    /// Since when.
    #[schema(value_type = String)]
    since: Moment,
    /// Seconds that each point of the curve stands for.
    step: i64,
    /// Sums over equal stretches of time, the earliest first.
    curve: Vec<Sum>,
    /// Sums by worker and encoder.
    by_worker: Vec<WorkerSum>,
    /// Why jobs failed, the most frequent first.
    failures: Vec<FailureSum>,
    /// Completed jobs by how large the output is beside the input: each tenth
    /// up to its whole size, and the larger ones last.
    ratios: Vec<usize>,
}

/// What completed jobs add up to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct Sum {
    completed: u64,
    failed: u64,
    frames: u64,
    encode_seconds: f64,
    total_seconds: f64,
    input_bytes: u64,
    output_bytes: u64,
}

/// What a worker did with an encoder.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct WorkerSum {
    worker: String,
    /// `copy` where nothing was encoded.
    encoder: String,
    sum: Sum,
}

/// Why jobs failed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct FailureSum {
    #[schema(value_type = String)]
    fault: Fault,
    reason: String,
    jobs: usize,
    #[schema(value_type = String)]
    latest: Moment,
}

impl Sum {
    fn add(&mut self, done: &Done<'_>) {
        self.completed += 1;
        self.frames += done.frames;
        self.encode_seconds += f64::from(done.encode_seconds);
        self.total_seconds += f64::from(done.total_seconds);
        self.input_bytes += done.input_size;
        self.output_bytes += done.output_size;
    }
}

impl History {
    fn of(index: &Index, hours: u32, now: Timestamp) -> Self {
        let span = i64::from(hours.clamp(1, 24 * 366)) * 3600;
        let step = (span / POINTS).max(60);
        let points = (span + step - 1) / step;
        let since = now - SignedDuration::from_secs(points * step);
        // `None` before the span; a clock that is ahead counts as now.
        let point = |ended: Timestamp| {
            let nth = ended.duration_since(since).as_secs() / step;
            usize::try_from(nth.min(points - 1))
                .ok()
                .filter(|_| ended >= since)
        };
        let mut curve = vec![Sum::default(); usize::try_from(points).unwrap_or_default()];
        let mut by_worker: BTreeMap<(String, String), Sum> = BTreeMap::new();
        let mut ratios = vec![0; 11];
        for done in index.done() {
            let Some(nth) = point(done.ended) else {
                continue;
            };
            curve[nth].add(&done);
            let (worker, encoder) = who(&done);
            by_worker.entry((worker, encoder)).or_default().add(&done);
            let ratio = done.output_size as f64 / done.input_size.max(1) as f64;
            ratios[((ratio * 10.0) as usize).min(10)] += 1;
        }
        let mut failures: BTreeMap<(String, String), FailureSum> = BTreeMap::new();
        for broken in index.broken() {
            let Some(nth) = point(broken.ended) else {
                continue;
            };
            curve[nth].failed += 1;
            let sum = failures
                .entry((broken.fault.to_string(), broken.reason.to_owned()))
                .or_insert_with(|| FailureSum {
                    fault: broken.fault,
                    reason: broken.reason.to_owned(),
                    jobs: 0,
                    latest: Moment(broken.ended),
                });
            sum.jobs += 1;
            sum.latest = sum.latest.max(Moment(broken.ended));
        }
        let mut failures: Vec<FailureSum> = failures.into_values().collect();
        failures.sort_by_key(|sum| (std::cmp::Reverse(sum.jobs), std::cmp::Reverse(sum.latest)));
        failures.truncate(REASONS);
        Self {
            since: Moment(since),
            step,
            curve,
            by_worker: by_worker
                .into_iter()
                .map(|((worker, encoder), sum)| WorkerSum {
                    worker,
                    encoder,
                    sum,
                })
                .collect(),
            failures,
            ratios,
        }
    }
}

fn who(done: &Done<'_>) -> (String, String) {
    (
        done.worker.map(ToString::to_string).unwrap_or_default(),
        done.encoder
            .map_or_else(|| "copy".to_owned(), ToString::to_string),
    )
}

/// What the farm has done lately.
#[utoipa::path(
    get, path = "/history", tag = "history", params(Span),
    responses((status = OK, body = History), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(super) async fn history(
    State(shared): State<Shared>,
    Params(span): Params<Span>,
) -> axum::Json<History> {
    let _viewer = shared.audience.join();
    shared.listing.caught_up().await;
    let index = shared.listing.read();
    axum::Json(History::of(&index, span.hours, Timestamp::now()))
}

/// Every completed job of the time, a line each.
#[utoipa::path(
    get, path = "/history.csv", tag = "history", params(Span),
    responses((status = OK, body = String, content_type = "text/csv"))
)]
pub(super) async fn csv(State(shared): State<Shared>, Params(span): Params<Span>) -> Response {
    let _viewer = shared.audience.join();
    shared.listing.caught_up().await;
    let index = shared.listing.read();
    let since = Timestamp::now() - SignedDuration::from_hours(i64::from(span.hours));
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
