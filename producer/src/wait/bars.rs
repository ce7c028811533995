//! Progress bars.

use std::collections::HashMap;
use std::time::Duration;

use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::job::progress::Progress;
use common::job::run::Stage;
use common::matching::outlook::{Outlook, Past, Waiting};
use common::matching::parts::Parts;
use common::names::printable::printable;
use indicatif::{MultiProgress, ProgressBar};
use jiff::Timestamp;

use crate::display::bar::style;
use crate::display::units;

/// Steps of a file's bar.
const STEPS: u64 = 1000;

/// A bar for each running file, and one for all.
pub(super) struct Bars {
    all: MultiProgress,
    overall: ProgressBar,
    total: usize,
    running: HashMap<JobId, Running>,
    /// Sizes of the files that have not begun.
    waiting: HashMap<JobId, u64>,
    /// How long the ended files took.
    past: Past,
    /// Running downloads.
    results: HashMap<JobId, ProgressBar>,
    /// Bytes of the files that have ended.
    ended: u64,
    /// The most files that ran at once.
    at_once: usize,
}

struct Running {
    bar: ProgressBar,
    size: u64,
    since: Timestamp,
    /// From 0 to 1.
    share: f64,
    /// Seconds since its start, and seconds left.
    seconds: f64,
    left: Option<f64>,
    /// The parts of a split job.
    parts: Parts,
}

impl Bars {
    pub(super) fn new(sizes: HashMap<JobId, u64>) -> Self {
        let all = MultiProgress::new();
        let bytes: u64 = sizes.values().sum();
        let overall = all.add(ProgressBar::new(bytes.max(1)));
        overall.set_style(style(
            "{prefix:32} [{bar:16}] {percent:>3}% {elapsed} elapsed{msg}",
        ));
        let total = sizes.len();
        overall.set_prefix(format!("0/{total} files"));
        overall.enable_steady_tick(Duration::from_millis(500));
        Self {
            all,
            overall,
            total,
            running: HashMap::new(),
            waiting: sizes,
            past: Past::default(),
            results: HashMap::new(),
            ended: 0,
            at_once: 0,
        }
    }

    fn file(&mut self, job: JobId, name: &str, since: Timestamp) -> &mut Running {
        let size = self.waiting.remove(&job);
        self.running.entry(job).or_insert_with(|| {
            let bar = self
                .all
                .insert_before(&self.overall, ProgressBar::new(STEPS));
            bar.set_style(style("{prefix:32} [{bar:16}] {percent:>3}% {wide_msg}"));
            bar.set_prefix(name.to_owned());
            Running {
                bar,
                size: size.unwrap_or_default(),
                since,
                share: 0.0,
                seconds: 0.0,
                left: None,
                parts: Parts::default(),
            }
        })
    }

    pub(super) fn started(
        &mut self,
        job: JobId,
        name: &str,
        stage: Stage,
        worker: &WorkerName,
        since: Timestamp,
    ) {
        let running = self.file(job, name, since);
        running.since = since;
        running.bar.set_message(format!("{stage} on {worker}"));
        self.at_once = self.at_once.max(self.running.len());
    }

    pub(super) fn progress(&mut self, name: &str, progress: &Progress) {
        let running = self.file(progress.job, name, progress.at);
        // The join of the parts begins anew, and the bar stays.
        let joined = running.parts.sum().fraction;
        running.share = progress.share().max(joined);
        running.seconds = progress.at.duration_since(running.since).as_secs_f64();
        running.left = progress.seconds_left(running.since);
        running
            .bar
            .set_position((running.share * STEPS as f64) as u64);
        let mut message = progress.stage.to_string();
        if let Some(place) = &progress.waits_for {
            message = format!("{message} (waiting for {place})");
        }
        // The bar of the job stands still meanwhile.
        if let (Stage::Searching, Some(share)) = (progress.stage, progress.fraction) {
            message += &format!(" {:.0}%", share * 100.0);
        }
        // The most important part comes first: a narrow terminal cuts the rest.
        if let Some(left) = running.left {
            message += &format!(", {} left", units::seconds(left));
        }
        if let Some(encode) = progress
            .encode
            .filter(|encode| progress.stage == Stage::Encoding && encode.fps > 0.0)
        {
            let fps = units::fps(f64::from(encode.fps));
            message += &format!(", {fps}, {:.2}x", encode.speed);
        }
        running
            .bar
            .set_message(format!("{message}, on {}", progress.worker));
        self.show_overall();
    }

