//! New jobs from the files in the store.

use serde_json::{Value, json};

use crate::client::{Page, get, send};
use crate::{Monitor, farm};

/// A monitor over a folder with two films.
pub(crate) async fn with_films() -> (Monitor, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let films = folder.path().join("films");
    std::fs::create_dir(&films).expect("made");
    for name in ["Metropolis #1.mkv", "Nosferatu.avi"] {
        std::fs::write(films.join(name), "film").expect("written");
    }
    let path = folder.path().to_str().expect("plain").to_owned();
    (Monitor::start_with(&["--store", &path]).await, folder)
}

fn order(files: &[&str], output: &str) -> Value {
    let recipe = json!({ "video": { "encode": { "with": { "encoder": "libx265" } } } });
    json!({ "files": files, "output": output, "recipe": recipe, "priority": 7 })
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_store_become_jobs_once() {
    let (monitor, folder) = with_films().await;
    let address = &monitor.address;
    let root = get(address, "/api/v1/store", "").await.json();
    assert_eq!(root["folders"], json!(["films"]));
    let films = get(address, "/api/v1/store?folder=films", "").await.json();
    assert_eq!(
        films["files"],
        json!([{ "name": "Metropolis #1.mkv", "size": 4 }, { "name": "Nosferatu.avi", "size": 4 }])
    );
    let outside = get(address, "/api/v1/store?folder=../..", "").await.json();
    assert_eq!(
        outside["folders"], root["folders"],
        "names with .. lead nowhere"
    );

    let recipe = order(&[], "")["recipe"].clone();
    let body = json!({ "recipe": recipe });
    let plan = send(address, "POST", "/api/v1/plan", "", &body)
        .await
        .json();
    assert_eq!(plan["candidates"], json!([]));
    monitor.heartbeat("atelier", Vec::new()).await;
    let plan = send(address, "POST", "/api/v1/plan", "", &body)
        .await
        .json();
    assert_eq!(plan["candidates"][0]["worker"], "atelier");

    std::fs::create_dir(folder.path().join("out")).expect("made");
    std::fs::create_dir(folder.path().join("out/films")).expect("made");
    std::fs::write(folder.path().join("out/films/Nosferatu.mkv"), "done").expect("written");
    let all = order(
        &[
            "films/Metropolis #1.mkv",
            "films/Nosferatu.avi",
            "films/gone.mkv",
        ],
        "out",
    );
    let answer = send(address, "POST", "/api/v1/jobs", "", &all).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let receipt = answer.json();
    let added: Vec<&Value> = (0..3).map(|nth| &receipt["files"][nth]["added"]).collect();
    assert_eq!(added, [true, false, false], "{receipt:#}");
    let why = receipt["files"][1]["why"].as_str().expect("a reason");
    assert!(why.contains("no job is known to have made"), "{why}");
    assert!(
        !why.contains("--overwrite"),
        "the page has no options: {why}"
    );
    let again = send(address, "POST", "/api/v1/jobs", "", &all).await.json();
    assert_eq!(again["files"][0]["why"], "its job is pending already");

    let id = receipt["files"][0]["job"]
        .as_str()
        .expect("an id")
        .parse()
        .expect("an id");
    let record = monitor
        .broker
        .job(&id)
        .await
        .expect("an answer")
        .expect("the job");
    assert_eq!(
        record.job().output.key().rsplit('/').next(),
        Some("Metropolis #1.mkv")
    );
    assert_eq!(u8::from(record.priority()), 7);
    let batches = get(address, "/api/v1/batches", "").await.json();
    assert_eq!(again["batch"], Value::Null, "nothing new is no batch");
    assert_eq!(batches.as_array().map(Vec::len), Some(1), "{batches:#}");
    assert_eq!(batches[0]["id"], receipt["batch"]);
    assert_eq!(batches[0]["jobs"], 1, "one of three files was added");

    // A new input keeps its extension in the name; a name that no store takes is refused at once.
    let films = folder.path().join("films");
    let long = format!("{}.ts", "E".repeat(252));
    for name in ["Metropolis #1.mov", &long] {
        std::fs::write(films.join(name), "film").expect("written");
    }
    let newcomers = ["films/Metropolis #1.mov", &format!("films/{long}")];
    let newcomers = order(&newcomers, "out");
    let answer = send(address, "POST", "/api/v1/jobs", "", &newcomers).await;
    let answer = answer.json();
    let why = answer["files"][1]["why"].as_str().expect("a reason");
    assert!(why.contains("would be 256 bytes long"), "{answer:#}");
    let id = answer["files"][0]["job"].as_str().expect("a job");
    let id = id.parse().expect("an id");
    let record = monitor.broker.job(&id).await.expect("an answer");
    let output = &record.expect("the job").job().output.clone();
    assert_eq!(output.name(), "Metropolis #1.mov.mkv");

    let beat = farm::heartbeat("mini-pc", 1, Vec::new(), &[("libx264", 10.0)]);
    monitor.broker.heartbeat(&beat).await.expect("heard");
    let mut pinned = order(&["films/Nosferatu.avi"], "elsewhere");
    pinned["worker"] = json!("mini-pc");
    let refused = send(address, "POST", "/api/v1/jobs", "", &pinned).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("workers that can run it: atelier"),
        "{}",
        refused.body
    );
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_files_of_a_batch_become_one_output() {
    let (monitor, folder) = with_films().await;
    let address = &monitor.address;
    for name in ["a.mp4", "a.mov", "a.mp4.avi"] {
        std::fs::write(folder.path().join(name), "film").expect("written");
    }
    let all = order(&["a.mp4", "a.mov", "a.mp4.avi"], "out");
    let answer = send(address, "POST", "/api/v1/jobs", "", &all).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut outputs = Vec::new();
    for file in answer.json()["files"].as_array().expect("files") {
        assert_eq!(file["added"], true, "{file:#}");
        let id = file["job"].as_str().expect("an id").parse().expect("an id");
        let record = monitor.broker.job(&id).await.expect("an answer");
        outputs.push(record.expect("the job").job().output.name());
    }
    assert_eq!(outputs, ["a.mp4.mkv", "a.mov.mkv", "a.mp4.avi.mkv"]);

    for (files, output, why) in [
        (["a.mp4", "a.mp4"], "out", "is named twice"),
        (["a.mp4", "./a.mp4"], "out", "is named twice"),
        (
            ["films/Metropolis #1.mkv", "a.mp4"],
            "",
            "would be a source",
        ),
    ] {
        let answer = send(address, "POST", "/api/v1/jobs", "", &order(&files, output)).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(answer.body.contains(why), "{}", answer.body);
    }
    monitor.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn no_output_folder_leads_out_of_the_store() {
    let (monitor, folder) = with_films().await;
    let address = &monitor.address;
    let elsewhere = tempfile::tempdir().expect("a folder");
    let below = folder.path().join("below");
    std::fs::create_dir(&below).expect("made");
    for (target, link) in [
        (elsewhere.path(), folder.path().join("encoded")),
        (elsewhere.path(), below.join("encoded")),
        (std::path::Path::new("../.."), below.join("up")),
        (below.as_path(), folder.path().join("inside")),
    ] {
        std::os::unix::fs::symlink(target, link).expect("linked");
    }
    for output in [
        "encoded",
        "encoded/deeper",
        "below/encoded",
        "below/up/x",
        "inside/up",
    ] {
        let order = order(&["films/Nosferatu.avi"], output);
        let answer = send(address, "POST", "/api/v1/jobs", "", &order).await;
        assert_eq!(answer.status, 422, "{output}: {}", answer.body);
        assert!(answer.body.contains("leads out"), "{}", answer.body);
    }
    assert!(
        monitor
            .broker
            .jobs(true)
            .await
            .expect("an answer")
            .is_empty()
    );
    let order = order(&["films/Nosferatu.avi"], "inside/out");
    let answer = send(address, "POST", "/api/v1/jobs", "", &order).await;
    assert_eq!(answer.json()["files"][0]["added"], true, "{}", answer.body);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_counts_the_jobs_that_were_added_and_an_empty_one_is_not_listed() {
    let monitor = Monitor::start().await;
    let now = jiff::Timestamp::now();
    let job = farm::job("film.mkv", "libx265", 1);
    let hour = jiff::SignedDuration::from_hours(1);
    let batch = |id, label: &str, enqueued| common::job::batch::Batch {
        id,
        label: label.to_owned(),
        jobs: 10,
        enqueued,
        folder: None,
        trash: Vec::new(),
        film: None,
        library: None,
    };
    for batch in [
        batch(common::job::id::BatchId::new(), "killed before", now - hour),
        batch(job.batch, "killed between", now - hour),
        batch(common::job::id::BatchId::new(), "under way", now),
    ] {
        monitor.broker.keep_batch(&batch).await.expect("kept");
    }
    let jobs = [(job.clone(), farm::lane(&job, 5))];
    monitor.broker.enqueue(&jobs, |_| {}).await.expect("added");
    let mut page = Page::open(&monitor.address).await;
    page.until("the listing", |state| {
        state["listing"]["complete"] == true && state["totals"]["pending"] == 1
    })
    .await;
    let batches = get(&monitor.address, "/api/v1/batches", "").await.json();
    let listed: Vec<(&str, u64)> = batches
        .as_array()
        .expect("batches")
        .iter()
        .map(|row| {
            let jobs = row["jobs"].as_u64().expect("a number");
            (row["label"].as_str().expect("text"), jobs)
        })
        .collect();
    assert_eq!(listed, [("under way", 10), ("killed between", 1)]);
    drop(page);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_store_the_page_says_so() {
    let monitor = Monitor::start().await;
    let answer = get(&monitor.address, "/api/v1/store", "").await;
    assert_eq!(
        answer.status, 200,
        "a question that every page asks is no error"
    );
    assert_eq!(answer.json()["root"], serde_json::Value::Null);
    let order = json!({ "files": ["a.mkv"], "output": "out", "recipe": { "video": "copy" } });
    let answer = send(&monitor.address, "POST", "/api/v1/jobs", "", &order).await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("--store URL"), "{}", answer.body);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rendition_of_a_file_is_a_job() {
    let (monitor, _folder) = with_films().await;
    let address = &monitor.address;
    let mut body = order(&["films/Nosferatu.avi"], "out");
    body["renditions"] = json!(["1080p", "480p:1M"]);
    let ask = async |body: &Value| send(address, "POST", "/api/v1/jobs", "", body).await;
    let receipt = ask(&body).await.json();
    let added: Vec<&Value> = (0..2).map(|nth| &receipt["files"][nth]["added"]).collect();
    assert_eq!(added, [true, true], "{receipt:#}");
    let mut outputs = Vec::new();
    for nth in 0..2 {
        let id = receipt["files"][nth]["job"].as_str().expect("an id");
        let record = monitor.broker.job(&id.parse().expect("an id")).await;
        let record = record.expect("an answer").expect("the job");
        outputs.push(record.job().output.name());
    }
    assert_eq!(outputs, ["Nosferatu-1080p.mkv", "Nosferatu-480p.mkv"]);
    let again = ask(&body).await.json();
    assert_eq!(again["batch"], Value::Null, "{again:#}");

    for (name, renditions, why) in [
        (json!("{stem}"), json!(["1080p", "480p"]), "both be named"),
        (json!(null), json!([]), "the list of renditions is empty"),
        (
            json!("{stem}-{preset}"),
            json!(null),
            "{preset} has no value",
        ),
    ] {
        body["name"] = name;
        body["renditions"] = renditions;
        let refused = ask(&body).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.body.contains(why), "{}", refused.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subtitle_files_beside_a_film_are_inputs_of_its_job() {
    let (monitor, folder) = with_films().await;
    let address = &monitor.address;
    let films = folder.path().join("films");
    for name in [
        "Nosferatu.de.forced.srt",
        "Nosferatu.sprites.vtt",
        "Metropolis #1.idx",
    ] {
        std::fs::write(films.join(name), "text").expect("written");
    }
    let mut all = order(&["films/Nosferatu.avi", "films/Metropolis #1.mkv"], "out");
    all["recipe"]["subtitle_tracks"] = json!({ "external": true });
    let receipt = send(address, "POST", "/api/v1/jobs", "", &all).await.json();
    let id = receipt["files"][0]["job"].as_str().expect("a job");
    let record = monitor.broker.job(&id.parse().expect("an id")).await;
    let record = record.expect("an answer").expect("the job");
    let further = record.job().further.iter();
    let names: Vec<String> = further.map(|file| file.input.location.name()).collect();
    assert_eq!(names, ["Nosferatu.de.forced.srt"]);
    // Subtitles that cannot become a track are named.
    let why = receipt["files"][1]["why"].as_str().expect("a reason");
    assert!(why.contains("mkvmerge"), "{why}");
    let body = json!({ "file": "films/Metropolis #1.mkv", "recipe": all["recipe"] });
    let forecast = send(address, "POST", "/api/v1/forecast", "", &body).await;
    let refused = forecast.json()["refused"].to_string();
    assert!(refused.contains("mkvmerge"), "{refused}");
    monitor.stop().await;
}
