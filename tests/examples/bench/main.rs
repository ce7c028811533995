//! Measures the whole farm, on release builds: `make bench`, or the names of some of the benchmarks as arguments.
//!
//! Every figure is a ratio, or has a limit within one run, so that the machine hardly matters. The output is a table in
//! Markdown.
//!
//! More than 12 entries: one file for each benchmark, and what they share.

mod encodes;
mod enqueue;
mod figure;
mod footprint;
mod idle;
mod jobs;
mod latency;
mod library;
mod noop;
mod pending;
mod raw;
mod scale;
mod strangers;
mod worker;

use figure::{Figure, Rates};
use harness::progress;

const BENCHMARKS: [&str; 11] = [
    "enqueue",
    "noop",
    "raw",
    "pending",
    "idle",
    "latency",
    "library",
    "encodes",
    "footprint",
    "scale",
    "strangers",
];

async fn measure(benchmark: &str) -> Vec<Figure> {
    match benchmark {
        "enqueue" => enqueue::measure().await,
        "noop" => noop::measure().await,
        "raw" => raw::measure().await,
        "pending" => pending::measure().await,
        "idle" => idle::measure().await,
        "latency" => latency::measure().await,
        "library" => library::measure().await,
        "encodes" => encodes::measure().await,
        "footprint" => footprint::measure().await,
        "scale" => scale::measure().await,
        "strangers" => strangers::measure().await,
        other => panic!("no benchmark of the name {other}"),
    }
}

#[tokio::main]
async fn main() {
    if cfg!(debug_assertions) {
        eprintln!("these are debug builds: `make bench` measures release builds");
    }
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let [first, arguments @ ..] = wanted.as_slice()
        && first == "peer"
    {
        let Rates { enqueue, process } = noop::peer(arguments).await;
        return println!("{enqueue:.0} {process:.0}");
    }
    let mut figures = Vec::new();
    for name in BENCHMARKS {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            progress::phase(name);
            figures.extend(measure(name).await);
        }
    }
    progress::phase("done");
    println!("| what | measured | goal | reached |\n| --- | --- | --- | --- |");
    for figure in &figures {
        println!("{}", figure.row());
    }
}
