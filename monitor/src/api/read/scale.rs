//! How many workers a class needs: for autoscalers.

use std::num::NonZeroU32;

use axum::extract::State;
use common::farm::queue::Queue;
use common::matching::scale::{Class, Scale};
use common::recipe::encoder::Encoder;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::scale::QueueScale;
use crate::web::app::App;
use crate::web::refusal::{Params, Refusal};

/// A class of workers; without encoders and queues, each queue by itself.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Encoders of the class, comma-separated; each stands for its own queue and for that of any encoder of its codec.
    #[serde(default)]
    encoder: String,
    /// Queues of the class, comma-separated, such as `libx265,any_hevc,copy`: exactly these.
    #[serde(default)]
    queue: String,
    /// How the names of the class's workers begin. Other workers do not count as its own; their idle slots take jobs all
    /// the same.
    #[serde(default)]
    prefix: String,
    /// Jobs that one worker runs at once.
    #[serde(default = "one")]
    #[param(value_type = u32, minimum = 1)]
    jobs_per_worker: NonZeroU32,
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// How many workers a class needs, or each queue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ScaleAnswer {
    Class(Scale),
    Queues { queues: Vec<QueueScale> },
}

impl Asked {
    /// The class; `None` if no queue was named.
    fn class(&self) -> Result<Option<Class>, Refusal> {
        let mut queues: Vec<Queue> = Vec::new();
        for name in names(&self.encoder) {
            let encoder: Encoder = name
                .parse()
                .map_err(|error| Refusal::unsound(format!("encoder: {error}")))?;
            queues.extend(Class::queues_of(&encoder));
        }
        for name in names(&self.queue) {
            let queue = name
                .parse()
                .map_err(|error| Refusal::unsound(format!("queue: {error}")))?;
            queues.push(queue);
        }
        if queues.is_empty() {
            return Ok(None);
        }
        let class = Class::of_queues(queues);
        let class = class.map_err(|error| Refusal::unsound(error.to_string()))?;
        Ok(Some(class.named(&*self.prefix)))
    }
}

fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

/// How many workers a class needs now. Counts jobs and parts of split jobs that no pause holds; at most a second old.
#[utoipa::path(
    get, path = "/scale", operation_id = "scale", tag = "state", params(Asked),
    responses(
        (status = OK, body = ScaleAnswer),
        (status = UNPROCESSABLE_ENTITY, body = Refusal),
        (status = SERVICE_UNAVAILABLE, body = Refusal)
    )
)]
pub(crate) async fn scale(
    State(shared): State<App>,
    Params(asked): Params<Asked>,
) -> Result<axum::Json<ScaleAnswer>, Refusal> {
    let class = asked.class()?;
    let demand = shared.scaler.demand().await?;
    Ok(axum::Json(match class {
        Some(class) => ScaleAnswer::Class(demand.of(&class, asked.jobs_per_worker)),
        None => ScaleAnswer::Queues {
            queues: demand.queues(),
        },
    }))
}
