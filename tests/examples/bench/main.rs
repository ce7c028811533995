//! Measures the whole farm, on release builds: `make bench`, or the names of
//! some of the benchmarks as arguments.
//!
//! Everything is a ratio or a limit within one run, so that the machine hardly
//! matters; prints a table in Markdown.

mod encodes;
mod enqueue;
mod footprint;
mod idle;
mod latency;
mod noop;
mod pending;
mod raw;
mod worker;

/// One line of the table.
pub struct Figure {
    /// What was measured.
    pub what: &'static str,
    /// What came out, with its unit.
    pub measured: String,
    /// What is to be reached; empty where it only informs.
    pub goal: String,
    /// Whether it is.
    pub reached: Option<bool>,
}

impl Figure {
    fn row(&self) -> String {
        let reached = match self.reached {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        format!(
            "| {} | {} | {} | {reached} |",
            self.what, self.measured, self.goal
        )
    }
}

/// The middle one.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
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
        let noop::Rates { enqueue, process } = noop::peer(arguments).await;
        return println!("{enqueue:.0} {process:.0}");
    }
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let mut figures = Vec::new();
    if wants("enqueue") {
        figures.extend(enqueue::measure().await);
    }
    if wants("noop") {
        figures.extend(noop::measure().await);
    }
    if wants("raw") {
        figures.extend(raw::measure().await);
    }
    if wants("pending") {
        figures.extend(pending::measure().await);
    }
    if wants("idle") {
        figures.extend(idle::measure().await);
    }
    if wants("latency") {
        figures.extend(latency::measure().await);
    }
    if wants("encodes") {
        figures.extend(encodes::measure().await);
    }
    if wants("footprint") {
        figures.extend(footprint::measure().await);
    }
    println!("| what | measured | goal | reached |\n| --- | --- | --- | --- |");
    for figure in &figures {
        println!("{}", figure.row());
    }
}
