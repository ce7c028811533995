//! The outline of a source is read instead of the source, where its index needs no more.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::PathBuf;

use common::job::failure::Failure;
use common::job::input::Input;

use crate::attempt::input;
use crate::attempt::steps::{Attempt, Prepared};
use crate::ffmpeg::containers::outline::{HEAD, top_box};

/// The most boxes at the top of a file that are looked at.
const MOST_BOXES: usize = 1000;
/// The longest outline, in bytes: tables of some days.
const MOST_BYTES: u64 = 256 << 20;
/// The name of an outline in the folder of an attempt.
const NAME: &str = "outline";

/// Bytes of a file, and their place.
type Stretch = (Range<u64>, Vec<u8>);

impl Attempt<'_> {
    /// The outline of the job's source; `None` if it has none. `format` is ffmpeg's name of the demuxer.
    ///
    /// # Errors
    /// The store fails, or the disk refuses.
    pub(super) async fn outline(
        &self,
        prepared: &Prepared,
        format: &str,
    ) -> Result<Option<PathBuf>, Failure> {
        if !format.starts_with("mov,") {
            return Ok(None);
        }
        let source = &self.job.input;
        let Some(stretches) = self.stretches(source).await? else {
            return Ok(None);
        };
        let (path, size) = (prepared.folder.path().join(NAME), source.size);
        let to = path.clone();
        let write = move || {
            let mut file = File::create_new(to)?;
            for (range, bytes) in stretches {
                file.seek(SeekFrom::Start(range.start))?;
                file.write_all(&bytes)?;
            }
            // Where nothing was written, zeros are read, and the disk holds nothing.
            file.set_len(size)
        };
        let written = tokio::task::spawn_blocking(write).await;
        match written.map_err(std::io::Error::other).flatten() {
            Ok(()) => Ok(Some(path)),
            Err(error) => {
                tracing::debug!(%error, "no outline is written to scratch");
                Ok(None)
            }
        }
    }

    /// The bytes of a file that belong to its outline.
    async fn stretches(&self, source: &Input) -> Result<Option<Vec<Stretch>>, Failure> {
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
            stretches.push((found.kept.clone(), read(found.kept).await?));
        }
        Ok(has_index.then_some(stretches))
    }
}
