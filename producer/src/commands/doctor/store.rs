//! The store: written, read in part, listed, removed.

use std::io::ErrorKind;

use common::store::{Answer, ProofStep, StoreError};

use super::finding::Finding;
use crate::cli::settings::Settings;

pub(super) async fn check(settings: &Settings) -> Option<Finding> {
    let store = settings.store.as_ref()?;
    let stores = settings.stores().hurried();
    let proof = stores.prove(store).await;
    Some(match proof {
        Ok(()) => Finding::fine("store", store, "written, read in part, listed, removed"),
        Err(error)
            if error.step == ProofStep::Put
                && matches!(error.source, StoreError::Refused { .. })
                && stores.answers_below(store).await == Answer::Available =>
        {
            let cure = "let this key put and delete objects there: policies of the bucket and of the user say what it may; or name another \
                        key in [store] of the farm file";
            Finding::wrong(
                "store",
                store,
                format!("it can be read and not written: {error}"),
                cure,
            )
        }
        Err(error) => {
            let cure = match &error.source {
                StoreError::Missing(_) if store.is_remote() => {
                    "there is no such bucket: make it, or run `producer setup --store` again"
                }
                StoreError::Local { source, .. } | StoreError::Away { source, .. } => {
                    of_disk(source.kind())
                }
                StoreError::Missing(_) => AWAY,
                StoreError::Refused { .. } | StoreError::Settings { .. } => {
                    "set access_key_id and secret_access_key in [store] of the farm file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the key needs to get, put, list and delete"
                }
                _ => {
                    "is the store running, and is `endpoint` in [store] of the farm file, or AWS_ENDPOINT, right?"
                }
            };
            Finding::wrong("store", store, error, cure)
        }
    })
}

/// What to do about a folder that is not there.
const AWAY: &str = "is the disk connected, the share mounted, and may this user write there?";

/// What to do about a folder that cannot be used.
fn of_disk(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room on that disk (or raise this user's quota), or name another store in [store] of the farm file"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "the disk is mounted read-only: mount it for writing, and look at the system's log for why it was not"
        }
        ErrorKind::PermissionDenied => {
            "let this user write there: change the folder's owner or its mode; on a share, the server's rights count, too"
        }
        ErrorKind::NotADirectory => {
            "a part of this path is a file: name a folder as `url` in [store] of the farm file"
        }
        _ => AWAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trouble_of_a_disk_has_a_cure_of_its_own() {
        for (kind, cure) in [
            (ErrorKind::StorageFull, "make room"),
            (ErrorKind::PermissionDenied, "owner or its mode"),
            (ErrorKind::ReadOnlyFilesystem, "mounted read-only"),
            (ErrorKind::NotADirectory, "is a file"),
            (ErrorKind::NotFound, "the share mounted"),
        ] {
            assert!(of_disk(kind).contains(cure), "{kind}");
        }
    }
}
