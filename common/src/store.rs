//! Media stores: local folders, and S3-compatible buckets through `object_store`.

mod answer;
mod folder;
mod within;

use std::collections::HashMap;
use std::path::Path as FsPath;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use futures::stream::FuturesOrdered;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, RetryConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use crate::job::Input;
use crate::location::Location;
use crate::roots::Roots;

pub use answer::Answer;
pub use folder::Folder;
use within::Within;

/// Bytes of one part of a multipart upload. S3 allows 10,000 parts, so this
/// carries outputs of up to 160 GB; larger ones take larger parts.
const PART: u64 = 16 * 1024 * 1024;
/// Parts of one upload that are under way at once.
const PARTS_AT_ONCE: usize = 4;
/// How long [`Stores::impatient`] tries.
const IMPATIENT: Duration = Duration::from_secs(3);

/// Something went wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is nothing at the location.
    #[error("{0} does not exist")]
    Missing(Location),
    /// The program was given other places to read and write.
    #[error("{0} lies in no place that this program was given (--root, --bucket)")]
    Outside(Location),
    /// A link on the way leads to such a place.
    #[error("a link at or above {0} leads out of the folders that this program was given (--root)")]
    LeadsOut(Location),
    /// A folder that was given is missing, or has lost what was mounted there.
    #[error("{place} is away: {source}")]
    Away {
        /// The folder, or what was to be reached in it.
        place: Location,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store could not be reached, or refused.
    #[error("store of {location}: {message}")]
    Remote {
        /// What was to be reached.
        location: Location,
        /// What the store or the network said.
        message: String,
    },
    /// The store answered, and did not let us: the credentials do not open
    /// this, or open nothing just now.
    #[error("store of {location} refuses: {message}")]
    Refused {
        /// What was to be reached.
        location: Location,
        /// What the store said.
        message: String,
    },
    /// No store can be asked for an object of this name.
    #[error("{location} has a name that cannot be asked for ({message}): rename it")]
    Name {
        /// What was to be reached.
        location: Location,
        /// What is wrong with its name.
        message: String,
    },
    /// The local file system refused.
    #[error("{what}: {source}")]
    Local {
        /// What was to be done, to what.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It was told to stop before it was done.
    #[error("broken off: {0}")]
    Stopped(Location),
    /// The settings of the store are incomplete or wrong.
    #[error(
        "store settings for {location}: {message} (set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT)"
    )]
    Settings {
        /// What was to be reached.
        location: Location,
        /// What is wrong.
        message: String,
    },
}

impl StoreError {
    fn local(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Local { what, source }
    }

    fn remote(location: &Location) -> impl Fn(object_store::Error) -> Self {
        let location = location.clone();
        move |error| {
            let location = location.clone();
            if let object_store::Error::NotFound { .. } = error {
                return Self::Missing(location);
            }
            let message = innermost(&error);
            // Without any credentials the client asks a cloud machine's own service for some.
            if message.contains(CREDENTIALS_SERVICE) {
                return Self::Settings {
                    location,
                    message: "there are no credentials for it".to_owned(),
                };
            }
            match error {
                object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. } => {
                    Self::Refused { location, message }
                }
                _ => Self::Remote { location, message },
            }
        }
    }
}

/// Where machines of a cloud find their credentials.
const CREDENTIALS_SERVICE: &str = "169.254.169.254";

/// The error with its causes in one line.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text.replace('\n', " ")
}

/// Access to every store that a location can name. Cheap to clone; clients
/// of buckets are made when first needed, from the standard `AWS_*` variables.
#[derive(Clone, Default)]
pub struct Stores {
    buckets: Arc<Mutex<HashMap<String, Arc<AmazonS3>>>>,
    retry: RetryConfig,
    within: Option<Arc<Within>>,
}

/// Called with the bytes moved so far.
pub type OnBytes<'a> = &'a (dyn Fn(u64) + Send + Sync);

impl Stores {
    /// Access to all stores.
    pub fn new() -> Self {
        Self::default()
    }

    /// Access to all stores for one question: a store that is out of reach
    /// says so within seconds.
    pub fn impatient() -> Self {
        Self {
            retry: RetryConfig {
                max_retries: 2,
                retry_timeout: IMPATIENT,
                ..RetryConfig::default()
            },
            ..Self::default()
        }
    }

