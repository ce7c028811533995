//! Copying objects into local files.

use std::path::Path;

use futures::StreamExt;
use object_store::ObjectStoreExt;
use tokio::io::AsyncWriteExt;

use super::{OnBytes, StoreError, Stores};
use crate::names::digest::{Digest, Digester};
use crate::names::location::Location;

/// The result of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Bytes copied.
    pub size: u64,
    /// Digest of the copied bytes.
    pub digest: Digest,
}

impl Stores {
    /// Copies an object into a local file.
    ///
    /// # Errors
    /// The store fails, the disk is full, or the object is shorter than the store said.
    pub async fn download(
        &self,
        location: &Location,
        to: &Path,
        on_bytes: OnBytes<'_>,
    ) -> Result<(), StoreError> {
        let file = tokio::fs::File::create(to).await;
        let mut file = file.map_err(StoreError::local(format!("writing {}", to.display())))?;
        self.pieces(location, &mut file, on_bytes, |_| {}).await?;
        Ok(())
    }

    /// Copies an object into a file that is open and empty, and syncs it.
    ///
    /// # Errors
    /// As [`Stores::download`].
    pub async fn copy_into(
        &self,
        location: &Location,
        file: std::fs::File,
        on_bytes: OnBytes<'_>,
    ) -> Result<Copied, StoreError> {
        let mut file = tokio::fs::File::from_std(file);
        let mut digester = Digester::default();
        let each = |piece: &[u8]| digester.add(piece);
        let size = self.pieces(location, &mut file, on_bytes, each).await?;
        let synced = file.sync_all().await;
        synced.map_err(StoreError::local(format!("writing a copy of {location}")))?;
        Ok(Copied {
            size,
            digest: digester.finish(),
        })
    }

    /// Writes an object to a file, piece by piece; returns the number of bytes.
    async fn pieces(
        &self,
        location: &Location,
        file: &mut tokio::fs::File,
        on_bytes: OnBytes<'_>,
        mut each: impl FnMut(&[u8]),
    ) -> Result<u64, StoreError> {
        let (store, path) = self.object(location)?;
        let remote = StoreError::remote(location);
        let local = || StoreError::local(format!("writing a copy of {location}"));
        let object = store.get(&path).await.map_err(&remote)?;
        let size = object.meta.size;
        let mut stream = object.into_stream();
        let mut done = 0;
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(&remote)?;
            each(&piece);
            file.write_all(&piece).await.map_err(local())?;
            done += piece.len() as u64;
            on_bytes(done);
        }
        file.flush().await.map_err(local())?;
        if done != size {
            return Err(StoreError::Remote {
                location: location.clone(),
                message: format!("sent {done} bytes of {size}"),
            });
        }
        Ok(size)
    }
}
