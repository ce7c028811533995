//! Previews of a job's files, made by workers: what a file holds, and still pictures.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use common::broker::{Broker, BrokerError, PreviewError};
use common::farm::preview::{FrameTimes, JobFile, Preview, PreviewKind};
use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::job::media_info::MediaInfo;
use common::job::record::JobRecord;
use common::job::run::report::Report;
use common::job::run::{Run, RunState};
use common::wire;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::web::app::App;
use crate::web::refusal::{Named, Params, Refusal};

/// The most workers that are asked, one after the other.
const ASKED: usize = 4;

/// What a job's two files hold.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sides {
    input: Content,
    /// Left out until there is an output.
    output: Option<Content>,
}

/// What a file holds.
#[derive(Serialize, ToSchema)]
pub(crate) struct Content {
    /// Format, duration and tracks.
    media: Option<MediaInfo>,
    /// Why the contents are not known.
    why: Option<String>,
}

impl From<Result<MediaInfo, PreviewError>> for Content {
    fn from(seen: Result<MediaInfo, PreviewError>) -> Self {
        match seen {
            Ok(media) => Self {
                media: Some(media),
                why: None,
            },
            Err(why) => Self {
                media: None,
                why: Some(why.to_string()),
            },
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StillQuery {
    /// `input` or `output`.
    #[param(value_type = String)]
    side: JobFile,
    /// Seconds from the beginning.
    at: f64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimeQuery {
    /// Seconds from the first picture.
    at: f64,
}

/// What a job's files hold: format, duration, tracks. For a completed job, as its report says;
/// otherwise a worker probes the input now.
#[utoipa::path(
    get, path = "/jobs/{job}/media", tag = "jobs", params(("job" = String, Path)),
    responses((status = OK, body = Sides), (status = NOT_FOUND, body = Refusal))
)]
pub(crate) async fn media(
    State(App { broker, .. }): State<App>,
    Named(job): Named<JobId>,
) -> Result<axum::Json<Sides>, Refusal> {
    let record = known(&broker, &job).await?;
    let report = report(&record);
    let content = async |side, known: Option<MediaInfo>| match known {
        Some(media) => Content::from(Ok(media)),
        None => info(&broker, &record, side).await.into(),
    };
    let output = async {
        match report {
            Some(report) => Some(content(JobFile::Output, report.output_media.clone()).await),
            None => None,
        }
    };
    let input = content(
        JobFile::Input,
        report.and_then(|made| made.input_media.clone()),
    );
    let (input, output) = tokio::join!(input, output);
    Ok(axum::Json(Sides { input, output }))
}

/// A picture of one of a job's files, 480 pixels across.
#[utoipa::path(
    get, path = "/jobs/{job}/still", tag = "jobs", params(("job" = String, Path), StillQuery),
    responses(
        (status = OK, body = Vec<u8>, content_type = "image/jpeg"),
        (status = NOT_FOUND, body = Refusal),
        (status = BAD_GATEWAY, body = Refusal)
    )
)]
pub(crate) async fn still(
    State(shared): State<App>,
    Named(job): Named<JobId>,
    Params(StillQuery { side, at }): Params<StillQuery>,
) -> Result<Response, Refusal> {
    let at = time(at)?;
    let still = (job, side, (at * 1000.0) as u64);
    let make = async {
        let record = known(&shared.broker, &job).await?;
        let seen = see(&shared.broker, &record, side, PreviewKind::Still(at)).await;
        seen.map_err(|why| Refusal::new(StatusCode::BAD_GATEWAY, why.to_string()))
    };
    Ok(jpeg(shared.stills.picture(&still, make).await?))
}

