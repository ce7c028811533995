//! Samples of a film: a worker looks at the film, then each sample is planned with its recipe.

use crate::broker::{Broker, PreviewError};
use crate::farm::preview::ForecastRequest;
use crate::farm::worker::Heartbeat;
use crate::job::batch::SampledFilm;
use crate::submit::sample;
use crate::submit::sample::{PlannedSample, SampleError, SampleWish};

/// The samples of a film that are to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplePlan {
    /// The film, without jobs yet.
    pub film: SampledFilm,
    /// The samples in the order of the film.
    pub samples: Vec<PlannedSample>,
}

/// Why a film gets no samples.
#[derive(Debug, thiserror::Error)]
pub enum SamplePlanError {
    /// No worker could look at it.
    #[error("the film cannot be looked at: {0}")]
    Unseen(#[from] PreviewError),
    /// The encode would fail.
    #[error("the recipe would fail: {0}")]
    Refused(String),
    /// Its file says no length.
    #[error("the length of the film is not known: its file does not say it")]
    Endless,
    /// The film or the recipe has no such samples.
    #[error(transparent)]
    Sample(#[from] SampleError),
}

impl Broker {
    /// Plans samples of a film for these workers, one of which looks at it first. Stores nothing.
    ///
    /// # Errors
    /// Why the film gets no samples.
    pub async fn plan_samples(
        &self,
        workers: &[Heartbeat],
        asked: ForecastRequest,
        wish: &SampleWish,
    ) -> Result<SamplePlan, SamplePlanError> {
        let (recipe, size) = (asked.recipe.clone(), asked.input.size);
        // A recipe without samples is told before anybody looks.
        sample::recipe(&recipe, None, None)?;
        let seen = self.forecast(workers, 0, asked).await?;
        if let Some(why) = seen.refused {
            return Err(SamplePlanError::Refused(why));
        }
        let whole = seen.media.and_then(|media| media.duration);
        let whole = whole
            .filter(|whole| *whole > 0.0)
            .ok_or(SamplePlanError::Endless)?;
        let length = recipe.trim.map_or(whole, |trim| trim.length(whole));
        let metric = sample::metric(workers);
        let planned = |window| {
            let recipe = sample::recipe(&recipe, window, metric)?;
            Ok::<_, SampleError>(PlannedSample { window, recipe })
        };
        let samples = wish.windows(length)?.into_iter().map(planned);
        Ok(SamplePlan {
            film: SampledFilm {
                size: (size as f64 * length / whole) as u64,
                length,
                jobs: Vec::new(),
            },
            samples: samples.collect::<Result<_, _>>()?,
        })
    }
}
