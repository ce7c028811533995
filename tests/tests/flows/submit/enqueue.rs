//! `producer enqueue`, and the listings of the farm.

use std::path::Path;
use std::time::{Duration, Instant};

use common::job::run::RunState;
use harness::farm::Farm;
use harness::faults::proxy::{NetworkConditions, Protocol, Proxy};
use harness::faults::stand_in::StandIn;
use harness::{outside, paths, poll};

fn enqueue<'a>(folder: &'a Path, encoder: &'a str, further: &[&'a str]) -> Vec<&'a str> {
    let mut line = vec![
        "enqueue",
        folder.to_str().unwrap(),
        "-o",
        "out",
        "--encoder",
        encoder,
    ];
    line.extend(further);
    line
}

#[tokio::test]
async fn the_same_folder_twice_adds_nothing() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("in", &["h264.mp4", "vp9.webm"].map(paths::media));
    farm.producer(enqueue(&folder, "libx264", &[]))
        .await
        .succeeded();
    assert_eq!(farm.queued().await, 2);
    farm.producer(enqueue(&folder, "libx264", &[]))
        .await
        .succeeded();
    assert_eq!(farm.queued().await, 2, "pending jobs are not added again");

    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    farm.producer(enqueue(&folder, "libx264", &["--wait"]))
        .await
        .succeeded();
    assert_eq!(farm.view.runs().await.unwrap().len(), 2);
    farm.producer(enqueue(&folder, "libx264", &["--wait"]))
        .await
        .succeeded();
    assert_eq!(
        farm.view.runs().await.unwrap().len(),
        2,
        "done jobs are not added again"
    );
    assert_eq!(farm.queued().await, 0);

    std::fs::copy(paths::media("hevc.mkv"), folder.join("new.mkv")).unwrap();
    farm.producer(enqueue(&folder, "libx264", &["--wait"]))
        .await
        .succeeded();
    assert_eq!(
        farm.view.runs().await.unwrap().len(),
        3,
        "only what is missing is added"
    );
    assert_eq!(outside::names(&farm.out()).len(), 3);
}

#[tokio::test]
async fn a_job_that_no_worker_can_run_waits_with_a_warning() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("in", &[paths::media("h264.mp4")]);
    let _cpu = farm.join(farm.worker("cpu").encoders("libx265")).await;

    let refused = farm
        .producer(enqueue(&folder, "hevc_nvenc", &["--require-worker"]))
        .await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("hevc_nvenc") && refused.stderr.contains("libx265"),
        "{refused:?}"
    );
    assert_eq!(farm.queued().await, 0);

    let warned = farm
        .producer(enqueue(&folder, "hevc_nvenc", &[]))
        .await
        .succeeded();
    assert!(warned.stderr.contains("hevc_nvenc"), "{warned:?}");
    assert!(
        warned.stderr.contains("libx265 (on cpu)"),
        "alternatives are named: {warned:?}"
    );
    assert_eq!(farm.queued().await, 1);

    let nvidia = StandIn::new(&farm.folder().join("nvidia")).with_encoder("hevc_nvenc", "libx265");
    let _gpu = farm
        .join(farm.worker("gpu").encoders("hevc_nvenc").ffmpeg(&nvidia))
        .await;
    let run = poll::until("the job to be done", async || {
        let runs = farm.view.runs().await.ok()?;
        runs.into_iter().find(|run| run.state.is_terminal())
    })
    .await;
    let RunState::Completed { report } = &run.state else {
        panic!("{run:#?}")
    };
    assert_eq!(report.worker.as_str(), "gpu");
    assert_eq!(report.encoder.as_ref().unwrap().as_str(), "hevc_nvenc");
}

#[tokio::test]
async fn a_higher_priority_starts_first() {
    let farm = Farm::start().await;
    let folder = farm.folder_of(
        "in",
        &["h264.mp4", "vp9.webm", "hevc.mkv"].map(paths::media),
    );
    for (clip, priority) in [("h264.mp4", "1"), ("vp9.webm", "5"), ("hevc.mkv", "10")] {
        let file = folder.join(clip);
        farm.producer(enqueue(&file, "libx264", &["--priority", priority]))
            .await
            .succeeded();
    }
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let runs = poll::until("all to be done", async || {
        let runs = farm.view.runs().await.ok()?;
        (runs.len() == 3 && runs.iter().all(|run| run.state.is_terminal())).then_some(runs)
    })
    .await;
    let mut started: Vec<_> = Vec::new();
    for run in &runs {
        let history = farm.view.events(&run.job.id).await.unwrap();
        let claimed = history.iter().find(|event| event.what.kind() == "claimed");
        started.push((claimed.expect("it started").at, u8::from(run.priority)));
    }
    started.sort();
    assert_eq!(
        started
            .iter()
            .map(|(_, priority)| *priority)
            .collect::<Vec<_>>(),
        [10, 5, 1]
    );
}

