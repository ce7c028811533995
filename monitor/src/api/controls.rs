//! Standing orders: pauses of queues and batches, drains and hours of workers.

use axum::extract::State;
use axum::http::StatusCode;
use common::control::{Order, Target};
use common::hours::Hours;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::refusal::{Json, Named};
use super::{Refusal, Shared};
use crate::view::snapshot::ControlRow;

/// What to order.
#[derive(Deserialize, ToSchema)]
pub(super) struct Command {
    /// Nothing new is to be started: a queue or batch is paused, a worker drains.
    paused: bool,
    /// When in the week a worker may start jobs, e.g. `mon-fri 19:00-07:00`.
    #[schema(value_type = Option<String>)]
    hours: Option<Hours>,
}

/// Every order that is in force.
#[utoipa::path(
    get, path = "/controls", tag = "steer",
    responses((status = OK, body = Vec<ControlRow>), (status = SERVICE_UNAVAILABLE, body = Refusal))
)]
pub(super) async fn list(
    State(shared): State<Shared>,
) -> Result<axum::Json<Vec<ControlRow>>, Refusal> {
    let controls = shared.broker.controls().await?;
    Ok(axum::Json(ControlRow::all(&controls)))
}

/// Gives an order about `queue.NAME`, `worker.NAME` or `batch.ID`, in place of the one before.
#[utoipa::path(
    put, path = "/controls/{target}", tag = "steer", params(("target" = String, Path)),
    request_body = Command,
    responses((status = NO_CONTENT), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(super) async fn give(
    State(shared): State<Shared>,
    Named(target): Named<String>,
    Json(command): Json<Command>,
) -> Result<StatusCode, Refusal> {
    let target = parse(&target)?;
    if command.hours.is_some() && !matches!(target, Target::Worker(_)) {
        return Err(Refusal::unsound("only workers have hours"));
    }
    let order = Order {
        paused: command.paused,
        hours: command.hours,
        since: Timestamp::now(),
    };
    shared.broker.command(&target, Some(&order)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the order about a target back.
#[utoipa::path(
    delete, path = "/controls/{target}", tag = "steer", params(("target" = String, Path)),
    responses((status = NO_CONTENT), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(super) async fn take_back(
    State(shared): State<Shared>,
    Named(target): Named<String>,
) -> Result<StatusCode, Refusal> {
    shared.broker.command(&parse(&target)?, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse(target: &str) -> Result<Target, Refusal> {
    target
        .parse()
        .map_err(|error: common::control::TargetError| Refusal::unsound(error.to_string()))
}
