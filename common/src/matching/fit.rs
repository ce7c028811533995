//! Whether a worker takes a job from a queue.

use std::fmt;

use jiff::Timestamp;

use crate::farm::places::Foreign;
use crate::farm::queue::Queue;
use crate::farm::worker::{Away, Heartbeat, WorkerStatus};
use crate::job::Job;
use crate::matching::plan;
use crate::recipe::{Choice, Recipe};

/// Why a worker does not take a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclineReason {
    /// It cannot.
    Unable {
        /// Why not.
        reason: String,
    },
    /// It was told to serve other queues only.
    Elsewhere {
        /// Which.
        only: Vec<Queue>,
    },
    /// It may not read or write where the job needs it.
    Foreign(Foreign),
    /// It was told to leave out inputs of this size.
    Size {
        /// The smallest that it takes, in bytes.
        least: Option<u64>,
        /// The largest that it takes, in bytes.
        most: Option<u64>,
    },
    /// It takes no jobs just now.
    Resting {
        /// In one word.
        status: WorkerStatus,
        /// When that changes, as [`Heartbeat::until`] has it.
        until: Option<Timestamp>,
    },
    /// It cannot reach what the job needs, and goes on once it can.
    Away(Box<Away>),
}

impl DeclineReason {
    /// How near it is to taking the job, for telling what matters: who is
    /// drained is worth more words than who never could.
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
            Self::Resting { status, until } => f.write_str(&status.told(*until)),
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

/// Whether a worker can run a recipe that comes from this queue.
///
/// # Errors
/// Why it cannot.
pub fn can(worker: &Heartbeat, recipe: &Recipe, queue: &Queue) -> Result<(), String> {
    let Some(encode) = recipe.video_encode() else {
        return Ok(());
    };
    // Of several encoders a queue stands for one.
    let with = match (&encode.with, queue) {
        (Choice::FirstOf(encoders), Queue::Encoder(encoder)) if encoders.contains(encoder) => {
            &Choice::Encoder(encoder.clone())
        }
        (with, _) => with,
    };
    plan::means(with, worker).map(drop)
}

/// Whether a worker takes a job from this queue, now or when a slot is free.
///
/// # Errors
/// Why it does not.
pub fn takes(worker: &Heartbeat, job: &Job, queue: &Queue) -> Result<(), DeclineReason> {
    can(worker, &job.recipe, queue).map_err(|reason| DeclineReason::Unable { reason })?;
    if !worker.serves(queue) {
        return Err(DeclineReason::Elsewhere {
            only: worker.terms.only.clone(),
        });
    }
    let admitted = worker.places.admit_all(&job.needed());
    admitted.map_err(DeclineReason::Foreign)?;
    // Who pins a job to a worker wants it there, whatever its usual terms.
    let is_pinned = matches!(queue, Queue::On(_));
    if !is_pinned && !worker.terms.admit(job.input.size) {
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
    use crate::testing::{heartbeat, job};

    fn encoder(name: &str) -> crate::recipe::encoder::Encoder {
        name.parse().expect("an encoder")
    }

    #[test]
    fn terms_bind_but_for_pinned_jobs() {
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
    fn foreign_places_bind_pinned_jobs_too() {
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
    fn of_several_encoders_a_queue_stands_for_one() {
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
