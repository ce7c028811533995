//! What all routes share.

use std::sync::Arc;

use common::broker::Broker;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::api::media::Media;
use crate::cache::{Pages, Stills};
use crate::feed::audience::Audience;
use crate::index::shared::Listing;
use crate::refusal::Refusal;
use crate::view::board::Board;

/// What all routes share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) broker: Broker,
    pub(crate) board: Arc<Board>,
    pub(crate) listing: Arc<Listing>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) stills: Arc<Stills>,
    pub(crate) media: Option<Arc<Media>>,
    pub(crate) audience: Audience,
    pub(crate) access: Arc<Access>,
    pub(crate) shutdown: CancellationToken,
}

impl App {
    /// The files that new jobs can be made of.
    pub(crate) fn media(&self) -> Result<&Media, Refusal> {
        self.media.as_deref().ok_or_else(|| {
            Refusal::unknown("the monitor knows no store: start it with --store URL")
        })
    }
}
