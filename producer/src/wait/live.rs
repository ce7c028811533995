//! The display while jobs run: bars on a terminal, otherwise a line for each finished file. All of it goes to stderr.

use std::collections::HashMap;
use std::io::IsTerminal;

use common::job::id::JobId;
use common::job::progress::Progress;
use common::job::run::{Requeue, Run, RunState};
use common::matching::parts::Parts;
use common::names::printable::printable;
use common::say;
use common::submit::result::SubmitResult;

use super::bars::Bars;
use super::follow::JobUpdate;
use crate::display::job;
use crate::display::shortened::distinct;
use crate::download::event::{DownloadEvent, DownloadResult};
use crate::submit::entry::Entry;

/// Characters of a file name in its bar.
const NAME: usize = 32;

pub(super) struct LiveDisplay {
    files: HashMap<JobId, File>,
    total: usize,
    ended: usize,
    bars: Option<Bars>,
}

struct File {
    name: String,
    /// The name in its bar, distinct from the others.
    short: String,
    size: u64,
    /// Bytes of the result; 0 until the job has completed.
    result: u64,
}

impl LiveDisplay {
    pub(super) fn new(entries: &[Entry]) -> Self {
        let names: Vec<String> = entries.iter().map(|entry| printable(&entry.name)).collect();
        let shorts = distinct(names.iter().map(String::as_str), NAME);
        let file = |(entry, name): (&Entry, &String)| File {
            short: shorts[name.as_str()].clone(),
            name: name.clone(),
            size: entry.job.bytes(),
            result: match &entry.state {
                SubmitResult::Run(run) => result_size(run),
                _ => 0,
            },
        };
        let files: HashMap<JobId, File> = entries
            .iter()
            .zip(&names)
            .map(|named| (named.0.job.id, file(named)))
            .collect();
        let open = entries.iter().filter(|entry| entry.is_open());
        let sizes: HashMap<JobId, u64> = open
            .map(|entry| (entry.job.id, entry.job.bytes()))
            .collect();
        let total = sizes.len();
        let bars = std::io::stderr().is_terminal().then(|| Bars::new(sizes));
        Self {
            total,
            files,
            ended: 0,
            bars,
        }
    }

    pub(super) fn download(&mut self, event: &DownloadEvent) {
        match event {
            DownloadEvent::Bytes(job, bytes) => {
                if let (Some(bars), Some(file)) = (&mut self.bars, self.files.get(job)) {
                    bars.downloading(*job, &file.short, *bytes, file.result);
                }
            }
            DownloadEvent::Ended(job, download) => {
                if let Some(bars) = &mut self.bars {
                    bars.downloaded(job);
                }
                let name = self.files.get(job).map_or("", |file| file.name.as_str());
                match (download, download.problem()) {
                    (DownloadResult::New(path), _) => {
                        self.say(&printable(&format!(
                            "{name}: downloaded to {}",
                            path.display()
                        )));
                    }
                    (_, Some(problem)) => self.say(&printable(&format!("{name}: {problem}"))),
                    (_, None) => {}
                }
            }
        }
    }

    pub(super) fn change(&mut self, change: &JobUpdate) {
        match change {
            JobUpdate::Run(run) => self.run(run),
            JobUpdate::Part(run) => self.part(run),
            JobUpdate::Parts(job, parts) => self.parts(*job, parts),
            JobUpdate::Progress(progress) => self.progress(progress),
        }
    }

    fn part(&mut self, run: &Run) {
        let id = run.job.id;
        if let (Some(bars), Some(file)) = (&mut self.bars, self.files.get(&id.whole())) {
            bars.parts(id.whole(), &file.short, run.changed, |parts| {
                parts.ran(id.part(), Some(run));
            });
        }
    }

    fn parts(&mut self, job: JobId, known: &Parts) {
        if let (Some(bars), Some(file)) = (&mut self.bars, self.files.get(&job)) {
            let now = jiff::Timestamp::now();
            bars.parts(job, &file.short, now, |parts| parts.learn(known.clone()));
        }
    }

    fn progress(&mut self, progress: &Progress) {
        let id = progress.job;
        if !id.is_whole() {
            if let (Some(bars), Some(file)) = (&mut self.bars, self.files.get(&id.whole())) {
                bars.parts(id.whole(), &file.short, progress.at, |parts| {
                    parts.progressed(progress.clone());
                });
            }
            return;
        }
        if let (Some(bars), Some(file)) = (&mut self.bars, self.files.get(&progress.job)) {
            bars.progress(&file.short, progress);
        }
    }

    fn run(&mut self, run: &Run) {
        if let Some(file) = self.files.get_mut(&run.job.id) {
            file.result = result_size(run);
        }
        let Some(file) = self.files.get(&run.job.id) else {
            return;
        };
        let name = &file.name;
        match &run.state {
            RunState::Running {
                worker,
                stage,
                since,
            } => {
                if let Some(bars) = &mut self.bars {
                    bars.started(run.job.id, &file.short, *stage, worker, *since);
                }
            }
            RunState::Split { parts, since } => {
                if let Some(bars) = &mut self.bars {
                    bars.parts(run.job.id, &file.short, *since, |known| {
                        known.split(*since, *parts);
                    });
                }
                self.say(&format!("{name}: split into {parts} parts"));
            }
            RunState::Queued { by } => {
                self.say(&match by {
                    Requeue::Worker(worker) => {
                        format!("{name}: released by worker {worker}; waits for another")
                    }
                    Requeue::Person | Requeue::Moved => {
                        format!("{name}: moved to queue {} by a person", run.queue)
                    }
                });
                self.pause(&run.job.id);
            }
            RunState::Waiting { failure, .. } => {
                let message = printable(&failure.message);
                self.say(&if failure.uses_attempt() {
                    format!(
                        "{name}: attempt {} of {} failed: {message}; retrying soon",
                        run.spent(),
                        run.job.attempts
                    )
                } else {
                    format!("{name}: waits without using up an attempt: {message}; retrying soon")
                });
                self.pause(&run.job.id);
            }
            RunState::Completed { .. }
            | RunState::Kept { .. }
            | RunState::Failed { .. }
            | RunState::Cancelled => {
                self.ended += 1;
                let line = format!("[{}/{}] {name}: {}", self.ended, self.total, job::end(run));
                let size = file.size;
                self.say(&line);
                let seconds = match &run.state {
                    RunState::Completed { report } => Some(report.total_seconds),
                    _ => None,
                };
                if let Some(bars) = &mut self.bars {
                    bars.ended(&run.job.id, size, seconds, self.ended);
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
            None => say!("{line}"),
        }
    }

    /// Removes the bars.
    pub(super) fn finish(self) {
        if let Some(bars) = self.bars {
            bars.finish();
        }
    }
}

fn result_size(run: &Run) -> u64 {
    match &run.state {
        RunState::Completed { report } => report.output_size,
        _ => 0,
    }
}
