//! The page of the libraries: one is added, seen, filtered, paused and removed.

use common::farm::worker_name::WorkerName;
use common::library::file::{Done, FileRecord, FileState};
use common::names::location::Location;
use common::rules::facts::{Facts, HdrKind, VideoFacts};
use serde_json::json;

use super::{choose, keep_alive, open};
use crate::client::{get, send};
use crate::{Monitor, farm};

/// A file of a library over `/films`, as a scan notes it.
pub(crate) fn file(name: &str, codec: &str, size: u64, state: FileState) -> FileRecord {
    let location: Location = "file:///films".parse().expect("a location");
    let location = location.join(name);
    let input = common::job::input::Input {
        location: location.clone(),
        size,
        version: "1".to_owned(),
    };
    let facts = Facts {
        location,
        size,
        modified: None,
        hard_links: None,
        container: "matroska,webm".to_owned(),
        duration: Some(60.0),
        bitrate: None,
        video: Some(VideoFacts {
            codec: codec.to_owned(),
            width: 1920,
            height: 1080,
            depth: 8,
            hdr: match codec {
                "hevc" => [HdrKind::Pq, HdrKind::Hdr10].into(),
                _ => Default::default(),
            },
            ..VideoFacts::default()
        }),
        audio: Vec::new(),
        subtitles: Vec::new(),
    };
    FileRecord::new(input, Some(facts), state)
}

fn done(before: u64, after: u64) -> FileState {
    FileState::Done(Done {
        job: farm::job("a.mkv", "libx265", 1000).id,
        before,
        after,
        codec: Some("h264".to_owned()),
        encoder: Some(farm::encoder("libx265")),
    })
}

/// The names of the files that are shown.
const SHOWN: &str = "JSON.stringify([...document.querySelectorAll('table.files tbody bdi')].map((name) => name.textContent))";

