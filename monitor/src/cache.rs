//! Answers that are kept for the next who asks the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use common::farm::preview::JobFile;
use common::job::id::JobId;
use tokio::sync::OnceCell;

use crate::index::query::Query;
use crate::index::shared::Listing;

/// Answers that are kept for others who ask the same.
const KEPT_PAGES: usize = 64;
/// Pictures that are kept for the next who looks, some 20 kB each.
const KEPT_STILLS: usize = 256;

/// Answers that are still true: a hundred who look at the same page cost one
/// look through the jobs.
#[derive(Default)]
pub(crate) struct Pages {
    kept: Mutex<HashMap<Query, Arc<Mutex<Kept>>>>,
}

#[derive(Default)]
struct Kept {
    revision: u64,
    page: Option<Bytes>,
}

impl Pages {
    pub(crate) fn page(&self, query: Query, listing: &Listing) -> Bytes {
        let place = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= KEPT_PAGES && !kept.contains_key(&query) {
                kept.clear();
            }
            kept.entry(query.clone()).or_default().clone()
        };
        // Who asks the same at the same time waits for the one answer.
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let index = listing.read();
        match &place.page {
            Some(page) if place.revision == index.revision() => page.clone(),
            _ => {
                let page = serde_json::to_vec(&index.page(&query))
                    .expect("rows are plain data with string keys");
                place.revision = index.revision();
                place.page.insert(page.into()).clone()
            }
        }
    }
}

/// Pictures that somebody looked at not long ago. Who asks for the same at the
/// same time waits for the one answer.
#[derive(Default)]
pub(crate) struct Stills {
    kept: Mutex<HashMap<Still, Arc<OnceCell<Bytes>>>>,
}

/// Whose picture, of which file, at how many milliseconds.
pub(crate) type Still = (JobId, JobFile, u64);

impl Stills {
    pub(crate) fn place(&self, still: Still) -> Arc<OnceCell<Bytes>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_STILLS && !kept.contains_key(&still) {
            kept.clear();
        }
        kept.entry(still).or_default().clone()
    }
}
