//! The outline of a source is read instead of the source, where its index needs no more.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use common::job::failure::Failure;
use common::job::input::Input;
use common::job::split::Split;

use crate::attempt::input;
use crate::attempt::outlines::Stretch;
use crate::attempt::steps::split::excerpt::{Excerpt, Unwritten};
use crate::attempt::steps::{Attempt, Prepared};
use crate::ffmpeg::Source;
use crate::ffmpeg::containers::outline::{HEAD, top_box};
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::probe::probe;
use crate::ffmpeg::split::index::DECODED;
use crate::ffmpeg::split::places::First;

/// The most boxes at the top of a file that are looked at.
const MOST_BOXES: usize = 1000;
/// The longest outline, in bytes: tables of some days.
const MOST_BYTES: u64 = 256 << 20;
/// The name of an outline in the folder of an attempt.
const NAME: &str = "outline";
/// The name of an outline with the first packets.
const OPENING: &str = "opening";

impl Prepared {
    /// A source with what ffmpeg reads when it opens the input, and decodes its beginning.
    pub(super) fn begins(&self) -> Source {
        match &self.outline {
            Some(Source::Outline(path)) => Source::File(path.clone()),
            _ => self.source.clone(),
        }
    }
}

impl Attempt<'_> {
    /// Looks at a source in a bucket that may be split by its outline. Without one, or if it does not tell all, the source
    /// is looked at as any other.
    ///
    /// # Errors
    /// The store fails, or the attempt is to end.
    pub(in crate::attempt::steps) async fn look_at_outline(
        &self,
        mut prepared: Prepared,
    ) -> Result<Prepared, Failure> {
        if self.job.split == Split::Off || self.job.is_joined() {
            return Ok(prepared);
        }
        let streams = self.outlined(&mut prepared).await?;
        if prepared.seen.is_none() && prepared.outline.is_some() {
            let seen = probe(&prepared.runner, &prepared.begins()).await;
            // Titles of chapters may lie where the outline has zeros, and so may the first packet of a stream.
            let is_all_there = |media: &Media| {
                let mut indices = media.streams.iter().map(|stream| stream.index);
                media.chapters.is_empty() && indices.all(|index| streams.contains(&index))
            };
            prepared.seen = seen.ok().filter(is_all_there);
        }
        Ok(prepared)
    }

    /// Brings the outline of a source in a bucket, if it has one. Returns the streams whose first packets are there.
    ///
    /// # Errors
    /// The store fails, or the attempt is to end.
    pub(super) async fn outlined(
        &self,
        prepared: &mut Prepared,
    ) -> Result<BTreeSet<usize>, Failure> {
        if !prepared.source.is_remote() {
            return Ok(BTreeSet::new());
        }
        let opened = self.opened(prepared, OPENING, First::Pictures(DECODED));
        let opened = self.unless_stopped(opened).await?;
        let Some((excerpt, opening)) = opened.or_else(Unwritten::left)? else {
            return Ok(BTreeSet::new());
        };
        let path = excerpt.path().to_owned();
        prepared.runner = prepared.runner.reading(&path);
        prepared.outline = Some(Source::Outline(path));
        Ok(opening.streams)
    }

    /// The outline of the job's source; `None` if it has none. `format` is ffmpeg's name of the demuxer.
    ///
    /// # Errors
    /// The store fails.
    pub(super) async fn outline(
        &self,
        prepared: &Prepared,
        format: &str,
    ) -> Result<Option<PathBuf>, Failure> {
        if !format.starts_with("mov,") {
            return Ok(None);
        }
        let Some(tables) = self.tables(&self.job.input).await? else {
            return Ok(None);
        };
        let path = prepared.folder.path().join(NAME);
        let written = async {
            let mut excerpt = Excerpt::make(path, self.job.input.size).await?;
            excerpt.write(&tables).await?;
            Ok(excerpt.path().to_owned())
        };
        written.await.map(Some).or_else(Unwritten::left)
    }

    /// The bytes of a file that belong to its outline; `None` if it has none.
    ///
    /// # Errors
    /// The store fails.
    pub(super) async fn tables(&self, source: &Input) -> Result<Option<Vec<Stretch>>, Failure> {
        let stores = &self.executor.stores;
        let read = async |range: Range<u64>| {
            let bytes = stores.range(&source.location, range).await;
            bytes.map_err(input::failure)
        };
        let (mut at, mut bytes, mut has_index) = (0, 0, false);
        let mut stretches = Vec::new();
        while at < source.size {
            let head = read(at..source.size.min(at + HEAD)).await?;
            let Some(found) = top_box(&head, at, source.size) else {
                return Ok(None);
            };
            bytes += found.kept.end - found.kept.start;
            if bytes > MOST_BYTES || stretches.len() == MOST_BOXES {
                return Ok(None);
            }
            at = found.end;
            has_index |= found.is_index;
            let kept = found.kept;
            let bytes = match head.get(..(kept.end - kept.start) as usize) {
                Some(bytes) => bytes.to_vec(),
                None => read(kept.clone()).await?,
            };
            stretches.push((kept, bytes));
        }
        Ok(has_index.then_some(stretches))
    }
}