/// The frame that a completed job's output shows at a time: of the output, or of the input the frame that it was made
/// of. At most 1280 pixels across.
#[utoipa::path(
    get, path = "/jobs/{job}/frame", tag = "jobs", params(("job" = String, Path), StillQuery),
    responses(
        (status = OK, body = Vec<u8>, content_type = "image/jpeg"),
        (status = NOT_FOUND, body = Refusal),
        (status = BAD_GATEWAY, body = Refusal)
    )
)]
pub(crate) async fn frame(
    State(shared): State<App>,
    Named(job): Named<JobId>,
    Params(StillQuery { side, at }): Params<StillQuery>,
) -> Result<Response, Refusal> {
    let at = time(at)?;
    let still = (job, side, (at * 1e6) as u64);
    let make = async {
        let record = known(&shared.broker, &job).await?;
        let seen = see(&shared.broker, &record, side, PreviewKind::Frame(at)).await;
        seen.map_err(|why| Refusal::new(StatusCode::BAD_GATEWAY, why.to_string()))
    };
    Ok(jpeg(shared.frames.picture(&still, make).await?))
}

/// When the frames of a completed job's output are shown, around a time. Seconds count from its first picture.
#[utoipa::path(
    get, path = "/jobs/{job}/frames", tag = "jobs", params(("job" = String, Path), TimeQuery),
    responses(
        (status = OK, body = FrameTimes),
        (status = NOT_FOUND, body = Refusal),
        (status = BAD_GATEWAY, body = Refusal)
    )
)]
pub(crate) async fn frames(
    State(shared): State<App>,
    Named(job): Named<JobId>,
    Params(TimeQuery { at }): Params<TimeQuery>,
) -> Result<axum::Json<FrameTimes>, Refusal> {
    let what = PreviewKind::FrameTimes(time(at)?);
    let record = known(&shared.broker, &job).await?;
    let seen = see(&shared.broker, &record, JobFile::Output, what).await;
    let bad = |why: String| Refusal::new(StatusCode::BAD_GATEWAY, why);
    let seen = seen.map_err(|why| bad(why.to_string()))?;
    let times = wire::decode(&seen).map_err(|why| bad(why.to_string()))?;
    Ok(axum::Json(times))
}

fn time(at: f64) -> Result<f64, Refusal> {
    match (0.0..1e9).contains(&at) {
        true => Ok(at),
        false => Err(Refusal::unsound(format!("{at} is no time in seconds"))),
    }
}

fn jpeg(picture: Bytes) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("image/jpeg")),
        (
            CACHE_CONTROL,
            HeaderValue::from_static("private, max-age=3600"),
        ),
    ];
    (headers, picture).into_response()
}

async fn known(broker: &Broker, job: &JobId) -> Result<JobRecord, Refusal> {
    let record = broker.job(job).await?;
    record.ok_or_else(|| Refusal::unknown(format!("job not found: {job}")))
}

fn report(record: &JobRecord) -> Option<&Report> {
    match &record.run()?.state {
        RunState::Completed { report } => Some(report),
        _ => None,
    }
}

async fn info(
    broker: &Broker,
    record: &JobRecord,
    side: JobFile,
) -> Result<MediaInfo, PreviewError> {
    let answer = see(broker, record, side, PreviewKind::Info).await?;
    wire::decode(&answer).map_err(|error| PreviewError::Refused(error.to_string()))
}

/// Asks the workers that are likely to reach the file, until one answers.
async fn see(
    broker: &Broker,
    record: &JobRecord,
    side: JobFile,
    what: PreviewKind,
) -> Result<Bytes, PreviewError> {
    let peek = Preview {
        job: record.job().id,
        side,
        what,
    };
    let mut seen = Err(PreviewError::Refused(
        "no worker is there to look".to_owned(),
    ));
    for worker in likely(broker, record).await?.into_iter().take(ASKED) {
        seen = broker.preview(&worker, &peek).await;
        if seen.is_ok() {
            break;
        }
    }
    seen
}

/// The job's owner first, then the least busy workers.
async fn likely(broker: &Broker, record: &JobRecord) -> Result<Vec<WorkerName>, BrokerError> {
    let had = record.run().and_then(Run::worker);
    let mut workers = broker.workers().await?;
    workers.sort_by_key(|worker| (Some(&worker.name) != had, worker.running.len()));
    Ok(workers.into_iter().map(|worker| worker.name).collect())
}
