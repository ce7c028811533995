//! The keyframes of a film that reset the decoder: a chunk that begins with one needs nothing of the film before it.

use std::collections::BTreeSet;

use common::job::failure::Failure;
use common::job::split::Chunk;
use futures::{StreamExt, TryStreamExt, stream};

use crate::attempt::input;
use crate::attempt::steps::Attempt;
use crate::ffmpeg::split::index::Index;
use crate::ffmpeg::split::reset;

/// The most keyframes that are read at a time.
const AT_ONCE: usize = 16;

impl Attempt<'_> {
    /// The times of the chunks' first keyframes that reset the decoder, as far as the bytes of the source tell. The film
    /// is one of H.264.
    ///
    /// # Errors
    /// The store fails.
    pub(super) async fn resets(
        &self,
        chunks: &[Chunk],
        index: &Index,
    ) -> Result<BTreeSet<i64>, Failure> {
        let stores = &self.executor.stores;
        let source = &self.job.input.location;
        let look = async |chunk: &Chunk| {
            let Some(&(position, size)) = index.bytes.get(&chunk.start) else {
                return Ok(None);
            };
            let head = position..position + size.min(reset::HEAD);
            let head = stores.range(source, head).await.map_err(input::failure)?;
            Ok(reset::resets(&head, size).then_some(chunk.start))
        };
        let found = stream::iter(chunks).map(look).buffered(AT_ONCE);
        found
            .try_filter_map(async |found| Ok(found))
            .try_collect()
            .await
    }
}
