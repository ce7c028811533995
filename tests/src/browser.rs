//! A real browser, without a window.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{paths, process};

/// What a page has become after its scripts ran for `time`, as HTML. The
/// browser keeps what it keeps below `folder`.
pub async fn page_after(time: Duration, url: &str, folder: &Path) -> String {
    let mut command = Command::new(paths::tool("chromium"));
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .args(["--disable-dev-shm-usage", "--hide-scrollbars"])
        .arg(format!(
            "--user-data-dir={}",
            folder.join("browser").display()
        ))
        // Real time: a page that keeps a stream open would hold virtual time up.
        .arg(format!("--timeout={}", time.as_millis()))
        .args(["--dump-dom", url]);
    process::run(command).await.succeeded().stdout
}
