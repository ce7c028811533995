//! The search for a job's quality: rounds of sample encodes, made here and by helpers, until the answer is known.

use std::collections::{BTreeMap, BTreeSet};

use common::farm::film::FilmFindings;
use common::farm::sample::{Sample, SampleScore};
use common::farm::worker_name::WorkerName;
use common::job::failure::Failure;
use common::job::run::quality::FoundQuality;
use common::recipe::{QualityTarget, Recipe};
use futures::future::BoxFuture;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::attempt::quality::encode::{Bench, CutSample, recipe};
use crate::attempt::quality::scale::Scale;
use crate::attempt::quality::search::{Next, Search, Try};
use crate::attempt::quality::team::{Means, Scored, Task, Team};

/// The most qualities that are tried at once: more would hardly save a round.
const WIDEST: usize = 4;
/// The part of the search that a round leaves, for the progress that people see.
const LEFT_BY_ROUND: f32 = 0.6;

/// The other workers of a farm, as a search sees them.
pub trait Helpers: Send + Sync {
    /// The workers that may help now.
    fn free(&self) -> BoxFuture<'_, Vec<WorkerName>>;

    /// Asks one to encode a sample of this film by a recipe, and to tell the score.
    fn ask(
        &self,
        helper: WorkerName,
        recipe: Recipe,
        sample: Sample,
        film: FilmFindings,
    ) -> BoxFuture<'static, Result<SampleScore, String>>;
}

/// A worker without helpers.
pub struct Alone;

impl Helpers for Alone {
    fn free(&self) -> BoxFuture<'_, Vec<WorkerName>> {
        Box::pin(async { Vec::new() })
    }

    fn ask(
        &self,
        _: WorkerName,
        _: Recipe,
        _: Sample,
        _: FilmFindings,
    ) -> BoxFuture<'static, Result<SampleScore, String>> {
        Box::pin(async { Err("there is no helper".to_owned()) })
    }
}

/// A search for the quality of one job.
pub(crate) struct Quest<'a> {
    pub(crate) bench: Bench<'a>,
    /// The job's recipe.
    pub(crate) recipe: &'a Recipe,
    pub(crate) target: QualityTarget,
    pub(crate) samples: Vec<Sample>,
    /// How many times longer than its samples the film is; `None` if its length is not known.
    pub(crate) times: Option<f64>,
    pub(crate) me: WorkerName,
    pub(crate) helpers: &'a dyn Helpers,
}

/// The scores of all samples at one quality.
#[derive(Clone, Copy)]
struct Sum {
    /// The mean.
    score: f64,
    encoded: u64,
    source: u64,
}

impl Sum {
    fn of(scores: &[SampleScore]) -> Self {
        let sum: f64 = scores.iter().map(|score| score.score).sum();
        Self {
            score: sum / (scores.len() as f64).max(1.0),
            encoded: scores.iter().map(|score| score.encoded).sum(),
            source: scores.iter().map(|score| score.source).sum(),
        }
    }

    fn result(self) -> Try {
        Try {
            score: self.score,
            percent: 100.0 * self.encoded as f64 / (self.source as f64).max(1.0),
        }
    }
}

/// The name of a sample in scratch.
fn name(sample: usize) -> String {
    format!("sample-{sample}")
}

