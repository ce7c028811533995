//! Orders: pauses of queues and batches, drains and hours of workers; and the end of a quarantine.

use axum::extract::State;
use axum::http::StatusCode;
use common::broker::LiftError;
use common::farm::hours::Hours;
use common::farm::orders::{Order, Target};
use common::farm::worker_name::WorkerName;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::web::app::App;
use crate::web::refusal::{Json, Named, Refusal};

/// When in the week a worker may start jobs.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Week {
    /// By the worker's own clock, e.g. `mon-fri 19:00-07:00; sat,sun 00:00-24:00`.
    hours: Hours,
}

/// Pauses `queue.NAME` or `batch.ID`, or drains `worker.NAME`.
#[utoipa::path(
    put, path = "/pauses/{target}", tag = "steer", params(("target" = String, Path)),
    responses((status = NO_CONTENT), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn pause(
    State(shared): State<App>,
    Named(target): Named<String>,
) -> Result<StatusCode, Refusal> {
    set_paused(&shared, &target, true).await
}

/// Resumes a queue, a batch or a worker.
#[utoipa::path(
    delete, path = "/pauses/{target}", tag = "steer", params(("target" = String, Path)),
    responses((status = NO_CONTENT), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn resume(
    State(shared): State<App>,
    Named(target): Named<String>,
) -> Result<StatusCode, Refusal> {
    set_paused(&shared, &target, false).await
}

/// Ends a worker's quarantine: the worker takes jobs at once.
#[utoipa::path(
    delete, path = "/quarantines/{worker}", tag = "steer", params(("worker" = String, Path)),
    responses(
        (status = NO_CONTENT),
        (status = CONFLICT, body = Refusal),
        (status = SERVICE_UNAVAILABLE, body = Refusal),
        (status = GATEWAY_TIMEOUT, body = Refusal)
    )
)]
pub(crate) async fn lift(
    State(shared): State<App>,
    Named(worker): Named<WorkerName>,
) -> Result<StatusCode, Refusal> {
    let refused = |why: String| Err(Refusal::new(StatusCode::CONFLICT, why));
    match shared.broker.lift_quarantine(&worker).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => refused(format!("worker {worker} is not in quarantine")),
        Err(LiftError::Broker(error)) => Err(error.into()),
        Err(error @ LiftError::NotConnected(_)) => refused(error.to_string()),
        Err(error @ LiftError::Late(_)) => {
            Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, error.to_string()))
        }
    }
}

/// Sets a worker's hours.
#[utoipa::path(
    put, path = "/hours/{worker}", tag = "steer", params(("worker" = String, Path)),
    request_body = Week,
    responses((status = NO_CONTENT), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn set_hours(
    State(shared): State<App>,
    Named(worker): Named<WorkerName>,
    Json(Week { hours }): Json<Week>,
) -> Result<StatusCode, Refusal> {
    order_hours(&shared, worker, Some(hours)).await
}

/// Removes the hours set here: the worker keeps those that it was started with.
#[utoipa::path(
    delete, path = "/hours/{worker}", tag = "steer", params(("worker" = String, Path)),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = Refusal))
)]
pub(crate) async fn leave_hours(
    State(shared): State<App>,
    Named(worker): Named<WorkerName>,
) -> Result<StatusCode, Refusal> {
    order_hours(&shared, worker, None).await
}

async fn set_paused(shared: &App, target: &str, paused: bool) -> Result<StatusCode, Refusal> {
    let target: Target = target
        .parse()
        .map_err(|error: common::farm::orders::TargetError| Refusal::unsound(error.to_string()))?;
    shared.broker.pause_target(&target, paused).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn order_hours(
    shared: &App,
    worker: WorkerName,
    hours: Option<Hours>,
) -> Result<StatusCode, Refusal> {
    let controls = shared.broker.orders().await?;
    let order = controls.setting_hours(&worker, hours, shared.broker.now());
    command(shared, &Target::Worker(worker), order.as_ref()).await
}

async fn command(
    shared: &App,
    target: &Target,
    order: Option<&Order>,
) -> Result<StatusCode, Refusal> {
    shared.broker.give_order(target, order).await?;
    Ok(StatusCode::NO_CONTENT)
}
