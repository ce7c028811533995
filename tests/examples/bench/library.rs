//! A library of 100,000 files: how long people wait for a page of them, and a worker for a scan that finds no change.

use std::path::Path;
use std::time::Instant;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use common::job::input::Input;
use common::names::location::Location;
use common::names::token::Token;
use common::store::modified_input;
use futures::StreamExt;
use harness::farm::Farm;
use harness::library::entries;
use harness::programs::monitor::TestMonitor;
use harness::{poll, progress};

use crate::figure::{Figure, median};

const FILES: usize = 100_000;
/// How often each page is asked for, for the median.
const TIMES: usize = 5;
/// What a person waits for a page at most. In seconds.
const PATIENCE: f64 = 2.0;

/// The pages of `producer library files` that are measured, by their options.
const PAGES: [(&str, &[&str]); 5] = [
    (
        "library: the first page of 100,000 files / plain reading",
        &[],
    ),
    (
        "library: a page of the largest files / plain reading",
        &["--sort", "size"],
    ),
    (
        "library: the next page of those that failed / plain reading",
        &["--state", "failed", "--offset", "100"],
    ),
    (
        "library: a page by a condition / plain reading",
        &[
            "--where",
            "codec = hevc and audio.channels = 6 and size > 1 MB",
        ],
    ),
    (
        "library: a page by a text / plain reading",
        &["--text", "episode 0999"],
    ),
];

/// The pages of the monitor that are measured, by their queries.
const QUERIES: [(&str, &str); 3] = [
    (
        "library: the monitor's page by size",
        "sort=size&descending=true",
    ),
    (
        "library: the monitor's page by state and text",
        "state=failed&text=episode%200999",
    ),
    (
        "library: the monitor's page by a condition",
        "where=codec%20%3D%20hevc%20and%20audio.channels%20%3D%206",
    ),
];

pub(crate) async fn measure() -> Vec<Figure> {
    let farm = Farm::start().await;
    let folder = farm.folder_of("films", &[]);
    let name: Token = "films".parse().expect("a name");
    progress::phase(format!("library: {FILES} files on the disk"));
    let inputs = files(&folder);
    let out = farm.out();
    let add = ["library", "add", "films"].map(std::ffi::OsStr::new);
    let more = ["--encoder", "libx264", "--every", "1h", "--paused"];
    let rule = entries::rule();
    let line = add
        .into_iter()
        .chain([folder.as_os_str(), "-o".as_ref(), out.as_os_str()])
        .chain(more.map(std::ffi::OsStr::new))
        .chain(["--skip-if".as_ref(), rule.as_ref()]);
    farm.producer(line).await.succeeded();
    let input = |number: usize| inputs.get(number).cloned().expect("a file of that number");
    let record = |number| entries::record(number, input(number));
    entries::note(&farm.view, &name, FILES, record).await;

    let plain = seconds(async || plainly(&farm).await).await;
    let mut figures = vec![Figure::informs(
        "library: 100,000 records read plainly, by a consumer that decodes none",
        format!("{plain:.2} s"),
    )];
    for (what, options) in PAGES {
        progress::phase(what);
        let line: Vec<&str> = ["library", "files", "films"]
            .iter()
            .chain(options)
            .copied()
            .collect();
        let took = seconds(async || drop(farm.producer(&line).await.succeeded())).await;
        figures.push(within(what, took, Some(plain)));
    }
    let monitor = TestMonitor::start(&farm).await;
    let query = async |query: &str| {
        let path = format!("/api/v1/libraries/films/files?{query}");
        let found = poll::until("a page", async || monitor.get(&path).await).await;
        assert!(!found.is_empty());
    };
    let started = Instant::now();
    query("").await;
    let first = started.elapsed().as_secs_f64();
    figures.push(within("library: the monitor's first page", first, None));
    for (what, text) in QUERIES {
        let took = seconds(async || query(text).await).await;
        figures.push(within(what, took, None));
    }
    let settled = |number| entries::settled(number, input(number));
    entries::note(&farm.view, &name, FILES, settled).await;
    figures.push(scan(&farm, &name).await);
    figures
}

/// Empty files of these names on a disk.
fn files(folder: &Path) -> Vec<Input> {
    let place = Location::file(folder).expect("an absolute path");
    let file = |number| {
        let path = folder.join(entries::path(number));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it can be written");
        let file = std::fs::File::create(&path).expect("it can be written");
        let modified = file.metadata().and_then(|file| file.modified()).ok();
        modified_input(place.join(&entries::path(number)), 0, modified)
    };
    (0..FILES).map(file).collect()
}

/// Reads all records without the farm's library.
async fn plainly(farm: &Farm) {
    let client = async_nats::connect(farm.url()).await.expect("it listens");
    let stream = jetstream::new(client).get_stream("KV_files").await;
    let stream = stream.expect("it is there");
    let config = pull::OrderedConfig {
        deliver_policy: DeliverPolicy::All,
        ..Default::default()
    };
    let consumer = stream.create_consumer(config).await.expect("it is new");
    let messages = consumer.messages().await.expect("it listens");
    let read = messages.take(FILES).filter(|message| {
        let is_read = message.is_ok();
        async move { is_read }
    });
    assert_eq!(read.count().await, FILES);
}

/// The median time.
async fn seconds(what: impl AsyncFn()) -> f64 {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        what().await;
        times.push(started.elapsed().as_secs_f64());
    }
    median(&times)
}

/// A scan that finds every file as it was.
async fn scan(farm: &Farm, name: &Token) -> Figure {
    progress::phase("library: a scan of unchanged files");
    let before = farm.view.last_file_sequence().await.expect("an answer");
    let worker = farm.worker("scanner").encoders("libx264");
    let _worker = farm.join(worker).await;
    let resumed = farm.producer(["library", "resume", name.as_str()]).await;
    resumed.succeeded();
    let report = poll::until("a scan", async || farm.view.scan(name).await.ok()??.last).await;
    let after = farm.view.last_file_sequence().await.expect("an answer");
    let took = report.ended.duration_since(report.began).as_secs_f64();
    Figure {
        what: "library: a scan of 100,000 unchanged files; records that it writes",
        measured: format!("{took:.2} s; {}", after - before),
        goal: "≤ 10 s; 0".to_owned(),
        reached: Some(took <= 10.0 && after == before && report.files == FILES),
    }
}

fn within(what: &'static str, took: f64, plain: Option<f64>) -> Figure {
    let measured = match plain {
        Some(plain) => format!("{:.2} ({took:.2} s)", took / plain),
        None => format!("{took:.3} s"),
    };
    Figure {
        what,
        measured,
        goal: format!("≤ {PATIENCE} s"),
        reached: Some(took <= PATIENCE),
    }
}
