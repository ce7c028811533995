//! Planning: whether a job is split, and where the chunks of its film begin and end.

use std::sync::Arc;
use std::time::Duration;

use common::farm::queue::Queue;
use common::job::failure::{Failure, Fault};
use common::job::split::{Film, Plan, Split, SplitReport, Stated};
use common::names::token::Token;

use crate::attempt::executor::choose;
use crate::attempt::steps::split::machines::machines;
use crate::attempt::steps::{Attempt, Probed, Unfinished};
use crate::ffmpeg::Source;
use crate::ffmpeg::arguments;
use crate::ffmpeg::arguments::{Whole, extension_of_chunks, extension_of_rest};
use crate::ffmpeg::build::Build;
use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::split::cut::{begin_at, cut};
use crate::ffmpeg::split::gain::{Gain, gain, too_short};
use crate::ffmpeg::split::obstacle::obstacle;
use crate::ffmpeg::split::{index, lookback, sizes, stated};

/// The picture for which a capability card states the speed of an encoder, in pixels.
const MEASURED_PIXELS: f64 = 1280.0 * 720.0;

/// What is decided about a job that may be split.
enum Decision {
    Split(Box<Plan>),
    /// It is not split, for this reason.
    Whole(String),
}

impl Attempt<'_> {
    /// Enqueues the parts of the job, if it is split. Otherwise the job goes on as a whole, and its report tells why.
    pub(in crate::attempt::steps) async fn split(
        &self,
        probed: Probed,
    ) -> Result<Probed, Unfinished> {
        if self.job.split == Split::Off {
            return Ok(probed);
        }
        match Box::pin(self.decide(&probed)).await {
            Ok(Decision::Whole(why)) => Ok(probed.left_whole(why)),
            // What keeps an encode of the whole from its end as well is found out there.
            Err(Unfinished::Failed(failure)) if failure.fault != Fault::Passing => {
                Ok(probed.left_whole(failure.message))
            }
            Err(unfinished) => Err(unfinished),
            Ok(Decision::Split(mut plan)) => {
                // By samples of the whole film, as without a split: so its chunks look alike, and have one header.
                let probed = self.search(probed).await?;
                plan.found.clone_from(&probed.found);
                let broker = &self.executor.broker;
                let plan = broker.put_plan(&plan).await?;
                tracing::info!(chunks = plan.chunks.len(), "split");
                broker.enqueue_parts(&plan).await?;
                Err(Unfinished::Split(plan.parts().count()))
            }
        }
    }

    async fn decide(&self, probed: &Probed) -> Result<Decision, Unfinished> {
        let whole = |why: String| Ok(Decision::Whole(why));
        let recipe = &probed.prepared.recipe;
        if self.job.is_joined() {
            return whole("several files are joined to one".to_owned());
        }
        let card = Arc::clone(&self.executor.card.borrow());
        let lane = self.claim.lane();
        let (Some((encoder, proof)), Some(film)) =
            (choose(&card, recipe, &lane.queue)?, probed.film())
        else {
            return whole("no video is encoded".to_owned());
        };
        if let Some(obstacle) = obstacle(recipe, &probed.whole, encoder, &probed.arguments) {
            return whole(obstacle.to_string());
        }
        let lead = match lookback::lead(film, &probed.arguments.filters) {
            Ok(lead) => lead,
            Err(filter) => return whole(format!("the filter {filter} needs all pictures before")),
        };
        let speeds = match self.job.split {
            Split::Off => return whole("splitting is off".to_owned()),
            Split::Every(_) => Vec::new(),
            Split::Auto => {
                let alone = seconds_alone(film, probed.media.likely_duration(), proof.fps);
                // Most jobs end here, so that the broker is not asked for each of them.
                if let Some(why) = too_short(alone) {
                    return whole(why);
                }
                let (broker, me) = (&self.executor.broker, &self.executor.name);
                let machines = machines(broker, &self.job, &lane, encoder, me).await?;
                match gain(alone, &machines, encoder) {
                    Gain::Pays { lanes, why } => {
                        tracing::info!(why, "a split pays");
                        lanes
                    }
                    Gain::DoesNot { why } => return whole(why),
                }
            }
        };
        let prepared = &probed.prepared;
        let (runner, source) = (&prepared.runner, &prepared.source);
        let format = &probed.whole.format;
        let outline = match &prepared.outline {
            Some(Source::Outline(path)) => Some(path.clone()),
            _ => self.outline(prepared, format).await?,
        };
        let begins = &prepared.begins();
        let index = index::read(runner, source, (outline.as_deref(), begins), film, format);
        let index = match index.await? {
            Ok(index) => index,
            Err(obstacle) => return whole(obstacle.to_string()),
        };
        let lengths = match self.job.split {
            Split::Every(seconds) => sizes::equal(index.seconds(), f64::from(seconds)),
            _ => sizes::guided(index.seconds(), &speeds, sizes::least(index.key_interval())),
        };
        let mut chunks = cut(&index, &lengths, lead);
        if chunks.len() < 2 {
            return whole(
                "the film has no keyframe to cut at where a chunk could begin".to_owned(),
            );
        }
        if film.codec == "h264" && lead.frames == 0 {
            let resets = self.resets(&chunks, &index).await?;
            begin_at(&mut chunks, &index, &resets);
        }
        let Some(codec) = encoder.codec() else {
            return whole(format!(
                "nobody knows which file can hold a chunk of {encoder}"
            ));
        };
        let whole_job = Whole {
            recipe,
            media: &probed.media,
            findings: &probed.findings,
            encoder: Some((encoder, proof)),
            build: &Build::of(&card),
            source,
        };
        let rest = arguments::rest(&whole_job, &prepared.output_path())?;
        let rest = rest.map(|_| extension(extension_of_rest(recipe.container)));
        let queue = match &lane.queue {
            pinned @ Queue::On(_) => pinned.clone(),
            // Chunks of several encoders cannot be joined.
            _ => Queue::Encoder(encoder.clone()),
        };
        Ok(Decision::Split(Box::new(Plan {
            job: self.job.clone(),
            since: self.executor.broker.now(),
            queue,
            priority: lane.priority,
            film: Film {
                stream: film.index,
                time_base: index.time_base,
                findings: probed.findings.of_film(film.index),
                stated: probed.stated(whole_job).await?,
            },
            chunks,
            extension: extension(extension_of_chunks(codec)),
            rest,
            encoder: encoder.clone(),
            proof: proof.clone(),
            source: probed.whole.to_carry(),
            found: None,
        })))
    }
}

