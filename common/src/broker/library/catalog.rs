//! The libraries of a farm: set, changed and removed by people.

use crate::broker::nats::kv::KeyValue;
use crate::broker::{Broker, BrokerError, Overwrite};
use crate::farm::orders::Target;
use crate::job::signature::JobSignature;
use crate::library::Library;
use crate::library::check::{self, LibraryError};
use crate::library::mandate::mandate;
use crate::names::subject;
use crate::names::subject::{FILES, LIBRARIES};
use crate::names::token::Token;
use crate::wire;

/// A library as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLibrary {
    /// Its name.
    pub name: Token,
    /// What a person has set.
    pub library: Library,
    /// The revision of what was set.
    pub revision: u64,
}

/// Why a library was not changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The request to the broker failed.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The library cannot be as it is wanted.
    #[error(transparent)]
    Unsound(#[from] LibraryError),
    /// There is no library of that name.
    #[error("there is no library '{name}': {known}")]
    Unknown {
        /// The name.
        name: Token,
        /// The libraries that there are, in words.
        known: String,
    },
    /// There is a library of that name already.
    #[error("there is a library '{0}' already: `producer library edit` changes it")]
    Taken(Token),
    /// Another program changed or removed the library meanwhile.
    #[error("the library '{0}' was changed or removed meanwhile: look at it again, then decide")]
    Changed(Token),
}

impl Broker {
    /// Every library, by name.
    pub async fn libraries(&self) -> Result<Vec<StoredLibrary>, BrokerError> {
        let read = self.nats.values_of(LIBRARIES, "*").await;
        let stored = match read {
            // A farm that was made by older programs has no libraries until one is added.
            Err(_) if self.nats.lacks(&subject::bucket(LIBRARIES)).await => Vec::new(),
            stored => stored?,
        };
        let library = |stored: KeyValue<Library>| {
            Some(StoredLibrary {
                name: stored.key.parse().ok()?,
                library: stored.value,
                revision: stored.revision,
            })
        };
        let mut libraries: Vec<StoredLibrary> = stored.into_iter().filter_map(library).collect();
        libraries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(libraries)
    }

    /// One library.
    ///
    /// # Errors
    /// There is none of that name.
    pub async fn library(&self, name: &Token) -> Result<StoredLibrary, CatalogError> {
        let libraries = self.libraries().await?;
        let known: Vec<String> = libraries.iter().map(|one| one.name.to_string()).collect();
        let found = libraries.into_iter().find(|one| one.name == *name);
        found.ok_or_else(|| CatalogError::Unknown {
            name: name.clone(),
            known: match known.as_slice() {
                [] => "the farm keeps none".to_owned(),
                known => format!("one of {}", known.join(", ")),
            },
        })
    }

    /// Adds or changes a library, once it has passed [`check::check`]; returns its new revision. The user of this
    /// connection vouches for it, if that has a key.
    ///
    /// # Errors
    /// It cannot be as it is wanted, or there is a library that `over` does not allow to change.
    pub async fn save_library(
        &self,
        name: &Token,
        library: &Library,
        over: Overwrite,
    ) -> Result<u64, CatalogError> {
        let library = Library {
            signature: match &self.signer {
                Some(signer) => Some(JobSignature::of_mandate(mandate(library)?, signer).into()),
                None => None,
            },
            ..library.clone()
        };
        self.store_library(name, &library, over).await
    }