#[tokio::test]
async fn a_busy_worker_learns_of_a_new_lane() {
    let farm = Farm::start().await;
    let names = [
        "h264.mp4",
        "vp9.webm",
        "hevc.mkv",
        "odd-size.webm",
        "tracks.mkv",
    ];
    let folder = farm.folder_of("in", &names.map(paths::media));
    let setup = farm.worker("w").encoders("libx264");
    let _worker = farm.join(setup.option("--max-jobs", "1")).await;
    // A backlog at one priority. The more urgent lane is made only after it.
    for clip in &names[..4] {
        farm.producer(enqueue(&folder.join(clip), "libx264", &[]))
            .await
            .succeeded();
    }
    let urgent = folder.join(names[4]);
    farm.producer(enqueue(&urgent, "libx264", &["--priority", "10"]))
        .await
        .succeeded();
    let runs = poll::until("all to be done", async || {
        let runs = farm.view.runs().await.ok()?;
        (runs.len() == 5 && runs.iter().all(|run| run.state.is_terminal())).then_some(runs)
    })
    .await;
    let mut started = Vec::new();
    for run in &runs {
        let history = farm.view.events(&run.job.id).await.expect("an answer");
        let claimed = history.iter().find(|event| event.what.kind() == "claimed");
        started.push((claimed.expect("it started").at, u8::from(run.priority)));
    }
    started.sort();
    assert_ne!(
        started.last().expect("five").1,
        10,
        "the most urgent job went last"
    );
}

#[tokio::test]
async fn another_recipe_does_not_replace_an_existing_output() {
    let farm = Farm::start().await;
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let clip = paths::media("h264.mp4");
    farm.producer(enqueue(&clip, "libx264", &["--wait"]))
        .await
        .succeeded();
    let output = farm.out().join("h264.mkv");
    let before = std::fs::read(&output).expect("the output");
    let other = farm
        .producer(enqueue(&clip, "libx264", &["--wait", "--crf", "40"]))
        .await;
    assert_eq!(other.code, Some(1), "{other:?}");
    assert_eq!(std::fs::read(&output).expect("the output"), before);
    let told = enqueue(&clip, "libx264", &["--wait", "--crf", "40", "--overwrite"]);
    farm.producer(told).await.succeeded();
    assert_ne!(std::fs::read(&output).expect("the output"), before);
}

#[tokio::test]
async fn a_strangers_file_at_the_output_of_a_completed_job_is_not_called_done() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("in", &[paths::media("h264.mp4")]);
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    farm.producer(enqueue(&folder, "libx264", &["--wait"]))
        .await
        .succeeded();
    let output = farm.out().join("h264.mkv");
    let made = std::fs::read(&output).unwrap();
    std::fs::write(&output, "precious").unwrap();
    for further in [&[][..], &["--missing"]] {
        let again = farm.producer(enqueue(&folder, "libx264", further)).await;
        assert_eq!(again.code, Some(1), "{again:?}");
        assert!(
            again.stderr.contains("no job is known to have made"),
            "{again:?}"
        );
    }
    assert_eq!(std::fs::read(&output).unwrap(), b"precious");
    farm.producer(enqueue(&folder, "libx264", &["--wait", "--overwrite"]))
        .await
        .succeeded();
    assert_eq!(std::fs::read(&output).unwrap().len(), made.len());
    // The output is the job's own again.
    let last = farm
        .producer(enqueue(&folder, "libx264", &["--overwrite"]))
        .await;
    assert!(last.succeeded().stderr.contains("1 done already"));
}

