//! The cause in one sentence.

use std::fmt;

use jiff::SignedDuration;

use crate::farm::worker_name::WorkerName;
use crate::job::run::Stage;
use crate::matching::why::cause::{Cause, Opening, Reason, Why};
use crate::names::printable::printable;

/// Most workers that a sentence names before it only counts them.
const NAMED: usize = 3;

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)?;
        match &self.opens {
            Some(Opening { queue, at }) => {
                write!(f, "; the queue {queue} is opened to it at {at:.0}")
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Split {
                parts,
                done,
                running,
                waiting,
                since,
                held,
            } => {
                write!(
                    f,
                    "split into {parts} parts at {since:.0}: {done} done, {running} running, {waiting} waiting"
                )?;
                match held {
                    Some(held) => write!(f, "; {held}"),
                    None => Ok(()),
                }
            }
            Self::Completed { worker, at } => write!(f, "completed by {worker} at {at:.0}"),
            Self::Kept { worker, at, reason } => {
                write!(f, "the original was kept by {worker} at {at:.0}: {reason}")
            }
            Self::Failed { attempts, message } => write!(
                f,
                "failed for good after {}: {}; `producer retry ID` tries it again",
                count(*attempts as u64, "attempt"),
                printable(message)
            ),
            Self::Cancelled { at } => {
                write!(
                    f,
                    "cancelled at {at:.0}; `producer retry ID` tries it again"
                )
            }
            Self::Running {
                worker,
                stage,
                since,
                away,
            } => {
                write!(f, "running on {worker} since {since:.0}")?;
                // Other stages are not stored: live progress has them.
                if *stage == Stage::Publishing {
                    f.write_str(", about to publish its output")?;
                }
                match away {
                    Some(away) => write!(
                        f,
                        "; its worker cannot {} {} since {:.0}, and resumes by itself: {}",
                        if away.only_writing {
                            "write to"
                        } else {
                            "reach"
                        },
                        away.place,
                        away.since,
                        printable(&away.error)
                    ),
                    None => Ok(()),
                }
            }
            Self::Vanished { worker } => write!(
                f,
                "its worker {worker} gives no sign of life; another takes it once the lease has run out"
            ),
            Self::Retry {
                until,
                worker,
                message,
            } => {
                let on = worker.as_ref().map(|worker| format!(" on {worker}"));
                write!(
                    f,
                    "waiting until {until:.0} to be tried again, as it failed{}: {}",
                    on.unwrap_or_default(),
                    printable(message)
                )
            }
            Self::BatchPaused { batch } => write!(
                f,
                "its batch is paused: `producer resume --batch {batch}` ends that"
            ),
            Self::QueuePaused { queues } => match queues.as_slice() {
                [queue] => write!(
                    f,
                    "the queue {queue} is paused: `producer resume --queue {queue}` ends that"
                ),
                queues => write!(f, "its queues are paused: {}", listed(queues)),
            },
            Self::Offline { worker } => write!(
                f,
                "pinned to worker {worker}, which is not alive; `producer reassign --auto` frees it"
            ),
            Self::NoWorker => f.write_str("no worker is alive"),
            Self::Unproved { workers, instead } => {
                write!(f, "no live worker can run it ({})", reasons(workers))?;
                if instead.is_empty() {
                    return Ok(());
                }
                let instead: Vec<String> = instead
                    .iter()
                    .map(|other| format!("{} (on {})", other.encoder, listed(&other.workers)))
                    .collect();
                write!(f, "; proved instead: {}", instead.join(", "))
            }
            Self::Unwilling { workers } => write!(
                f,
                "no worker that could run it takes it ({})",
                reasons(workers)
            ),
            Self::Resting { workers, resumable } => {
                match workers.as_slice() {
                    [_] => f.write_str("the only worker that could run it takes no jobs")?,
                    _ => f.write_str("the workers that could run it take no jobs")?,
                }
                write!(f, " just now ({})", reasons(workers))?;
                match resumable.first() {
                    Some(worker) => write!(f, "; `producer resume {worker}` has it take them now"),
                    None => Ok(()),
                }
            }
            Self::Away { workers } => write!(
                f,
                "held, and resumes by itself once what it needs is back ({})",
                reasons(workers)
            ),
            Self::Next { workers } => write!(
                f,
                "nothing goes before it and {} has a free slot: it should start within seconds",
                named(workers)
            ),
            Self::InLine {
                ahead,
                workers,
                is_busy,
                starts_in,
            } => {
                if *is_busy {
                    match workers {
                        1 => f.write_str("the only worker for it is busy, and ")?,
                        workers => write!(f, "all {workers} workers for it are busy, and ")?,
                    }
                }
                let about = if ahead.is_exact { "" } else { "about " };
                match ahead.jobs {
                    0 => f.write_str("it is the next one")?,
                    1 => write!(f, "{about}1 job goes before it")?,
                    jobs => write!(f, "{about}{jobs} jobs go before it")?,
                }
                match starts_in.and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok())
                {
                    Some(wait) => write!(f, "; it starts in about {:#}", rounded(wait)),
                    None => Ok(()),
                }
            }
        }
    }
}

/// Rounds to whole seconds below ten minutes, and to whole minutes above: an estimate is no better.
fn rounded(wait: SignedDuration) -> SignedDuration {
    let seconds = wait.as_secs().max(1);
    SignedDuration::from_secs(if seconds < 600 {
        seconds
    } else {
        seconds - seconds % 60
    })
}

fn count(number: u64, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

fn listed<T: fmt::Display>(names: &[T]) -> String {
    let names: Vec<String> = names.iter().map(T::to_string).collect();
    names.join(", ")
}

fn named(workers: &[WorkerName]) -> String {
    match workers {
        [worker] => worker.to_string(),
        workers => format!("each of {} workers", workers.len()),
    }
}

fn reasons(workers: &[Reason]) -> String {
    let mut parts: Vec<String> = workers
        .iter()
        .take(NAMED)
        .map(|Reason { worker, reason }| format!("{worker}: {}", printable(reason)))
        .collect();
    if workers.len() > NAMED {
        parts.push(format!("and {} more", workers.len() - NAMED));
    }
    parts.join("; ")
}
