//! Media stores: local folders, and S3-compatible buckets through `object_store`.

mod answer;
mod download;
mod folder;
pub mod marked;
pub mod roots;
pub mod scratch;
mod upload;
mod within;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{ClientConfigKey, ObjectStore, ObjectStoreExt, RetryConfig};

use crate::job::input::Input;
use crate::names::digest::{Digest, Digester};
use crate::names::location::Location;
use crate::store::roots::Roots;
use upload::Leftovers;

pub use answer::Answer;
pub use download::Copied;
pub use folder::Folder;
pub use upload::Upload;
use within::Within;

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

/// The settings that may name the address of a store.
const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"];

/// Whether an endpoint speaks HTTP without TLS.
///
/// # Errors
/// Where it is no address of a store: the client library would panic over that.
fn is_plain_http(setting: &str, endpoint: &str) -> Result<bool, String> {
    match url::Url::parse(endpoint) {
        Ok(url) if url.scheme() == "http" => Ok(true),
        Ok(url) if url.scheme() == "https" => Ok(false),
        _ => Err(format!(
            "{setting} is '{endpoint}': expected http://HOST:PORT or https://HOST"
        )),
    }
}

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
    buckets: Arc<Mutex<Clients>>,
    retry: RetryConfig,
    leftovers: Arc<Leftovers>,
    within: Option<Arc<Within>>,
}

/// By bucket, and by how patient they are.
type Clients = HashMap<(String, Patience), Arc<AmazonS3>>;

/// How long a client waits for one answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Patience {
    /// As long as the settings say.
    Usual,
    /// As long as a store may need to put a large upload together.
    Long,
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

    fn bucket(&self, location: &Location, patience: Patience) -> Result<Arc<AmazonS3>, StoreError> {
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
        let client = (name.to_owned(), patience);
        if let Some(store) = buckets.get(&client) {
            return Ok(Arc::clone(store));
        }
        let mut plain_http = false;
        for key in ENDPOINTS {
            if let Ok(value) = std::env::var(key) {
                plain_http |= is_plain_http(key, &value).map_err(settings)?;
            }
        }
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(name)
            .with_retry(self.retry.clone());
        if plain_http {
            builder = builder.with_allow_http(true);
        }
        if patience == Patience::Long {
            let timeout = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
            builder = builder.with_config(timeout, format!("{} seconds", upload::ANSWER.as_secs()));
        }
        let store = Arc::new(
            builder
                .build()
                .map_err(|error| settings(innermost(&error)))?,
        );
        buckets.insert(client, Arc::clone(&store));
        Ok(store)
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

    /// The digest of what is at a location now: all of it is read.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where nothing is; where it cannot be read to its end.
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
        let mut digester = Digester::new();
        while let Some(chunk) = stream.next().await {
            digester.add(&chunk.map_err(&remote)?);
        }
        Ok(digester.finish())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_with_its_scheme() {
        assert_eq!(is_plain_http("AWS_ENDPOINT", "http://store:8333"), Ok(true));
        assert_eq!(
            is_plain_http("AWS_ENDPOINT", "https://s3.example"),
            Ok(false)
        );
        for wrong in ["", "store", "store:8333", "127.0.0.1:8333", "s3://media"] {
            let expected =
                format!("AWS_ENDPOINT is '{wrong}': expected http://HOST:PORT or https://HOST");
            assert_eq!(is_plain_http("AWS_ENDPOINT", wrong), Err(expected));
        }
    }
}
