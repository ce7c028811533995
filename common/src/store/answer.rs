//! Whether a bucket answers at all, whatever becomes of one object in it.

use std::io;

use object_store::ObjectStoreExt;

use super::{StoreError, Stores};
use crate::names::location::Location;
use crate::store::roots::Roots;

/// A name that nobody has a reason to give an object.
const NOBODYS: &str = ".ffmpeg-easy-is-it-there";
/// What a store says of itself is cut to so many characters.
const LONGEST: usize = 200;
/// What S3 calls a refusal that may be about one object only.
const DENIED: &str = "AccessDenied";
/// More free space is not asked for: whether a larger output fits, only that
/// output can find out, and others need not wait for it.
const ENOUGH: u64 = 1 << 30;
/// What stores say that have no room, or that take no more just now.
const NO_ROOM: [&str; 4] = [
    "507 Insufficient Storage",
    "QuotaExceeded",
    "StorageFull",
    "<Code>SlowDown</Code>",
];
/// What S3 calls a bucket that is not there.
const NO_BUCKET: &str = "NoSuchBucket";

/// What asking a store for a sign of life has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It answers.
    Well,
    /// It does not, and says this, or the network does.
    Away(String),
    /// It refuses, which credentials that may not list a bucket also meet where
    /// an object is missing: only a job can tell.
    Unclear(String),
}

impl Stores {
    /// Whether the bucket of a location answers, or the root of a file is there.
    /// A bucket is asked for something beside it, as credentials may open no more than that. `known` is an object of the
    /// bucket that was there before.
    pub async fn answers(&self, location: &Location, known: Option<&Location>) -> Answer {
        if !location.is_remote() {
            return match self.on_disk(location, Roots::reach).await {
                Err(StoreError::Away { source, .. }) => Answer::Away(source.to_string()),
                _ => Answer::Well,
            };
        }
        self.asked(location, &location.sibling(NOBODYS), known)
            .await
    }

    /// The same of a bucket, or of a prefix of one, of which no object is known.
    pub async fn answers_below(&self, prefix: &Location) -> Answer {
        self.asked(prefix, &prefix.join(NOBODYS), None).await
    }

    async fn asked(
        &self,
        location: &Location,
        nobodys: &Location,
        known: Option<&Location>,
    ) -> Answer {
        let asked = match self.object(nobodys) {
            // Not a HEAD: only the body of an answer tells one refusal from another.
            Ok((store, path)) => store.get(&path).await.map(drop).map_err(|error| {
                (
                    super::error::innermost(&error),
                    StoreError::remote(location)(error),
                )
            }),
            Err(error) => Err((error.to_string(), error)),
        };
        let refusal = match asked {
            Err((said, StoreError::Missing(_))) if code(&said) == Some(NO_BUCKET) => {
                return Answer::Away("there is no such bucket".to_owned());
            }
            Ok(()) | Err((_, StoreError::Missing(_))) => return Answer::Well,
            // No store was asked: that says something of the name alone.
            Err((_, StoreError::Name { .. } | StoreError::Outside(_))) => return Answer::Well,
            Err((said, StoreError::Refused { .. })) => said,
            Err((_, StoreError::Settings { message, .. })) => return Answer::Away(message),
            Err((said, _)) => return Answer::Away(short(&said)),
        };
        if code(&refusal).is_some_and(|code| code != DENIED) {
            return Answer::Away(short(&refusal));
        }
        match known {
            Some(known) if self.head(known).await.is_ok() => Answer::Well,
            _ => Answer::Unclear(short(&refusal)),
        }
    }
}

