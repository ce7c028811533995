//! Answers that are kept for the next equal request. Equal requests at the same time share one answer. The least used
//! answers make room for new ones.

use std::convert::Infallible;

use bytes::Bytes;
use common::farm::preview::JobFile;
use common::job::id::JobId;
use quick_cache::sync::Cache;

use crate::index::query::Query;
use crate::index::shared::Listing;
use crate::web::refusal::Refusal;

/// Pages of jobs that are kept.
const PAGES: usize = 64;
/// Still pictures that are kept, about 20 kB each.
const STILLS: usize = 256;

/// Pages of jobs as JSON, by the revision of the index and the query: a hundred
/// viewers of one page cost one search.
pub(crate) struct Pages(Cache<(u64, Query), Bytes>);

impl Default for Pages {
    fn default() -> Self {
        Self(Cache::new(PAGES))
    }
}

impl Pages {
    /// The page that answers the query now. May search a million jobs.
    pub(crate) fn page(&self, query: Query, listing: &Listing) -> Bytes {
        let index = listing.read();
        let search = || {
            let page = serde_json::to_vec(&index.page(&query)).expect("rows have string keys only");
            Ok::<_, Infallible>(page.into())
        };
        let Ok(page) = self
            .0
            .get_or_insert_with(&(index.revision(), query.clone()), search);
        page
    }
}

/// Which picture: the job, the file, and the milliseconds or microseconds from its beginning.
pub(crate) type Still = (JobId, JobFile, u64);

/// Still pictures as JPEG.
pub(crate) struct Stills(Cache<Still, Bytes>);

impl Default for Stills {
    fn default() -> Self {
        Self(Cache::new(STILLS))
    }
}

impl Stills {
    /// The picture, kept or made now. A failure is not kept.
    pub(crate) async fn picture(
        &self,
        still: &Still,
        make: impl Future<Output = Result<Bytes, Refusal>>,
    ) -> Result<Bytes, Refusal> {
        self.0.get_or_insert_async(still, make).await
    }
}
