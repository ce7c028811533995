//! Media stores: local folders, and S3-compatible buckets through `object_store`.
//!
//! More than 12 entries: one file for each operation on a store.

mod answer;
mod connector;
mod copy;
mod download;
mod error;
mod folder;
mod further;
pub mod marked;
mod proof;
mod range;
pub mod roots;
mod s3;
pub mod scratch;
mod sidecars;
pub mod trash;
mod upload;
mod within;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{ObjectStore, ObjectStoreExt, RetryConfig};

use crate::job::input::Input;
use crate::names::digest::{Digest, Digester};
use crate::names::location::Location;
use crate::rules::facts::StoredFile;
use crate::store::roots::Roots;
use s3::{Clients, Patience};
use upload::Leftovers;

pub use answer::Answer;
pub use download::Copied;
pub use error::StoreError;
pub use folder::Folder;
pub use further::{RecipeFileError, SubtitleFiles, SubtitleSearch, check_recipe_file};
pub use proof::{ProofError, ProofStep};
pub use s3::StoreSettings;
pub use upload::Upload;
use within::Within;

/// How long [`Stores::impatient`] tries.
const IMPATIENT_TIMEOUT: Duration = Duration::from_secs(3);

/// Access to every store that a location can name. Cheap to clone. Clients of buckets are made when they are first
/// needed, from the standard `AWS_*` variables and the settings of the farm.
#[derive(Clone, Default)]
pub struct Stores {
    buckets: Arc<Mutex<Clients>>,
    settings: Arc<StoreSettings>,
    retry: RetryConfig,
    leftovers: Arc<Leftovers>,
    within: Option<Arc<Within>>,
}

/// Called with the number of bytes moved so far.
pub type OnBytes<'a> = &'a (dyn Fn(u64) + Send + Sync);

impl Stores {
    /// Access to all stores.
    pub fn new() -> Self {
        Self::default()
    }

    /// Access to all stores, with the settings of a farm.
    pub fn of(settings: StoreSettings) -> Self {
        Self {
            settings: Arc::new(settings),
            ..Self::default()
        }
    }

    /// Access to all stores for one question: a store that is out of reach fails within seconds.
    pub fn impatient() -> Self {
        Self {
            retry: RetryConfig {
                max_retries: 2,
                retry_timeout: IMPATIENT_TIMEOUT,
                ..RetryConfig::default()
            },
            ..Self::default()
        }
    }

    fn object(&self, location: &Location) -> Result<(Arc<AmazonS3>, Path), StoreError> {
        self.object_by(location, Patience::Usual)
    }

    fn object_by(
        &self,
        location: &Location,
        patience: Patience,
    ) -> Result<(Arc<AmazonS3>, Path), StoreError> {
        self.check(location)?;
        let store = self.bucket(location, patience)?;
        let path = Path::parse(location.key()).map_err(|error| StoreError::Name {
            location: location.clone(),
            message: error.to_string(),
        })?;
        Ok((store, path))
    }

    /// The input that is at a location now, with its exact version.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none.
    pub async fn head(&self, location: &Location) -> Result<Input, StoreError> {
        if self.within.is_some() && !location.is_remote() {
            let found = self.on_disk(location, Roots::file).await?;
            let metadata = found.file.metadata();
            let metadata = metadata.map_err(StoreError::local(location.to_string()))?;
            return Ok(local_input(location.clone(), &metadata));
        }
        if let Some(path) = location.path() {
            let metadata = match tokio::fs::metadata(&path).await {
                Ok(metadata) if metadata.is_file() => metadata,
                Ok(_) => return Err(StoreError::Missing(location.clone())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(StoreError::Missing(location.clone()));
                }
                Err(error) => return Err(StoreError::local(path.display().to_string())(error)),
            };
            return Ok(local_input(location.clone(), &metadata));
        }
        let (store, path) = self.object(location)?;
        let meta = store
            .head(&path)
            .await
            .map_err(StoreError::remote(location))?;
        Ok(remote_input(location.clone(), meta))
    }

    /// What the store says about a file, for conditions.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none.
    pub async fn stored_file(&self, location: &Location) -> Result<StoredFile, StoreError> {
        if !location.is_remote() {
            let look = |roots: &Roots, at: &Location| {
                let found = roots.file(at)?;
                let metadata = found.file.metadata();
                let metadata = metadata.map_err(StoreError::local(at.to_string()))?;
                Ok(StoredFile {
                    location: at.clone(),
                    size: metadata.len(),
                    modified: metadata
                        .modified()
                        .ok()
                        .and_then(|time| time.try_into().ok()),
                    hard_links: hard_links(&metadata),
                })
            };
            return self.on_disk(location, look).await;
        }
        let (store, path) = self.object(location)?;
        let meta = store
            .head(&path)
            .await
            .map_err(StoreError::remote(location))?;
        Ok(StoredFile {
            location: location.clone(),
            size: meta.size,
            modified: Timestamp::from_second(meta.last_modified.timestamp()).ok(),
            hard_links: None,
        })
    }

