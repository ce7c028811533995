//! A real S3 server: SeaweedFS in one process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::job::Job;
use common::job::id::BatchId;
use common::job::input::Input;
use common::names::location::Location;
use futures::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::signer::{SignedUrlOptions, Signer};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use reqwest::Method;

use crate::farm::recipe;
use crate::process::Daemon;
use crate::servers::ports::free_ports;
use crate::{paths, poll};

/// The bucket of every test store.
pub const BUCKET: &str = "media";

const KEY: &str = "farm";
const SECRET: &str = "farm-secret";

/// The parts of the server that listen, S3 first. Each needs a port for HTTP and one for gRPC.
const PARTS: [&str; 5] = ["s3", "master", "filer", "volume", "admin"];

/// A store of a test's own. It keeps its ports and its objects after `kill -9`.
pub struct TestStore {
    server: Daemon,
    folder: PathBuf,
    ports: Vec<u16>,
    client: AmazonS3,
}

impl TestStore {
    /// Starts a store with one empty bucket, with its data below `folder`.
    pub async fn start(folder: &Path) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = folder.join("store");
        std::fs::create_dir_all(&folder).expect("a test's folder can be written");
        let ports = free_ports(2 * PARTS.len());
        let server = spawn(&folder, &ports);
        let client = AmazonS3Builder::new()
            .with_endpoint(endpoint(ports[0]))
            .with_allow_http(true)
            .with_access_key_id(KEY)
            .with_secret_access_key(SECRET)
            .with_region("us-east-1")
            .with_bucket_name(BUCKET)
            .build()
            .expect("sound settings");
        let store = Self {
            server,
            folder,
            ports,
            client,
        };
        poll::until("the store to make a bucket", async || {
            store.make_bucket().await.ok()
        })
        .await;
        poll::until("the store to serve", async || store.serves().await.ok()).await;
        store
    }

    /// Writes, reads and removes an object. A store may list names before it serves bytes, as each part of the server
    /// starts by itself.
    async fn serves(&self) -> object_store::Result<()> {
        let key = Key::from("serves");
        self.client
            .put(&key, PutPayload::from_static(b"it"))
            .await?;
        self.client.get(&key).await?.bytes().await?;
        self.client.delete(&key).await
    }

    /// Makes the bucket by a request that is signed for the empty key: `object_store` has no call for it.
    async fn make_bucket(&self) -> anyhow::Result<()> {
        let soon = Duration::from_secs(60);
        let url = self
            .client
            .signed_url(Method::PUT, &Key::default(), soon)
            .await?;
        let answer = reqwest::Client::new()
            .put(url)
            .header("content-length", "0")
            .timeout(Duration::from_secs(5))
            .send()
            .await?;
        anyhow::ensure!(answer.status().is_success(), "{answer:?}");
        Ok(())
    }

    /// The port of the S3 part.
    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// The environment variables with which programs reach the store.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT", endpoint(self.ports[0])),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }

    /// Puts a local file into the bucket.
    pub async fn put(&self, file: &Path, key: &str) {
        let bytes = std::fs::read(file).expect("the file is there");
        self.client
            .put(&Key::from(key), PutPayload::from(bytes))
            .await
            .expect("the store takes it");
    }

    /// The exact version of an object, as a job names it.
    pub async fn input(&self, key: &str) -> Input {
        let meta = self
            .client
            .head(&Key::from(key))
            .await
            .expect("it is there");
        Input {
            location: Location::s3(BUCKET, key).expect("a bucket"),
            size: meta.size,
            version: meta.e_tag.expect("the store tags versions"),
        }
    }

    /// A job that encodes one object to another.
    pub async fn job(&self, input: &str, output: &str, encoder: &str) -> Job {
        let output = Location::s3(BUCKET, output).expect("a bucket");
        let input = self.input(input).await;
        Job::new(BatchId::new(), input, output, recipe(encoder), None)
    }

    /// Changes whenever the object is written again, also with the same bytes.
    pub async fn version(&self, key: &str) -> (Option<String>, i64) {
        let meta = self
            .client
            .head(&Key::from(key))
            .await
            .expect("it is there");
        (meta.e_tag, meta.last_modified.timestamp_millis())
    }

    /// The bytes of an object; `None` if there is no such object.
    pub async fn get(&self, key: &str) -> Option<Vec<u8>> {
        match self.client.get(&Key::from(key)).await {
            Ok(object) => Some(object.bytes().await.expect("the store gives it").into()),
            Err(object_store::Error::NotFound { .. }) => None,
            Err(error) => panic!("{key}: {error}"),
        }
    }

    /// Removes an object, if it exists.
    pub async fn remove(&self, key: &str) {
        match self.client.delete(&Key::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => panic!("{key}: {error}"),
        }
    }

    /// All keys in the bucket, sorted.
    pub async fn keys(&self) -> Vec<String> {
        let objects: Vec<_> = self
            .client
            .list(None)
            .try_collect()
            .await
            .expect("the store lists");
        let mut keys: Vec<String> = objects
            .into_iter()
            .map(|meta| meta.location.to_string())
            .collect();
        keys.sort();
        keys
    }

    /// The keys of uploads that are neither complete nor aborted, sorted.
    pub async fn uploads(&self) -> Vec<String> {
        let query = SignedUrlOptions::default().with_query([("uploads", "")]);
        let soon = Duration::from_secs(60);
        let url = self
            .client
            .signed_url_opts(Method::GET, &Key::default(), soon, &query)
            .await
            .expect("sound settings");
        let answer = reqwest::get(url).await.expect("the store answers");
        assert!(answer.status().is_success(), "{answer:?}");
        let listing = answer.text().await.expect("a whole answer");
        let mut keys: Vec<String> = listing
            .split("<Key>")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once("</Key>")?.0.to_owned()))
            .collect();
        keys.sort();
        keys
    }

    /// Sends `kill -9`.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts the store again, with the same ports and the same objects.
    pub async fn restart(&mut self) {
        self.server = spawn(&self.folder, &self.ports);
        poll::until("the store to come back", async || self.serves().await.ok()).await;
    }
}

fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn spawn(folder: &Path, ports: &[u16]) -> Daemon {
    let mut command = Command::new(paths::tool("weed"));
    command
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        // The server writes notes into its home and its working folder.
        .env("HOME", folder)
        .current_dir(folder)
        .args([
            "mini",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-webdav=false",
            "-admin.ui=false",
        ])
        .args([
            "-master.telemetry=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
        ])
        .arg(format!("-dir={}", folder.display()));
    for (part, ports) in PARTS.iter().zip(ports.chunks(2)) {
        command
            .arg(format!("-{part}.port={}", ports[0]))
            .arg(format!("-{part}.port.grpc={}", ports[1]));
    }
    Daemon::start("seaweedfs", command, &folder.join("log"))
}
