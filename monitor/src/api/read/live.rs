//! The state, and every change of it, as server-sent events:
//!
//! - `clock`: the broker's time, first of all and every few seconds, so that a page computes ages right and notices a
//!   connection that has died silently;
//! - `state`: all sections;
//! - `change`: the sections that differ from those sent before.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use common::broker::Broker;
use futures::{Stream, StreamExt};
use tokio::sync::watch;

use crate::access::caller::Caller;
use crate::feed::audience::Viewer;
use crate::snapshot::moment::Moment;
use crate::view::board::{Frame, event};
use crate::web::app::App;
use crate::web::refusal::Refusal;
use crate::web::streams::OpenStream;

const CLOCK: Duration = Duration::from_secs(10);
/// How long a browser waits before it connects again.
const RETRY: &[u8] = b"retry: 1000\n\n";

/// The state and every change of it, as server-sent events `clock`, `state` and `change`.
#[utoipa::path(
    get, path = "/live", tag = "state",
    responses(
        (status = OK, body = String, content_type = "text/event-stream"),
        (status = TOO_MANY_REQUESTS, body = Refusal)
    )
)]
pub(crate) async fn live(
    State(shared): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Refusal> {
    let stream = shared.streams.open(&caller)?;
    let follower = Follower {
        broker: shared.broker.clone(),
        frames: shared.board.subscribe(),
        sent: None,
        ready: VecDeque::from([Bytes::from_static(RETRY), clock(&shared.broker)]),
        clock: tokio::time::interval_at(tokio::time::Instant::now() + CLOCK, CLOCK),
        _viewer: shared.audience.join(),
        _stream: stream,
    };
    let events = follower
        .events()
        .take_until(shared.shutdown.cancelled_owned())
        .map(Ok::<_, Infallible>);
    Ok((
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(events),
    )
        .into_response())
}

/// One open page.
struct Follower {
    broker: Broker,
    frames: watch::Receiver<Option<Arc<Frame>>>,
    /// The version of the last frame that was sent.
    sent: Option<u64>,
    ready: VecDeque<Bytes>,
    clock: tokio::time::Interval,
    _viewer: Viewer,
    _stream: OpenStream,
}

impl Follower {
    fn events(self) -> impl Stream<Item = Bytes> {
        futures::stream::unfold(self, |mut follower| async {
            let bytes = follower.next().await?;
            Some((bytes, follower))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            if let Some(bytes) = self.news() {
                return Some(bytes);
            }
            tokio::select! {
                changed = self.frames.changed() => changed.ok()?,
                _ = self.clock.tick() => return Some(clock(&self.broker)),
            }
        }
    }

    /// The changed sections if the page has the previous frame; otherwise all sections.
    fn news(&mut self) -> Option<Bytes> {
        let frame = self.frames.borrow_and_update().clone()?;
        let before = self.sent.replace(frame.version);
        match before {
            Some(before) if before == frame.version => None,
            Some(before) if before + 1 == frame.version => Some(frame.change.clone()),
            _ => Some(frame.whole()),
        }
    }
}

/// An event with the time of the broker's clock.
fn clock(broker: &Broker) -> Bytes {
    let now = serde_json::to_string(&Moment(broker.now())).expect("a time is a string");
    event("clock", &now)
}
