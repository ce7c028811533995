//! Plans: which workers could run a recipe, before any job is enqueued. Pure, for every program that shows it to a
//! person.

use std::collections::HashSet;

use serde::Serialize;

use crate::farm::card::Proof;
use crate::farm::queue::Queue;
use crate::farm::worker::{Heartbeat, WorkerStatus};
use crate::farm::worker_name::WorkerName;
use crate::matching::encoder::{check, choose};
use crate::matching::history::History;
use crate::names::location::Location;
use crate::recipe::encoder::Encoder;
use crate::recipe::{Recipe, Scale, VideoEncode};

/// The workers that could run jobs of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Plan {
    /// The queue in which such jobs wait.
    pub queue: Queue,
    /// Workers that may run them, the best first.
    pub candidates: Vec<Candidate>,
    /// Live workers that may not, with the reason.
    pub unfit: Vec<UnfitWorker>,
    /// Other encoders of the same codec that live workers have proved, the fastest first. Filled only if no worker
    /// can run the recipe.
    pub alternatives: Vec<Alternative>,
    /// A job's inputs and its output, if no worker that can run the recipe may read and write them all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Vec<Location>>,
}

/// A worker that may run jobs of the recipe.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Candidate {
    /// The worker.
    pub worker: WorkerName,
    /// The encoder that it would use; `None` if video is copied.
    pub encoder: Option<Encoder>,
    /// Frames per second at 1280×720 in its test encode.
    pub fps: Option<f32>,
    /// The times of recent jobs with this encoder on this worker.
    pub measured: Option<Measured>,
    /// 0 to 100: its speed relative to the fastest candidate's, reduced by its load and by a full set of slots.
    pub score: u32,
    /// Warnings for people.
    pub warnings: Vec<String>,
}

/// Averages over completed jobs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Measured {
    /// Number of jobs.
    pub jobs: u64,
    /// Frames per second, over all sizes.
    pub fps: f64,
    /// Seconds from claim to end for each gigabyte of input.
    pub seconds_per_gigabyte: f64,
}

/// A live worker that may not run jobs of the recipe.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnfitWorker {
    /// The worker.
    pub worker: WorkerName,
    /// The reason, for people.
    pub reason: String,
}

/// Another encoder of the same codec.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alternative {
    /// The encoder.
    pub encoder: Encoder,
    /// The workers that have proved it.
    pub workers: Vec<WorkerName>,
    /// The best of their frames per second at 1280×720 in test encodes.
    pub fps: f32,
}

impl Plan {
    /// Finds the live workers that could run jobs of the recipe.
    pub fn of(recipe: &Recipe, workers: &[Heartbeat]) -> Self {
        let queue = recipe.queue();
        let mut fit = Vec::new();
        let mut unfit = Vec::new();
        for worker in workers {
            let means = recipe
                .video_encode()
                .map(|encode| choose(&worker.card, encode, &Queue::On(worker.name.clone())))
                .transpose();
            match means.and_then(|means| measures(recipe, worker).map(|()| means)) {
                Ok(means) => fit.push((worker, means)),
                Err(reason) => unfit.push(UnfitWorker {
                    worker: worker.name.clone(),
                    reason,
                }),
            }
        }
        let fastest = fit
            .iter()
            .filter_map(|(_, means)| means.map(|(_, proof)| proof.fps))
            .fold(f32::MIN_POSITIVE, f32::max);
        let mut candidates: Vec<Candidate> = fit
            .into_iter()
            .map(|(worker, means)| candidate(recipe, worker, means, fastest))
            .collect();
        candidates.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.worker.cmp(&b.worker)));
        let alternatives = if candidates.is_empty() {
            alternatives(recipe, workers)
        } else {
            Vec::new()
        };
        Self {
            queue,
            candidates,
            unfit,
            alternatives,
            foreign: None,
        }
    }

    /// Limits the plan to workers that may read and write all that at least one of these jobs needs: its inputs, and its
    /// output at the end.
    #[must_use]
    pub fn between(mut self, workers: &[Heartbeat], needs: &[Vec<Location>]) -> Self {
        let places = |worker: &WorkerName| {
            let found = workers.iter().find(|alive| alive.name == *worker);
            found.map(|found| &found.places)
        };
        let refusal = |worker: &WorkerName, job: &[Location]| {
            places(worker).and_then(|places| places.admit_all(job).err())
        };
        let mut seen = HashSet::new();
        let folders = |job: &Vec<Location>| job.iter().map(Location::folder).collect::<Vec<_>>();
        let mut distinct: Vec<&Vec<Location>> = needs
            .iter()
            .filter(|job| seen.insert(folders(job)))
            .collect();
        let is_foreign = |job: &&Vec<Location>| {
            let mut able = self.candidates.iter();
            able.all(|candidate| refusal(&candidate.worker, job).is_some())
        };
        if let Some(foreign) = distinct.iter().copied().find(is_foreign)
            && !self.candidates.is_empty()
        {
            self.foreign = Some(foreign.clone());
            distinct = vec![foreign];
        }
        // A worker that may run some of the jobs stays a candidate.
        self.candidates.retain(|candidate| {
            let refusals: Vec<_> = distinct
                .iter()
                .filter_map(|job| refusal(&candidate.worker, job))
                .collect();
            let keeps = refusals.is_empty() || refusals.len() < distinct.len();
            if !keeps && let Some(reason) = refusals.first() {
                self.unfit.push(UnfitWorker {
                    worker: candidate.worker.clone(),
                    reason: reason.to_string(),
                });
            }
            keeps
        });
        self
    }

    /// Adds the averages of completed jobs.
    #[must_use]
    pub fn measured(mut self, history: &History) -> Self {
        for candidate in &mut self.candidates {
            let average = history.average(&candidate.worker, candidate.encoder.as_ref());
            candidate.measured = average.map(|average| Measured {
                jobs: average.jobs,
                fps: average.fps(),
                seconds_per_gigabyte: average.seconds_per_byte() * 1e9,
            });
        }
        self
    }

    /// Whether a live worker would take the jobs.
    pub fn is_served(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// One line on why no worker can run the recipe, and which encoders could be used instead.
    pub fn advice(&self) -> String {
        if let Some([input, further @ .., output]) = self.foreign.as_deref() {
            let further = match further.len() {
                0 => String::new(),
                1 => " with 1 further input".to_owned(),
                more => format!(" with {more} further inputs"),
            };
            return format!("no live worker may read {input}{further} and write {output}");
        }
        let nobody = if self.unfit.is_empty() {
            "no worker is alive".to_owned()
        } else {
            format!("no live worker serves the queue {}", self.queue)
        };
        if self.alternatives.is_empty() {
            return nobody;
        }
        let instead: Vec<String> = self
            .alternatives
            .iter()
            .map(|other| {
                let workers: Vec<&str> = other.workers.iter().map(WorkerName::as_str).collect();
                format!("{} (on {})", other.encoder, workers.join(", "))
            })
            .collect();
        format!("{nobody}; proved instead: {}", instead.join(", "))
    }
}

