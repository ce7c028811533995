//! Whether a job can be pinned to one worker, and which others could run it.

use std::fmt;

use crate::farm::card::Proof;
use crate::farm::queue::Queue;
use crate::farm::worker::Heartbeat;
use crate::farm::worker_name::WorkerName;
use crate::matching::fit;
use crate::matching::plan::can_replace;
use crate::names::location::Location;
use crate::recipe::Recipe;
use crate::recipe::encoder::Encoder;

/// Why a job cannot be pinned to a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpinnable {
    /// The worker that was named.
    pub worker: WorkerName,
    /// The reason; `None` if the worker is not alive.
    pub reason: Option<String>,
    /// Live workers that could run the job.
    pub others: Vec<WorkerName>,
    /// Encoders of the same codec that the named worker has proved.
    pub instead: Vec<Encoder>,
}

impl fmt::Display for Unpinnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            None => write!(f, "worker {} is not alive", self.worker)?,
            Some(reason) => write!(f, "worker {} cannot run it: {reason}", self.worker)?,
        }
        if !self.others.is_empty() {
            write!(f, "; workers that can run it: {}", list(&self.others))?;
        }
        if !self.instead.is_empty() {
            write!(f, "; it has proved instead: {}", list(&self.instead))?;
        }
        Ok(())
    }
}

fn list<T: fmt::Display>(names: &[T]) -> String {
    let names: Vec<String> = names.iter().map(T::to_string).collect();
    names.join(", ")
}

/// Checks that a worker is alive, has proved what a recipe needs, and may read and write the needed locations.
///
/// # Errors
/// The reason against it, with alternatives.
pub fn check(
    recipe: &Recipe,
    worker: &WorkerName,
    workers: &[Heartbeat],
    needed: &[Location],
) -> Result<(), Unpinnable> {
    let found = workers.iter().find(|found| found.name == *worker);
    let judge = |worker: &Heartbeat| judge(recipe, worker, needed);
    let reason = match found.map(judge) {
        Some(Ok(())) => return Ok(()),
        Some(Err(reason)) => Some(reason),
        None => None,
    };
    let others = workers.iter().filter(|other| judge(other).is_ok());
    let proved = found.into_iter().flat_map(|found| found.card.proved());
    let instead = proved
        .filter(|(encoder, proof)| is_instead(recipe, encoder, proof))
        .map(|(encoder, _)| encoder);
    Err(Unpinnable {
        worker: worker.clone(),
        reason,
        instead: instead.cloned().collect(),
        others: others.map(|other| other.name.clone()).collect(),
    })
}

/// Whether an encoder makes the recipe's codec, as the recipe asks for it.
fn is_instead(recipe: &Recipe, encoder: &Encoder, proof: &Proof) -> bool {
    let video = recipe.video_encode();
    encoder.codec().is_some()
        && encoder.codec() == recipe.codec()
        && video.is_some_and(|video| can_replace(video, encoder, proof))
}

/// Checks that a worker can run a recipe, and may read and write these locations.
///
/// # Errors
/// The reason why not.
pub fn judge(recipe: &Recipe, worker: &Heartbeat, needed: &[Location]) -> Result<(), String> {
    fit::can(worker, recipe, &Queue::On(worker.name.clone()))?;
    let admitted = worker.places.admit_all(needed);
    admitted.map_err(|foreign| foreign.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::plan::Plan;
    use crate::recipe::{BitDepth, Choice, Video};
    use crate::testing::{heartbeat, job};

    #[test]
    fn only_encoders_that_can_do_it_are_named_instead() {
        let mut job = job(Choice::Encoder("libx264".parse().expect("one")), 1);
        let edited = job.recipe.edit(|draft| {
            if let Video::Encode(video) = &mut draft.video {
                video.bit_depth = Some(BitDepth::Ten);
            }
        });
        job.recipe = edited.expect("sound");
        let workers = [heartbeat("gpu", &["h264_nvenc"])];
        let name = "gpu".parse().expect("a name");
        let refused = check(&job.recipe, &name, &workers, &[]).expect_err("8 bits only");
        assert_eq!(refused.instead, []);
        let plan = Plan::of(&job.recipe, &workers);
        assert_eq!(plan.candidates, []);
        assert_eq!(plan.alternatives, []);
    }

    #[test]
    fn a_worker_that_cannot_run_a_job_is_named_with_those_that_can() {
        let workers = [
            heartbeat("cpu", &["libx265"]),
            heartbeat("gpu", &["hevc_nvenc"]),
        ];
        let recipe = job(Choice::Encoder("hevc_nvenc".parse().expect("one")), 1).recipe;
        let check = |name: &str| check(&recipe, &name.parse().expect("a name"), &workers, &[]);
        check("gpu").expect("proved");
        assert_eq!(
            check("cpu").expect_err("not proved").to_string(),
            "worker cpu cannot run it: hevc_nvenc is not in its ffmpeg, or left out by its \
             --encoders; workers that can run it: gpu; it has proved instead: libx265"
        );
        assert_eq!(
            check("gone").expect_err("not alive").to_string(),
            "worker gone is not alive; workers that can run it: gpu"
        );
        let foreign = ["s3://media/in/a".parse().expect("a location")];
        let mut narrow = workers[1].clone();
        narrow.places.buckets = vec!["s3://media/out/".parse().expect("a location")];
        assert!(judge(&recipe, &workers[1], &foreign).is_ok());
        assert_eq!(
            judge(&recipe, &narrow, &foreign),
            Err("may not read or write there: give it --bucket s3://media/in".to_owned())
        );
    }
}
