//! `enqueue` and the listings, against a real broker without workers.

use crate::farm::Farm;

#[test]
fn the_same_folder_twice_adds_nothing_and_says_so() {
    let farm = Farm::start();
    farm.film("in/a.mp4", b"one");
    farm.film("in/sub/b.mkv", b"two");
    farm.file("in/notes.txt", b"no media");
    let line = ["enqueue", "in", "-o", "out", "--encoder", "libx264"];
    let first = farm.producer(line).succeeded();
    assert!(first.stderr.contains("2 added"), "{first:#?}");
    assert!(first.stderr.contains("1 no media"), "{first:#?}");
    assert!(first.stderr.contains("no worker is alive"), "{first:#?}");
    let second = farm.producer(line).succeeded();
    assert!(
        second.stderr.contains("nothing to add, 2 pending already"),
        "{second:#?}"
    );

    farm.film("in/c.mov", b"three");
    let third = farm
        .producer(line.into_iter().chain(["--json"]))
        .succeeded()
        .json();
    assert_eq!((&third["added"], &third["pending"]), (&1.into(), &2.into()));
    // New jobs for the same outputs are refused until these jobs have ended.
    let again = || farm.producer(line.into_iter().chain(["--again"]));
    let refused = again();
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("3 refused"), "{refused:#?}");
    farm.producer(["cancel", "--all"]).succeeded();
    let again = again().succeeded();
    assert!(again.stderr.contains("3 added"), "{again:#?}");
}

