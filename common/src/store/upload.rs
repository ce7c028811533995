//! Multipart uploads: invisible until they are completed, and never left behind while this program lives.

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

/// Bytes of one part of a multipart upload. S3 allows 10,000 parts, so this is enough for outputs of up to 160 GB;
/// larger outputs use larger parts.
const PART: u64 = 16 * 1024 * 1024;
/// Parts of one upload that are sent at the same time.
const PARTS_AT_ONCE: usize = 4;
/// First and longest wait before another try to abort an upload; the wait doubles each time.
const RETRY_WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How long a program that ends still tries.
const LAST_TRY: Duration = Duration::from_secs(3);

/// Uploads that are neither completed nor aborted, and that no task continues.
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

/// An upload that becomes a leftover when this is dropped, unless it is over.
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

    /// Uploads a local file in parts, even if there is only one: only a multipart upload can be aborted by another
    /// worker. The object is invisible until [`Upload::commit`]. If this fails or is stopped, the upload is aborted.
    ///
    /// # Errors
    /// The file cannot be read, the store fails, or the upload is stopped.
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
                // An empty file still needs one part.
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

    /// Begins an upload of a few bytes, and aborts it.
    ///
    /// # Errors
    /// The store refuses it.
    pub(super) async fn takes_upload(&self, test_object: &Location) -> Result<(), StoreError> {
        let remote = StoreError::remote(test_object);
        let (store, path) = self.object(test_object)?;
        let id = store.create_multipart(&path).await.map_err(&remote)?;
        // If the future is dropped, the upload is a leftover.
        let upload = Upload {
            begun: self.begun(test_object, &id),
            stores: self.clone(),
            parts: Vec::new(),
        };
        // Some stores check for room only when they get bytes.
        let put = store.put_part(&path, &id, 0, PutPayload::from_static(b"-"));
        let put = put.await.map(drop).map_err(&remote);
        upload.abort().await;
        put
    }

    /// Aborts an upload, of this or another program: its object can no longer appear. An upload that is completed or
    /// gone already is fine. If the store fails, [`Self::tidy`] tries again later.
    ///
    /// # Errors
    /// The store fails: the upload may still be completed.
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

    /// Aborts leftovers, again and again until the store does it. When `stop` is cancelled, tries once more and
    /// returns.
    pub async fn tidy(&self, stop: &CancellationToken) {
        let mut pause = RETRY_WAIT.0;
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
                true => RETRY_WAIT.0,
                false => RETRY_WAIT.1.min(pause * 2),
            };
        }
        let last = tokio::time::timeout(LAST_TRY, self.tidy_once());
        if !last.await.unwrap_or(false) {
            for (location, upload) in self.leftovers.all() {
                tracing::warn!(%location, upload, "the parts of an upload stay in the store until it expires them");
            }
        }
    }

    /// Tries to abort all leftovers; returns whether none is left.
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

/// A finished upload that is still invisible. When dropped, it becomes a leftover.
pub struct Upload {
    begun: Begun,
    stores: Stores,
    parts: Vec<PartId>,
}

impl Upload {
    /// The store's id of the upload, for [`Stores::abort`].
    pub fn id(&self) -> &str {
        &self.begun.id
    }

    /// Completes the upload, so that the object appears; waits for minutes.
    ///
    /// # Errors
    /// The store fails; the object may have appeared all the same, or may still appear. [`StoreError::Missing`] if
    /// the store does not know the upload: it was completed or aborted before.
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

    /// Marks the upload as completed: there is nothing to abort.
    pub fn done(&mut self) {
        self.begun.is_over = true;
    }

    /// Aborts the upload.
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
