//! Publishing: the verified output is staged next to its final key, the fence is written to the run, and the output
//! appears.
//!
//! A finished encode is not thrown away because a store is out of reach: the upload waits until the store is back.

use std::convert::Infallible;

use common::broker::{ClaimError, LeaseEnd};
use common::job::failure::Failure;
use common::job::input::Input;
use common::job::replacement::Replaced;
use common::job::run::Stage;
use common::job::run::fence::Fence;
use common::job::run::report::Report;
use common::job::sidecar::{Sidecar, TooManySidecars};
use common::names::location::Location;
use common::store::StoreError;
use common::store::trash::{NewFile, ReplaceError};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::attempt::input;
use crate::attempt::publish::earlier;
use crate::attempt::publish::earlier::{Announced, AtOutput, replaces, replaces_output};
use crate::attempt::publish::replace;
use crate::attempt::publish::sidecars;
use crate::attempt::publish::staged::{Staged, stage};
use crate::attempt::publish::staged_file;
use crate::attempt::steps::companions::{described, places};
use crate::attempt::steps::{Attempt, Unfinished, Verified};
use crate::attempt::tool_output::ToolOutput;
use crate::work::reach::Need;

impl Attempt<'_> {
    /// Looks for the output that an earlier attempt was about to publish. If it has appeared, the job is done, and
    /// this returns its report.
    pub(super) async fn published_earlier(&mut self) -> Result<Option<Report>, Unfinished> {
        let run = self.claim.run();
        let Some(fence) = run.fence.clone() else {
            return Ok(None);
        };
        let only_looks = run.only_looks();
        let may_replace = replaces_output(&self.job) && fence.kept.is_none();
        match earlier::abort(&self.executor.stores, &self.job, &fence).await? {
            AtOutput::Ours => {
                tracing::info!("an earlier attempt has published it");
                if let Some(kept) = fence.kept {
                    let stores = &self.executor.stores;
                    let kept = sidecars::carry_with_copy(stores, &self.job, *kept).await?;
                    return Err(Unfinished::Kept(Box::new(kept)));
                }
                let Some(report) = fence.report else {
                    return Ok(None);
                };
                let finished = replace::finish(&self.executor.stores, &self.job, *report);
                return Ok(Some(finished.await?));
            }
            AtOutput::Foreign if !may_replace => {
                return Err(earlier::occupied(fence.place(&self.job), false).into());
            }
            _ if only_looks => return Err(Unfinished::Vanished),
            AtOutput::Nothing | AtOutput::Foreign => {}
        }
        if !fence.is_settled {
            self.claim.settle_fence().await?;
        }
        Ok(None)
    }

    pub(super) async fn publish(&mut self, verified: Verified) -> Result<Report, Unfinished> {
        self.report(Stage::Publishing, Some(0.0)).await;
        let digest = verified.output.digest().await?;
        for input in self.job.inputs() {
            self.is_unchanged(input).await?;
        }
        if let Some(attributes) = verified.encoded.probed.prepared.attributes {
            let companions = verified.companions.iter().map(|made| &made.file);
            for made in companions.chain([&verified.output]) {
                attributes.give(made.file());
            }
        }
        let mut report = self.report_of(&verified);
        for made in &verified.companions {
            report.companions.push(described(made).await?);
        }
        if self.number > 1 {
            let stores = &self.executor.stores;
            staged_file::remove_leftovers(stores, &self.job.output, &self.job.id).await;
        }
        if !self.job.id.is_whole() && self.executor.plan_of(&self.job).await?.is_none() {
            // The job has ended meanwhile, and its pieces are removed.
            return Err(Unfinished::LeaseEnd(LeaseEnd::Cancelled));
        }
        let mut companions = Vec::new();
        for (made, to) in places(&verified.companions, &self.job.output) {
            companions.push(self.stage(&made.file, &to).await?);
        }
        match self.sidecars(&self.job.output).await? {
            Ok(sidecars) => report.sidecars = sidecars,
            Err(many) => report.warnings.push(many.to_string()),
        }
        let staged = self.stage(&verified.output, &self.job.output).await?;
        self.executor.reach.written(&self.job.output);
        let new = NewFile {
            size: verified.checked.size,
            digest: &digest,
            sidecars: &report.sidecars,
        };
        match self.keep_original(new).await {
            Ok(replaced) => report.replaced = replaced,
            Err(failure) => {
                discard(companions, staged).await;
                return Err(failure.into());
            }
        }
        let fence = Fence {
            by: staged.publish_method(),
            size: verified.checked.size,
            digest,
            companions: companions.iter().map(Staged::publish_method).collect(),
            is_settled: false,
            report: Some(Box::new(report.clone())),
            kept: None,
        };
        self.commit(staged, companions, &fence).await?;
        let report = Report {
            total_seconds: self.started.elapsed().as_secs_f64(),
            ..report
        };
        let (stores, job) = (&self.executor.stores, &self.job);
        Ok(replace::finish(stores, job, report).await?)
    }

    /// Has the trash hold the source as well, if the output is to take its place. Waits for a trash that is out of
    /// reach.
    async fn keep_original(&self, output: NewFile<'_>) -> Result<Option<Replaced>, Failure> {
        let (Some(entry), Some(replacement)) = (self.job.trash_entry(), &self.job.replacement)
        else {
            return Ok(None);
        };
        let now = self.executor.broker.now();
        loop {
            let since = Instant::now();
            match self
                .executor
                .stores
                .keep_original(&self.job, output, now)
                .await
            {
                Ok(()) => break,
                Err(ReplaceError::Store(error)) => {
                    let need = Need::write(&entry.original, self.job.input.size);
                    self.outlast(need, since, input::failure(error)).await?;
                }
                Err(error) => return Err(replace::failure(error)),
            }
        }
        Ok(Some(Replaced {
            original: entry.original,
            until: replacement.until(now),
        }))
    }

    /// Finds the files that are to go along with what appears at `to`. Waits for a store that is out of reach.
    pub(super) async fn sidecars(
        &self,
        to: &Location,
    ) -> Result<Result<Vec<Sidecar>, TooManySidecars>, Failure> {
        loop {
            let since = Instant::now();
            match self.executor.stores.sidecars(&self.job, to).await {
                Ok(found) => return Ok(found),
                Err(error) => {
                    let need = Need::read(&self.job.input.location);
                    self.outlast(need, since, input::failure(error)).await?;
                }
            }
        }
    }

    /// Makes sure that only one version of an input was read. Waits for a store that is out of reach.
    pub(super) async fn is_unchanged(&self, input: &Input) -> Result<(), Failure> {
        loop {
            let since = Instant::now();
            match input::unchanged(&self.executor.stores, input, "encoded: enqueue it again").await
            {
                Ok(()) => return Ok(()),
                Err(failure) => {
                    let need = Need::read(&input.location);
                    self.outlast(need, since, failure).await?;
                }
            }
        }
    }

    /// Moves a file next to its final key. Waits for a store that is out of reach.
    pub(super) async fn stage(&self, made: &ToolOutput, to: &Location) -> Result<Staged, Failure> {
        let mut refused = 0;
        loop {
            let since = Instant::now();
            match self.stage_once(made, to).await {
                Ok(staged) => return Ok(staged),
                Err(error) => {
                    let mut need = Need::write(to, made.size());
                    if error.lacks_room() {
                        refused += 1;
                        need = need.refused(refused);
                    }
                    self.outlast(need, since, input::failure(error)).await?;
                }
            }
        }
    }

    /// Moves a file next to its final key, and reports the progress.
    async fn stage_once(&self, made: &ToolOutput, to: &Location) -> Result<Staged, StoreError> {
        let (moved, seen) = watch::channel(0);
        let on_bytes = |bytes| {
            moved.send_replace(bytes);
        };
        let (stores, job) = (&self.executor.stores, &self.job.id);
        tokio::select! {
            staged = stage(stores, made, to, job, &on_bytes, &self.stop) => staged,
            never = self.moving(seen, made.size()) => match never {},
        }
    }

    /// Reports how many of `size` bytes are moved, until this future is dropped.
    async fn moving(&self, mut seen: watch::Receiver<u64>, size: u64) -> Infallible {
        while seen.changed().await.is_ok() {
            let bytes = *seen.borrow_and_update();
            let share = bytes as f32 / (size as f32).max(1.0);
            self.report(Stage::Publishing, Some(share)).await;
        }
        std::future::pending().await
    }

    pub(super) async fn outlast(
        &self,
        need: Need<'_>,
        since: Instant,
        failure: Failure,
    ) -> Result<(), Failure> {
        let reach = &self.executor.reach;
        reach
            .outlast(need, since, failure, &self.reporter, &self.stop)
            .await
    }

    fn report_of(&self, verified: &Verified) -> Report {
        let Verified {
            encoded, checked, ..
        } = verified;
        // What a piece holds is told of the whole job only.
        let is_whole = self.job.id.is_whole();
        Report {
            worker: self.executor.name.clone(),
            encoder: encoded.probed.encoder.clone(),
            input_size: self.job.bytes(),
            output_size: checked.size,
            frames: checked.frames,
            duration: checked.duration,
            input_media: is_whole.then(|| encoded.probed.whole.info()),
            output_media: is_whole.then(|| checked.media.info()),
            encode_seconds: encoded.encode_seconds(),
            total_seconds: self.started.elapsed().as_secs_f64(),
            quality: verified.quality(),
            changes: checked.changes.clone(),
            companions: Vec::new(),
            ladder: verified.ladder.clone(),
            health: None,
            replaced: None,
            sidecars: Vec::new(),
            split: encoded.probed.split.clone(),
            warnings: Vec::new(),
        }
    }

    /// Writes the fence and makes the companions and then the output appear. Renews the fence for as long as that
    /// takes.
    pub(super) async fn commit(
        &mut self,
        staged: Staged,
        companions: Vec<Staged>,
        fence: &Fence,
    ) -> Result<(), Unfinished> {
        let every = self.claim.renewal();
        if let Err(lost) = self.fence(fence).await {
            discard(companions, staged).await;
            return Err(lost.into());
        }
        let claim = &mut *self.claim;
        let lost = async {
            loop {
                tokio::time::sleep(every).await;
                match claim.renew_fence().await {
                    Ok(()) => {}
                    // If another worker takes the job over meanwhile, it aborts this worker's upload or removes its
                    // hidden file.
                    Err(ClaimError::Broker(error)) => {
                        tracing::warn!(%error, "the fence is not renewed")
                    }
                    Err(lost @ ClaimError::Elsewhere) => return lost,
                }
            }
        };
        let (stores, job) = (&self.executor.stores, &self.job);
        let appearing = async {
            for (staged, file) in companions.into_iter().zip(fence.companions()) {
                let announced = Announced {
                    to: &file.suffix.beside(&job.output),
                    size: file.size,
                    digest: &file.digest,
                    is_companion: true,
                };
                let replace = replaces(job, &file.suffix);
                staged.commit(stores, announced, replace).await?;
            }
            let announced = Announced {
                to: fence.place(job),
                size: fence.size,
                digest: &fence.digest,
                is_companion: false,
            };
            let is_copy = fence.kept.is_some();
            if !is_copy && let Err(changed) = stores.original_is_unchanged(job).await {
                staged.discard().await;
                return Err(replace::failure(changed));
            }
            let replace = replaces_output(job) && !is_copy;
            staged.commit(stores, announced, replace).await
        };
        tokio::select! {
            done = appearing => Ok(done?),
            lost = lost => Err(lost.into()),
        }
    }

    /// Writes the fence. If that took longer than the renewal interval, the answer may be out of date, so the fence
    /// is renewed until an answer comes in time.
    async fn fence(&mut self, fence: &Fence) -> Result<(), ClaimError> {
        let every = self.claim.renewal();
        let mut sent = Instant::now();
        self.claim.fence(fence.clone()).await?;
        while sent.elapsed() >= every {
            sent = Instant::now();
            self.claim.renew_fence().await?;
        }
        Ok(())
    }
}

/// Removes hidden files and aborts uploads.
async fn discard(companions: Vec<Staged>, output: Staged) {
    for staged in companions.into_iter().chain([output]) {
        staged.discard().await;
    }
}
