//! Progress bars.

use std::collections::HashMap;
use std::time::Duration;

use common::id::JobId;
use common::progress::Progress;
use common::run::Stage;
use common::worker::WorkerName;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::shortened::shortened;
use super::{share, units};

/// Characters of a file's name that are shown.
const NAME: usize = 32;
/// Steps of a file's bar.
const STEPS: u64 = 1000;

/// A bar per running file, and one over all.
pub(super) struct Bars {
    all: MultiProgress,
    overall: ProgressBar,
    total: usize,
    files: HashMap<JobId, (ProgressBar, u64)>,
    ended: u64,
}

impl Bars {
    /// Bars for this many files of so many bytes together.
    pub(super) fn new(total: usize, bytes: u64) -> Self {
        let all = MultiProgress::new();
        let overall = all.add(ProgressBar::new(bytes.max(1)));
        overall.set_style(style(
            "{prefix:32} [{bar:24}] {percent:>3}% {elapsed} elapsed{msg}",
        ));
        overall.set_prefix(format!("0/{total} files"));
        overall.enable_steady_tick(Duration::from_millis(500));
        Self {
            all,
            overall,
            total,
            files: HashMap::new(),
            ended: 0,
        }
    }

    fn bar(&mut self, job: JobId, name: &str) -> &mut (ProgressBar, u64) {
        self.files.entry(job).or_insert_with(|| {
            let bar = self
                .all
                .insert_before(&self.overall, ProgressBar::new(STEPS));
            bar.set_style(style("{prefix:32} [{bar:24}] {percent:>3}% {msg}"));
            bar.set_prefix(shortened(name, NAME));
            (bar, 0)
        })
    }

    pub(super) fn started(&mut self, job: JobId, name: &str, stage: Stage, worker: &WorkerName) {
        let (bar, _) = self.bar(job, name);
        bar.set_message(format!("{stage} on {worker}"));
    }

    pub(super) fn progress(&mut self, name: &str, size: u64, progress: &Progress) {
        let (bar, done) = self.bar(progress.job, name);
        let fraction = progress.fraction.unwrap_or(0.0).clamp(0.0, 1.0);
        // One bar over all stages: it never falls back.
        let whole = share(progress.stage, fraction);
        bar.set_position((whole * STEPS as f64) as u64);
        let mut message = progress.stage.to_string();
        if let Some(place) = &progress.waits_for {
            message = format!("{message} (waiting for {place})");
        }
        if let Some(encode) = progress
            .encode
            .filter(|encode| progress.stage == Stage::Encoding && encode.fps > 0.0)
        {
            message += &format!(" {:.1} fps {:.2}x", encode.fps, encode.speed);
        }
        if let Some(eta) = progress.eta.filter(|_| fraction > 0.0) {
            message += &format!(", {} left", units::seconds(f64::from(eta)));
        }
        bar.set_message(format!("{message} on {}", progress.worker));
        *done = (whole * size as f64) as u64;
        self.show_overall();
    }

    pub(super) fn paused(&mut self, job: &JobId) {
        if let Some((bar, _)) = self.files.remove(job) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
        self.show_overall();
    }

    pub(super) fn ended(&mut self, job: &JobId, size: u64, count: usize) {
        self.ended += size;
        self.overall
            .set_prefix(format!("{count}/{} files", self.total));
        self.paused(job);
    }

    fn show_overall(&self) {
        let under_way: u64 = self.files.values().map(|(_, done)| done).sum();
        self.overall.set_position(self.ended + under_way);
        // An estimate from nothing would be a lie.
        if self.overall.position() > 0 {
            let left = units::seconds(self.overall.eta().as_secs_f64());
            self.overall.set_message(format!(", {left} left"));
        }
    }

    pub(super) fn say(&self, line: &str) {
        // Only fails where stderr does, and then there is nobody to tell.
        let _ = self.all.println(line);
    }

    pub(super) fn finish(self) {
        for (bar, _) in self.files.values() {
            bar.finish_and_clear();
        }
        self.overall.finish_and_clear();
    }
}

/// A style from a template of this program's own.
pub fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
