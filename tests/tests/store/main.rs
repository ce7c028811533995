//! Every kind of store keeps the same promises: one suite runs over a folder, a folder within a worker's roots, and a
//! real S3 server with and without a prefix. Buckets have further promises of their own.

#![allow(clippy::unwrap_used)]

mod backend;
mod bucket;
mod suite;

use std::process::Command;

use backend::Backend;
use harness::paths;
use harness::servers::store::TestStore;

#[tokio::test]
async fn a_folder_keeps_the_promises_of_a_store() {
    suite::holds(&Backend::folder()).await;
}

#[tokio::test]
async fn a_folder_within_roots_keeps_the_promises_of_a_store() {
    let backend = Backend::folder_within_roots();
    suite::holds(&backend).await;
    suite::nothing_outside_is_touched(&backend).await;
}

/// Programs read the settings of their store from the environment, which a test cannot set for itself alone. So a
/// process of its own runs the suite.
#[tokio::test]
async fn a_bucket_keeps_the_promises_of_a_store() {
    let folder = paths::test_folder();
    let store = TestStore::start(folder.path()).await;
    let mut suite = Command::new(std::env::current_exe().unwrap());
    suite
        .args([
            "--exact",
            "the_suite_over_a_bucket",
            "--ignored",
            "--nocapture",
        ])
        .envs(store.environment());
    let ran = harness::process::run(suite).await.succeeded();
    assert!(ran.stdout.contains("1 passed"), "{ran:?}");
}

#[tokio::test]
#[ignore = "a_bucket_keeps_the_promises_of_a_store runs it, with a server"]
async fn the_suite_over_a_bucket() {
    suite::holds(&Backend::bucket("whole")).await;
    let below = Backend::bucket_below_a_prefix("below");
    suite::holds(&below).await;
    suite::nothing_outside_is_touched(&below).await;
    bucket::holds(&Backend::bucket("objects")).await;
}
