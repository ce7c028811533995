//! Whoever reaches the broker may ask for anything; a worker reads and writes
//! only where its own settings say.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use common::broker::PreviewError;
use common::farm::preview::{JobFile, Preview, PreviewKind};
use common::farm::queue::Lane;
use common::job::Job;
use common::job::id::{BatchId, JobId};
use common::job::run::{Run, RunState};
use common::names::location::Location;
use common::store::local_input;
use common::wire;
use harness::farm::{Farm, recipe};
use harness::programs::{self, Worker};
use harness::servers::store::TestStore;
use harness::{paths, poll, process};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A farm whose worker may use `in` and `out` only; `home` is its user's.
struct Place {
    farm: Farm,
    _worker: Worker,
}

impl Place {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With further roots.
    async fn with(more: &[&Path]) -> Self {
        let farm = Farm::start().await;
        for folder in ["in", "out", "home/.ssh"] {
            fs::create_dir_all(farm.folder().join(folder)).unwrap();
        }
        let (sources, outputs) = (farm.folder().join("in"), farm.out());
        let mut roots = vec![sources.as_path(), outputs.as_path()];
        roots.extend(more);
        fs::copy(paths::media("h264.mp4"), sources.join("src.mp4")).unwrap();
        fs::write(farm.folder().join("home/.ssh/authorized_keys"), "mine").unwrap();
        let setup = farm.worker("w").encoders("libx264").roots(&roots);
        let worker = farm.join(setup.option("--retry-after", "1s")).await;
        Self {
            farm,
            _worker: worker,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.farm.folder().join(name)
    }

    /// A job of the source to this place, that may replace what is there.
    fn job(&self, output: &Path) -> Job {
        self.job_of(&self.path("in/src.mp4"), output)
    }

    fn job_of(&self, input: &Path, output: &Path) -> Job {
        let at = |path: &Path| Location::file(path).unwrap();
        let version = local_input(at(input), &fs::metadata(input).unwrap());
        let salt = Some(uuid::Uuid::new_v4());
        let mut job = Job::new(BatchId::new(), version, at(output), recipe("libx264"), salt);
        job.replace = true;
        job.attempts = 1;
        job
    }

    /// Enqueues a job past every program of the farm, with this text for its output.
    async fn enqueue_raw(&self, job: &Job, output: &str) {
        let mut body = serde_json::to_value(job).unwrap();
        body["output"] = output.into();
        publish(&self.farm, &job.id, &body).await;
    }

    /// A good job that is enqueued after others ends after they were looked at.
    async fn others_were_looked_at(&self) {
        let job = self.job(&self.path(&format!("out/good-{}.mkv", uuid::Uuid::new_v4())));
        self.farm.enqueue(&job).await;
        self.farm.completed(&job.id).await;
    }

    /// Waits until a job has failed, and returns why.
    async fn failed(&self, job: &JobId) -> String {
        match self.farm.ended(job).await.state {
            RunState::Failed { failure } => failure.message,
            other => panic!("it did not fail: {other:?}"),
        }
    }

    async fn why(&self, job: &JobId) -> String {
        let told = self.farm.producer(["why", &job.to_string()]).await;
        told.succeeded().stdout
    }

    fn authorized_keys(&self) -> String {
        fs::read_to_string(self.path("home/.ssh/authorized_keys")).unwrap()
    }
}

/// Publishes a job as any client can. Its lane is there once the farm has had a job.
async fn publish(farm: &Farm, id: &JobId, body: &Value) {
    let message = json!({ "v": 1, "body": body }).to_string();
    let subject = format!("jobs.libx264.5.{id}.all");
    let jetstream = farm.view.jetstream();
    let stored = jetstream.publish(subject, message.into()).await.unwrap();
    stored.await.unwrap();
}

fn url(path: &Path) -> String {
    format!("file://{}", path.display())
}

#[tokio::test]
async fn a_job_for_a_place_that_no_root_holds_is_declined_and_says_so() {
    let place = Place::new().await;
    let keys = place.path("home/.ssh/authorized_keys");
    let (out, home) = (url(&place.path("out")), url(&place.path("home")));
    place.others_were_looked_at().await;
    let mut declined = Vec::new();
    for output in [
        url(&keys),
        format!("{home}/new/deep/er/x.mkv"),
        format!("{out}/../home/.ssh/authorized_keys"),
        format!("{out}/..%2fhome/.ssh/authorized_keys"),
        format!("{out}/%2e%2e/home//.ssh/./authorized_keys"),
        format!("{out}-beside/x.mkv"),
    ] {
        let job = place.job(&keys);
        place.enqueue_raw(&job, &output).await;
        declined.push(job.id);
    }
    let reads = place.job_of(&keys, &place.path("out/read.mkv"));
    place.farm.enqueue(&reads).await;
    declined.push(reads.id);
    place.others_were_looked_at().await;
    for job in &declined {
        assert!(place.farm.run(job).await.is_none(), "nobody takes it");
    }
    let why = place.why(&declined[0]).await;
    let advice = format!(
        "may not read or write there: give it --root {}",
        place.path("home/.ssh").display()
    );
    assert!(why.contains(&advice), "{why}");
    assert!(place.why(&reads.id).await.contains(&advice));
    assert_eq!(place.authorized_keys(), "mine");
    assert!(!place.path("home/new").exists() && !place.path("out-beside").exists());

    let told = place.farm.producer(["workers", "--json"]).await.succeeded();
    let roots = &told.json()[0]["places"]["roots"];
    assert_eq!(*roots, json!([url(&place.path("in")), out]));
    // Who hands such jobs in is warned.
    let source = place.path("in/src.mp4");
    let enqueue = ["enqueue", source.to_str().unwrap(), "-o", "home/films"];
    let warned = place
        .farm
        .producer(enqueue.into_iter().chain(["--encoder", "libx264"]))
        .await;
    let advice = format!("--root {}", place.path("home/films").display());
    assert!(warned.stderr.contains(&advice), "{}", warned.stderr);
}

#[tokio::test]
async fn an_output_that_is_the_input_by_another_name_is_refused() {
    let place = Place::new().await;
    let source = fs::read(place.path("in/src.mp4")).unwrap();
    fs::hard_link(place.path("in/src.mp4"), place.path("out/hard.mkv")).unwrap();
    symlink(place.path("in/src.mp4"), place.path("out/soft.mkv")).unwrap();
    symlink("../in", place.path("out/folder")).unwrap();
    place.others_were_looked_at().await;
    let base = url(place.farm.folder());
    for output in [
        format!("{base}/in/%73rc.mp4"),
        format!("{base}/in/./src.mp4"),
        format!("{base}//in//src.mp4"),
        format!("{base}/in/x/..%2fsrc.mp4?a=b"),
        format!("{base}/out/hard.mkv"),
        format!("{base}/out/soft.mkv"),
        format!("{base}/out/folder/src.mp4"),
    ] {
        let job = place.job(&place.path("out/any.mkv"));
        place.enqueue_raw(&job, &output).await;
        let why = place.failed(&job.id).await;
        assert_eq!(why, "the output is the input itself", "{output}");
    }
    assert_eq!(fs::read(place.path("in/src.mp4")).unwrap(), source);
}

#[tokio::test]
async fn a_peek_shows_nothing_foreign_and_tells_nothing_of_it() {
    let place = Place::new().await;
    place.others_were_looked_at().await;
    let foreign = place.path("home/private.mp4");
    fs::copy(place.path("in/src.mp4"), &foreign).unwrap();
    fs::set_permissions(&foreign, fs::Permissions::from_mode(0o600)).unwrap();
    let size = fs::metadata(&foreign).unwrap().len();

    // A run that somebody made up, of an output that would be the foreign file.
    let made_up = place.job(&foreign);
    let lane = Lane::from_consumer("libx264_p5").unwrap();
    let worker = "w".parse().unwrap();
    let run = Run::first(made_up.clone(), &lane, 1, worker, Timestamp::now());
    let mut report = common::testing::report("w", "libx264", 1, 1.0);
    report.output_size = size;
    let run = run.complete(report, Timestamp::now());
    let runs = place.farm.view.jetstream().get_key_value("runs").await;
    let key = format!("{}.all", made_up.id);
    runs.unwrap().put(key, wire::encode(&run)).await.unwrap();
    // Inputs that would be foreign files, one of them with a guessed size, one missing.
    let mut guessed = place.job_of(&foreign, &place.path("out/a.mkv"));
    guessed.input.size = 1;
    let mut missing = place.job_of(&foreign, &place.path("out/b.mkv"));
    missing.input.location = Location::file(&place.path("home/none.mp4")).unwrap();

    let mut answers = Vec::new();
    for (job, side) in [
        (&made_up, JobFile::Output),
        (&guessed, JobFile::Input),
        (&missing, JobFile::Input),
    ] {
        if side == JobFile::Input {
            place.farm.enqueue(job).await;
        }
        for what in [PreviewKind::Info, PreviewKind::Still(0.0)] {
            let peek = Preview {
                job: job.id,
                side,
                what,
            };
            let seen = place.farm.view.peek(&"w".parse().unwrap(), &peek).await;
            let Err(PreviewError::Refused(why)) = seen else {
                panic!("it was shown: {seen:?}");
            };
            answers.push(why);
        }
    }
    for why in answers {
        assert!(why.contains("lies in no place"), "{why}");
        assert!(!why.contains(&size.to_string()), "{why}");
    }
}

#[tokio::test]
async fn links_that_lead_out_are_neither_read_nor_written_through() {
    let place = Place::new().await;
    let secret = place.path("home/secret.mp4");
    fs::copy(place.path("in/src.mp4"), &secret).unwrap();
    let before = fs::read(&secret).unwrap();
    symlink(&secret, place.path("in/link.mp4")).unwrap();
    symlink("../home", place.path("out/led")).unwrap();
    symlink(&secret, place.path("out/taken.mkv")).unwrap();
    symlink("src.mp4", place.path("in/near.mp4")).unwrap();

    let reads = place.job_of(&place.path("in/link.mp4"), &place.path("out/a.mkv"));
    let writes = place.job(&place.path("out/led/new/b.mkv"));
    for job in [&reads, &writes] {
        place.farm.enqueue(job).await;
        let why = place.failed(&job.id).await;
        assert!(why.contains("leads out of the folders"), "{why}");
    }
    assert!(!place.path("home/new").exists());

    // At the output itself a link is what is there, whatever it leads to.
    let mut spares = place.job(&place.path("out/taken.mkv"));
    spares.replace = false;
    place.farm.enqueue(&spares).await;
    let why = place.failed(&spares.id).await;
    assert!(why.contains("left as it is"), "{why}");
    assert!(place.path("out/taken.mkv").is_symlink());
    let replaces = place.job(&place.path("out/taken.mkv"));
    place.farm.enqueue(&replaces).await;
    place.farm.completed(&replaces.id).await;
    assert!(!place.path("out/taken.mkv").is_symlink());
    assert_eq!(fs::read(&secret).unwrap(), before);

    let near = place.job_of(&place.path("in/near.mp4"), &place.path("out/near.mkv"));
    place.farm.enqueue(&near).await;
    place.farm.completed(&near.id).await;
}

#[tokio::test]
async fn a_copy_to_another_disk_goes_through_no_planted_link() {
    let shm = tempfile::tempdir_in("/dev/shm").unwrap();
    let place = Place::with(&[shm.path()]).await;
    let victim = place.path("home/victim");
    fs::write(&victim, "precious").unwrap();
    let job = place.job(&shm.path().join("sub/a.mkv"));
    fs::create_dir(shm.path().join("sub")).unwrap();
    for attempt in 0..4 {
        let planted = format!("sub/.ffmpeg-easy-{}-{attempt}", job.id);
        symlink(&victim, shm.path().join(planted)).unwrap();
    }
    place.farm.enqueue(&job).await;
    place.farm.completed(&job.id).await;
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    let output = fs::symlink_metadata(shm.path().join("sub/a.mkv")).unwrap();
    assert!(output.is_file() && output.len() > 1000);
    let left: Vec<_> = fs::read_dir(shm.path().join("sub")).unwrap().collect();
    assert_eq!(left.len(), 5, "the output and what was planted: {left:?}");
}

#[tokio::test]
async fn a_worker_with_prefixes_and_no_roots_leaves_everything_else_alone() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    store.put(&paths::media("h264.mp4"), "in/a.mp4").await;
    let lists = [
        ("WORKER_BUCKET", "s3://media/in,s3://media/out".to_owned()),
        ("WORKER_ROOT", String::new()),
    ];
    let setup = farm.worker("w").encoders("libx264").roots(&[]);
    let setup = setup.environment(store.environment()).environment(lists);
    let _worker = farm.join(setup).await;
    let good = store.job("in/a.mp4", "out/a.mkv", "libx264").await;
    farm.enqueue(&good).await;
    farm.completed(&good.id).await;

