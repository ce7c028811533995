//! The split jobs whose chunks this worker leaves to others: its ffmpeg makes another header than theirs.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use common::job::id::JobId;

/// The most jobs that are remembered. A job that is forgotten is tried once more, and refused again.
const MOST: usize = 10_000;

/// The jobs, by their whole.
#[derive(Clone, Default)]
pub struct Unfit(Arc<Mutex<HashSet<JobId>>>);

impl Unfit {
    /// Remembers the job of a part.
    pub fn add(&self, job: &JobId) {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() >= MOST {
            jobs.clear();
        }
        jobs.insert(job.whole());
    }

    /// Forgets the jobs that `is_fit` holds for: their chunks are taken again.
    pub fn forget(&self, is_fit: impl Fn(&JobId) -> bool) {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.retain(|job| !is_fit(job));
    }

    /// Whether this worker leaves this to others: a chunk of such a job.
    pub fn has(&self, job: &JobId) -> bool {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        job.part().chunk().is_some() && jobs.contains(&job.whole())
    }
}

#[cfg(test)]
mod tests {
    use common::job::part::Part;
    use common::recipe::Choice;
    use common::recipe::encoder::Codec;
    use common::testing;

    use super::*;

    #[test]
    fn the_rest_of_the_file_is_still_taken() {
        let whole = testing::job(Choice::Codec(Codec::Hevc), 10).id;
        let unfit = Unfit::default();
        assert!(!unfit.has(&whole.with_part(Part::Chunk(1))));
        unfit.add(&whole.with_part(Part::Chunk(7)));
        assert!(unfit.has(&whole.with_part(Part::Chunk(1))));
        assert!(!unfit.has(&whole.with_part(Part::Rest)));
        assert!(!unfit.has(&whole));
        unfit.forget(|job| *job != whole);
        assert!(unfit.has(&whole.with_part(Part::Chunk(1))));
        unfit.forget(|job| *job == whole);
        assert!(!unfit.has(&whole.with_part(Part::Chunk(1))));
    }
}