impl Probed {
    /// The job goes on as a whole, for this reason.
    pub(in crate::attempt::steps) fn left_whole(mut self, why: String) -> Self {
        tracing::info!(why, "not split");
        self.split = Some(SplitReport::Whole(why));
        self
    }

    /// What an unsplit output will state about the film.
    async fn stated(&self, whole: Whole<'_>) -> Result<Stated, Failure> {
        let prepared = &self.prepared;
        let output = prepared.output_path();
        let source = &prepared.begins();
        let line = arguments::first_frame(&Whole { source, ..whole }, &output)?;
        prepared.folder.put_tables(&line.tables).await?;
        let origin = Origin::of(source);
        let writing = prepared.writing();
        writing.ffmpeg(&line.list, origin, |_| {}).await?;
        let made = prepared.take_piece().await?;
        stated::read(&prepared.runner.reading(made.path()), made.path()).await
    }

    /// The film that is encoded.
    fn film(&self) -> Option<&Stream> {
        let mut films = self.arguments.tracks.iter().map(|track| &track.source);
        films.find(|source| source.is_film())
    }
}

/// The end of the names of pieces.
fn extension(text: &str) -> Token {
    Token::sanitised(text)
}

/// The time that one encode of the whole film would take on this machine, by its test encode.
fn seconds_alone(film: &Stream, duration: Option<f64>, fps: f32) -> Option<Duration> {
    let frames = match film.frames {
        Some(frames) => frames as f64,
        None => duration? * film.mean_rate?.value(),
    };
    let pixels = f64::from(film.width) * f64::from(film.height);
    let seconds = frames * pixels / MEASURED_PIXELS / f64::from(fps);
    Duration::try_from_secs_f64(seconds).ok()
}