    fn bucket(&self, location: &Location) -> Result<Arc<AmazonS3>, StoreError> {
        static TLS: Once = Once::new();
        TLS.call_once(|| {
            // An error means that somebody has set one up already.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let settings = |message: String| StoreError::Settings {
            location: location.clone(),
            message,
        };
        let name = location
            .bucket()
            .ok_or_else(|| settings("not in a bucket".to_owned()))?;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = buckets.get(name) {
            return Ok(Arc::clone(store));
        }
        let plain_http = ["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"]
            .iter()
            .any(|key| std::env::var(key).is_ok_and(|url| url.starts_with("http://")));
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(name)
            .with_retry(self.retry.clone());
        if plain_http {
            builder = builder.with_allow_http(true);
        }
        let store = Arc::new(
            builder
                .build()
                .map_err(|error| settings(innermost(&error)))?,
        );
        buckets.insert(name.to_owned(), Arc::clone(&store));
        Ok(store)
    }

    fn object(&self, location: &Location) -> Result<(Arc<AmazonS3>, Path), StoreError> {
        self.check(location)?;
        let store = self.bucket(location)?;
        let path = Path::parse(location.key()).map_err(|error| StoreError::Name {
            location: location.clone(),
            message: error.to_string(),
        })?;
        Ok((store, path))
    }

    /// The exact version that is at a location now.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where nothing is.
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

    /// Every object below a prefix, in the order of their keys. A prefix that
    /// is itself an object yields just that.
    ///
    /// # Errors
    /// Where the store cannot be listed.
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

    /// A URL by which anyone may read the object for a while.
    ///
    /// # Errors
    /// Where the store's settings do not allow to sign.
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

    /// Copies an object into a local file.
    ///
    /// # Errors
    /// Where the store fails, the disk is full, or the object is shorter than
    /// the store said.
    pub async fn download(
        &self,
        location: &Location,
        to: &FsPath,
        on_bytes: OnBytes<'_>,
    ) -> Result<(), StoreError> {
        let (store, path) = self.object(location)?;
        let remote = StoreError::remote(location);
        let object = store.get(&path).await.map_err(&remote)?;
        let size = object.meta.size;
        let mut stream = object.into_stream();
        let what = || format!("writing {}", to.display());
        let mut file = tokio::fs::File::create(to)
            .await
            .map_err(StoreError::local(what()))?;
        let mut done = 0;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(&remote)?;
            file.write_all(&chunk)
                .await
                .map_err(StoreError::local(what()))?;
            done += chunk.len() as u64;
            on_bytes(done);
        }
        file.flush().await.map_err(StoreError::local(what()))?;
        if done != size {
            return Err(StoreError::Remote {
                location: location.clone(),
                message: format!("sent {done} bytes of {size}"),
            });
        }
        Ok(())
    }

    /// Uploads a local file in parts, if only in one: others can abort nothing
    /// but such an upload. Nothing is visible at the location until
    /// [`Upload::commit`]; nothing is left there when it fails or is stopped.
    ///
    /// # Errors
    /// Where the file cannot be read or the store fails.
    pub async fn upload(
        &self,
        from: &FsPath,
        location: &Location,
        on_bytes: OnBytes<'_>,
        stop: &CancellationToken,
    ) -> Result<Upload, StoreError> {
        let (store, path) = self.object(location)?;
        let remote = StoreError::remote(location);
        let what = || format!("reading {}", from.display());
        let mut file = tokio::fs::File::open(from)
            .await
            .map_err(StoreError::local(what()))?;
        let size = file
            .metadata()
            .await
            .map_err(StoreError::local(what()))?
            .len();
        let part = PART.max(size.div_ceil(10_000));
        let mut upload = Upload {
            id: store.create_multipart(&path).await.map_err(&remote)?,
            store,
            path,
            location: location.clone(),
            parts: Vec::new(),
        };

        let Upload {
            id, store, path, ..
        } = &upload;
        let sending = async {
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
                let put = store.put_part(path, id, number, PutPayload::from(buffer));
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

    /// Aborts an upload, whoever began it: nothing appears by it any more. One
    /// that is complete or gone already is fine.
    ///
    /// # Errors
    /// Where the store fails: the upload may still be committed then.
    pub async fn abort(&self, location: &Location, upload: &str) -> Result<(), StoreError> {
        let (store, path) = self.object(location)?;
        abort(&store, &path, upload)
            .await
            .map_err(StoreError::remote(location))
    }

    /// Removes an object or a file; one that is not there is fine.
    ///
    /// # Errors
    /// Where the store refuses.
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

/// A finished upload that nobody can see yet.
pub struct Upload {
    store: Arc<AmazonS3>,
    path: Path,
    location: Location,
    id: String,
    parts: Vec<PartId>,
}

impl Upload {
    /// What the store calls it, for [`Stores::abort`].
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Makes the object appear, whole.
    ///
    /// # Errors
    /// Where the store fails; it may have appeared all the same, or still do.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.store
            .complete_multipart(&self.path, &self.id, self.parts)
            .await
            .map(drop)
            .map_err(StoreError::remote(&self.location))
    }

    /// Gives the parts up.
    pub async fn abort(self) {
        if let Err(error) = abort(&self.store, &self.path, &self.id).await {
            tracing::debug!(location = %self.location, %error, "could not abort the upload");
        }
    }
}

async fn abort(store: &AmazonS3, path: &Path, upload: &str) -> object_store::Result<()> {
    match store.abort_multipart(path, &upload.to_owned()).await {
        Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What a local file's metadata says of its version.
pub fn local_input(location: Location, metadata: &std::fs::Metadata) -> Input {
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    Input {
        location,
        size: metadata.len(),
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
