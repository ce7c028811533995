//! The files of the page, as a browser loads them.

use std::collections::BTreeSet;
use std::path::Path;

use crate::Monitor;
use crate::client::get;

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_guarded_and_every_file_of_the_page_is_there() {
    let monitor = Monitor::start().await;
    let page = get(&monitor.address, "/", "").await;
    assert_eq!(page.status, 200);
    let head = page.head.to_lowercase();
    for header in [
        "content-security-policy: default-src 'self';",
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cross-origin-resource-policy: same-origin",
    ] {
        assert!(head.contains(header), "{header} is missing: {head}");
    }
    assert!(!page.body.contains("<style") && !page.body.contains("style="));

    // Follow every link and every import, as a browser does.
    let mut to_read: Vec<String> = links(&page.body, "");
    let mut read = BTreeSet::new();
    while let Some(path) = to_read.pop() {
        if !read.insert(path.clone()) {
            continue;
        }
        let file = get(&monitor.address, &path, "").await;
        assert_eq!(file.status, 200, "{path}");
        let wanted = match path.rsplit('.').next() {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            _ => "image/svg+xml",
        };
        assert!(file.head.contains(wanted), "{path}: {}", file.head);
        let folder = path.rsplit_once('/').expect("a folder").0.to_owned();
        to_read.extend(links(&file.body, &folder));
    }
    read.insert("/assets/index.html".to_owned());
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/page/assets");
    assert_eq!(read, files_below(&assets, "/assets"), "a file is of no use");

    let etag = page
        .head
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .expect("an etag");
    let again = get(&monitor.address, "/", &format!("If-None-Match: {etag}\r\n")).await;
    assert_eq!(again.status, 304);
    for nothing in [
        "/nothing",
        "/assets/../Cargo.toml",
        "/assets/nothing.js",
        "/api/v1/nothing",
    ] {
        let answer = get(&monitor.address, nothing, "").await;
        assert_eq!(answer.status, 404, "{nothing}");
        assert!(answer.head.to_lowercase().contains("nosniff"), "{nothing}");
    }
    monitor.stop().await;
}

/// The page's own files that a file names.
fn links(text: &str, folder: &str) -> Vec<String> {
    let quoted = text.split('"').skip(1).step_by(2);
    quoted
        .filter_map(|link| {
            if link.starts_with("/assets/") {
                return Some(link.to_owned());
            }
            let mut folder = folder;
            let mut near = link.strip_prefix("./").unwrap_or(link);
            while let Some(above) = near.strip_prefix("../") {
                near = above;
                folder = folder.rsplit_once('/')?.0;
            }
            let is_near = link.starts_with("./") || link.starts_with("../");
            is_near.then(|| format!("{folder}/{near}"))
        })
        .filter(|link| link.contains('.'))
        .collect()
}

/// Every file below a folder, by its address on the page.
fn files_below(folder: &Path, address: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).expect("the page's folder");
    entries
        .flat_map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("a plain name");
            let address = format!("{address}/{name}");
            if entry.path().is_dir() {
                files_below(&entry.path(), &address)
            } else {
                BTreeSet::from([address])
            }
        })
        .collect()
}
