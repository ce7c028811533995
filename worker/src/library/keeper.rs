//! Keeps one library: holds its scan lease if no other worker does, and scans again and again.

use std::sync::Arc;
use std::time::Duration;

use common::library::Library;
use common::names::token::Token;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::attempt::executor::Executor;
use crate::library::lease::Held;
use crate::library::scan::Scanner;

/// Wait before another request to a broker that gave no answer, or another scan after one that failed.
const AGAIN: Duration = Duration::from_secs(2);
/// The longest wait before another scan after one that failed.
const LONGEST_AGAIN: Duration = Duration::from_secs(60);
/// How often the jobs of a library are looked at between two scans.
const SIGHT: Duration = Duration::from_secs(5);
/// The shortest time between two scans of files that are arriving.
const SHORTEST: Duration = Duration::from_millis(500);

/// Keeps a library until `stop` is cancelled.
pub(super) async fn keep(
    executor: Arc<Executor>,
    name: Token,
    mut settings: watch::Receiver<Library>,
    stop: CancellationToken,
) {
    let broker = executor.broker.clone();
    while !stop.is_cancelled() {
        let wait = match broker.take_scan(&name, &executor.name).await {
            Ok(Ok(lease)) => {
                let held = Held::new(&broker, lease);
                tracing::info!(library = %name, "keeps the library");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = held.lost.cancelled() => {
                        tracing::info!(library = %name, "another worker keeps the library");
                    }
                    () = held.keep() => {}
                    () = run(&executor, &name, &mut settings, &held, &stop) => {}
                }
                held.leave().await;
                AGAIN
            }
            Ok(Err(other)) => {
                let left = other.until.duration_since(broker.now());
                // A little longer, so that its holder comes first.
                Duration::try_from(left).unwrap_or_default() + AGAIN / 4
            }
            Err(error) => {
                tracing::debug!(%error, library = %name, "no scan lease was taken");
                AGAIN
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Scans again and again. Never ends by itself.
async fn run(
    executor: &Arc<Executor>,
    name: &Token,
    settings: &mut watch::Receiver<Library>,
    held: &Held,
    stop: &CancellationToken,
) {
    let mut scanner = Scanner::new(executor, name, held, stop);
    let mut again = AGAIN;
    loop {
        let library = settings.borrow_and_update().clone();
        let wait = match scanner.scan(&library).await {
            Ok(next) => {
                again = AGAIN;
                next.max(SHORTEST)
            }
            Err(error) => {
                let problem = format!("{error:#}");
                tracing::warn!(library = %name, problem, "the scan failed");
                let told = held.tell(|record| {
                    record.problem = Some(problem);
                    record.phase = common::library::scan::ScanPhase::Resting;
                });
                if let Err(error) = told.await {
                    tracing::debug!(%error, "a problem was not told");
                }
                again = (again * 2).min(LONGEST_AGAIN);
                again
            }
        };
        let rest = tokio::time::sleep(wait);
        tokio::pin!(rest);
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + SIGHT, SIGHT);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut rest => break,
                // A change by a person.
                Ok(()) = settings.changed() => break,
                _ = ticks.tick() => match scanner.follow_jobs(&library).await {
                    Ok(false) => {}
                    // There is room for further jobs.
                    Ok(true) => break,
                    Err(error) => {
                        tracing::debug!(%error, library = %name, "jobs were not looked at");
                    }
                },
            }
        }
    }
}