/// A number without decimals that nobody reads.
fn thousandths(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// The same for a score: SSIM differs in the fourth decimal.
fn readable(score: f64) -> f64 {
    (score * 1e6).round() / 1e6
}

impl Quest<'_> {
    /// Finds the quality. `on_progress` gets the done share from 0 to 1, which never falls.
    ///
    /// # Errors
    /// The input's fault if no quality reaches the target; the failure of a sample encode.
    pub(crate) async fn run(
        self,
        on_progress: &(dyn Fn(f32) + Send + Sync),
    ) -> Result<FoundQuality, Failure> {
        let started = Instant::now();
        let (encoder, _) = self.bench.encoder;
        let scale = Scale::of(encoder).ok_or_else(|| {
            Failure::input(format!(
                "{encoder} has no scale of constant quality to search"
            ))
        })?;
        let mut search = Search::new(scale, self.target);
        let mut team = Team::default();
        let mut workers = BTreeSet::new();
        let mut sums = BTreeMap::new();
        let mut encodes = 0;
        let mut left = 1.0_f32;
        let cuts: Vec<OnceCell<CutSample>> = self.samples.iter().map(|_| OnceCell::new()).collect();
        loop {
            team.join(self.helpers.free().await);
            let width = team.size().div_ceil(self.samples.len()).min(WIDEST);
            let steps = match search.next(width) {
                Next::Try(steps) => steps,
                Next::Refused(why) => return Err(Failure::input(why)),
                Next::Found(step, result) => {
                    let cut = (0..cuts.len()).filter(|sample| cuts[*sample].initialized());
                    self.bench.clear(cut.map(name));
                    let encoded = sums.get(&step).map(|sum: &Sum| sum.encoded as f64);
                    let size = self.times.zip(encoded).map(|(times, bytes)| times * bytes);
                    return Ok(FoundQuality {
                        crf: scale.at(step),
                        metric: self.target.score.metric,
                        score: readable(result.score),
                        percent: thousandths(result.percent),
                        predicted_size: size.map(|bytes| bytes as u64),
                        tries: search.tries(),
                        encodes,
                        workers: workers.into_iter().collect(),
                        seconds: thousandths(started.elapsed().as_secs_f64()),
                    });
                }
            };
            let tasks = self.tasks(&steps);
            let total = tasks.len() as f32;
            let on_done = |done: usize| {
                let share = done as f32 / total;
                on_progress(1.0 - left * LEFT_BY_ROUND.powf(share));
            };
            let scored = self.make(&tasks, scale, &mut team, &cuts, &on_done).await?;
            left *= LEFT_BY_ROUND;
            encodes += u32::try_from(scored.len()).unwrap_or(u32::MAX);
            let makers = scored
                .iter()
                .map(|scored| scored.by.as_ref().unwrap_or(&self.me));
            workers.extend(makers.cloned());
            for step in steps {
                let of_step = tasks.iter().zip(&scored);
                let of_step = of_step.filter(|(task, _)| task.step == step);
                let of_step: Vec<SampleScore> = of_step.map(|(_, scored)| scored.score).collect();
                let sum = Sum::of(&of_step);
                let result = sum.result();
                let (crf, score) = (scale.at(step), readable(result.score));
                tracing::info!(crf, score, percent = thousandths(result.percent), "tried");
                search.note(step, result);
                sums.insert(step, sum);
            }
        }
    }

    /// All samples of the first quality come before those of the next.
    fn tasks(&self, steps: &[u32]) -> Vec<Task> {
        let samples = 0..self.samples.len();
        let of = |step: &u32| {
            let step = *step;
            samples.clone().map(move |sample| Task { step, sample })
        };
        steps.iter().flat_map(of).collect()
    }

    async fn make(
        &self,
        tasks: &[Task],
        scale: Scale,
        team: &mut Team,
        cuts: &[OnceCell<CutSample>],
        on_done: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<Scored>, Failure> {
        let recipe = |task: Task| {
            let crf = scale.at(task.step);
            recipe(self.recipe, crf)
                .map_err(|error| Failure::input(format!("crf {crf} cannot be tried: {error}")))
        };
        let own = |task: Task| -> BoxFuture<'_, Result<SampleScore, Failure>> {
            Box::pin(async move {
                let sample = self.samples[task.sample];
                let cut = cuts[task.sample]
                    .get_or_try_init(async || self.bench.cut(sample, &name(task.sample)).await)
                    .await?;
                self.bench.score(cut, &recipe(task)?).await
            })
        };
        let ask = |helper: WorkerName, task: Task| -> BoxFuture<'static, _> {
            let (sample, film) = (self.samples[task.sample], self.bench.film);
            match recipe(task) {
                Ok(recipe) => self.helpers.ask(helper, recipe, sample, film),
                Err(failure) => Box::pin(async move { Err(failure.message) }),
            }
        };
        let means = Means {
            own: &own,
            ask: &ask,
            on_done,
        };
        team.make(tasks, means).await
    }
}
