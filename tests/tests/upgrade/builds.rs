//! A farm whose programs may be of either build.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::farm::Farm;
use harness::outside::audit::Acknowledged;
use harness::outside::media::Media;
use harness::paths;
use harness::process::{Ran, run};
use harness::programs::{Worker, at_home};
use harness::servers::broker::{Flush, TestBroker};
use serde_json::Value;

/// A build of the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Build {
    Old,
    New,
}

impl Build {
    pub(super) const BOTH: [Self; 2] = [Self::Old, Self::New];

    pub(super) fn program(self, name: &str) -> PathBuf {
        match self {
            Self::Old => paths::old_program(name),
            Self::New => paths::program(name),
        }
    }
}

/// A film that is encoded quickly.
const FILM: &str = "odd-size.webm";

/// A farm without users, as a home farm of the old build is.
pub(super) struct MixedFarm {
    pub(super) farm: Farm,
    frames: u64,
}

impl MixedFarm {
    /// The streams are made by the old build, and completed by the new one.
    pub(super) async fn start() -> Self {
        let folder = paths::test_folder();
        let broker = TestBroker::start_flushing(folder.path(), Flush::Always).await;
        let mut setup = at_home(&Build::Old.program("producer"), folder.path());
        setup.env("NATS_URL", broker.url()).arg("setup");
        run(setup).await.succeeded();
        Self {
            farm: Farm::with_roles(broker, folder).await,
            frames: Media::of(&paths::media(FILM)).frames(),
        }
    }

    /// Starts a worker of this build, and waits until it is ready.
    pub(super) async fn join(&self, name: &str, build: Build) -> Worker {
        let setup = self.farm.worker(name).encoders("libx264");
        let setup = match build {
            Build::Old => setup.program(&build.program("worker")),
            Build::New => setup,
        };
        self.farm.join(setup).await
    }

    fn command(&self, build: Build) -> Command {
        let mut command = at_home(&build.program("producer"), self.farm.folder());
        command.env("NATS_URL", self.farm.url());
        command
    }

    /// Runs the producer of this build.
    pub(super) async fn producer(&self, build: Build, arguments: &[&str]) -> Ran {
        let mut command = self.command(build);
        command.args(arguments);
        run(command).await
    }

    /// Enqueues copies of the film by the producer of this build.
    pub(super) async fn enqueue(&self, build: Build, names: impl Iterator<Item = String>) {
        let folder = self.farm.folder().join(format!("films-{build:?}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        for name in names {
            std::fs::copy(paths::media(FILM), folder.join(format!("{name}.webm"))).unwrap();
        }
        let (folder, out) = (text(&folder), text(&self.farm.out()));
        let order = ["enqueue", &folder, "-o", &out, "--encoder", "libx264"];
        self.producer(build, &order).await.succeeded();
    }

    /// All jobs, as the producer of this build lists them.
    pub(super) async fn jobs(&self, build: Build) -> Vec<Acknowledged> {
        let listed = self.producer(build, &["jobs", "--json", "--limit", "1000"]);
        let listed = listed.await.succeeded().json();
        let mut jobs: Vec<Acknowledged> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|row| self.job(row))
            .collect();
        jobs.sort_by(|one, other| one.id.cmp(&other.id));
        jobs
    }

    fn job(&self, row: &Value) -> Acknowledged {
        let output = row["output"].as_str().unwrap();
        let name = output.rsplit('/').next().unwrap();
        Acknowledged {
            id: row["id"].as_str().unwrap().to_owned(),
            output: name.to_owned(),
            frames: self.frames,
        }
    }
}

pub(super) fn text(path: &Path) -> String {
    path.display().to_string()
}