#[tokio::test(flavor = "multi_thread")]
async fn a_library_is_added_seen_filtered_and_paused() {
    let monitor = Monitor::start().await;
    let beat = farm::heartbeat("atelier", 2, Vec::new(), &[("libx265", 61.0)]);
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let (mut browser, _folder) = open(&monitor, "libraries").await;
    browser.shows("The farm keeps no library yet").await;
    browser.click("[data-page=libraries] .head button").await;
    choose(&mut browser, "[name=library]", "films").await;
    choose(&mut browser, "[name=location]", "/films").await;
    choose(&mut browser, "[name=output]", "/films/small").await;
    choose(&mut browser, "[name=with]", "libx265").await;
    choose(&mut browser, "[name=exclude]", "Extras/**").await;
    browser.click(".library-editor button[type=submit]").await;
    browser
        .shows("would be taken for files of the library")
        .await;
    choose(&mut browser, "[name=output]", "/small").await;
    browser.click(".library-editor button[type=submit]").await;
    browser.shows("not scanned yet").await;

    let name = "films".parse().expect("a name");
    let stored = monitor.broker.library(&name).await.expect("it is stored");
    assert_eq!(
        stored.library.exclude.pattern("Extras/a.mkv"),
        Some("Extras/**")
    );
    let skipped = FileState::Skipped {
        rule: "video.codec == hevc".to_owned(),
    };
    let mut files = vec![
        file("Nosferatu.mkv", "h264", 4000, done(4000, 1000)),
        file("Metropolis.mkv", "hevc", 9000, skipped),
        file("Faust.mkv", "h264", 2000, FileState::Waiting),
    ];
    files[0].check.at = Some(jiff::Timestamp::now());
    files[0].check.damage = Some("0:12:03 video cannot be decoded".to_owned());
    monitor
        .broker
        .note_files(&name, &files)
        .await
        .expect("noted");
    let worker: WorkerName = "atelier".parse().expect("a name");
    let lease = monitor
        .broker
        .take_scan(&name, &worker)
        .await
        .expect("answered");
    lease.expect("nobody else scans");
    browser.shows("kept by atelier").await;
    browser.shows("3 kB by 1 file").await;
    browser
        .shows("1.5 kB of 2 kB h264 (outputs have 25% of their sources in this library)")
        .await;
    browser.shows("0 sound, 1 damaged").await;
    browser.shows("hdr10").await;
    let all = format!(r#"{SHOWN} === '["Faust.mkv","Metropolis.mkv","Nosferatu.mkv"]'"#);
    browser.until("all files by name", &all).await;
    browser.picture("library").await;

    browser.click("table.files [data-sort=size]").await;
    let sorted = format!(r#"{SHOWN} === '["Metropolis.mkv","Nosferatu.mkv","Faust.mkv"]'"#);
    browser.until("the largest first", &sorted).await;
    choose(&mut browser, "[name=codec]", "h264").await;
    let of_codec = format!(r#"{SHOWN} === '["Nosferatu.mkv","Faust.mkv"]'"#);
    browser.until("those of a codec", &of_codec).await;
    choose(&mut browser, "[name=state]", "waiting").await;
    browser
        .until(
            "the one that waits",
            &format!(r#"{SHOWN} === '["Faust.mkv"]'"#),
        )
        .await;
    // The address holds the filter.
    browser.evaluate("location.reload()").await;
    browser
        .until("still the one", &format!(r#"{SHOWN} === '["Faust.mkv"]'"#))
        .await;
    choose(&mut browser, "[name=codec]", "").await;
    choose(&mut browser, "[name=state]", "").await;
    choose(&mut browser, "[name=where]", "hdr and size > 8 kb").await;
    let of_condition = format!(r#"{SHOWN} === '["Metropolis.mkv"]'"#);
    browser
        .until("the one for which it holds", &of_condition)
        .await;
    choose(&mut browser, "[name=where]", "hdr and weight > 8 kb").await;
    browser.shows("weight").await;
    choose(&mut browser, "[name=where]", "").await;
    browser.click("[name=damaged]").await;
    browser
        .until(
            "the damaged one",
            &format!(r#"{SHOWN} === '["Nosferatu.mkv"]'"#),
        )
        .await;
    browser.shows("video cannot be decoded").await;

    let paused = async || {
        monitor
            .broker
            .library(&name)
            .await
            .expect("it is there")
            .library
            .paused
    };
    browser
        .click("[data-page=libraries] .head .choices button:nth-child(2)")
        .await;
    browser.until("it to be paused", "document.querySelector('[data-page=libraries] .head .status').textContent === 'paused'").await;
    assert!(paused().await);
    browser
        .click("[data-page=libraries] .head .choices button:nth-child(2)")
        .await;
    browser.shows("kept by atelier").await;
    assert!(!paused().await);
    let asked = monitor
        .broker
        .library(&name)
        .await
        .expect("it is there")
        .library
        .asked;
    browser
        .click("[data-page=libraries] .head .choices button:nth-child(1)")
        .await;
    harness::poll::until("a scan to be asked for", async || {
        let now = monitor.broker.library(&name).await.ok()?.library.asked;
        (now > asked).then_some(())
    })
    .await;
    for scheme in ["light", "dark"] {
        browser.scheme(scheme).await;
        let barriers = browser.barriers().await;
        assert!(barriers.is_empty(), "{scheme}: {barriers:#?}");
    }
    browser
        .click("[data-page=libraries] .head .choices button:nth-child(4)")
        .await;
    browser.click("dialog.question button[value=yes]").await;
    browser.shows("The farm keeps no library yet").await;
    assert!(
        monitor
            .broker
            .libraries()
            .await
            .expect("answered")
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_add_change_and_list_libraries() {
    let monitor = Monitor::start().await;
    let recipe = serde_json::to_value(farm::job("a.mkv", "libx265", 1).recipe).expect("JSON");
    let wanted = json!({ "location": "/films", "output": "/small", "recipe": recipe });
    let path = "/api/v1/libraries/films";
    let put = async |body: &serde_json::Value| send(&monitor.address, "PUT", path, "", body).await;
    let with = |key: &str, value: serde_json::Value| {
        let mut body = wanted.clone();
        body[key] = value;
        body
    };
    for (body, words) in [
        (
            with("output", json!("/films/small")),
            "taken for files of the library",
        ),
        (with("location", json!("films")), "give an absolute path"),
        (
            with("location", json!("ftp://host/films")),
            "unknown scheme",
        ),
        (with("output", json!(null)), "either output or replacement"),
        (with("exclude", json!(["**/*"])), "leaves out every file"),
        (with("schedule", json!("always")), "no working hours"),
        (with("every", json!(0)), "between two scans"),
        (
            with("rules", json!({ "skip_if": "video.kodec == hevc" })),
            "kodec",
        ),
    ] {
        let refused = put(&body).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.body.contains(words), "{words}: {}", refused.body);
    }
    let added = put(&wanted).await;
    assert_eq!(added.status, 200, "{}", added.body);
    assert!(
        added.body.contains("no live worker reaches"),
        "{}",
        added.body
    );
    let revision = added.json()["revision"].clone();
    assert_eq!(put(&wanted).await.status, 409, "there is one already");
    let other = send(
        &monitor.address,
        "PUT",
        "/api/v1/libraries/more",
        "",
        &with("location", json!("/films/sub")),
    )
    .await;
    assert!(other.body.contains("'films' keeps"), "{}", other.body);
    let mut changed = with("verify_per_day", json!(7));
    changed["revision"] = revision;
    assert_eq!(put(&changed).await.status, 200);
    assert_eq!(put(&changed).await.status, 409, "it was changed meanwhile");
    let one = get(&monitor.address, path, "").await.json();
    assert_eq!(one["library"]["verify_per_day"], 7);
    assert_eq!(
        get(&monitor.address, "/api/v1/libraries/none", "")
            .await
            .status,
        404
    );
    let all = get(&monitor.address, "/api/v1/libraries", "").await.json();
    assert_eq!(all.as_array().expect("a list").len(), 1);

    // Files of a library that is removed and added again are not those of before.
    let name = "films".parse().expect("a name");
    let files = [file("a.mkv", "h264", 1, FileState::Waiting)];
    monitor
        .broker
        .note_files(&name, &files)
        .await
        .expect("noted");
    let total = async || {
        get(&monitor.address, &format!("{path}/files"), "")
            .await
            .json()["total"]
            .clone()
    };
    assert_eq!(total().await, 1);
    let removed = send(&monitor.address, "DELETE", path, "", &json!(null)).await;
    assert_eq!(removed.status, 204, "{}", removed.body);
    assert_eq!(put(&wanted).await.status, 200);
    assert_eq!(total().await, 0);
}

/// How long a page of 100,000 files takes: `cargo test -p ffmpeg-easy-monitor --test live -- --ignored hundred`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a while"]
async fn a_page_of_a_hundred_thousand_files_comes_within_two_seconds() {
    const FILES: u64 = 100_000;
    let monitor = Monitor::start().await;
    let recipe = serde_json::to_value(farm::job("a.mkv", "libx265", 1).recipe).expect("JSON");
    let wanted = json!({ "location": "/films", "output": "/small", "recipe": recipe });
    let path = "/api/v1/libraries/films";
    assert_eq!(
        send(&monitor.address, "PUT", path, "", &wanted)
            .await
            .status,
        200
    );
    let name = "films".parse().expect("a name");
    let codecs = ["h264", "hevc", "mpeg2video", "vc1", "av1"];
    let made = |nth: u64| {
        let codec = codecs[nth as usize % codecs.len()];
        let state = match nth % 4 {
            0 => done(nth + 2000, nth + 1000),
            1 => FileState::Waiting,
            _ => FileState::Skipped {
                rule: "video.codec == hevc".to_owned(),
            },
        };
        let season = nth / 1000;
        file(
            &format!(
                "A Show/Season {season:03}/A Show S{season:03}E{:03}.mkv",
                nth % 1000
            ),
            codec,
            nth + 1000,
            state,
        )
    };
    let files: Vec<FileRecord> = (0..FILES).map(made).collect();
    let began = std::time::Instant::now();
    monitor
        .broker
        .note_files(&name, &files)
        .await
        .expect("noted");
    println!("{FILES} files noted in {:.1?}", began.elapsed());
    let began = std::time::Instant::now();
    get(&monitor.address, &format!("{path}/files"), "").await;
    println!("all files read for the first time: {:.2?}", began.elapsed());
    for (what, query) in [
        ("the first page", "?limit=50"),
        ("by size", "?sort=size&descending=true&limit=50"),
        ("the last page by size", "?sort=size&offset=99950&limit=50"),
        ("a codec and a state", "?codec=h264&state=waiting&limit=50"),
        ("a text", "?text=s077e5&limit=50"),
        ("by what was saved", "?sort=saved&descending=true&limit=500"),
    ] {
        let began = std::time::Instant::now();
        let page = get(&monitor.address, &format!("{path}/files{query}"), "").await;
        let took = began.elapsed();
        assert_eq!(page.status, 200, "{}", page.body);
        println!("{what}: {} of {took:.2?}", page.json()["total"]);
        assert!(took.as_secs_f64() < 2.0, "{what}: {took:.2?}");
    }
    for path in ["/api/v1/libraries", path] {
        let began = std::time::Instant::now();
        assert_eq!(get(&monitor.address, path, "").await.status, 200);
        println!("{path}: {:.2?}", began.elapsed());
        assert!(began.elapsed().as_secs_f64() < 2.0);
    }
    let began = std::time::Instant::now();
    let files = monitor.broker.files_of(&name).await.expect("read");
    println!(
        "all {} records, as the command line and a scan read them: {:.2?}",
        files.len(),
        began.elapsed()
    );
    // A debug build reads JSON many times slower than a release.
    let most = if cfg!(debug_assertions) { 10.0 } else { 2.0 };
    assert!(began.elapsed().as_secs_f64() < most);
}