/// Whether a worker can measure the quality that the recipe asks for.
///
/// # Errors
/// The reason why it cannot.
pub(crate) fn measures(recipe: &Recipe, worker: &Heartbeat) -> Result<(), String> {
    match worker.card.missing_metric(recipe) {
        None => Ok(()),
        Some(metric) => {
            let instead: Vec<&str> = worker.card.metrics.iter().map(|able| able.name()).collect();
            let instead = match instead.as_slice() {
                [] => "and no other metric either".to_owned(),
                able => format!("but {}", able.join(" and ")),
            };
            Err(format!("its ffmpeg cannot measure {metric}, {instead}"))
        }
    }
}

fn candidate(
    recipe: &Recipe,
    worker: &Heartbeat,
    means: Option<(&Encoder, &Proof)>,
    fastest: f32,
) -> Candidate {
    let mut warnings = Vec::new();
    let speed = means.map_or(1.0, |(_, proof)| proof.fps / fastest);
    let idle = 1.0 - 0.5 * worker.load.cpu.clamp(0.0, 1.0);
    let is_full = worker.running.len() >= worker.slots as usize;
    let free = if is_full { 0.5 } else { 1.0 };
    if is_full {
        warnings.push(match worker.slots {
            1 => "its only slot is busy".to_owned(),
            slots => format!("all {slots} slots are busy"),
        });
    }
    if worker.status != WorkerStatus::Ready {
        let status = worker.status.in_words(worker.until);
        warnings.push(format!("takes no new jobs just now: {status}"));
    }
    if let (Some((encoder, proof)), Some(encode)) = (means, recipe.video_encode()) {
        if encode.bit_depth.is_none() && !proof.encodes_depth(10) {
            warnings.push(format!(
                "{encoder} has proved 8 bit only here: 10 bit sources will fail"
            ));
        }
        // Software has no limit but memory; hardware has a largest picture.
        if proof.kind.is_hardware()
            && let Some((width, height)) = encode.scale.map(Scale::sides)
            && (width.is_some_and(|width| width > proof.largest.0)
                || height.is_some_and(|height| height > proof.largest.1))
        {
            let (width, height) = proof.largest;
            warnings.push(format!("{encoder} is proved up to {width}x{height} only"));
        }
    }
    Candidate {
        worker: worker.name.clone(),
        encoder: means.map(|(encoder, _)| encoder.clone()),
        fps: means.map(|(_, proof)| proof.fps),
        measured: None,
        score: (100.0 * speed * idle * free).round() as u32,
        warnings,
    }
}

/// The other encoders of the recipe's codec that can do what it asks for, where they are proved.
pub(crate) fn alternatives(recipe: &Recipe, workers: &[Heartbeat]) -> Vec<Alternative> {
    let (Some(codec), Some(video)) = (recipe.codec(), recipe.video_encode()) else {
        return Vec::new();
    };
    let mut found: Vec<Alternative> = Encoder::of(codec)
        .filter_map(|encoder| {
            let proof = |worker: &Heartbeat| {
                let proof = worker.card.proof(&encoder)?;
                can_replace(video, &encoder, proof).then_some(proof.fps)
            };
            let (workers, fps): (Vec<_>, Vec<_>) = workers
                .iter()
                .filter_map(|worker| Some((worker.name.clone(), proof(worker)?)))
                .unzip();
            let fps = fps.into_iter().reduce(f32::max)?;
            Some(Alternative {
                encoder,
                workers,
                fps,
            })
        })
        .collect();
    found.sort_by(|a, b| b.fps.total_cmp(&a.fps));
    found
}

/// Whether a person who asked for another encoder may take this one. The preset is the other encoder's own, so they
/// choose it anew.
pub(crate) fn can_replace(video: &VideoEncode, encoder: &Encoder, proof: &Proof) -> bool {
    let video = VideoEncode {
        preset: None,
        ..video.clone()
    };
    check(&video, encoder, proof).is_ok()
}
