//! Multipart uploads: whole and invisible until they are ended, and never left
//! behind while this program lives.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::TryStreamExt;
use futures::stream::FuturesOrdered;
use object_store::PutPayload;
use object_store::multipart::{MultipartStore, PartId};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::s3::Patience;
use super::{OnBytes, StoreError, Stores};
use crate::names::location::Location;

/// Bytes of one part of a multipart upload. S3 allows 10,000 parts, so this
/// carries outputs of up to 160 GB; larger ones take larger parts.
const PART: u64 = 16 * 1024 * 1024;
/// Parts of one upload that are under way at once.
const PARTS_AT_ONCE: usize = 4;
/// First wait before what could not be aborted is tried again; twice as long
/// each time, up to the second.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How long a program that ends still tries.
const LAST_TRY: Duration = Duration::from_secs(3);

/// Uploads that are neither ended nor aborted and that nobody goes on with.
#[derive(Default)]
pub(super) struct Leftovers {
    uploads: Mutex<Vec<(Location, String)>>,
    added: Notify,
}

impl Leftovers {
    fn add(&self, location: Location, id: String) {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let upload = (location, id);
        if !uploads.contains(&upload) {
            uploads.push(upload);
        }
        self.added.notify_one();
    }

    fn all(&self) -> Vec<(Location, String)> {
        let uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.clone()
    }

    fn remove(&self, upload: &(Location, String)) {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.retain(|other| other != upload);
    }
}

/// An upload that becomes a leftover unless it is let go of.
struct Begun {
    leftovers: Arc<Leftovers>,
    location: Location,
    id: String,
    is_over: bool,
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.is_over {
            self.leftovers.add(self.location.clone(), self.id.clone());
        }
    }
}

impl Stores {
    fn begun(&self, location: &Location, id: &str) -> Begun {
        Begun {
            leftovers: Arc::clone(&self.leftovers),
            location: location.clone(),
            id: id.to_owned(),
            is_over: false,
        }
    }

    /// Uploads a local file in parts, if only in one: others can abort nothing
    /// but such an upload. Nothing is visible at the location until
    /// [`Upload::commit`]; nothing is left there when it fails or is stopped.
    ///
    /// # Errors
    /// Where the file cannot be read or the store fails.
    pub async fn upload(
        &self,
        from: std::fs::File,
        location: &Location,
        on_bytes: OnBytes<'_>,
        stop: &CancellationToken,
    ) -> Result<Upload, StoreError> {
        let (store, path) = self.object(location)?;
        let remote = StoreError::remote(location);
        let what = || format!("reading what is to become {location}");
        let mut file = tokio::fs::File::from_std(from);
        let size = file
            .metadata()
            .await
            .map_err(StoreError::local(what()))?
            .len();
        let part = PART.max(size.div_ceil(10_000));
        let id = store.create_multipart(&path).await.map_err(&remote)?;
        let mut upload = Upload {
            begun: self.begun(location, &id),
            stores: self.clone(),
            parts: Vec::new(),
        };

        let sending = async {
            file.rewind().await.map_err(StoreError::local(what()))?;
            let mut parts = Vec::new();
            let mut under_way = FuturesOrdered::new();
            let (mut read, mut done) = (0, 0);
            let mut arrived = |(part, length): (PartId, u64)| {
                parts.push(part);
                done += length;
                on_bytes(done);
            };
            for number in 0.. {
                let length = part.min(size - read);
                // An empty file still needs its one part.
                if length == 0 && number > 0 {
                    break;
                }
                let mut buffer = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
                file.read_exact(&mut buffer)
                    .await
                    .map_err(StoreError::local(what()))?;
                read += length;
                let put = store.put_part(&path, &id, number, PutPayload::from(buffer));
                under_way.push_back(async move { put.await.map(|part| (part, length)) });
                if under_way.len() >= PARTS_AT_ONCE
                    && let Some(next) = under_way.try_next().await.map_err(&remote)?
                {
                    arrived(next);
                }
            }
            while let Some(next) = under_way.try_next().await.map_err(&remote)? {
                arrived(next);
            }
            Ok(parts)
        };
        let sent = tokio::select! {
            sent = sending => sent,
            () = stop.cancelled() => Err(StoreError::Stopped(location.clone())),
        };
        match sent {
            Ok(parts) => {
                upload.parts = parts;
                Ok(upload)
            }
            Err(error) => {
                upload.abort().await;
                Err(error)
            }
        }
    }