    let local = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&local).await;
    let elsewhere = store.job("in/a.mp4", "other/a.mkv", "libx264").await;
    let mut foreign = vec![(local.id, "--root"), (elsewhere.id, "--bucket")];
    farm.enqueue(&elsewhere).await;
    for (number, output) in [
        "s3://media/out/../other/b.mkv",
        "s3://media/out/..%2fother/b.mkv",
        "s3://media/out/%2e%2e/other/b.mkv",
        "s3://media/outer/b.mkv",
        "s3://media2/out/b.mkv",
        "s3://media/out/",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("out/{number}.mkv");
        let job = store.job("in/a.mp4", &name, "libx264").await;
        let mut body = serde_json::to_value(&job).unwrap();
        body["output"] = output.into();
        publish(&farm, &job.id, &body).await;
        foreign.push((job.id, "--bucket"));
    }
    // The source under other names: it is replaced by none of them.
    let source = store.get("in/a.mp4").await;
    for (number, output) in ["s3://media/in/a.mp4/", "s3://media//in/a.mp4"]
        .iter()
        .enumerate()
    {
        let name = format!("out/alias{number}.mkv");
        let job = store.job("in/a.mp4", &name, "libx264").await;
        let mut body = serde_json::to_value(&job).unwrap();
        body["output"] = (*output).into();
        body["replace"] = true.into();
        publish(&farm, &job.id, &body).await;
        let run = farm.ended(&job.id).await;
        assert!(matches!(run.state, RunState::Failed { .. }), "{run:#?}");
        assert_eq!(store.get("in/a.mp4").await, source, "{output}");
    }
    let last = store.job("in/a.mp4", "out/last.mkv", "libx264").await;
    farm.enqueue(&last).await;
    farm.completed(&last.id).await;
    for (job, option) in foreign {
        assert!(farm.run(&job).await.is_none(), "nobody takes {job}");
        let why = farm.producer(["why", &job.to_string()]).await.succeeded();
        assert!(why.stdout.contains(option), "{}", why.stdout);
    }
    let mut keys = store.keys().await;
    keys.sort();
    assert_eq!(keys, ["in/a.mp4", "out/a.mkv", "out/last.mkv"]);
}

