//! Libraries of many files: pages, filters and orders are right, and a scan leaves alone what has not changed.

use std::collections::HashMap;

use common::job::input::Input;
use common::library::file::FileStateKind;
use common::names::location::Location;
use common::names::token::Token;
use harness::farm::Farm;
use harness::library::entries;
use harness::process::Ran;
use harness::programs::monitor::TestMonitor;

use super::{add, library, reaches, scan, scanned};

/// Entries that are listed; a bench lists 100,000.
const LISTED: usize = 20_000;
/// Files on a disk.
const ON_DISK: usize = 3000;

/// The names of the files of an answer, in its order.
fn paths(ran: Ran, folder: &Location) -> Vec<String> {
    let answer = ran.succeeded().json();
    let files = answer.as_array().expect("a list").iter();
    let path = |file: &serde_json::Value| {
        let location: Location =
            serde_json::from_value(file["input"]["location"].clone()).expect("a location");
        let (key, base) = (location.key(), folder.key());
        let below = key.strip_prefix(&base).expect("it is below");
        below.trim_start_matches('/').to_owned()
    };
    files.map(path).collect()
}

/// Adds an empty library that is paused: its folder and its name.
async fn paused(farm: &Farm) -> (Location, Token) {
    let folder = farm.folder_of("films", &[]);
    let added = add(farm, &folder, &["--paused"]).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    let place = Location::file(&folder).unwrap();
    (place, "films".parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_filters_and_orders_of_many_files_are_right() {
    let farm = Farm::start().await;
    let (place, name) = paused(&farm).await;
    let input = |number| entries::input(&place, number);
    let record = |number| entries::record(number, input(number));
    entries::note(&farm.view, &name, LISTED, record).await;
    // Records that are written again and removed lie elsewhere in the stream, and count once.
    entries::note(&farm.view, &name, 500, record).await;
    let gone: Vec<Location> = (LISTED..LISTED + 50)
        .map(|number| input(number).location)
        .collect();
    let records: Vec<_> = (LISTED..LISTED + 50).map(record).collect();
    farm.view.note_files(&name, &records).await.unwrap();
    farm.view.drop_files(&name, &gone).await.unwrap();

    let files = async |more: &[&str]| {
        let line: Vec<&str> = ["--json"].iter().chain(more).copied().collect();
        paths(library(&farm, "files", &line).await, &place)
    };
    let named =
        |numbers: Vec<usize>| -> Vec<String> { numbers.into_iter().map(entries::path).collect() };
    assert_eq!(files(&[]).await, named((0..100).collect()));
    let second = files(&["--limit", "50", "--offset", "12345"]).await;
    assert_eq!(second, named((12_345..12_395).collect()));
    assert!(files(&["--offset", "20000"]).await.is_empty());
    let all = files(&["--limit", "1000000"]).await;
    assert_eq!(all, named((0..LISTED).collect()), "each file once");

    let failed = |number: &usize| number.is_multiple_of(10);
    let of_failed: Vec<usize> = (0..LISTED).filter(failed).skip(10).take(20).collect();
    let page = ["--state", "failed", "--limit", "20", "--offset", "10"];
    assert_eq!(files(&page).await, named(of_failed));

    let mut largest: Vec<usize> = (0..LISTED).filter(|number| number % 3 == 0).collect();
    largest.retain(|number| number % 2 == 0);
    largest.sort_by_key(|number| std::cmp::Reverse(entries::size(*number)));
    let condition = "codec = hevc and audio.channels = 6";
    let page = ["--where", condition, "--sort", "size", "--limit", "30"];
    assert_eq!(files(&page).await, named(largest[..30].to_vec()));

    // The page of the web says the same.
    let monitor = TestMonitor::start(&farm).await;
    let ask = "/api/v1/libraries/films/files?where=codec%20%3D%20hevc%20and%20audio.channels%20%3D%206\
               &sort=size&descending=true&limit=30";
    let answer = monitor.get(ask).await.expect("it answers");
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["total"], largest.len());
    let shown = answer["files"].as_array().expect("a list").iter();
    let shown: Vec<&str> = shown.filter_map(|file| file["path"].as_str()).collect();
    assert_eq!(shown, named(largest[..30].to_vec()));
    // A change is seen by the next answer.
    let now = entries::record(1, input(largest[0]));
    farm.view.note_files(&name, &[now]).await.unwrap();
    let answer = monitor.get(ask).await.expect("it answers");
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["total"], largest.len() - 1);
    let (code, why) = monitor
        .refusal("/api/v1/libraries/films/files?where=codek%20%3D%20hevc")
        .await;
    assert_eq!(code, 422);
    assert!(why.contains("codek"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_writes_and_asks_nothing_about_unchanged_files() {
    let farm = Farm::start().await;
    let (place, name) = paused(&farm).await;
    let folder = place.path().unwrap();
    let mut inputs: HashMap<usize, Input> = HashMap::new();
    for number in 0..ON_DISK {
        let path = folder.join(entries::path(number));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = std::fs::File::create(&path).unwrap();
        let modified = file.metadata().unwrap().modified().ok();
        let location = place.join(&entries::path(number));
        let input = common::store::modified_input(location, 0, modified);
        inputs.insert(number, input);
    }
    let record = |number: usize| entries::settled(number, inputs[&number].clone());
    entries::note(&farm.view, &name, ON_DISK, record).await;
    let before = farm.view.last_file_sequence().await.unwrap();

    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let rule = ["--skip-if", &entries::rule()];
    let edited = library(&farm, "edit", &rule).await;
    assert_eq!(edited.code, Some(0), "{edited:?}");
    let resumed = library(&farm, "resume", &[]).await;
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    scanned(&farm).await;
    let sent_before = farm.broker.received().await;
    let began = scan(&farm).await.and_then(|scan| scan.last).unwrap().began;
    scanned(&farm).await;
    scanned(&farm).await;
    let sent = farm.broker.received().await - sent_before;
    let report = scan(&farm).await.and_then(|scan| scan.last).unwrap();
    assert!(report.began > began);
    assert_eq!(report.files, ON_DISK);
    assert_eq!((report.probed, report.enqueued, report.gone), (0, 0, 0));
    assert_eq!(
        farm.view.last_file_sequence().await.unwrap(),
        before,
        "a scan wrote records of unchanged files"
    );
    // Heartbeats, leases, the listing of libraries, and pages of records: no request for each file.
    assert!(
        sent < ON_DISK as u64 / 3,
        "{sent} messages for {ON_DISK} files"
    );

    // A new file is seen among them.
    std::fs::copy(
        harness::paths::media("h264.mp4"),
        folder.join("Show 000/new.mp4"),
    )
    .unwrap();
    reaches(&farm, "new.mp4", FileStateKind::Done).await;
}