#[test]
fn films_are_split_if_a_person_says_so() {
    let farm = Farm::start();
    farm.film("in/a.mp4", b"one");
    let split = |options: &[&str]| {
        let line = ["enqueue", "in", "-o", "out", "--json"];
        farm.producer(line.iter().chain(options)).succeeded();
        let jobs = farm.producer(["jobs", "--json"]).succeeded().json();
        let id = jobs[0]["id"].as_str().unwrap().to_owned();
        let job = farm.producer(["job", &id, "--json"]).succeeded().json();
        farm.producer(["cancel", &id]).succeeded();
        (id, job["pending"]["job"]["split"].clone())
    };
    let x264 = ["--encoder", "libx264"];
    let (id, usual) = split(&x264);
    assert_eq!(usual, "auto");
    farm.producer(["retry", &id]).succeeded();
    farm.producer(["cancel", &id]).succeeded();
    let with = |last: &[&'static str]| [&x264[..], &["--again", "--split"], last].concat();
    assert_eq!(split(&with(&["2m"])).1, serde_json::json!({"every": 120}));
    assert_eq!(split(&with(&["auto"])).1, "auto");
    assert_eq!(split(&with(&["off"])).1, serde_json::Value::Null);
    assert_eq!(
        split(&["--video", "copy", "--again"]).1,
        serde_json::Value::Null
    );

    let refused = |options: &[&str]| {
        let line = ["enqueue", "in", "-o", "out", "--split"];
        let refused = farm.producer(line.iter().chain(options));
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        refused.stderr
    };
    let no_length = refused(&["soon", "--encoder", "libx264"]);
    assert!(no_length.contains("is no way to split"), "{no_length}");
    let copied = refused(&["30s", "--video", "copy"]);
    assert!(copied.contains("a film that is encoded"), "{copied}");
}

#[test]
fn a_changed_source_or_recipe_is_another_job() {
    let farm = Farm::start();
    farm.film("in/a.mp4", b"one");
    let enqueue = |crf: &str| {
        farm.producer([
            "enqueue", "in", "-o", "out", "--codec", "h264", "--crf", crf, "--json",
        ])
    };
    let added = |crf: &str| enqueue(crf).succeeded().json()["added"].clone();
    // As long as the first job waits, a second one would have the same output.
    let refused = |crf: &str| {
        let refused = enqueue(crf);
        assert_eq!(refused.code, Some(1), "{refused:#?}");
        assert_eq!(refused.json()["refused"], 1, "{refused:#?}");
        assert!(
            refused.stderr.contains("its output is already being made"),
            "{refused:#?}"
        );
        farm.producer(["cancel", "--all"]).succeeded();
    };
    assert_eq!(added("20"), 1);
    assert_eq!(added("20"), 0);
    refused("21");
    assert_eq!(added("21"), 1);
    farm.film("in/a.mp4", b"another one");
    refused("20");
    assert_eq!(added("20"), 1);
}

#[test]
fn a_file_that_somebody_else_put_at_the_output_is_left_alone() {
    let farm = Farm::start();
    farm.film("in/a.mp4", b"one");
    let output = farm.file("out/a.mkv", b"precious");
    let line = ["enqueue", "in", "-o", "out", "--codec", "h264"];
    let skipped = farm.producer(line);
    assert_eq!(skipped.code, Some(1), "{skipped:#?}");
    assert!(skipped.stderr.contains("--overwrite"), "{skipped:#?}");
    let replaced = farm
        .producer(line.into_iter().chain(["--overwrite"]))
        .succeeded();
    assert!(replaced.stderr.contains("1 added"), "{replaced:#?}");
    assert_eq!(std::fs::read(output).unwrap(), b"precious");
}

#[test]
fn names_that_break_careless_programs_are_kept() {
    let farm = Farm::start();
    let names = [
        "two words.mp4",
        "it's \"quoted\".mp4",
        "new\nline.mp4",
        "emoji 🎬.mp4",
        "-dash.mp4",
        "100%.mp4",
        "what?#.mp4",
        "$(touch pwned).mp4",
        "a*[b].mp4",
    ];
    for name in names {
        farm.film(&format!("in/{name}"), b"media");
    }
    let line = ["enqueue", "in", "-o", "out", "--codec", "hevc", "--json"];
    let enqueued = farm.producer(line).succeeded().json();
    assert_eq!(enqueued["added"], names.len());
    let jobs = farm.producer(["jobs", "--json"]).succeeded().json();
    let folder = farm.folder.path().canonicalize().unwrap();
    let path = |location: &serde_json::Value| {
        let location: common::names::location::Location =
            location.as_str().unwrap().parse().unwrap();
        location.path().unwrap()
    };
    for name in names {
        let input = folder.join("in").join(name);
        let job = jobs
            .as_array()
            .unwrap()
            .iter()
            .find(|job| path(&job["input"]) == input)
            .unwrap_or_else(|| panic!("{name:?} is missing"));
        let output = folder.join("out").join(name).with_extension("mkv");
        assert_eq!(path(&job["output"]), output);
    }
    let table = farm.producer(["jobs"]).succeeded().stdout;
    assert!(table.contains("new\\nline.mp4"), "{table}");
    let dash = [
        "enqueue",
        "-o",
        "out2",
        "--codec",
        "h264",
        "--",
        "-dash.mp4",
    ];
    std::fs::copy(folder.join("in/-dash.mp4"), folder.join("-dash.mp4")).unwrap();
    farm.producer(dash).succeeded();
    assert!(!folder.join("pwned").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_name_that_is_no_utf8_is_kept() {
    use std::os::unix::ffi::OsStrExt;
    let farm = Farm::start();
    let folder = farm.folder.path().canonicalize().unwrap();
    std::fs::create_dir(folder.join("in")).unwrap();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.mp4");
    std::fs::write(folder.join("in").join(name), b"\0\0\x01\xba").unwrap();
    let line = ["enqueue", "in", "-o", "out", "--codec", "hevc"];
    farm.producer(line).succeeded();
    let jobs = farm.producer(["jobs", "--json"]).succeeded().json();
    let input: common::names::location::Location =
        jobs[0]["input"].as_str().unwrap().parse().unwrap();
    assert_eq!(input.path().unwrap(), folder.join("in").join(name));
}

#[test]
fn listings_and_plans_are_json_on_stdout_alone() {
    let farm = Farm::start();
    farm.film("in/a.mp4", b"one");
    farm.producer(["setup"]).succeeded();
    assert_eq!(
        farm.producer(["jobs", "--json"]).succeeded().json(),
        serde_json::json!([])
    );
    let line = [
        "enqueue",
        "in",
        "-o",
        "out",
        "--encoder",
        "hevc_nvenc",
        "--priority",
        "7",
    ];
    let quiet = farm.producer(line).succeeded();
    assert_eq!(quiet.stdout, "");

    let jobs = farm.producer(["jobs", "--json"]).succeeded().json();
    let job = &jobs[0];
    assert_eq!(job["state"], "pending");
    assert_eq!(job["queue"], "hevc_nvenc");
    assert_eq!(job["priority"], 7);
    let none = farm.producer(["jobs", "--state", "failed", "--json"]);
    assert_eq!(none.succeeded().json(), serde_json::json!([]));

    let id = job["id"].as_str().unwrap();
    for name in [id, &id[..8], &id[..13]] {
        let one = farm.producer(["job", name, "--json"]).succeeded().json();
        assert_eq!(one["pending"]["job"]["id"], id);
        assert_eq!(one["state"], "pending");
    }
    assert!(
        farm.producer(["job", id])
            .succeeded()
            .stdout
            .contains("hevc_nvenc at priority 7")
    );

    assert_eq!(
        farm.producer(["workers", "--json"]).succeeded().json(),
        serde_json::json!([])
    );
    let plan = ["plan", "--codec", "hevc", "in", "--json"];
    let plan = farm.producer(plan).succeeded().json();
    assert_eq!(plan["queue"], "any_hevc");
    assert_eq!(plan["served"], false);
    assert_eq!(plan["sources"]["files"], 1);
    assert_eq!(plan["candidates"], serde_json::json!([]));
    let jobs = farm.producer(["jobs", "--json"]).succeeded().json();
    assert_eq!(jobs.as_array().unwrap().len(), 1, "a plan sends nothing");
}

#[test]
fn a_job_that_no_worker_can_run_is_refused_on_request() {
    let farm = Farm::start();
    farm.film("in/a.mp4", b"one");
    let line = [
        "enqueue",
        "in",
        "-o",
        "out",
        "--encoder",
        "libx264",
        "--require-worker",
    ];
    let refused = farm.producer(line);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(
        refused.stderr.contains("no worker is alive"),
        "{refused:#?}"
    );
    let jobs = farm.producer(["jobs", "--json"]).succeeded().json();
    assert_eq!(jobs, serde_json::json!([]));
}
