//! What the sources of split jobs hold, so that this worker probes none of them twice.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use common::job::id::JobId;

use crate::ffmpeg::probe::media::Media;

/// The most sources that are remembered.
const MOST: usize = 16;

/// Sources by the whole of their job, the last one first. The id of a job stands for the very version of its source.
type ByJob = VecDeque<(JobId, Arc<Media>)>;

/// The sources that this worker knows.
#[derive(Clone, Default)]
pub struct SeenSources(Arc<Mutex<ByJob>>);

impl SeenSources {
    /// Remembers the source of a job, or of a part.
    pub fn put(&self, job: &JobId, media: Media) {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sources.retain(|(known, _)| *known != job.whole());
        sources.truncate(MOST - 1);
        sources.push_front((job.whole(), Arc::new(media)));
    }

    /// What the source of a job, or of a part, holds.
    pub fn get(&self, job: &JobId) -> Option<Media> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = sources.iter().find(|(known, _)| *known == job.whole());
        found.map(|(_, media)| Media::clone(media))
    }
}
