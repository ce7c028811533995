//! Whether a bucket or a folder answers and takes writes, apart from any single object in it.

use std::io;

use object_store::ObjectStoreExt;

use super::{StoreError, Stores};
use crate::names::location::Location;
use crate::store::roots::Roots;

/// The name of an object that is not expected to exist.
const TEST_NAME: &str = ".ffmpeg-easy-is-it-there";
/// Most characters that are kept of a store's error.
const LONGEST: usize = 200;
/// S3's code for a refusal that may concern one object only.
const DENIED: &str = "AccessDenied";
/// Most free space that is asked for: only the output itself can find out whether more is there, and other outputs
/// need not wait for it.
const MOST_ROOM: u64 = 1 << 30;
/// Errors of stores that have no room, or that take no more for now.
const NO_ROOM: [&str; 4] = [
    "507 Insufficient Storage",
    "QuotaExceeded",
    "StorageFull",
    "<Code>SlowDown</Code>",
];
/// S3's code for a bucket that does not exist.
const NO_BUCKET: &str = "NoSuchBucket";

/// The result of asking a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The store answers.
    Available,
    /// The store does not answer; holds its error, or the network's.
    Away(String),
    /// The store refuses. Credentials that may not list a bucket get the same refusal for an object that is missing,
    /// so only a job can tell.
    Unclear(String),
}

impl Stores {
    /// Whether the bucket of a location answers, or the root of a file is in place. A bucket is asked for an object
    /// beside the location, because credentials may open no more than that prefix. `known` is an object of the bucket
    /// that existed before.
    pub async fn answers(&self, location: &Location, known: Option<&Location>) -> Answer {
        if !location.is_remote() {
            return match self.on_disk(location, Roots::reach).await {
                Err(StoreError::Away { source, .. }) => Answer::Away(source.to_string()),
                _ => Answer::Available,
            };
        }
        self.asked(location, &location.sibling(TEST_NAME), known)
            .await
    }

    /// Whether a bucket or a prefix answers, without a known object in it.
    pub async fn answers_below(&self, prefix: &Location) -> Answer {
        self.asked(prefix, &prefix.join(TEST_NAME), None).await
    }

    async fn asked(
        &self,
        location: &Location,
        test_object: &Location,
        known: Option<&Location>,
    ) -> Answer {
        let asked = match self.object(test_object) {
            // A GET, not a HEAD: only the body of the answer tells one refusal from another.
            Ok((store, path)) => store.get(&path).await.map(drop).map_err(|error| {
                (
                    super::error::innermost(&error),
                    StoreError::remote(location)(error),
                )
            }),
            Err(error) => Err((error.to_string(), error)),
        };
        let refusal = match asked {
            Err((error_text, StoreError::Missing(_))) if code(&error_text) == Some(NO_BUCKET) => {
                return Answer::Away("there is no such bucket".to_owned());
            }
            Ok(()) | Err((_, StoreError::Missing(_))) => return Answer::Available,
            // No store was asked: the error concerns the name only.
            Err((_, StoreError::Name { .. } | StoreError::Outside(_))) => return Answer::Available,
            Err((error_text, StoreError::Refused { .. })) => error_text,
            Err((_, StoreError::Settings { message, .. })) => return Answer::Away(message),
            Err((error_text, _)) => return Answer::Away(short(&error_text)),
        };
        if code(&refusal).is_some_and(|code| code != DENIED) {
            return Answer::Away(short(&refusal));
        }
        match known {
            Some(known) if self.head(known).await.is_ok() => Answer::Available,
            _ => Answer::Unclear(short(&refusal)),
        }
    }
}

impl Stores {
    /// Whether the place of an output, if it answers, has room for so many bytes. Writes a few bytes under a hidden
    /// name and removes them. A refusal that may concern this one output's folder does not count.
    pub async fn takes(&self, output: &Location, bytes: u64) -> Answer {
        if output.is_remote() {
            return match self.takes_upload(&output.sibling(TEST_NAME)).await {
                Err(error) if error.lacks_room() => Answer::Away(short(&error.to_string())),
                Err(StoreError::Remote { message, .. }) => Answer::Away(short(&message)),
                _ => Answer::Available,
            };
        }
        let tried = self.on_disk(output, move |roots, at| {
            let (folder, _) = roots.make_folder_of(at)?;
            folder
                .try_room(bytes.min(MOST_ROOM))
                .map_err(StoreError::local("writing"))
        });
        match tried.await {
            Err(StoreError::Local { source, .. }) if is_no_room(&source) || is_failing(&source) => {
                Answer::Away(source.to_string())
            }
            Err(StoreError::Away { source, .. }) => Answer::Away(source.to_string()),
            _ => Answer::Available,
        }
    }
}

impl StoreError {
    /// Whether the place refuses any output, or one of this size: it is full, over its quota, read-only, or
    /// throttled.
    pub fn lacks_room(&self) -> bool {
        match self {
            Self::Local { source, .. } => is_no_room(source),
            Self::Remote { message, .. } | Self::Refused { message, .. } => {
                NO_ROOM.iter().any(|text| message.contains(text))
            }
            _ => false,
        }
    }
}

/// Whether a file system refuses all writes.
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

/// The code in the body of a refusal.
fn code(error_text: &str) -> Option<&str> {
    let (_, rest) = error_text.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0)
}

/// The error of a store or the network, without the request and the number of tries.
fn short(error_text: &str) -> String {
    let (_, answer) = error_text.rsplit_once(" - ").unwrap_or(("", error_text));
    let status = answer.strip_prefix("Server returned non-2xx status code: ");
    let text = match (status, code(error_text)) {
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
    fn lack_of_room_is_told_from_other_errors() {
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
    fn an_error_of_a_store_is_shortened() {
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
