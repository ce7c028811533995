//! An excerpt: a file as long as its source, of which only what a part needs is there. It is made of a source in a bucket,
//! so that a split film is read from there about once, however its tracks lie between each other. A source on a disk is
//! read itself.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::job::failure::{Failure, Fault};
use common::names::location::Location;
use common::store::Stores;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::fs::File;
use tokio::io::{AsyncSeekExt, AsyncWriteExt, SeekFrom};

use crate::attempt::input;
use crate::attempt::outlines::Stretch;
use crate::attempt::steps::{Attempt, Prepared, Unfinished};
use crate::ffmpeg::Source;
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::run::runner::Runner;
use crate::ffmpeg::split::places;
use crate::ffmpeg::split::places::{First, Opening};

/// The name of an excerpt in the folder of an attempt.
const NAME: &str = "excerpt";
/// The most bytes that are read by one request.
const REQUEST: u64 = 1 << 20;
/// The requests that run at the same time.
const AT_ONCE: usize = 16;
/// The largest excerpt, in bytes, that is brought to scratch before ffmpeg begins.
const MOST_BYTES: u64 = 4 << 30;

/// Why an excerpt was not written.
pub(super) enum Unwritten {
    /// The store fails.
    Store(Failure),
    /// The disk refuses.
    Disk(io::Error),
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<Failure> for Unwritten {
    fn from(failure: Failure) -> Self {
        Self::Store(failure)
    }
}

impl Unwritten {
    /// Does without the excerpt, if the disk refuses.
    ///
    /// # Errors
    /// The store's failure.
    pub(super) fn left<T>(self) -> Result<Option<T>, Failure> {
        match self {
            Self::Store(failure) => Err(failure),
            Self::Disk(error) => {
                tracing::debug!(%error, "no part of the source is written to scratch");
                Ok(None)
            }
        }
    }
}

/// A file of which only some stretches are there. Elsewhere zeros are read, and the disk holds nothing.
pub(super) struct Excerpt {
    file: File,
    path: PathBuf,
    /// What is there, in no order.
    there: Vec<Range<u64>>,
}

impl Excerpt {
    pub(super) async fn make(path: PathBuf, size: u64) -> Result<Self, Unwritten> {
        let file = File::create_new(&path).await?;
        file.set_len(size).await?;
        Ok(Self {
            file,
            path,
            there: Vec::new(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes stretches that are at hand.
    pub(super) async fn write(&mut self, stretches: &[Stretch]) -> Result<(), Unwritten> {
        for (range, bytes) in stretches {
            self.put(range.clone(), bytes).await?;
        }
        Ok(self.file.flush().await?)
    }

    /// Reads what is missing of these stretches of a file, and passes it on.
    async fn fill(
        &mut self,
        (stores, from): (&Stores, &Location),
        stretches: &[Range<u64>],
        mut on_stretch: impl FnMut(Stretch),
    ) -> Result<(), Unwritten> {
        let missing = stretches
            .iter()
            .flat_map(|stretch| missing(&self.there, stretch));
        let requests: Vec<Range<u64>> = missing.flat_map(requests).collect();
        let read = async |range: Range<u64>| {
            let bytes = stores.range(from, range.clone()).await;
            bytes.map(|bytes| (range, bytes)).map_err(input::failure)
        };
        let mut read = stream::iter(requests).map(read).buffer_unordered(AT_ONCE);
        while let Some((range, bytes)) = read.try_next().await? {
            self.put(range.clone(), &bytes).await?;
            on_stretch((range, bytes));
        }
        Ok(self.file.flush().await?)
    }

    async fn put(&mut self, range: Range<u64>, bytes: &[u8]) -> Result<(), Unwritten> {
        self.file.seek(SeekFrom::Start(range.start)).await?;
        self.file.write_all(bytes).await?;
        self.there.push(range);
        Ok(())
    }
}

/// What is missing of a stretch.
fn missing(there: &[Range<u64>], stretch: &Range<u64>) -> Vec<Range<u64>> {
    let cut = |left: Vec<Range<u64>>, known: &Range<u64>| {
        let parts = left.into_iter().flat_map(|part| {
            let before = part.start..part.end.min(known.start);
            let behind = part.start.max(known.end)..part.end;
            [before, behind]
        });
        parts.filter(|part| !part.is_empty()).collect()
    };
    there.iter().fold(vec![stretch.clone()], cut)
}

/// The requests for a stretch.
fn requests(stretch: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let starts = stretch.clone().step_by(REQUEST as usize);
    starts.map(move |start| start..stretch.end.min(start + REQUEST))
}

impl Attempt<'_> {
    /// Has ffmpeg read an excerpt of the source, if that lies in a bucket and is of a kind whose outline tells where its
    /// packets lie. `needed` finds what ffmpeg will read, by the outline; if it finds `None`, or more than
    /// scratch should hold, the source is read itself.
    ///
    /// # Errors
    /// The store fails, or the attempt is to end.
    pub(super) async fn excerpt(
        &self,
        prepared: &mut Prepared,
        media: &Media,
        needed: impl AsyncFnOnce(&Runner, &Path) -> Result<Option<Vec<Range<u64>>>, Failure>,
    ) -> Result<(), Unfinished> {
        if !prepared.source.is_remote() || !places::are_known(media) {
            return Ok(());
        }
        let made = Box::pin(self.made_excerpt(prepared, needed));
        let made = self.unless_stopped(made).await?;
        if let Some(path) = made.map(Some).or_else(Unwritten::left)?.flatten() {
            prepared.runner = prepared.runner.reading(&path);
            prepared.source = Source::File(path);
        }
        Ok(())
    }

    /// Waits for what is read, or for the end of the attempt.
    pub(super) async fn unless_stopped<T>(
        &self,
        reading: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        tokio::select! {
            read = reading => Ok(read),
            () = self.stop.cancelled() => Err(Failure::passing("broken off while reading")),
        }
    }

    async fn made_excerpt(
        &self,
        prepared: &Prepared,
        needed: impl AsyncFnOnce(&Runner, &Path) -> Result<Option<Vec<Range<u64>>>, Failure>,
    ) -> Result<Option<PathBuf>, Unwritten> {
        let source = &self.job.input;
        let Some((mut excerpt, _)) = self.opened(prepared, NAME, First::Opened).await? else {
            return Ok(None);
        };
        let needed = told(needed(&prepared.runner, &excerpt.path).await)?.flatten();
        let Some(needed) = needed.filter(|needed| can_be_brought(needed, source.size)) else {
            return Ok(None);
        };
        let from = (&self.executor.stores, &source.location);
        excerpt.fill(from, &needed, |_| {}).await?;
        tracing::debug!(
            stretches = needed.len(),
            "an excerpt of the source is in scratch"
        );
        Ok(Some(excerpt.path))
    }

    /// Makes a file with the tables of the job's source, and its first packets. `None` if the source has no
    /// outline, or if these are too many.
    pub(super) async fn opened(
        &self,
        prepared: &Prepared,
        name: &str,
        first: First,
    ) -> Result<Option<(Excerpt, Opening)>, Unwritten> {
        let Self { executor, job, .. } = self;
        let source = &job.input;
        let known = executor.outlines.of(source);
        let mut read = match known {
            Some(_) => Vec::new(),
            None => match self.tables(source).await? {
                Some(tables) => tables,
                None => return Ok(None),
            },
        };
        let path = prepared.folder.path().join(name);
        let mut excerpt = Excerpt::make(path, source.size).await?;
        excerpt.write(known.as_deref().unwrap_or(&read)).await?;
        let opening = places::of_opening(&prepared.runner, &excerpt.path, first).await;
        let Some(opening) = told(opening)?.flatten() else {
            return Ok(None);
        };
        let from = (&executor.stores, &source.location);
        excerpt
            .fill(from, &opening.stretches, |stretch| read.push(stretch))
            .await?;
        if known.is_none() {
            executor.outlines.keep(source, &Arc::new(read));
        }
        Ok(Some((excerpt, opening)))
    }
}

/// What the outline has told; `None` if ffprobe cannot read it.
fn told<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(told) => Ok(Some(told)),
        // It was stopped.
        Err(failure) if failure.fault == Fault::Passing => Err(failure),
        Err(failure) => {
            tracing::debug!(%failure, "the outline of a source tells nothing");
            Ok(None)
        }
    }
}

/// Whether stretches are those of a file of this size, and few enough for scratch.
fn can_be_brought(stretches: &[Range<u64>], size: u64) -> bool {
    let bytes: u64 = stretches.iter().map(|range| range.end - range.start).sum();
    bytes <= MOST_BYTES && stretches.iter().all(|range| range.end <= size)
}

#[cfg(test)]
// One stretch is meant, and not all that it holds.
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_read() {
        let of = |there: &[Range<u64>]| missing(there, &(10..50));
        assert_eq!(of(&[]), [10..50]);
        assert_eq!(of(&[0..5, 60..70]), [10..50]);
        assert_eq!(of(&[20..30, 0..12, 45..60]), [12..20, 30..45]);
        assert_eq!(of(&[0..30, 30..50]), []);
    }

    #[test]
    fn a_long_stretch_is_read_by_several_requests() {
        let found: Vec<Range<u64>> = requests(7..2 * REQUEST + 8).collect();
        assert_eq!(
            found,
            [
                7..REQUEST + 7,
                REQUEST + 7..2 * REQUEST + 7,
                2 * REQUEST + 7..2 * REQUEST + 8
            ]
        );
        assert_eq!(requests(4..5).collect::<Vec<_>>(), [4..5]);
    }
}
