//! Files that are read again when they change.

use std::path::PathBuf;
use std::time::Duration;

use ring::digest::{Digest, SHA256, digest};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(2);

/// Calls `changed` whenever the content of one of these small files has changed, until `shutdown` is cancelled. It is
/// called again later if it gives an error, which is logged once: a file may be half written.
pub(crate) async fn follow<E: std::fmt::Display>(
    files: Vec<PathBuf>,
    shutdown: CancellationToken,
    mut changed: impl FnMut() -> Result<(), E>,
) {
    let mut used = fingerprint(&files).await;
    let mut refused = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.cancelled() => return,
        }
        let now = fingerprint(&files).await;
        if now == used || Some(&now) == refused.as_ref() {
            continue;
        }
        let names: Vec<String> = files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let names = names.join(" and ");
        match changed() {
            Ok(()) => {
                tracing::info!("{names} changed, and is in use now");
                (used, refused) = (now, None);
            }
            Err(error) => {
                tracing::warn!(
                    "{names} changed, but cannot be used, so all stays as it was: {error}"
                );
                refused = Some(now);
            }
        }
    }
}

/// What the files hold, as hashes; nothing for a file that cannot be read.
async fn fingerprint(files: &[PathBuf]) -> Vec<Option<Vec<u8>>> {
    let mut found = Vec::new();
    for file in files {
        let content = tokio::fs::read(file).await.ok();
        let hash = content.map(|content| -> Digest { digest(&SHA256, &content) });
        found.push(hash.map(|hash| hash.as_ref().to_vec()));
    }
    found
}
