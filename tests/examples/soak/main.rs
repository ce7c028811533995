//! Breaks a farm again and again while it works, and checks at the end that nothing is lost, doubled or left behind:
//! `make soak`.
//!
//! `SOAK_MINUTES` sets the duration, `SOAK_JOBS` the number of good jobs beside a poison job, and `SOAK_SEED` the order
//! of the faults. The soak prints tables in Markdown, and ends with an error if a promise is broken.

mod dice;
mod faults;
mod field;
mod inject;
mod judge;

use std::time::{Duration, Instant};

use dice::Dice;
use faults::Fault;
use field::{Field, Recovery};
use harness::faults::poison;
use harness::outside::audit::{Finding, Findings};
use harness::progress;

/// How long the farm may take to finish all jobs after the last fault.
const SETTLE: Duration = Duration::from_secs(240);
/// How long the farm may take to recover from a fault.
const RECOVERY: Duration = Duration::from_secs(120);

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Err(_) => default,
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}: '{text}' is no number")),
    }
}

/// The results for one kind of fault.
struct Row {
    fault: Fault,
    recoveries: Vec<Recovery>,
}

impl Row {
    /// The median and the maximum of one of the times.
    fn times(&self, of: impl Fn(&Recovery) -> Duration) -> String {
        let mut times: Vec<f64> = self
            .recoveries
            .iter()
            .map(|recovery| of(recovery).as_secs_f64())
            .collect();
        times.sort_by(f64::total_cmp);
        let (middle, last) = (times[times.len() / 2], times[times.len() - 1]);
        format!("{middle:.1} s / {last:.1} s")
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let length = Duration::from_secs(60 * setting("SOAK_MINUTES", 5));
    let seed = setting("SOAK_SEED", 1);
    let mut dice = Dice::of(seed);
    println!("Seed {seed}, {} min.\n", length.as_secs() / 60);

    progress::phase("the farm starts");
    let mut field = Field::start().await;
    let mut rows = Fault::ALL.map(|fault| Row {
        fault,
        recoveries: Vec::new(),
    });
    let started = Instant::now();
    let mut turn = 0;
    // Each kind of fault at least once, in an order that depends on the seed.
    while started.elapsed() < length || turn < rows.len() {
        if turn % rows.len() == 0 {
            for index in (1..rows.len()).rev() {
                let other = usize::try_from(dice.below(index as u64 + 1))?;
                rows.swap(index, other);
            }
        }
        let row = &mut rows[turn % Fault::ALL.len()];
        turn += 1;
        progress::phase(format!("{turn}: {}", row.fault));
        field.top_up().await;
        let recovery = field.suffer(row.fault, &mut dice, RECOVERY).await?;
        progress::phase(format!("{turn}: {} is over: {recovery:.1?}", row.fault));
        row.recoveries.push(recovery);
    }
    progress::phase("the last jobs end, and everything is inspected");
    let (jobs, tally, findings) = field.settle(SETTLE).await;

    println!(
        "| fault | tried | a job ended again after (median / longest) | all were made good after |"
    );
    println!("| --- | ---: | ---: | ---: |");
    rows.sort_by_key(|row| row.fault.to_string());
    for row in &rows {
        let went_on = row.times(|recovery| recovery.went_on);
        let made_good = row.times(|recovery| recovery.made_good);
        let tried = row.recoveries.len();
        println!("| {} | {tried} | {went_on} | {made_good} |", row.fault);
    }
    println!(
        "\n| jobs | completed | dead letters | lost | doubled | stranded | destroyed | overwritten | blamed wrongly |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let counts = in_numbers(&findings);
    println!(
        "| {jobs} | {} | {} | {counts} |",
        tally.completed, tally.failed
    );
    drop(field);

    let good = usize::try_from(setting("SOAK_JOBS", 1000))?;
    progress::phase(format!("a poison job among {good} good ones"));
    let poisoned = poison::among(good, &["w1", "w2"]).await;
    println!(
        "\n| jobs beside a poison job | completed | dead letters | workers killed by it | lost | doubled | stranded | destroyed | overwritten | blamed wrongly |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    println!(
        "| {good} | {} | {} | {} | {} |",
        poisoned.tally.completed,
        poisoned.tally.failed,
        poisoned.deaths,
        in_numbers(&poisoned.findings)
    );
    let all: Findings = findings.into_iter().chain(poisoned.findings).collect();
    anyhow::ensure!(all.is_empty(), "promises broken: {all:#?}");
    anyhow::ensure!(
        poisoned.tally.completed == good && poisoned.tally.failed == 1,
        "the poison job took others down with it"
    );
    Ok(())
}

fn in_numbers(findings: &Findings) -> String {
    let of = |kind: Finding| findings.iter().filter(|(found, _)| *found == kind).count();
    [
        Finding::Lost,
        Finding::Doubled,
        Finding::Stranded,
        Finding::Destroyed,
        Finding::Overwritten,
        Finding::Blamed,
    ]
    .map(|kind| of(kind).to_string())
    .join(" | ")
}