    /// Every object below a prefix, in the order of the keys. If the prefix is the key of an object, only that
    /// object.
    ///
    /// # Errors
    /// The store cannot be listed.
    pub async fn list(&self, prefix: &Location) -> Result<Vec<Input>, StoreError> {
        let (store, path) = self.object(prefix)?;
        if !path.is_root()
            && let Ok(meta) = store.head(&path).await
        {
            return Ok(vec![remote_input(prefix.clone(), meta)]);
        }
        let bucket = prefix.bucket().unwrap_or_default();
        let objects: Vec<_> = store
            .list((!path.is_root()).then_some(&path))
            .try_collect()
            .await
            .map_err(StoreError::remote(prefix))?;
        let mut found = Vec::with_capacity(objects.len());
        for meta in objects {
            if let Ok(location) = Location::s3(bucket, meta.location.as_ref()) {
                found.push(remote_input(location, meta));
            }
        }
        found.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(found)
    }

    /// A URL by which anyone may read the object for the time `valid`.
    ///
    /// # Errors
    /// The settings of the store do not allow signing.
    pub async fn presign(
        &self,
        location: &Location,
        valid: Duration,
    ) -> Result<String, StoreError> {
        let (store, path) = self.object(location)?;
        store
            .signed_url(object_store::signer::Method::GET, &path, valid)
            .await
            .map(Into::into)
            .map_err(StoreError::remote(location))
    }

    /// The digest of the object or file that is at a location now; all of it is read.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none; or it cannot be read to its end.
    pub async fn digest(&self, location: &Location) -> Result<Digest, StoreError> {
        if self.within.is_some() && !location.is_remote() {
            let read = |roots: &Roots, at: &Location| {
                let found = roots.file(at)?;
                Digest::of_file(&found.file).map_err(StoreError::local(at.to_string()))
            };
            return self.on_disk(location, read).await;
        }
        if let Some(path) = location.path() {
            let what = format!("reading {}", path.display());
            let digest =
                tokio::task::spawn_blocking(move || Digest::of_file(&std::fs::File::open(path)?));
            return match digest.await.map_err(std::io::Error::other) {
                Ok(Ok(digest)) => Ok(digest),
                Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                    Err(StoreError::Missing(location.clone()))
                }
                Ok(Err(error)) | Err(error) => Err(StoreError::local(what)(error)),
            };
        }
        let (store, path) = self.object(location)?;
        let remote = StoreError::remote(location);
        let mut stream = store.get(&path).await.map_err(&remote)?.into_stream();
        let mut digester = Digester::default();
        while let Some(chunk) = stream.next().await {
            digester.add(&chunk.map_err(&remote)?);
        }
        Ok(digester.finish())
    }

    /// Removes an object or a file; a missing one is fine.
    ///
    /// # Errors
    /// The store refuses.
    pub async fn delete(&self, location: &Location) -> Result<(), StoreError> {
        if self.within.is_some() && !location.is_remote() {
            return self.on_disk(location, Roots::remove).await;
        }
        if let Some(path) = location.path() {
            return match tokio::fs::remove_file(&path).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(
                    StoreError::local(format!("removing {}", path.display()))(error),
                ),
                _ => Ok(()),
            };
        }
        let (store, path) = self.object(location)?;
        match store.delete(&path).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(StoreError::remote(location)(error)),
        }
    }
}

#[cfg(unix)]
fn hard_links(metadata: &std::fs::Metadata) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    Some(metadata.nlink())
}

#[cfg(not(unix))]
fn hard_links(_: &std::fs::Metadata) -> Option<u64> {
    None
}

/// The input of a local file with this metadata.
pub fn local_input(location: Location, metadata: &std::fs::Metadata) -> Input {
    modified_input(location, metadata.len(), metadata.modified().ok())
}

/// The input of a local file of so many bytes that was last changed at this time.
pub fn modified_input(location: Location, size: u64, modified: Option<SystemTime>) -> Input {
    let modified = modified
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    Input {
        location,
        size,
        version: format!("{}.{:09}", modified.as_secs(), modified.subsec_nanos()),
    }
}

fn remote_input(location: Location, meta: object_store::ObjectMeta) -> Input {
    Input {
        location,
        size: meta.size,
        version: meta
            .e_tag
            .unwrap_or_else(|| meta.last_modified.to_rfc3339()),
    }
}
