//! Helps other workers of the farm: makes the sample encodes that they ask for, one at a time, while a slot is free.
//!
//! A job never waits for a sample encode: if one comes meanwhile, both run. The last sample stays in scratch, because
//! the next request is most likely about it again.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use async_nats::Message;
use common::broker::{BrokerError, LONGEST_SAMPLE, Requests};
use common::farm::sample::{Sample, SampleRequest, SampleScore};
use common::job::input::Input;
use common::wire;
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use tokio_util::sync::CancellationToken;

use crate::attempt::executor::Executor;
use crate::attempt::input;
use crate::attempt::quality::encode::{Bench, CutSample};
use crate::attempt::scratch::AttemptFolder;
use crate::cli::config::ReadMode;
use crate::ffmpeg::Source;
use crate::ffmpeg::build::Build;

/// The name of a sample in scratch.
const SAMPLE: &str = "sample";

/// A sample that lies in scratch.
struct Kept {
    of: (Input, Sample),
    source: Source,
    folder: AttemptFolder,
    cut: CutSample,
}

/// A request under way, and then its answer, and the sample that stays.
type Work<'a> = BoxFuture<'a, (Message, anyhow::Result<SampleScore>, Option<Kept>)>;

/// Answers requests until `stop` is cancelled.
pub(crate) async fn serve(
    executor: Arc<Executor>,
    requests: Result<Requests, BrokerError>,
    stop: CancellationToken,
) {
    let broker = &executor.broker;
    let mut requests = match requests {
        Ok(requests) => requests,
        Err(error) => return tracing::warn!(%error, "other workers get no help with samples"),
    };
    let mut kept: Option<Kept> = None;
    let mut work: Option<Work<'_>> = None;
    loop {
        let done = async {
            match &mut work {
                Some(work) => work.await,
                None => std::future::pending().await,
            }
        };
        let (asked, answer) = tokio::select! {
            () = stop.cancelled() => return,
            (asked, answer, sample) = done => {
                (work, kept) = (None, sample);
                (asked, answer.map_err(|why| format!("{why:#}")))
            }
            asked = requests.next() => match asked {
                None => return,
                Some(asked) if work.is_some() => {
                    (asked, Err("it makes a sample encode for another worker".to_owned()))
                }
                Some(asked) => {
                    work = Some(executor.help(asked, kept.take(), stop.child_token()).boxed());
                    continue;
                }
            },
        };
        if let Err(why) = &answer {
            tracing::debug!(%why, "no sample encode");
        }
        if let Err(error) = broker.answer_sample(&asked, answer).await {
            tracing::debug!(%error, "the score of a sample was not sent");
        }
    }
}

impl Executor {
    /// Makes a sample encode. Returns the request, the answer, and the sample for the next request.
    async fn help(
        &self,
        asked: Message,
        mut kept: Option<Kept>,
        stop: CancellationToken,
    ) -> (Message, anyhow::Result<SampleScore>, Option<Kept>) {
        let _stopped = stop.clone().drop_guard();
        let making = async {
            let request = wire::decode(&asked.payload)?;
            self.make_sample(&request, &mut kept, stop).await
        };
        let answer = tokio::time::timeout(LONGEST_SAMPLE, making).await;
        let answer = answer.unwrap_or_else(|_| bail!("the sample encode took too long"));
        (asked, answer, kept)
    }

    async fn make_sample(
        &self,
        request: &SampleRequest,
        kept: &mut Option<Kept>,
        stop: CancellationToken,
    ) -> anyhow::Result<SampleScore> {
        let card = Arc::clone(&self.card.borrow());
        ensure!(
            request.build.as_str() == card.ffmpeg.build,
            "it has another build of ffmpeg"
        );
        ensure!(
            card.metrics.contains(&request.metric),
            "its ffmpeg cannot measure {}",
            request.metric
        );
        let proof = card
            .proof(&request.encoder)
            .context("it has not proved the encoder")?;
        ensure!(self.heartbeater.has_free_slot(), "all its slots are busy");
        let SampleRequest { input, sample, .. } = request;
        ensure!(
            self.read == ReadMode::InPlace || !input.location.is_remote(),
            "it reads no part of an object: it downloads inputs whole"
        );
        let of = (input.clone(), *sample);
        let build = Build::of(&card);
        if kept.as_ref().is_none_or(|kept| kept.of != of) {
            // The old folder goes first: its name is taken.
            *kept = None;
            let folder = self.scratch.sample()?;
            let (mode, to) = (ReadMode::InPlace, folder.path().join(input::NAME));
            let source = input::open(self.places(), input, mode, &to, &|_| {}).await?;
            let runner = self.runner([&source], folder.path(), stop.clone());
            let bench = Bench {
                folder: &folder,
                runner: &runner,
                source: &source,
                encoder: (&request.encoder, proof),
                build: &build,
                metric: request.metric,
                film: request.film,
            };
            let cut = bench.cut(*sample, SAMPLE).await?;
            *kept = Some(Kept {
                of,
                source,
                folder,
                cut,
            });
        }
        let kept = kept.as_ref().context("the sample is gone")?;
        let bench = Bench {
            folder: &kept.folder,
            runner: &self.runner([&kept.source], kept.folder.path(), stop),
            source: &kept.source,
            encoder: (&request.encoder, proof),
            build: &build,
            metric: request.metric,
            film: request.film,
        };
        tracing::debug!(input = %input.location, "makes a sample encode for another worker");
        Ok(bench.score(&kept.cut, &request.recipe).await?)
    }
}
