//! A farm is copied while it works, loses its broker, and goes on from the copy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::job::id::JobId;
use harness::farm::Farm;
use harness::outside::audit::{Acknowledged, Auditor, OutputPlace};
use harness::outside::media::Media;
use harness::process::{Ran, run};
use harness::programs::Worker;
use harness::{outside, paths, poll, programs};
use serde_json::Value;

/// Jobs of the farm that run before and after the copy.
const JOBS: usize = 30;
/// Jobs that are done when the copy is made.
const BEFORE: usize = 10;
const FILM: &str = "odd-size.webm";
/// What somebody has written to an output after the copy was made.
const PRECIOUS: &[u8] = b"precious, and no output of the restored farm's";

struct Case {
    farm: Farm,
    auditor: Auditor,
    frames: u64,
}

impl Case {
    async fn start() -> Self {
        let farm = Farm::start().await;
        let auditor = Auditor::connect(farm.url()).await;
        let frames = Media::of(&paths::media(FILM)).frames();
        Self {
            farm,
            auditor,
            frames,
        }
    }

    /// Enqueues copies of the film, whose outputs go to a folder; returns the jobs.
    async fn enqueue(
        &self,
        films: &str,
        count: usize,
        out: &Path,
        options: &[&str],
    ) -> Vec<Acknowledged> {
        let folder = self.farm.folder().join(films);
        std::fs::create_dir(&folder).unwrap();
        for nth in 0..count {
            std::fs::copy(
                paths::media(FILM),
                folder.join(format!("{films}-{nth:02}.webm")),
            )
            .unwrap();
        }
        let (folder, out) = (folder.display().to_string(), out.display().to_string());
        // The same encode makes the same MP4 file; Matroska files have random numbers in them.
        let order = [
            "enqueue",
            &folder,
            "-o",
            &out,
            "--container",
            "mp4",
            "--json",
        ];
        let ran = self.farm.producer([&order[..], options].concat()).await;
        let outcome = ran.succeeded().json();
        let job = |row: &Value| Acknowledged {
            id: row["job"].as_str().unwrap().to_owned(),
            output: row["output"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned(),
            frames: self.frames,
        };
        outcome["jobs"]
            .as_array()
            .unwrap()
            .iter()
            .map(job)
            .collect()
    }

    async fn worker(&self, name: &str, encoder: &str) -> Worker {
        self.farm
            .join(self.farm.worker(name).encoders(encoder))
            .await
    }

    /// Runs the producer as the admin.
    async fn admin(&self, arguments: &[&str]) -> Ran {
        let mut command = programs::command("producer", self.farm.folder());
        command.env("NATS_URL", self.farm.url()).args(arguments);
        run(command).await
    }

    async fn done(&self, wanted: usize) {
        poll::until(&format!("{wanted} jobs to be done"), async || {
            self.auditor
                .completed()
                .await
                .ok()
                .filter(|done| *done >= wanted)
        })
        .await;
    }

    /// Which file each output is.
    fn outputs(&self) -> BTreeMap<PathBuf, (u64, i64, i64)> {
        let out = self.farm.out();
        let names = outside::names(&out).into_iter();
        let visible = names.filter(|name| !name.to_string_lossy().starts_with('.'));
        visible
            .map(|name| (name.clone(), outside::which(&out.join(name))))
            .collect()
    }
}

#[tokio::test]
async fn a_farm_that_has_lost_its_broker_goes_on_from_a_copy_made_while_it_worked() {
    let mut case = Case::start().await;
    let elsewhere = case.farm.folder().join("elsewhere");
    let [ours, later] = ["libx264", "libx265"];
    let mut jobs = case
        .enqueue("films", JOBS, &case.farm.out(), &["--encoder", ours])
        .await;
    // They wait for time, for a person, and for a worker.
    let hop = ["--encoder", "hevc_nvenc,libx265", "--hop-after", "30s"];
    jobs.extend(case.enqueue("hopping", 1, &case.farm.out(), &hop).await);
    let waiting = case
        .enqueue("last", 1, &elsewhere, &["--encoder", later])
        .await;
    let save = [
        "presets",
        "save",
        "ours",
        "--encoder",
        "libx264",
        "--crf",
        "30",
    ];
    case.farm.producer(save).await.succeeded();
    case.farm
        .producer(["pause", "--queue", "libvpx-vp9"])
        .await
        .succeeded();

    let mut worker = case.worker("w", ours).await;
    case.done(BEFORE).await;
    let file = case.farm.folder().join("farm.tar");
    let name = file.display().to_string();
    let copied = case
        .admin(&["backup", &name, "--json"])
        .await
        .succeeded()
        .json();
    assert!(
        copied["messages"].as_u64() > Some(JOBS as u64),
        "{copied:#}"
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "it holds secrets");

    // The farm goes on: some jobs are done of which the copy does not know.
    let at_copy = case.auditor.completed().await.unwrap();
    let mut second = case.worker("late", later).await;
    let last: JobId = waiting[0].id.parse().unwrap();
    case.farm.completed(&last).await;
    case.done(at_copy + 4).await;
    assert!(case.farm.queued().await > 3, "all jobs are done already");

    // All is lost but the media and the copy.
    worker.process.kill();
    second.process.kill();
    case.farm.broker.kill();
    std::fs::remove_dir_all(case.farm.folder().join("broker/store")).unwrap();
    let before = case.outputs();
    let precious = elsewhere.join(&waiting[0].output);
    std::fs::write(&precious, PRECIOUS).unwrap();
    case.farm.broker.restart().await;

    // Half a copy is none, and nothing happens.
    let whole = std::fs::read(&file).unwrap();
    let cut = case.farm.folder().join("cut.tar");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let refused = case.admin(&["restore", &cut.display().to_string()]).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");

    let restored = case
        .admin(&["restore", &name, "--json"])
        .await
        .succeeded()
        .json();
    assert_eq!(restored["messages"], copied["messages"], "{restored:#}");
    // A second time would give up what is there.
    let refused = case.admin(&["restore", &name]).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("--replace"), "{refused:?}");
    let presets = case
        .farm
        .producer(["presets", "--json"])
        .await
        .succeeded()
        .stdout;
    assert!(presets.contains("\"ours\""), "{presets}");
    let orders = case.farm.view.orders().await.unwrap();
    assert_eq!(orders.iter().count(), 1, "the pause is in force");

