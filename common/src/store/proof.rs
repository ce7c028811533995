//! Proving a store: what programs do with it, done once with a file of a few bytes.

use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use reqwest::Method;
use uuid::Uuid;

use crate::names::location::Location;
use crate::store::error::StoreError;
use crate::store::{Patience, Stores};

/// What is written.
const BYTES: &[u8] = b"0123456789";
/// How long the URL may be used by which a bucket is made.
const SOON: Duration = Duration::from_secs(60);

/// A step of the proof, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofStep {
    /// Writing a file.
    Put,
    /// Reading some of its bytes.
    Range,
    /// Finding it in a listing.
    List,
    /// Removing it.
    Delete,
}

impl ProofStep {
    /// The step as a phrase.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Put => "writing a file",
            Self::Range => "reading a part of a file",
            Self::List => "listing files",
            Self::Delete => "removing a file",
        }
    }
}

/// A step failed.
#[derive(Debug, thiserror::Error)]
#[error("{} fails: {source}", step.as_str())]
pub struct ProofError {
    /// The step.
    pub step: ProofStep,
    /// Why.
    pub source: StoreError,
}

impl Stores {
    /// Writes a small file below a place, reads a part of it, finds it in a listing and removes it.
    ///
    /// # Errors
    /// The first step that fails.
    pub async fn prove(&self, place: &Location) -> Result<(), ProofError> {
        let at = |step| move |source| ProofError { step, source };
        // In a folder of its own: a bucket may hold a million files, and all of them would be listed.
        let folder = place.join(&format!(".ffmpeg-easy-proof-{}", Uuid::new_v4()));
        let file = folder.join("proof");
        self.put_proof(&file).await.map_err(at(ProofStep::Put))?;
        let read = self.proof_range(&file).await.map_err(at(ProofStep::Range));
        let listed = self
            .lists_proof(&folder, &file)
            .await
            .map_err(at(ProofStep::List));
        let removed = self.remove_proof(&folder, &file).await;
        let removed = removed.map_err(at(ProofStep::Delete));
        let wrong = |step, message: &str| ProofError {
            step,
            source: StoreError::Remote {
                location: file.clone(),
                message: message.to_owned(),
            },
        };
        if read? != BYTES[3..6] {
            return Err(wrong(
                ProofStep::Range,
                "the bytes are not those that were written",
            ));
        }
        if !listed? {
            return Err(wrong(
                ProofStep::List,
                "the file that was written is not listed",
            ));
        }
        removed
    }

    async fn put_proof(&self, file: &Location) -> Result<(), StoreError> {
        if let Some(path) = file.path() {
            let write = || {
                // Not the folders above: a wrong place must not be made.
                path.parent().map_or(Ok(()), std::fs::create_dir)?;
                std::fs::write(&path, BYTES)
            };
            return write().map_err(StoreError::local(file.to_string()));
        }
        let (store, path) = self.object(file)?;
        let put = store.put(&path, PutPayload::from_static(BYTES)).await;
        put.map(drop).map_err(StoreError::remote(file))
    }

    async fn proof_range(&self, file: &Location) -> Result<Vec<u8>, StoreError> {
        if let Some(path) = file.path() {
            let read = tokio::fs::read(&path).await;
            let bytes = read.map_err(StoreError::local(file.to_string()))?;
            return Ok(bytes.get(3..6).unwrap_or_default().to_vec());
        }
        let (store, path) = self.object(file)?;
        let bytes = store.get_range(&path, 3..6).await;
        bytes.map(Into::into).map_err(StoreError::remote(file))
    }

    async fn lists_proof(&self, folder: &Location, file: &Location) -> Result<bool, StoreError> {
        if let Some(path) = folder.path() {
            let read = std::fs::read_dir(&path).map_err(StoreError::local(folder.to_string()))?;
            let mut entries = read.flatten();
            return Ok(entries.any(|entry| Some(entry.path()) == file.path()));
        }
        let (store, prefix) = self.object(folder)?;
        let (_, wanted) = self.object(file)?;
        let found: Vec<_> = store
            .list(Some(&prefix))
            .try_collect()
            .await
            .map_err(StoreError::remote(folder))?;
        Ok(found.iter().any(|object| object.location == wanted))
    }

    async fn remove_proof(&self, folder: &Location, file: &Location) -> Result<(), StoreError> {
        self.delete(file).await?;
        folder.path().map_or(Ok(()), |path| {
            std::fs::remove_dir(&path).map_err(StoreError::local(folder.to_string()))
        })
    }

    /// Makes the bucket of a location, by a request that is signed for the empty key: the client has no call for it.
    ///
    /// # Errors
    /// The store refuses: the bucket is another's, or the credentials make none.
    pub async fn make_bucket(&self, location: &Location) -> Result<(), StoreError> {
        let store = self.bucket(location, Patience::Usual)?;
        let failed = |message: String| StoreError::Remote {
            location: location.clone(),
            message: format!("the bucket cannot be made: {message}"),
        };
        let signed = store.signed_url(Method::PUT, &Path::default(), SOON).await;
        let url = signed.map_err(StoreError::remote(location))?;
        let asked = reqwest::Client::new()
            .put(url)
            .header(reqwest::header::CONTENT_LENGTH, "0")
            .timeout(SOON)
            .send()
            .await;
        // The URL in the error is signed: whoever reads it could make the bucket.
        let answer = asked.map_err(|error| failed(error.without_url().to_string()))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(failed(format!("the store answers {status}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_is_proved_and_left_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Location::file(folder.path()).expect("absolute");
        Stores::new().prove(&place).await.expect("it can be used");
        assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 0);
        let missing = place.join("missing");
        let error = Stores::new()
            .prove(&missing)
            .await
            .expect_err("it is missing");
        assert_eq!(error.step, ProofStep::Put);
    }
}
