//! Promises of a bucket only: uploads in parts that appear at once or never, listings of a whole prefix, copies to the
//! local disk, and URLs that need no credentials.

use std::sync::Mutex;
use std::time::Duration;

use common::names::digest::Digest;
use common::names::location::Location;
use common::store::{StoreError, Stores, Upload};
use tokio_util::sync::CancellationToken;

use crate::backend::{Backend, file};

/// More than one part of an upload.
const LARGE: usize = 20 << 20;

/// All promises of a bucket.
pub(crate) async fn holds(backend: &Backend) {
    an_upload_appears_whole_or_never(backend).await;
    an_aborted_upload_never_appears(backend).await;
    a_stopped_upload_leaves_nothing(backend).await;
    a_prefix_lists_all_below_it(backend).await;
    a_copy_is_the_object(backend).await;
    a_url_gives_any_part_without_credentials(backend).await;
}

fn large() -> Vec<u8> {
    (0..LARGE).map(|byte| (byte % 253) as u8).collect()
}

async fn upload(backend: &Backend, content: &[u8], to: &Location) -> Upload {
    let stop = CancellationToken::new();
    let upload = backend.stores.upload(file(content), to, &|_| {}, &stop);
    upload.await.unwrap()
}

async fn is_missing(backend: &Backend, location: &Location) -> bool {
    matches!(
        backend.stores.head(location).await,
        Err(StoreError::Missing(_))
    )
}

async fn an_upload_appears_whole_or_never(backend: &Backend) {
    let location = backend.at("uploads/large.mkv");
    let (content, stop) = (large(), CancellationToken::new());
    let told = Mutex::new(Vec::new());
    let on_bytes = |bytes| told.lock().unwrap().push(bytes);
    let sent = backend
        .stores
        .upload(file(&content), &location, &on_bytes, &stop);
    let mut sent = sent.await.unwrap();
    let told = told.into_inner().unwrap();
    assert!(told.len() > 1 && told.is_sorted(), "{told:?}");
    assert_eq!(told.last(), Some(&(LARGE as u64)));
    assert!(is_missing(backend, &location).await, "seen too early");
    sent.commit().await.unwrap();
    let found = backend.stores.head(&location).await.unwrap();
    assert_eq!(found.size, LARGE as u64);
    let digest = backend.stores.digest(&location).await.unwrap();
    assert_eq!(digest, Digest::of(&content));

    // The next upload replaces it, and only when the upload is complete.
    let mut next = upload(backend, b"next", &location).await;
    assert_eq!(backend.stores.head(&location).await.unwrap(), found);
    next.commit().await.unwrap();
    assert_eq!(backend.stores.head(&location).await.unwrap().size, 4);
}

async fn an_aborted_upload_never_appears(backend: &Backend) {
    let location = backend.at("aborted/film.mkv");
    upload(backend, b"given up", &location).await.abort().await;
    assert!(is_missing(backend, &location).await);

    // Another program writes the same name and knows nothing else of it.
    let mut late = upload(backend, b"late", &location).await;
    let other = Stores::new();
    other.abort(&location, late.id()).await.unwrap();
    let committed = late.commit().await;
    assert!(
        matches!(committed, Err(StoreError::Missing(_))),
        "{committed:?}"
    );
    assert!(is_missing(backend, &location).await);
    other.abort(&location, late.id()).await.unwrap();
}

async fn a_stopped_upload_leaves_nothing(backend: &Backend) {
    let location = backend.at("stopped/film.mkv");
    let stop = CancellationToken::new();
    stop.cancel();
    let stopped = backend
        .stores
        .upload(file(&large()), &location, &|_| {}, &stop);
    let error = stopped.await.err().expect("it was stopped");
    assert!(matches!(error, StoreError::Stopped(_)), "{error}");
    assert!(is_missing(backend, &location).await);
}

async fn a_prefix_lists_all_below_it(backend: &Backend) {
    let names = [".hidden/c.mkv", "a.mkv", "season/1.mkv", "season/2.mkv"];
    for name in names.iter().rev() {
        backend.put(&backend.at("listed").join(name), b"1234").await;
    }
    // A neighbour whose name begins in the same way.
    backend.put(&backend.at("listed too/d.mkv"), b"1").await;
    let found = backend.stores.list(&backend.at("listed")).await.unwrap();
    let locations: Vec<_> = found.iter().map(|input| &input.location).collect();
    let expected = names.map(|name| backend.at("listed").join(name));
    assert_eq!(locations, expected.iter().collect::<Vec<_>>());
    assert!(found.iter().all(|input| input.size == 4));
    let one = backend.at("listed/a.mkv");
    let found = backend.stores.list(&one).await.unwrap();
    assert_eq!(found, [backend.stores.head(&one).await.unwrap()]);
    let none = backend.stores.list(&backend.at("none")).await.unwrap();
    assert_eq!(none, []);
}

async fn a_copy_is_the_object(backend: &Backend) {
    let (location, content) = (backend.at("copied/large.mkv"), large());
    backend.put(&location, &content).await;
    let copy = tempfile::NamedTempFile::new().unwrap();
    let on_bytes = &|_| {};
    backend
        .stores
        .download(&location, copy.path(), on_bytes)
        .await
        .unwrap();
    assert!(std::fs::read(copy.path()).unwrap() == content, "it differs");
    let open = tempfile::tempfile().unwrap();
    let copied = backend.stores.copy_into(&location, open, on_bytes).await;
    let copied = copied.unwrap();
    assert_eq!(copied.size, LARGE as u64);
    assert_eq!(copied.digest, Digest::of(&content));
    let missing = backend.at("copied/none.mkv");
    let error = backend
        .stores
        .download(&missing, copy.path(), on_bytes)
        .await;
    assert!(matches!(error, Err(StoreError::Missing(_))), "{error:?}");
}

async fn a_url_gives_any_part_without_credentials(backend: &Backend) {
    let location = backend.at("read/two words #1.mkv");
    backend.put(&location, b"0123456789").await;
    let hour = Duration::from_secs(3600);
    let url = backend.stores.presign(&location, hour).await.unwrap();
    let client = reqwest::Client::new();
    let whole = client.get(&url).send().await.unwrap();
    assert_eq!(whole.bytes().await.unwrap(), &b"0123456789"[..]);
    let part = client.get(&url).header("range", "bytes=3-5");
    let part = part.send().await.unwrap();
    assert_eq!(part.status().as_u16(), 206);
    assert_eq!(part.bytes().await.unwrap(), &b"345"[..]);
    let unsigned = url.split('?').next().unwrap();
    let refused = client.get(unsigned).send().await.unwrap();
    assert!(refused.status().is_client_error(), "{refused:?}");
}