    let _worker = case.worker("w", ours).await;
    let _second = case.worker("late", later).await;
    let all = [&jobs[..], &waiting[..]].concat();
    let place = OutputPlace::Folder(case.farm.out());
    let tally = case
        .auditor
        .settled(&all, &place, &case.farm.scratch())
        .await;
    assert_eq!((tally.completed, tally.failed), (JOBS + 1, 1));
    // What was there is the very file that was there.
    let after = case.outputs();
    for (name, which) in &before {
        assert_eq!(after.get(name), Some(which), "{}", name.display());
    }
    assert_eq!(std::fs::read(&precious).unwrap(), PRECIOUS);
    let why = case
        .auditor
        .last_failure(&waiting[0].id)
        .await
        .unwrap()
        .unwrap();
    assert!(why.contains(&waiting[0].output), "{why}");

    // The copy restored again, over a farm that has gone on.
    case.admin(&["restore", &name, "--replace"])
        .await
        .succeeded();
    let tally = case
        .auditor
        .settled(&all, &place, &case.farm.scratch())
        .await;
    assert_eq!((tally.completed, tally.failed), (JOBS + 1, 1));
    assert_eq!(case.outputs(), after);
}

#[tokio::test]
async fn only_the_admin_makes_and_reads_copies() {
    let case = Case::start().await;
    case.farm.broker.tries_rights();
    let file = case.farm.folder().join("farm.tar").display().to_string();
    let refused = case.farm.producer(["backup", &file]).await;
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("as the admin"), "{refused:?}");
    assert!(!Path::new(&file).exists());
}
