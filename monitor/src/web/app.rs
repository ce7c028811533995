//! The state that all routes share.

use std::sync::Arc;

use axum::http::StatusCode;
use common::broker::Broker;
use common::notify::send::Sender;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::api::media::Media;
use crate::audit::Audit;
use crate::feed::audience::Audience;
use crate::index::shared::Listing;
use crate::scale::Scaler;
use crate::shelf::Shelf;
use crate::view::board::Board;
use crate::web::cache::{Pages, Stills};
use crate::web::refusal::Refusal;
use crate::web::streams::Streams;

/// The state that all routes share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) broker: Broker,
    pub(crate) sender: Sender,
    pub(crate) board: Arc<Board>,
    pub(crate) listing: Arc<Listing>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) scaler: Scaler,
    pub(crate) stills: Arc<Stills>,
    pub(crate) shelf: Shelf,
    pub(crate) frames: Arc<Stills>,
    pub(crate) media: Option<Arc<Media>>,
    pub(crate) audience: Audience,
    pub(crate) access: Arc<Access>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) streams: Streams,
    pub(crate) shutdown: CancellationToken,
}

impl App {
    /// Searches the index on a thread of its own: a million jobs take a while, and other requests must not wait.
    pub(crate) async fn search<T: Send + 'static>(
        &self,
        search: impl FnOnce(&Listing) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let _viewer = self.audience.join();
        self.listing.caught_up().await;
        let listing = self.listing.clone();
        let found = tokio::task::spawn_blocking(move || search(&listing)).await;
        found.map_err(|_| {
            Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the search of the jobs failed: the monitor's log says where",
            )
        })
    }

    /// The files that new jobs can be made from; an error if the monitor has no store.
    pub(crate) fn media(&self) -> Result<&Media, Refusal> {
        self.media.as_deref().ok_or_else(|| {
            Refusal::unknown("the monitor knows no store: start it with --store URL")
        })
    }
}
