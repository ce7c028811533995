//! The store: written, read in part, listed, removed.

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