impl Stores {
    /// Whether the place of an output takes anything just now, where it answers: an
    /// output of so many bytes needs room. Something small is written where nobody
    /// sees it, and taken back. A refusal that may be about this one output's
    /// folder says nothing of the place.
    pub async fn takes(&self, output: &Location, bytes: u64) -> Answer {
        if output.is_remote() {
            return match self.takes_upload(&output.sibling(NOBODYS)).await {
                Err(error) if error.lacks_room() => Answer::Away(short(&error.to_string())),
                Err(StoreError::Remote { message, .. }) => Answer::Away(short(&message)),
                _ => Answer::Well,
            };
        }
        let tried = self.on_disk(output, move |roots, at| {
            let (folder, _) = roots.make_folder_of(at)?;
            folder
                .try_room(bytes.min(ENOUGH))
                .map_err(StoreError::local("writing"))
        });
        match tried.await {
            Err(StoreError::Local { source, .. }) if is_no_room(&source) || is_failing(&source) => {
                Answer::Away(source.to_string())
            }
            Err(StoreError::Away { source, .. }) => Answer::Away(source.to_string()),
            _ => Answer::Well,
        }
    }
}

impl StoreError {
    /// Whether it says that there is no room, or not for so much, whatever is to be
    /// written: the place is full, over its quota, read-only, or throttled.
    pub fn lacks_room(&self) -> bool {
        match self {
            Self::Local { source, .. } => is_no_room(source),
            Self::Remote { message, .. } | Self::Refused { message, .. } => {
                NO_ROOM.iter().any(|said| message.contains(said))
            }
            _ => false,
        }
    }
}

/// Whether a file system takes nothing more, whatever it is.
fn is_no_room(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Whether a disk or a share fails.
fn is_failing(error: &io::Error) -> bool {
    #[cfg(unix)]
    let is_broken = error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error());
    #[cfg(not(unix))]
    let is_broken = false;
    is_broken || error.kind() == io::ErrorKind::StaleNetworkFileHandle
}

/// The code in the body of an answer that refuses.
fn code(said: &str) -> Option<&str> {
    let (_, rest) = said.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0)
}

/// What a store or the network said, without what we asked and how often.
fn short(said: &str) -> String {
    let (_, answer) = said.rsplit_once(" - ").unwrap_or(("", said));
    let status = answer.strip_prefix("Server returned non-2xx status code: ");
    let text = match (status, code(said)) {
        (Some(status), Some(code)) => {
            let status = status.split(':').next().unwrap_or(status);
            format!("{status} ({code})")
        }
        (Some(status), None) => status.trim_end_matches([' ', ':']).to_owned(),
        (None, _) => answer.to_owned(),
    };
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn want_of_room_is_told_from_other_trouble() {
        let local = |kind: io::ErrorKind| StoreError::local("writing")(kind.into());
        assert!(local(io::ErrorKind::StorageFull).lacks_room());
        assert!(local(io::ErrorKind::QuotaExceeded).lacks_room());
        assert!(local(io::ErrorKind::ReadOnlyFilesystem).lacks_room());
        assert!(!local(io::ErrorKind::PermissionDenied).lacks_room());
        let remote = |message: &str| StoreError::Remote {
            location: Location::s3("media", "out/a.mkv").expect("a name"),
            message: message.to_owned(),
        };
        assert!(remote("507 Insufficient Storage: <Code>XMinioStorageFull</Code>").lacks_room());
        assert!(remote("503: <Error><Code>SlowDown</Code></Error>").lacks_room());
        assert!(!remote("500 Internal Server Error").lacks_room());
    }

    #[test]
    fn what_a_store_says_is_told_in_a_few_words() {
        let refused = "The operation lacked the necessary privileges to complete for path media/x: Error performing \
            GET http://127.0.0.1:1/media/x in 2ms - Server returned non-2xx status code: 403 Forbidden: \
            <Error><Code>InvalidAccessKeyId</Code></Error>";
        assert_eq!(short(refused), "403 Forbidden (InvalidAccessKeyId)");
        let mute = "Error performing GET http://127.0.0.1:1/media/x in 2ms - Server returned non-2xx status code: \
            503 Service Unavailable: ";
        assert_eq!(short(mute), "503 Service Unavailable");
        let gone = "Error performing GET http://127.0.0.1:1/x in 1s, after 2 retries, max_retries: 2, \
            retry_timeout: 3s  - HTTP error: error sending request: Connection refused (os error 111)";
        assert_eq!(
            short(gone),
            "HTTP error: error sending request: Connection refused (os error 111)"
        );
    }
}
