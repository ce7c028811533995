//! Stores that can be read and not written, and buckets that are missing.

use harness::faults::disk::SmallDisk;
use harness::faults::proxy::{Fate, Protocol, Proxy};

use super::Patient;

#[tokio::test]
async fn a_bucket_that_takes_nothing_and_one_that_is_not_there() {
    let patient = Patient::new().await;
    let sound = patient.text();
    let proxy = Proxy::start(Protocol::Http, patient.store.port());
    let endpoint = sound.lines().find(|line| line.starts_with("endpoint"));
    let through = format!("endpoint = \"{}\"", proxy.http_url());
    patient.write(&sound.replace(endpoint.unwrap(), &through));

    proxy.judge(|request| match request.subject.starts_with("PUT ") {
        true => Fate::Refused(403),
        false => Fate::Passed,
    });
    patient
        .has(
            "a bucket that may only be read",
            "store",
            "can be read and not written",
            "put and delete",
        )
        .await;

    proxy.judge(|_| Fate::Refused(404));
    patient
        .has(
            "a bucket that is missing",
            "store",
            "does not exist",
            "there is no such bucket",
        )
        .await;
}

#[tokio::test]
async fn a_folder_that_is_read_only_and_one_that_is_missing() {
    let patient = Patient::new().await;
    let sound = patient.text();
    let share = patient.farm.folder().join("share");
    let url = |folder: &std::path::Path| {
        let line = sound.lines().find(|line| line.starts_with("url ="));
        sound.replace(line.unwrap(), &format!("url = \"{}\"", folder.display()))
    };
    patient.write(&url(&share));
    patient
        .has(
            "a folder that is missing",
            "store",
            "writing a file",
            "the share mounted",
        )
        .await;
    let Some(disk) = SmallDisk::mount(&share, 1000) else {
        return;
    };
    disk.lock(true);
    patient
        .has(
            "a folder on a disk that is read-only",
            "store",
            "Read-only file system",
            "mounted read-only",
        )
        .await;
}
