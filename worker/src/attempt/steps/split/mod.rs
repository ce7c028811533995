//! A job in parts. Its first attempt makes the plan and enqueues the parts; attempts at parts make pieces; its last
//! attempt joins them:
//!
//! ```text
//! whole job:  read → probe → plan ──► parts enqueued     join → verify → publish
//!                                          │                ▲
//! parts:                                   └──► chunk, rest ┘
//! ```
//!
//! The pieces are outputs like any other: fenced, staged, published whole. What the broker does in between is in
//! `common/src/broker/split`.

mod chunk;
mod excerpt;
mod join;
mod machines;
mod outline;
mod plan;
mod resets;
mod rest;
mod resume;
mod worked;

pub(in crate::attempt::steps) use self::resume::Planned;

use common::broker::LeaseEnd;
use common::job::failure::Failure;
use common::job::part::Part;
use common::job::run::Stage;
use common::job::run::report::Report;
use common::job::split::Plan;

use crate::attempt::steps::{Attempt, Prepared, Probed, Unfinished};
use crate::ffmpeg::arguments::Whole;
use crate::ffmpeg::build::Build;
use crate::ffmpeg::probe::media::Media;

impl Unfinished {
    /// What a step of a part or of the join has ended with: a failure may follow from the split.
    fn of_split(self) -> Self {
        match self {
            Self::Failed(failure) => Self::Failed(failure.of_split()),
            other => other,
        }
    }
}

impl Probed {
    /// What decides about the output of the whole job.
    fn whole_job<'a>(&'a self, plan: &'a Plan, build: &'a Build) -> Whole<'a> {
        Whole {
            recipe: &self.prepared.recipe,
            media: &self.media,
            findings: &self.findings,
            encoder: Some((&plan.encoder, &plan.proof)),
            build,
            source: &self.prepared.source,
        }
    }
}

impl Attempt<'_> {
    /// The steps of a part.
    pub(in crate::attempt::steps) async fn part_job(
        &mut self,
        part: Part,
    ) -> Result<Report, Unfinished> {
        self.report(Stage::Reading, None).await;
        if let Some(report) = self.published_earlier().await? {
            return Ok(report);
        }
        let executor = self.executor;
        let Some(plan) = executor.plan_of(&self.job).await? else {
            // The job has ended, and its plan is removed.
            return Err(Unfinished::LeaseEnd(LeaseEnd::Cancelled));
        };
        let state = executor.broker.split_state(&self.job.id).await?;
        let build = self.executor.card.borrow().ffmpeg.build.clone();
        let made = match part {
            Part::Chunk(_) | Part::Twin(_) if state.refused.contains(&build) => {
                Err(Unfinished::Unfit)
            }
            Part::Chunk(_) | Part::Twin(_) => Box::pin(self.chunk_job(&plan, part, &build)).await,
            Part::Rest | Part::Whole => Box::pin(self.rest_job(&plan)).await,
        };
        made.map_err(Unfinished::of_split)
    }

    /// What the source holds. It is probed only if the plan does not say it in the form of this version.
    async fn content(&self, plan: &Plan, prepared: &mut Prepared) -> Result<Media, Failure> {
        match plan.source.as_ref().and_then(Media::carried) {
            Some(media) => Ok(media),
            None => prepared.content().await,
        }
    }

    /// The whole job with its film left as the plan has found it: whoever looks again may find another answer.
    async fn arrange_whole(&self, plan: &Plan) -> Result<Probed, Unfinished> {
        let mut prepared = self.read_for(plan).await?;
        prepared.seen = Some(self.content(plan, &mut prepared).await?);
        self.arrange_read(plan, prepared).await
    }

    /// As [`Self::arrange_whole`], of a source that is read and known.
    async fn arrange_read(
        &self,
        plan: &Plan,
        mut prepared: Prepared,
    ) -> Result<Probed, Unfinished> {
        let (whole, mut findings) = prepared.look().await?;
        findings.put_film(plan.film.stream, plan.film.findings);
        let build = Build::of(&self.executor.card.borrow());
        let with = Some((&plan.encoder, &plan.proof));
        let mut probed = prepared.arrange((whole, findings), with, &build).await?;
        probed.found.clone_from(&plan.found);
        Ok(probed)
    }

    /// Makes the source readable, for an encode with the quality of the plan.
    async fn read_for(&self, plan: &Plan) -> Result<Prepared, Unfinished> {
        let mut prepared = self.read().await?;
        if let Some(found) = &plan.found {
            prepared.take_quality(found)?;
        }
        Ok(prepared)
    }
}
