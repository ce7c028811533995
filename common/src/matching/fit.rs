//! Whether a worker takes a job from a queue.

use std::fmt;

use jiff::Timestamp;

use crate::farm::places::Foreign;
use crate::farm::queue::Queue;
use crate::farm::worker::{Away, Heartbeat, WorkerStatus};
use crate::job::Job;
use crate::matching::encoder::choose;
use crate::matching::plan;
use crate::recipe::Recipe;

/// Why a worker does not take a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclineReason {
    /// The worker cannot run the recipe.
    Unable {
        /// The reason, for people.
        reason: String,
    },
    /// The worker serves other queues only, by its settings.
    Elsewhere {
        /// The queues that it serves.
        only: Vec<Queue>,
    },
    /// The worker may not read or write where the job needs it.
    Foreign(Foreign),
    /// The worker leaves out inputs of this size, by its settings.
    Size {
        /// The smallest input that it takes, in bytes.
        least: Option<u64>,
        /// The largest input that it takes, in bytes.
        most: Option<u64>,
    },
    /// The worker takes no jobs now.
    Resting {
        /// The worker's status.
        status: WorkerStatus,
        /// When that changes, from [`Heartbeat::until`].
        until: Option<Timestamp>,
    },
    /// The worker cannot reach a place that the job needs; it takes the job once it can.
    Away(Box<Away>),
}

impl DeclineReason {
    /// How near the worker is to taking the job: a larger number is more worth telling. A drained worker, for
    /// example, is nearer than one that has not proved the encoder.
    pub fn nearness(&self) -> u8 {
        match self {
            Self::Unable { .. } => 0,
            Self::Elsewhere { .. } => 1,
            Self::Foreign(_) => 2,
            Self::Size { .. } => 3,
            Self::Resting { .. } => 4,
            Self::Away(_) => 5,
        }
    }
}

impl fmt::Display for DeclineReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unable { reason } => f.write_str(reason),
            Self::Elsewhere { only } => {
                let only: Vec<String> = only.iter().map(ToString::to_string).collect();
                write!(f, "serves only {}", only.join(", "))
            }
            Self::Foreign(foreign) => foreign.fmt(f),
            Self::Size { least, most } => match (least, most) {
                (Some(least), Some(most)) => {
                    write!(f, "takes inputs of {least} to {most} bytes only")
                }
                (Some(least), None) => write!(f, "takes no inputs below {least} bytes"),
                (None, most) => {
                    let most = most.unwrap_or(u64::MAX);
                    write!(f, "takes no inputs above {most} bytes")
                }
            },
            Self::Resting { status, until } => f.write_str(&status.in_words(*until)),
            Self::Away(away) => write!(
                f,
                "cannot {} {} since {:.0}: {}",
                if away.only_writing {
                    "write to"
                } else {
                    "reach"
                },
                away.place,
                away.since,
                away.error
            ),
        }
    }
}

/// Whether a worker can run a recipe from this queue.
///
/// # Errors
/// The reason why it cannot.
pub fn can(worker: &Heartbeat, recipe: &Recipe, queue: &Queue) -> Result<(), String> {
    let Some(encode) = recipe.video_encode() else {
        return Ok(());
    };
    choose(&worker.card, encode, queue)?;
    plan::measures(recipe, worker)
}

/// Whether a worker takes a job from this queue, now or when a slot is free.
///
/// # Errors
/// The reason why it does not.
pub fn takes(worker: &Heartbeat, job: &Job, queue: &Queue) -> Result<(), DeclineReason> {
    can(worker, &job.recipe, queue).map_err(|reason| DeclineReason::Unable { reason })?;
    if !worker.serves(queue) {
        return Err(DeclineReason::Elsewhere {
            only: worker.terms.only.clone(),
        });
    }
    let admitted = worker.places.admit_all(&job.needed());
    admitted.map_err(DeclineReason::Foreign)?;
    // A job that is pinned to a worker ignores the worker's limits of size.
    let is_pinned = matches!(queue, Queue::On(_));
    if !is_pinned && !worker.terms.admit(job.bytes()) {
        return Err(DeclineReason::Size {
            least: worker.terms.min_size,
            most: worker.terms.max_size,
        });
    }
    if worker.status != WorkerStatus::Ready {
        return Err(DeclineReason::Resting {
            status: worker.status,
            until: worker.until,
        });
    }
    if let Some(away) = worker.keeps_from(job) {
        return Err(DeclineReason::Away(Box::new(away.clone())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Choice;
    use crate::testing::{heartbeat, job};

    fn encoder(name: &str) -> crate::recipe::encoder::Encoder {
        name.parse().expect("an encoder")
    }

    #[test]
    fn limits_of_size_do_not_apply_to_pinned_jobs() {
        let mut worker = heartbeat("w1", &["libx265"]);
        worker.terms.max_size = Some(100);
        let job = job(Choice::Encoder(encoder("libx265")), 101);
        let refused = takes(&worker, &job, &job.recipe.queue()).expect_err("too large");
        assert_eq!(refused.to_string(), "takes no inputs above 100 bytes");
        takes(&worker, &job, &Queue::On(worker.name.clone())).expect("pinned");
        worker.terms.max_size = None;
        worker.terms.only = vec![Queue::Copy];
        let refused = takes(&worker, &job, &job.recipe.queue()).expect_err("not its queue");
        assert_eq!(refused.to_string(), "serves only copy");
    }

    #[test]
    fn foreign_places_refuse_pinned_jobs_too() {
        let mut worker = heartbeat("w1", &["libx265"]);
        worker.places.buckets = vec!["s3://media/out/".parse().expect("a location")];
        let job = job(Choice::Encoder(encoder("libx265")), 1);
        for queue in [job.recipe.queue(), Queue::On(worker.name.clone())] {
            let refused = takes(&worker, &job, &queue).expect_err("foreign");
            assert_eq!(
                refused.to_string(),
                "may not read or write there: give it --bucket s3://media/in"
            );
        }
        worker
            .places
            .buckets
            .push("s3://media/in".parse().expect("a location"));
        takes(&worker, &job, &job.recipe.queue()).expect("below");
    }

    #[test]
    fn a_queue_selects_one_of_several_encoders() {
        let worker = heartbeat("w1", &["libx265"]);
        let encoders = vec![encoder("hevc_nvenc"), encoder("libx265")].try_into();
        let choice = Choice::FirstOf(encoders.expect("one codec"));
        let job = job(choice, 1);
        let at = |name: &str| can(&worker, &job.recipe, &Queue::Encoder(encoder(name)));
        at("libx265").expect("proved");
        assert!(at("hevc_nvenc").is_err());
        can(&worker, &job.recipe, &Queue::On(worker.name.clone())).expect("pinned: any of them");
    }
}
