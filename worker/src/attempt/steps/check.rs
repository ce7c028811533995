//! Checking: looks for damage in the input of a job that writes nothing.

use common::job::failure::Failure;
use common::job::input::Input;
use common::job::kind::CheckDepth;
use common::job::run::Stage;
use common::job::run::health::{Damage, Health};
use common::job::run::report::Report;
use common::spans;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::Instrument;

use crate::attempt::check::{Checked, check};
use crate::attempt::input;
use crate::attempt::steps::{Attempt, Unfinished, traced};

impl Attempt<'_> {
    /// The steps of a check. The job completes also if the file is damaged: it has done its work.
    pub(super) async fn check_job(&mut self, depth: CheckDepth) -> Result<Report, Unfinished> {
        self.report(Stage::Reading, None).await;
        let input = self.job.input.clone();
        if input.size == 0 {
            self.is_there(&input).await?;
            let checked = Checked {
                damage: vec![Damage::whole("the file is empty")],
                ..Checked::default()
            };
            return Ok(self.health_report(depth, checked, 0.0));
        }
        let prepared = traced("read", self.read()).await?;
        self.report(Stage::Verifying, Some(0.0)).await;
        let started = Instant::now();
        let (done, mut seen) = watch::channel(0.0);
        let on_share = |share: f32| {
            done.send_replace(share);
        };
        let publishing = async {
            while seen.changed().await.is_ok() {
                let share = *seen.borrow_and_update();
                self.report(Stage::Verifying, Some(share)).await;
                tokio::time::sleep(EVERY).await;
            }
            std::future::pending().await
        };
        let span = spans::step("check");
        let checked = async {
            tokio::select! {
                checked = check(&prepared.runner, &prepared.source, depth, on_share) => checked,
                never = publishing => never,
            }
        };
        let checked = checked.instrument(span).await;
        // A failure over a file that is being written says nothing about it.
        match &checked {
            Ok(checked) if checked.damage.is_empty() => self.is_same(&input).await?,
            _ => self.is_there(&input).await?,
        }
        let seconds = started.elapsed().as_secs_f64();
        Ok(self.health_report(depth, checked?, seconds))
    }

    /// Makes sure that one version of the file was checked.
    async fn is_same(&self, input: &Input) -> Result<(), Failure> {
        let stores = &self.executor.stores;
        input::unchanged(stores, input, "checked: check it again").await
    }

    /// Like [`Self::is_same`], where the file must still be there: a file that is moved away seems damaged.
    async fn is_there(&self, input: &Input) -> Result<(), Failure> {
        let found = self.executor.stores.head(&input.location).await;
        found.map_err(input::failure)?;
        self.is_same(input).await
    }

    fn health_report(&self, depth: CheckDepth, checked: Checked, seconds: f64) -> Report {
        let Checked {
            media,
            frames,
            damage,
        } = checked;
        let size = self.job.input.size;
        Report {
            worker: self.executor.name.clone(),
            encoder: None,
            input_size: size,
            // The file is as it was.
            output_size: size,
            frames,
            duration: media
                .as_ref()
                .and_then(|media| media.duration)
                .unwrap_or(0.0),
            input_media: media.as_ref().map(|media| media.info()),
            output_media: None,
            encode_seconds: seconds,
            total_seconds: self.started.elapsed().as_secs_f64(),
            quality: None,
            changes: Vec::new(),
            companions: Vec::new(),
            ladder: Vec::new(),
            replaced: None,
            sidecars: Vec::new(),
            split: None,
            warnings: Vec::new(),
            health: Some(Health::new(depth, damage)),
        }
    }
}

/// How often progress is published at most.
const EVERY: std::time::Duration = std::time::Duration::from_millis(500);
