//! What went wrong with a store.

use crate::names::location::Location;

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
    pub(super) fn local(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Local { what, source }
    }

    pub(super) fn remote(location: &Location) -> impl Fn(object_store::Error) -> Self {
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
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
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
