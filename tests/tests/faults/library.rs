//! A library of films of many kinds, brought into shape by rules while workers are killed, undone, and done again.
//! Every file is looked at from outside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::farm::Farm;
use harness::library::{Expected, Film, Kind, Library, Original};
use harness::outside::media::Media;
use harness::programs::Worker;
use harness::progress::phase;
use harness::{outside, poll};

/// How long the farm may take for a library.
const PATIENCE: Duration = Duration::from_secs(1500);

#[tokio::test]
async fn a_library_is_brought_into_shape_undone_and_done_again_whatever_dies() {
    shape(36, 4).await;
}

/// The same with many files and many deaths.
#[tokio::test]
#[ignore = "takes many minutes"]
async fn a_large_library_is_brought_into_shape_undone_and_done_again_whatever_dies() {
    shape(300, 20).await;
}

/// A farm with a library and two workers that are killed again and again.
struct Shaped {
    farm: Farm,
    library: Library,
    workers: Vec<Worker>,
    next: usize,
}

async fn shape(films: usize, deaths: usize) {
    let farm = Farm::start().await;
    let library = Library::make(&farm.folder().join("library"), films);
    let workers = vec![worker(&farm, 0).await, worker(&farm, 1).await];
    let mut shaped = Shaped {
        farm,
        library,
        workers,
        next: 0,
    };
    let location = shaped.library.folder.display().to_string();
    let order = [
        "library",
        "add",
        "films",
        &location,
        "--replace",
        "--encoder",
        "libx265",
        "--encoder-preset",
        "ultrafast",
        "--crf",
        "40",
        "--min-saving",
        "0%",
        "--skip-if",
        "video.codec in [hevc, av1]",
        "--settle",
        "1s",
        "--every",
        "1s",
    ];
    shaped.farm.producer(order).await.succeeded();

    phase("brought into shape");
    shaped.ends(deaths).await;
    shaped.assert_in_shape();

    phase("undone");
    shaped.undo(deaths / 2).await;
    assert_eq!(shaped.library.present(), shaped.library.originals, "undone");

    phase("a scan leaves alone what a person has undone");
    shaped.scanned_twice().await;
    assert_eq!(
        shaped.library.present(),
        shaped.library.originals,
        "left alone"
    );

    phase("done again");
    let retried = shaped
        .farm
        .producer(["retry", "--state", "cancelled"])
        .await;
    retried.succeeded();
    shaped.ends(deaths / 2).await;
    shaped.assert_in_shape();
}

async fn worker(farm: &Farm, number: usize) -> Worker {
    farm.join(farm.worker(&format!("w{number}")).encoders("libx265"))
        .await
}

impl Shaped {
    /// Kills the worker whose turn it is, with all that it started, and starts another in its place.
    async fn die(&mut self) {
        let turn = self.next % self.workers.len();
        self.next += 1;
        self.workers[turn].process.kill();
        self.workers[turn] = worker(&self.farm, turn).await;
    }

    /// Waits until all jobs have ended and nothing is left to do; workers die meanwhile.
    async fn ends(&mut self, deaths: usize) {
        let all = self.library.films.len();
        for death in 1..=deaths {
            let share = all * death / (deaths + 1);
            poll::until_within(PATIENCE, "some jobs to end", async || {
                (self.ended().await >= share || self.is_done().await).then_some(())
            })
            .await;
            self.die().await;
        }
        poll::until_within(PATIENCE, "the library to be in shape", async || {
            self.is_done().await.then_some(())
        })
        .await;
    }

    /// Waits for two more scans: the second has begun after this call.
    async fn scanned_twice(&self) {
        for _ in 0..2 {
            let before = self.last_scan().await;
            // Scans probe at the lowest priority: other tests' encodes come first.
            poll::until_within(PATIENCE, "another scan", async || {
                (self.last_scan().await != before).then_some(())
            })
            .await;
        }
    }

    /// When the last scan began.
    async fn last_scan(&self) -> String {
        let shown = self
            .farm
            .producer(["library", "show", "films", "--json"])
            .await;
        shown.succeeded().json()["scan"]["last"]["began"].to_string()
    }

    async fn ended(&self) -> usize {
        let runs = self.farm.view.runs().await.unwrap_or_default();
        runs.iter().filter(|run| run.state.is_terminal()).count()
    }