    /// Adds or changes a library as it is, once it has passed [`check::check`]; returns its new revision.
    async fn store_library(
        &self,
        name: &Token,
        library: &Library,
        over: Overwrite,
    ) -> Result<u64, CatalogError> {
        let others = self.libraries().await?;
        let others: Vec<(Token, Library)> = others
            .into_iter()
            .map(|one| (one.name, one.library))
            .collect();
        check::check(name, library, &others)?;
        let what = format!("saving the library {name}");
        let (key, value) = (name.as_str(), wire::encode(library));
        let nats = &self.nats;
        let written = match over {
            Overwrite::Nothing => {
                if others.iter().all(|(taken, _)| taken != name) {
                    // What a killed removal has left of a library of that name.
                    self.forget_files(name).await?;
                }
                nats.create(LIBRARIES, key, value, &what).await
            }
            Overwrite::Revision(revision) => {
                nats.replace(LIBRARIES, key, value, revision, &what).await
            }
            Overwrite::Anything => nats.put(LIBRARIES, key, value, &what).await,
        };
        written.map_err(|error| match over {
            _ if !error.is_conflict() => error.into(),
            Overwrite::Nothing => CatalogError::Taken(name.clone()),
            _ => CatalogError::Changed(name.clone()),
        })
    }

    /// Whether a library can be added or changed: all that [`Broker::save_library`] checks of it. Changes nothing.
    ///
    /// # Errors
    /// It cannot be as it is wanted.
    pub async fn check_library(&self, name: &Token, library: &Library) -> Result<(), CatalogError> {
        let others = self.libraries().await?.into_iter();
        let others: Vec<(Token, Library)> = others.map(|one| (one.name, one.library)).collect();
        Ok(check::check(name, library, &others)?)
    }

    /// Changes a library as `edit` says. If another program changes it at the same time, `edit` gets that change. Who
    /// changes nothing of what its jobs may do does not vouch for that.
    ///
    /// # Errors
    /// There is none of that name, or it cannot be as `edit` wants it.
    pub async fn edit_library<E: From<CatalogError>>(
        &self,
        name: &Token,
        mut edit: impl FnMut(&mut Library) -> Result<(), E>,
    ) -> Result<StoredLibrary, E> {
        loop {
            let mut stored = self.library(name).await?;
            let before = mandate(&stored.library).ok();
            edit(&mut stored.library)?;
            let over = Overwrite::Revision(stored.revision);
            let is_alike = before.is_some() && before == mandate(&stored.library).ok();
            let saved = match is_alike {
                true => self.store_library(name, &stored.library, over).await,
                false => self.save_library(name, &stored.library, over).await,
            };
            match saved {
                Err(CatalogError::Changed(_)) => {}
                Err(error) => return Err(error.into()),
                Ok(revision) => return Ok(StoredLibrary { revision, ..stored }),
            }
        }
    }

    /// Removes a library with what is known of its files; with `revision` only if that is its current revision. Its
    /// jobs and all files stay.
    ///
    /// # Errors
    /// There is none of that name, or it was changed meanwhile.
    pub async fn remove_library(
        &self,
        name: &Token,
        revision: Option<u64>,
    ) -> Result<(), CatalogError> {
        let stored = self.library(name).await?;
        let held = self.scan(name).await?.map(|scan| scan.held);
        let revision = Some(revision.unwrap_or(stored.revision));
        let what = format!("removing the library {name}");
        self.nats
            .remove_key(LIBRARIES, name.as_str(), revision, &what)
            .await
            .map_err(|error| match error.is_conflict() {
                true => CatalogError::Changed(name.clone()),
                false => error.into(),
            })?;
        self.nats
            .remove_key(LIBRARIES, &subject::scan(name), None, &what)
            .await?;
        // Its jobs go on: nobody else would resume them.
        for batch in held.into_iter().flatten() {
            self.pause_target(&Target::Batch(batch), false).await?;
        }
        Ok(self.forget_files(name).await?)
    }

    /// Removes the records of all files of a library.
    async fn forget_files(&self, name: &Token) -> Result<(), BrokerError> {
        let stream = subject::bucket(FILES);
        let subjects = subject::kv(FILES, &subject::files_of(name));
        self.nats.purge(&stream, &subjects, None).await
    }

    /// Notices that a library was added, changed or removed. A notice is sent after the change is stored.
    pub async fn library_notices(&self) -> Result<async_nats::Subscriber, BrokerError> {
        self.nats
            .subscribe("listening for libraries", subject::LIBRARY_NOTICES)
            .await
    }
}
