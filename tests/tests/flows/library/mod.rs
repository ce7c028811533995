//! Libraries: folders that the farm keeps in shape.

mod dry_run;
mod keeping;
mod many;
mod scanners;
mod undone;
mod wrong;

use std::path::Path;

use common::library::file::{FileRecord, FileStateKind};
use common::library::scan::ScanRecord;
use harness::farm::Farm;
use harness::poll;
use harness::process::Ran;

/// Adds the library `films` over a folder, with results in another; its scans follow each other closely.
async fn add(farm: &Farm, folder: &Path, more: &[&str]) -> Ran {
    let output = farm.out();
    let mut line: Vec<&std::ffi::OsStr> =
        vec!["library".as_ref(), "add".as_ref(), "films".as_ref()];
    line.extend([folder.as_os_str(), "-o".as_ref(), output.as_os_str()]);
    let usual = [
        "--encoder",
        "libx264",
        "--set",
        "video.encode.preset=ultrafast",
    ];
    let quick = match more.contains(&"--settle") {
        true => &["--every", "1s"][..],
        false => &["--every", "1s", "--settle", "1s"][..],
    };
    line.extend(
        usual
            .iter()
            .chain(quick)
            .chain(more)
            .map(|text| -> &std::ffi::OsStr { text.as_ref() }),
    );
    farm.producer(line).await
}

async fn library(farm: &Farm, verb: &str, more: &[&str]) -> Ran {
    let line = ["library", verb, "films"];
    farm.producer(line.iter().chain(more)).await
}

async fn records(farm: &Farm) -> Vec<FileRecord> {
    let name = "films".parse().expect("a name");
    farm.view.files_of(&name).await.expect("the broker answers")
}

async fn record(farm: &Farm, file: &str) -> Option<FileRecord> {
    let mut records = records(farm).await.into_iter();
    records.find(|record| record.input.location.name() == file)
}

/// Waits until a file of the library is in a state.
async fn reaches(farm: &Farm, file: &str, state: FileStateKind) -> FileRecord {
    poll::until(&format!("{file} to be {state}"), async || {
        let record = record(farm, file).await?;
        (record.state.kind() == state).then_some(record)
    })
    .await
}

async fn scan(farm: &Farm) -> Option<ScanRecord> {
    let name = "films".parse().expect("a name");
    farm.view.scan(&name).await.ok()?
}

/// Waits until a scan that began from now on has ended.
async fn scanned(farm: &Farm) {
    let now = farm.view.now();
    poll::until("a scan", async || {
        let last = scan(farm).await?.last?;
        (last.began > now).then_some(())
    })
    .await;
}

/// How many jobs there are that read a file of this name.
async fn jobs_of(farm: &Farm, file: &str) -> usize {
    let jobs = farm.view.jobs(true).await.expect("the broker answers");
    let of_file = jobs
        .iter()
        .filter(|record| record.job().input.location.name() == file);
    of_file.count()
}
