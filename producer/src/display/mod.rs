//! What people see while jobs run: bars on a terminal, a line per finished
//! file elsewhere. Everything here goes to stderr.

mod bars;
pub mod output;
pub mod shortened;
pub mod summary;
pub mod units;

use std::collections::HashMap;
use std::io::IsTerminal;

use common::id::JobId;
use common::progress::Progress;
use common::run::{Requeue, Run, Stage, State};

use self::bars::Bars;
pub use self::bars::style as progress_style;
use crate::follow::Change;
use crate::submit::Entry;
use common::printable::printable;

/// Shows jobs while they run.
pub struct Display {
    files: HashMap<JobId, File>,
    total: usize,
    ended: usize,
    bars: Option<Bars>,
}

struct File {
    name: String,
    size: u64,
}

impl Display {
    /// A display of those of the entries that have not ended.
    pub fn new(entries: &[Entry]) -> Self {
        let files: HashMap<JobId, File> = entries
            .iter()
            .filter(|entry| entry.is_open())
            .map(|entry| {
                let file = File {
                    name: printable(&entry.name),
                    size: entry.job.input.size,
                };
                (entry.job.id, file)
            })
            .collect();
        let bytes = files.values().map(|file| file.size).sum();
        let bars = std::io::stderr()
            .is_terminal()
            .then(|| Bars::new(files.len(), bytes));
        Self {
            total: files.len(),
            files,
            ended: 0,
            bars,
        }
    }

    /// Shows a change.
    pub fn change(&mut self, change: &Change) {
        match change {
            Change::Run(run) => self.run(run),
            Change::Progress(progress) => self.progress(progress),
        }
    }

    fn progress(&mut self, progress: &Progress) {
        if let (Some(bars), Some(file)) = (&mut self.bars, self.files.get(&progress.job)) {
            bars.progress(&file.name, file.size, progress);
        }
    }

    fn run(&mut self, run: &Run) {
        let Some(file) = self.files.get(&run.job.id) else {
            return;
        };
        let name = &file.name;
        match &run.state {
            State::Running { worker, stage, .. } => {
                if let Some(bars) = &mut self.bars {
                    bars.started(run.job.id, name, *stage, worker);
                }
            }
            State::Queued { by } => {
                self.say(&match by {
                    Requeue::Worker(worker) => {
                        format!("{name}: given back by worker {worker}; waits for another")
                    }
                    Requeue::Person | Requeue::Move => {
                        format!("{name}: put in the queue {} by a person", run.queue)
                    }
                });
                self.pause(&run.job.id);
            }
            State::Waiting { failure, .. } => {
                let message = printable(&failure.message);
                self.say(&if failure.uses_attempt() {
                    format!(
                        "{name}: attempt {} of {} failed: {message}; trying again soon",
                        run.spent(),
                        run.job.attempts
                    )
                } else {
                    format!("{name}: waits, and uses up no attempt: {message}; trying again soon")
                });
                self.pause(&run.job.id);
            }
            State::Completed { .. } | State::Failed { .. } | State::Cancelled => {
                self.ended += 1;
                let line = format!(
                    "[{}/{}] {name}: {}",
                    self.ended,
                    self.total,
                    summary::ending(run)
                );
                let size = file.size;
                self.say(&line);
                if let Some(bars) = &mut self.bars {
                    bars.ended(&run.job.id, size, self.ended);
                }
            }
        }
    }

    fn pause(&mut self, job: &JobId) {
        if let Some(bars) = &mut self.bars {
            bars.paused(job);
        }
    }

    fn say(&self, line: &str) {
        match &self.bars {
            Some(bars) => bars.say(line),
            None => eprintln!("{line}"),
        }
    }

    /// Takes the bars away.
    pub fn finish(self) {
        if let Some(bars) = self.bars {
            bars.finish();
        }
    }
}

/// How much of a whole job is done, from how much of a stage is.
fn share(stage: Stage, fraction: f32) -> f64 {
    let (from, to) = match stage {
        Stage::Reading => (0.0, 0.02),
        Stage::Encoding => (0.02, 0.90),
        Stage::Verifying => (0.90, 0.98),
        Stage::Publishing => (0.98, 1.0),
    };
    from + (to - from) * f64::from(fraction.clamp(0.0, 1.0))
}