#[tokio::test]
async fn an_input_whose_root_is_away_is_waited_for() {
    let place = Place::new().await;
    let job = place.job(&place.path("out/a.mkv"));
    fs::rename(place.path("in"), place.path("elsewhere")).unwrap();
    place.farm.enqueue(&job).await;
    poll::until("the worker to miss the folder", async || {
        let log = fs::read_to_string(place.path("worker-w.log")).ok()?;
        (log.contains("is away")).then_some(())
    })
    .await;
    fs::rename(place.path("elsewhere"), place.path("in")).unwrap();
    place.farm.completed(&job.id).await;
}

#[tokio::test]
async fn a_root_that_is_no_folder_is_a_wrong_setting() {
    let folder = paths::test_folder();
    fs::write(folder.path().join("file"), "").unwrap();
    for (arguments, what) in [
        (["check-config", "--root", "none"].as_slice(), "none"),
        (&["check-config", "--root", "file"], "file"),
        (
            &["check-config", "--bucket", "media/in"],
            "s3://BUCKET/PREFIX",
        ),
        (&["--root", "none"], "none"),
    ] {
        let mut command = programs::command("worker", folder.path());
        command
            .args(arguments)
            .args(["--nats", "nats://127.0.0.1:1"]);
        let ran = process::run(command).await;
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(what), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn check_config_asks_each_bucket() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let check = async |changed: &[(&str, &str)]| {
        let mut command = programs::command("worker", farm.folder());
        command
            .args(["check-config", "--nats", farm.url()])
            .args(["--bucket", "s3://media/in", "--bucket", "s3://media"])
            .envs(store.environment())
            .envs(changed.iter().copied());
        process::run(command).await
    };
    check(&[]).await.succeeded();
    let wrong: [(&[_], _); 3] = [
        (&[("AWS_SECRET_ACCESS_KEY", "wrong")], "403 Forbidden"),
        (&[("AWS_ENDPOINT", "http://127.0.0.1:1")], "refused"),
        (&[("AWS_ENDPOINT", "127.0.0.1:8333")], "http://HOST:PORT"),
    ];
    for (changed, why) in wrong {
        let ran = check(changed).await;
        assert_eq!(ran.code, Some(3), "{}", ran.stderr);
        assert!(ran.stderr.contains("s3://media/in"), "{}", ran.stderr);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn encode_gives_its_worker_just_the_folders_that_it_was_given() {
    let folder = paths::test_folder();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("films")).unwrap();
    fs::create_dir_all(path("disk2")).unwrap();
    fs::copy(paths::media("h264.mp4"), path("disk2/a.mp4")).unwrap();
    symlink(path("disk2/a.mp4"), path("films/a.mp4")).unwrap();
    let mut command = programs::command("producer", folder.path());
    command
        .args(["encode", "films", "-o", "out", "--encoder", "libx264"])
        .env("XDG_CACHE_HOME", paths::shared_cache())
        .env("WORKER_ROOT", path("none"))
        .env("WORKER_BUCKET", "nonsense");
    let ran = process::run(command).await.succeeded();
    assert!(path("out/a.mkv").is_file());
    assert!(
        !ran.stderr.contains("lost the connection"),
        "{}",
        ran.stderr
    );
}
