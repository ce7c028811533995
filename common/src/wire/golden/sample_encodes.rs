//! Samples of requests for sample encodes.

use crate::farm::film::{BlackBorders, Combing, FilmFindings};
use crate::farm::sample::{Sample, SampleRequest};
use crate::job::Job;
use crate::recipe::{Borders, Metric};

/// A request for a sample of a film of which the recipe asks nothing.
pub(super) fn asked(job: &Job) -> SampleRequest {
    SampleRequest {
        input: job.input.clone(),
        recipe: job.recipe.clone(),
        encoder: "libx265".parse().expect("an encoder"),
        metric: Metric::Vmaf,
        sample: Sample {
            stream: 0,
            start: 350.0,
            frames: Some(500),
            is_turned: false,
        },
        film: FilmFindings::default(),
        build: "d41d8cd98f00b204".parse().expect("a token"),
    }
}

/// A request for a sample of a film in which a survey has looked for everything.
pub(super) fn surveyed(job: &Job) -> SampleRequest {
    SampleRequest {
        metric: Metric::Ssim,
        sample: Sample {
            stream: 1,
            start: 0.0,
            frames: None,
            is_turned: true,
        },
        film: FilmFindings {
            borders: Some(BlackBorders {
                borders: Borders {
                    top: 140,
                    bottom: 138,
                    left: 0,
                    right: 2,
                },
                pictures: 10,
                usable: 8,
                is_mixed: false,
            }),
            combing: Some(Combing {
                pictures: 120,
                whole: 7,
                top_first: 80,
                bottom_first: 1,
                repeats: 2,
                moving: 100,
            }),
            is_steady: true,
        },
        ..asked(job)
    }
}