#[tokio::test]
async fn listings_are_json_for_programs() {
    let farm = Farm::start().await;
    let _worker = farm
        .join(farm.worker("w").encoders("libx264,libx265"))
        .await;
    let clip = paths::media("h264.mp4");
    farm.producer(enqueue(&clip, "libx264", &["--wait"]))
        .await
        .succeeded();
    farm.producer(enqueue(&paths::media("vp9.webm"), "hevc_nvenc", &[]))
        .await
        .succeeded();

    let jobs = farm.producer(["jobs", "--json"]).await.succeeded().json();
    let jobs = jobs.as_array().expect("a list of jobs");
    assert_eq!(jobs.len(), 2, "{jobs:#?}");
    let run = farm.view.runs().await.unwrap().remove(0);
    let id = run.job.id.to_string();
    let job = farm.producer(["job", &id, "--json"]).await.succeeded();
    assert!(job.json().to_string().contains(&id), "{job:?}");
    let workers = farm
        .producer(["workers", "--json"])
        .await
        .succeeded()
        .json();
    assert_eq!(workers[0]["name"], "w");
    let plan = farm
        .producer(["plan", "--encoder", "libx265", "--json"])
        .await
        .succeeded()
        .json();
    assert!(plan.to_string().contains("\"worker\":\"w\""), "{plan:#}");
    let unserved = farm
        .producer(["plan", "--encoder", "hevc_nvenc", "--json"])
        .await
        .json();
    assert!(
        unserved.to_string().contains("libx265"),
        "alternatives are named: {unserved:#}"
    );
    for verb in ["jobs", "workers"] {
        let table = farm.producer([verb]).await.succeeded().stdout;
        assert!(table.contains("libx264"), "{table}");
    }
}

#[tokio::test]
async fn a_second_job_for_an_output_is_refused() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("in", &[paths::media("h264.mp4")]);
    farm.producer(enqueue(&folder, "libx264", &[]))
        .await
        .succeeded();
    for further in [&[][..], &["--again"], &["--overwrite"]] {
        let refused = farm.producer(enqueue(&folder, "libx265", further)).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let why = "its output is already being made from";
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
    assert_eq!(farm.queued().await, 1);
}

#[tokio::test]
async fn a_deleted_output_is_reported_and_made_again_on_request() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("in", &["h264.mp4", "vp9.webm"].map(paths::media));
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    farm.producer(enqueue(&folder, "libx264", &["--wait"]))
        .await
        .succeeded();
    let (gone, kept) = (farm.out().join("h264.mkv"), farm.out().join("vp9.mkv"));
    let before = outside::which(&kept);
    for _ in 0..2 {
        std::fs::remove_file(&gone).unwrap();
        let told = farm.producer(enqueue(&folder, "libx264", &[])).await;
        assert!(told.stderr.contains("--missing"), "{told:?}");
        assert_eq!(farm.queued().await, 0);
        farm.producer(enqueue(&folder, "libx264", &["--missing", "--wait"]))
            .await
            .succeeded();
        assert!(gone.is_file());
    }
    let after = outside::which(&kept);
    assert_eq!(after, before, "made anew although it was there");
}

#[tokio::test]
async fn many_existing_outputs_are_checked_in_few_requests() {
    const MANY: usize = 300;
    let farm = Farm::start().await;
    let (folder, out) = (farm.folder().join("in"), farm.out());
    for place in [&folder, &out] {
        std::fs::create_dir_all(place).unwrap();
    }
    for nth in 0..MANY {
        std::fs::write(folder.join(format!("{nth}.mpg")), b"\0\0\x01\xbafilm").unwrap();
        std::fs::write(out.join(format!("{nth}.mkv")), b"somebody's").unwrap();
    }
    let port = farm.broker.port();
    let proxy = Proxy::start(Protocol::Nats, port);
    proxy.set(NetworkConditions {
        latency: Duration::from_millis(50),
        ..NetworkConditions::GOOD
    });
    let url = proxy.nats_url();
    for further in [&["--nats", &url][..], &["--nats", &url, "--dry-run"]] {
        let begun = Instant::now();
        let ran = farm.producer(enqueue(&folder, "libx264", further)).await;
        let told = [ran.stdout.as_str(), &ran.stderr].concat();
        assert!(told.contains("no job is known"), "{ran:#?}");
        // With one request for each output, this would take at least 30 s.
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{:?}",
            begun.elapsed()
        );
    }
    assert_eq!(farm.queued().await, 0);
}
