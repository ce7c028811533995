//! The store: written, read in part, listed, removed.

use common::store::StoreError;

use super::finding::Finding;
use crate::cli::settings::Settings;

pub(super) async fn check(settings: &Settings) -> Option<Finding> {
    let store = settings.store.as_ref()?;
    let proof = settings.stores().hurried().prove(store).await;
    Some(match proof {
        Ok(()) => Finding::fine("store", store, "written, read in part, listed, removed"),
        Err(error) => {
            let cure = match &error.source {
                StoreError::Missing(_) if store.is_remote() => {
                    "there is no such bucket: make it, or run `producer setup --store` again"
                }
                StoreError::Missing(_) | StoreError::Local { .. } => {
                    "is the disk connected, the share mounted, and may this user write there?"
                }
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
