//! Errors of stores.

use crate::names::location::Location;

/// An operation on a store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no object or file at the location.
    #[error("{0} does not exist")]
    Missing(Location),
    /// The location is outside the places that the program may use.
    #[error("{0} lies in no place that this program was given (--root, --bucket)")]
    Outside(Location),
    /// A link on the path leads out of these places.
    #[error("a link at or above {0} leads out of the folders that this program was given (--root)")]
    LeadsOut(Location),
    /// A root is missing, or has lost the file system that was mounted there.
    #[error("{place} is away: {source}")]
    Away {
        /// The root, or the location in it.
        place: Location,
        /// The system's error.
        source: std::io::Error,
    },
    /// The store could not be reached, or failed.
    #[error("store of {location}: {message}")]
    Remote {
        /// The location.
        location: Location,
        /// The error of the store or the network.
        message: String,
    },
    /// The store answered and denied access: the credentials do not open this location, or none for now.
    #[error("store of {location} refuses: {message}")]
    Refused {
        /// The location.
        location: Location,
        /// The store's error.
        message: String,
    },
    /// The object's name cannot be sent to the store.
    #[error("{location} has a name that cannot be asked for ({message}): rename it")]
    Name {
        /// The location.
        location: Location,
        /// What is wrong with its name.
        message: String,
    },
    /// The local file system failed.
    #[error("{what}: {source}")]
    Local {
        /// The operation and its file.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The operation was stopped before it was done.
    #[error("broken off: {0}")]
    Stopped(Location),
    /// The settings of the store are incomplete or wrong.
    #[error(
        "store settings for {location}: {message} (set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT)"
    )]
    Settings {
        /// The location.
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
            // Without credentials, the client asks the metadata service of a cloud machine for some.
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
                object_store::Error::Generic { .. } if message.contains(REDIRECT) => Self::Remote {
                    location,
                    message: format!(
                        "{message}: redirects are not followed. Set the endpoint and the region to those of the store itself"
                    ),
                },
                _ => Self::Remote { location, message },
            }
        }
    }
}

/// The address of that service.
const CREDENTIALS_SERVICE: &str = "169.254.169.254";

/// How the client begins to tell a status that names another address.
const REDIRECT: &str = "status code: 30";

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
    without_logins(&text.replace('\n', " "))
}

/// A text in which addresses have lost their users and passwords: an error is printed and logged.
pub(super) fn without_logins(text: &str) -> String {
    let mut parts = text.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let ends = |end: char| end == '/' || end.is_whitespace() || "'\"()".contains(end);
        let host = part.find(ends).map_or(part, |end| &part[..end]);
        let kept = host.rfind('@').map_or(part, |at| &part[at + 1..]);
        shown += "://";
        shown += kept;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_login() {
        for (text, shown) in [
            (
                "for url (http://me:pw@host:1/a@b)",
                "for url (http://host:1/a@b)",
            ),
            (
                "at https://host/a, https://me@b",
                "at https://host/a, https://b",
            ),
            ("mail me@host", "mail me@host"),
        ] {
            assert_eq!(without_logins(text), shown);
        }
    }
}