    /// Begins an upload of a few bytes, and gives it up.
    ///
    /// # Errors
    /// What the store says, where it does not take them.
    pub(super) async fn takes_upload(&self, nobodys: &Location) -> Result<(), StoreError> {
        let remote = StoreError::remote(nobodys);
        let (store, path) = self.object(nobodys)?;
        let id = store.create_multipart(&path).await.map_err(&remote)?;
        // Broken off, it is a leftover.
        let upload = Upload {
            begun: self.begun(nobodys, &id),
            stores: self.clone(),
            parts: Vec::new(),
        };
        // Some stores look for room only where there are bytes.
        let put = store.put_part(&path, &id, 0, PutPayload::from_static(b"-"));
        let put = put.await.map(drop).map_err(&remote);
        upload.abort().await;
        put
    }

    /// Aborts an upload, whoever began it: nothing appears by it any more. One
    /// that is complete or gone already is fine. Where the store fails, it is
    /// [tried again](Self::tidy) later, too.
    ///
    /// # Errors
    /// Where the store fails: the upload may still be ended then.
    pub async fn abort(&self, location: &Location, upload: &str) -> Result<(), StoreError> {
        let mut begun = self.begun(location, upload);
        self.try_abort(location, upload).await?;
        begun.is_over = true;
        Ok(())
    }

    async fn try_abort(&self, location: &Location, upload: &str) -> Result<(), StoreError> {
        let (store, path) = self.object(location)?;
        match store.abort_multipart(&path, &upload.to_owned()).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(StoreError::remote(location)(error)),
        }
    }

    /// Aborts what could not be aborted when it should have been, again and
    /// again until the store does it; once more when `stop` is given, and then
    /// returns.
    pub async fn tidy(&self, stop: &CancellationToken) {
        let mut pause = AGAIN.0;
        while !stop.is_cancelled() {
            let is_any = !self.leftovers.all().is_empty();
            let wait = async {
                if is_any {
                    tokio::time::sleep(pause).await;
                } else {
                    self.leftovers.added.notified().await;
                }
            };
            tokio::select! {
                () = wait => {}
                () = stop.cancelled() => break,
            }
            pause = match tokio::select! {
                done = self.tidy_once() => done,
                () = stop.cancelled() => break,
            } {
                true => AGAIN.0,
                false => AGAIN.1.min(pause * 2),
            };
        }
        let last = tokio::time::timeout(LAST_TRY, self.tidy_once());
        if !last.await.unwrap_or(false) {
            for (location, upload) in self.leftovers.all() {
                tracing::warn!(%location, upload, "the parts of an upload stay in the store until it expires them");
            }
        }
    }

    /// Whether nothing is left.
    async fn tidy_once(&self) -> bool {
        let mut is_done = true;
        for upload in self.leftovers.all() {
            let (location, id) = &upload;
            match self.try_abort(location, id).await {
                Ok(()) => {
                    tracing::info!(%location, "an upload that was given up is aborted");
                    self.leftovers.remove(&upload);
                }
                Err(error) => {
                    tracing::warn!(%location, %error, "could not abort an upload: trying again");
                    is_done = false;
                }
            }
        }
        is_done
    }
}

/// A finished upload that nobody can see yet. Dropped, it is a leftover.
pub struct Upload {
    begun: Begun,
    stores: Stores,
    parts: Vec<PartId>,
}

impl Upload {
    /// What the store calls it, for [`Stores::abort`].
    pub fn id(&self) -> &str {
        &self.begun.id
    }

    /// Makes the object appear, whole; waits for minutes.
    ///
    /// # Errors
    /// Where the store fails; it may have appeared all the same, or still do.
    /// [`StoreError::Missing`] where the store does not know the upload: it has
    /// been ended or aborted before.
    pub async fn commit(&mut self) -> Result<(), StoreError> {
        let location = &self.begun.location;
        let (store, path) = self.stores.object_by(location, Patience::Long)?;
        store
            .complete_multipart(&path, &self.begun.id, self.parts.clone())
            .await
            .map_err(StoreError::remote(location))?;
        self.done();
        Ok(())
    }

    /// It has been ended: there is nothing to abort.
    pub fn done(&mut self) {
        self.begun.is_over = true;
    }

    /// Gives the parts up.
    pub async fn abort(mut self) {
        let Begun { location, id, .. } = &self.begun;
        match self.stores.try_abort(location, id).await {
            Ok(()) => self.done(),
            Err(error) => {
                tracing::warn!(%location, %error, "could not abort the upload: it is tried again");
            }
        }
    }
}
