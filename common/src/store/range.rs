//! Reading a stretch of a file.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use object_store::ObjectStoreExt;

use super::{Roots, StoreError, Stores};
use crate::names::location::Location;

impl Stores {
    /// The bytes of a stretch of a file: all of them.
    ///
    /// # Errors
    /// The store fails, or the file ends before the stretch does.
    pub async fn range(
        &self,
        location: &Location,
        range: Range<u64>,
    ) -> Result<Vec<u8>, StoreError> {
        let wanted = range.end.saturating_sub(range.start);
        let bytes = match location.is_remote() {
            true => {
                let (store, path) = self.object(location)?;
                let bytes = store.get_range(&path, range).await;
                bytes.map_err(StoreError::remote(location))?.to_vec()
            }
            false => {
                let read = move |roots: &Roots, at: &Location| {
                    let mut bytes = Vec::new();
                    let mut file = roots.file(at)?.file;
                    let read = file
                        .seek(SeekFrom::Start(range.start))
                        .and_then(|_| file.take(wanted).read_to_end(&mut bytes));
                    read.map_err(StoreError::local(at.to_string()))?;
                    Ok(bytes)
                };
                self.on_disk(location, read).await?
            }
        };
        match bytes.len() as u64 == wanted {
            true => Ok(bytes),
            false => Err(StoreError::Remote {
                location: location.clone(),
                message: format!("sent {} bytes of {wanted}", bytes.len()),
            }),
        }
    }
}