    /// Takes news of the parts of a split job, and shows them as one.
    pub(super) fn parts(
        &mut self,
        job: JobId,
        name: &str,
        now: Timestamp,
        news: impl FnOnce(&mut Parts),
    ) {
        let running = self.file(job, name, now);
        news(&mut running.parts);
        let sum = running.parts.sum();
        running.share = sum.fraction;
        running.seconds = now.duration_since(running.since).as_secs_f64();
        running.left = running.parts.seconds_left(now);
        running
            .bar
            .set_position((running.share * STEPS as f64) as u64);
        let mut message = format!("{}/{} parts", sum.done, sum.parts);
        if let Some(left) = running.left {
            message += &format!(", {} left", units::seconds(left));
        }
        if sum.fps > 0.0 {
            let fps = units::fps(f64::from(sum.fps));
            message += &format!(", {fps}, {:.2}x", sum.speed);
        }
        match &sum.workers[..] {
            [] => {}
            [worker] => message += &format!(", on {worker}"),
            workers => message += &format!(", on {} workers", workers.len()),
        }
        running.bar.set_message(message);
        self.show_overall();
    }

    /// The file waits again, for another worker or another attempt.
    pub(super) fn paused(&mut self, job: &JobId) {
        if let Some(running) = self.take_down(job) {
            self.waiting.insert(*job, running.size);
        }
        self.show_overall();
    }

    /// `seconds` is how long a completed file took.
    pub(super) fn ended(&mut self, job: &JobId, size: u64, seconds: Option<f64>, count: usize) {
        self.take_down(job);
        self.waiting.remove(job);
        self.ended += size;
        if let Some(seconds) = seconds {
            self.past.add(size, seconds);
        }
        self.overall
            .set_prefix(format!("{count}/{} files", self.total));
        self.show_overall();
    }

    fn take_down(&mut self, job: &JobId) -> Option<Running> {
        let running = self.running.remove(job)?;
        running.bar.finish_and_clear();
        self.all.remove(&running.bar);
        Some(running)
    }

    fn outlook(&self) -> Outlook {
        let mut outlook = Outlook::default();
        outlook.past(self.past);
        for file in self.running.values() {
            outlook.running(file.size, file.seconds, file.left);
        }
        let mut waiting = Waiting::default();
        self.waiting.values().for_each(|size| waiting.add(*size));
        outlook.waiting(waiting);
        outlook
    }

    pub(super) fn downloading(&mut self, job: JobId, name: &str, bytes: u64, size: u64) {
        let bar = self.results.entry(job).or_insert_with(|| {
            let bar = ProgressBar::new(size);
            let bar = self.all.insert_before(&self.overall, bar);
            bar.set_style(style(
                "{prefix:32} [{bar:24}] {percent:>3}% downloading {bytes}/{total_bytes}, {eta} left",
            ));
            bar.set_prefix(name.to_owned());
            bar
        });
        bar.set_position(bytes);
    }

    pub(super) fn downloaded(&mut self, job: &JobId) {
        if let Some(bar) = self.results.remove(job) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    fn show_overall(&self) {
        let under_way = self.running.values();
        let under_way: f64 = under_way.map(|file| file.share * file.size as f64).sum();
        self.overall.set_position(self.ended + under_way as u64);
        let slots = u32::try_from(self.at_once).unwrap_or(u32::MAX);
        let left = self.outlook().seconds_left(slots);
        let left = left.map(|left| format!(", {} left", units::seconds(left)));
        self.overall.set_message(left.unwrap_or_default());
    }

    pub(super) fn say(&self, line: &str) {
        // Only fails if stderr is closed.
        let _ = self.all.println(printable(line));
    }

    pub(super) fn finish(self) {
        let running = self.running.values().map(|running| &running.bar);
        for bar in running.chain(self.results.values()) {
            bar.finish_and_clear();
        }
        self.overall.finish_and_clear();
    }
}