    async fn is_done(&self) -> bool {
        let shown = self
            .farm
            .producer(["library", "show", "films", "--json"])
            .await;
        let shown = shown.succeeded().json();
        let states = shown["summary"]["states"].to_string();
        let is_open = ["\"waiting\"", "\"queued\""]
            .iter()
            .any(|open| states.contains(open));
        let seen = shown["scan"]["last"]["files"].as_u64().unwrap_or_default();
        let listed = shown["summary"]["all"]["files"]
            .as_u64()
            .unwrap_or_default();
        let is_over =
            shown["summary"]["to_do"]["files"] == 0 && seen > 0 && seen == listed && !is_open;
        is_over && self.farm.queued().await == 0
    }

    /// Takes all replacements back, while workers die.
    async fn undo(&mut self, deaths: usize) {
        let batches = self
            .farm
            .producer(["batches", "--json"])
            .await
            .succeeded()
            .json();
        let ids: Vec<String> = batches
            .as_array()
            .expect("a list")
            .iter()
            .map(|batch| batch["id"].as_str().expect("an id").to_owned())
            .collect();
        let mut deaths = deaths;
        for id in ids {
            loop {
                let command = self.farm.producer_command();
                let undo = undo(command, &id);
                tokio::pin!(undo);
                if deaths > 0 {
                    deaths -= 1;
                    let stop = tokio::time::sleep(Duration::from_millis(300 * (deaths as u64 + 1)));
                    let ran = tokio::select! {
                        ran = &mut undo => Some(ran),
                        () = stop => None,
                    };
                    self.die().await;
                    if ran.is_none() {
                        undo.await;
                    }
                    continue;
                }
                let ran = undo.await;
                if ran.code == Some(0) {
                    break;
                }
                panic!("{ran:?}");
            }
        }
    }

    /// Looks at every file: the results, what was left, and the trash.
    fn assert_in_shape(&self) {
        let mut expected: BTreeMap<PathBuf, Option<&Original>> = self
            .library
            .originals
            .iter()
            .map(|(path, original)| (path.clone(), Some(original)))
            .collect();
        let trash: Vec<Original> = self.trash();
        for film in &self.library.films {
            if film.kind.expected() == Expected::Replaced {
                let original = &self.library.originals[&film.path];
                expected.remove(&film.path);
                expected.insert(film.path.with_extension("mkv"), None);
                assert!(trash.contains(original), "{film:?} is in no trash");
                assert_is_replaced(&self.library.folder, film, original);
            }
        }
        let present = self.library.present();
        assert_eq!(
            present.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>()
        );
        for (path, original) in expected {
            if let Some(original) = original {
                assert_eq!(&present[&path], original, "{} was touched", path.display());
            }
        }
        let replaced = self.library.films.iter();
        let replaced = replaced.filter(|film| film.kind.expected() == Expected::Replaced);
        assert_eq!(
            trash.len(),
            replaced.count(),
            "the trash has the originals and nothing else"
        );
        let hidden = outside::names(&self.library.folder);
        let left = hidden.iter().filter(|name| {
            let name = name.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(".ffmpeg-easy-") && !name.starts_with(".ffmpeg-easy-trash")
        });
        assert_eq!(left.count(), 0, "{hidden:?}");
    }

    /// The originals in the trash.
    fn trash(&self) -> Vec<Original> {
        let trash = self.library.folder.join(".ffmpeg-easy-trash");
        let files = outside::names(&trash).into_iter();
        files
            .filter(|name| Kind::is_film(name))
            .map(|name| Original::of(&trash.join(name)))
            .collect()
    }
}

async fn undo(mut command: std::process::Command, batch: &str) -> harness::process::Ran {
    command.args(["undo", batch]);
    harness::process::run_within(Duration::from_secs(120), command).await
}

/// The result is HEVC, has all frames of the original, and its time.
fn assert_is_replaced(folder: &Path, film: &Film, original: &Original) {
    let made = folder.join(film.path.with_extension("mkv"));
    let media = Media::of(&made);
    assert_eq!(media.film().codec, "hevc", "{}", made.display());
    assert_eq!(media.frames(), 10, "{}", made.display());
    let now = Original::of(&made);
    assert_eq!(now.modified, original.modified, "{}", made.display());
    assert_eq!(
        now.mode & 0o777,
        original.mode & 0o777,
        "{}",
        made.display()
    );
}
