//! Searching: finds the quality that reaches the recipe's target, before the film is encoded with it.

use std::sync::Arc;

use common::broker::Broker;
use common::farm::card::{Capabilities, Proof};
use common::farm::film::FilmFindings;
use common::farm::sample::{Sample, SampleRequest, SampleScore};
use common::farm::worker_name::WorkerName;
use common::job::failure::Failure;
use common::job::input::Input;
use common::job::run::Stage;
use common::job::run::quality::FoundQuality;
use common::names::token::Token;
use common::recipe::encoder::Encoder;
use common::recipe::{QualityTarget, Rate, Recipe, Video};
use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::attempt::executor::choose;
use crate::attempt::quality::encode::Bench;
use crate::attempt::quality::helpers::Wanted;
use crate::attempt::quality::samples;
use crate::attempt::quality::target::{Helpers, Quest};
use crate::attempt::steps::{Attempt, Prepared, Probed, Unfinished};
use crate::ffmpeg::arguments;
use crate::ffmpeg::build::Build;

impl Prepared {
    /// Has the film encoded with the quality that was found.
    pub(super) fn take_quality(&mut self, found: &FoundQuality) -> Result<(), Failure> {
        let recipe = self.recipe.clone().edit(|draft| {
            if let Video::Encode(video) = &mut draft.video {
                video.rate = Rate::Crf(found.crf);
            }
        });
        self.recipe = recipe.map_err(|error| Failure::input(error.to_string()))?;
        Ok(())
    }
}

impl Probed {
    /// Finds the quality that reaches the recipe's target, and makes the command line for it. Without a target, this
    /// does nothing. `on_progress` gets the done share from 0 to 1.
    ///
    /// # Errors
    /// The input's fault if no quality reaches the target; the failure of a sample encode.
    pub async fn search(
        mut self,
        with: Option<(&Encoder, &Proof)>,
        build: &Build,
        me: WorkerName,
        helpers: &dyn Helpers,
        on_progress: &(dyn Fn(f32) + Send + Sync),
    ) -> Result<Self, Failure> {
        let (Some(target), Some(with)) = (self.target(), with) else {
            return Ok(self);
        };
        let found = self
            .find(target, with, build, (me, helpers), on_progress)
            .await?;
        self.prepared.take_quality(&found)?;
        self.arguments = arguments::encode(
            &self.prepared.recipe,
            &self.media,
            &self.findings,
            Some(with),
            build,
            &self.prepared.source,
            &self.prepared.output_path(),
        )?;
        let lost = self.prepared.lost.iter().cloned();
        self.arguments.changes.extend(lost);
        self.found = Some(found);
        Ok(self)
    }

    fn target(&self) -> Option<QualityTarget> {
        self.prepared.recipe.video_encode()?.rate.target()
    }

    async fn find(
        &self,
        target: QualityTarget,
        with: (&Encoder, &Proof),
        build: &Build,
        (me, helpers): (WorkerName, &dyn Helpers),
        on_progress: &(dyn Fn(f32) + Send + Sync),
    ) -> Result<FoundQuality, Failure> {
        // Samples are cut from the whole input, whatever part of it the recipe takes.
        let mut films = self.arguments.tracks.iter().map(|track| &track.source);
        let film = films
            .find(|stream| stream.is_film())
            .and_then(|film| self.whole.films().find(|whole| whole.index == film.index))
            .ok_or_else(|| Failure::input("the input holds no video to measure"))?;
        let trim = self.prepared.recipe.trim;
        let samples = samples::choose(&self.whole, film, trim);
        let quest = Quest {
            bench: Bench {
                folder: &self.prepared.folder,
                runner: &self.prepared.runner,
                source: &self.prepared.source,
                encoder: with,
                build,
                metric: target.score.metric,
                film: self.findings.of_film(film.index),
            },
            recipe: &self.prepared.recipe,
            target,
            times: samples::times(&self.whole, film, trim, &samples),
            samples,
            me,
            helpers,
        };
        quest.run(on_progress).await
    }
}

/// The other workers of the farm that have proved the same encoder.
struct Farm {
    broker: Broker,
    card: Arc<Capabilities>,
    me: WorkerName,
    encoder: Encoder,
    input: Input,
    /// Whether parts were joined: no helper has the joined file.
    is_joined: bool,
    target: QualityTarget,
}

impl Helpers for Farm {
    fn free(&self) -> BoxFuture<'_, Vec<WorkerName>> {
        Box::pin(async move {
            if self.is_joined {
                return Vec::new();
            }
            let wanted = Wanted {
                me: &self.me,
                card: &self.card,
                encoder: &self.encoder,
                metric: self.target.score.metric,
                input: &self.input,
            };
            match self.broker.workers().await {
                Ok(workers) => wanted.among(&workers),
                Err(error) => {
                    tracing::debug!(%error, "no helper is known");
                    Vec::new()
                }
            }
        })
    }

    fn ask(
        &self,
        helper: WorkerName,
        recipe: Recipe,
        sample: Sample,
        film: FilmFindings,
    ) -> BoxFuture<'static, Result<SampleScore, String>> {
        let broker = self.broker.clone();
        let build: Result<Token, _> = self.card.ffmpeg.build.parse();
        let request = build.map(|build| SampleRequest {
            input: self.input.clone(),
            recipe,
            encoder: self.encoder.clone(),
            metric: self.target.score.metric,
            sample,
            film,
            build,
        });
        Box::pin(async move {
            let request = request.map_err(|error| error.to_string())?;
            let score = broker.sample_score(&helper, &request).await;
            score.map_err(|error| error.to_string())
        })
    }
}

impl Attempt<'_> {
    pub(super) async fn search(&self, probed: Probed) -> Result<Probed, Unfinished> {
        let Some(target) = probed.target() else {
            return Ok(probed);
        };
        self.report(Stage::Searching, Some(0.0)).await;
        let executor = self.executor;
        let card = Arc::clone(&executor.card.borrow());
        let with = choose(&card, &self.job.recipe, &self.claim.lane().queue)?;
        let Some((encoder, _)) = with else {
            return Ok(probed);
        };
        let farm = Farm {
            broker: executor.broker.clone(),
            me: executor.name.clone(),
            encoder: encoder.clone(),
            input: self.job.input.clone(),
            is_joined: self.job.is_joined(),
            card: Arc::clone(&card),
            target,
        };
        let (progress, mut latest) = watch::channel(0.0);
        let build = Build::of(&card);
        let on_progress = move |share| {
            progress.send_replace(share);
        };
        let searching = async {
            // The closure goes with the search, and with it the sender.
            let on_progress = on_progress;
            probed
                .search(with, &build, executor.name.clone(), &farm, &on_progress)
                .await
        };
        let publishing = async {
            while latest.changed().await.is_ok() {
                let share = *latest.borrow_and_update();
                self.report(Stage::Searching, Some(share)).await;
            }
        };
        let (found, ()) = tokio::join!(searching, publishing);
        Ok(found?)
    }
}
