//! Answers preview requests: the content of a job's file, a picture of it, or the changes to expect for an input. It
//! answers one request at a time, beside the encodes.

mod frame;

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use common::broker::{BrokerError, Requests};
use common::farm::preview::{
    Forecast, ForecastRequest, JobFile, Preview, PreviewKind, PreviewRequest, STILL_WIDTH,
};
use common::job::changes::Change;
use common::job::failure::{Failure, Fault};
use common::job::input::Input;
use common::job::record::JobRecord;
use common::job::run::RunState;
use common::job::run::kept::KeptReason;
use common::recipe::Container;
use common::wire;
use futures::StreamExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::executor::{Executor, choose};
use crate::attempt::scratch::AttemptFolder;
use crate::attempt::steps::subtitle_files;
use crate::attempt::survey::survey;
use crate::attempt::tool_output::ToolOutput;
use crate::attempt::{changes, input};
use crate::cli::config::ReadMode;
use crate::ffmpeg::build::Build;
use crate::ffmpeg::picture::still as picture;
use crate::ffmpeg::picture::still::Shown;
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::Runner;
use crate::ffmpeg::{Source, arguments, probe};

/// How long one answer may take: longer than anybody waits for it.
const LONGEST: Duration = Duration::from_secs(15);

/// How long the survey of a forecast may take.
const LOOK: Duration = Duration::from_secs(8);

/// When the survey of a forecast ends at the latest, so that an answer comes in time after a slow probe, too.
const LOOKED: Duration = Duration::from_secs(12);

/// The name of a picture while it is made.
const STILL: &str = "still.jpg";
/// The largest picture, in bytes.
const LARGEST: u64 = 16 << 20;

/// Answers requests until `stop` is cancelled.
pub async fn serve(
    executor: Arc<Executor>,
    requests: Result<Requests, BrokerError>,
    stop: CancellationToken,
) {
    let broker = &executor.broker;
    let mut requests = match requests {
        Ok(requests) => requests,
        Err(error) => return tracing::warn!(%error, "previews cannot be answered"),
    };
    while let Some(Some(message)) = stop.run_until_cancelled(requests.next()).await {
        let answer = async {
            let request = wire::decode(&message.payload)?;
            tokio::time::timeout(LONGEST, executor.answer(&request, stop.child_token()))
                .await
                .context("the preview took too long")?
        };
        let answer: anyhow::Result<Bytes> = answer.await;
        if let Err(why) = &answer {
            tracing::debug!(%why, "no preview");
        }
        let sent = broker.answer_preview(&message, answer.map_err(|why| format!("{why:#}")));
        if let Err(error) = sent.await {
            tracing::debug!(%error, "the preview was not sent");
        }
    }
}

/// What a look at an input has shown.
enum Seen {
    /// It would be encoded, with these changes and by this command.
    Encoded {
        changes: Vec<Change>,
        command: String,
    },
    /// A rule holds for it.
    Kept(KeptReason),
}

impl Executor {
    async fn answer(
        &self,
        request: &PreviewRequest,
        stop: CancellationToken,
    ) -> anyhow::Result<Bytes> {
        match request {
            PreviewRequest::Preview(preview) => self.look(preview, stop).await,
            PreviewRequest::ForecastRequest(request) => {
                Ok(wire::encode(&self.forecast(request, stop).await?))
            }
        }
    }

    /// The changes to expect for an input, as far as they can be known before the encode.
    async fn forecast(
        &self,
        request: &ForecastRequest,
        stop: CancellationToken,
    ) -> anyhow::Result<Forecast> {
        let started = Instant::now();
        let ForecastRequest {
            input,
            further,
            recipe,
            rules,
        } = request;
        if further.iter().any(|further| further.role.is_continuation()) {
            bail!("the parts are read when they are joined");
        }
        let card = Arc::clone(&self.card.borrow());
        let choice = choose(&card, recipe, &recipe.queue())?;
        let scratch = self.scratch.preview()?;
        let (mode, folder) = (ReadMode::InPlace, scratch.path());
        let to = folder.join(input::NAME);
        // If this fails, the request fails: another worker may reach the input.
        let source = input::open(self.places(), input, mode, &to, &|_| {}).await?;
        let mut runner = self.runner([&source], folder, stop);
        runner.limits.stall = LONGEST;
        let output = scratch.work_path().join("output");
        let names = (
            input.location.to_string(),
            shown_output(input, recipe.container),
        );
        let mut content = None;
        let seen = async {
            let media = probe::probe(&runner, &source).await?;
            content = Some(media.info());
            if let Some(condition) = &rules.skip_if {
                let file = self.stores.stored_file(&input.location).await;
                let facts = media.facts(file.map_err(input::failure)?);
                if condition.holds(&facts, self.broker.now()) {
                    let condition = condition.to_string();
                    return Ok(Seen::Kept(KeptReason::Rule { condition }));
                }
            }
            let build = Build::of(&card);
            let limit = LOOK.min(LOOKED.saturating_sub(started.elapsed()));
            let mut findings = survey(recipe, &media, &runner, &source, Some(limit)).await?;
            findings.external = subtitle_files(&request.further, &media);
            let media = findings.applied_to(recipe, &media);
            let arguments =
                arguments::encode(recipe, &media, &findings, choice, &build, &source, &output)?;
            let changes = changes::forecast(recipe, &media, &arguments.tracks, &arguments.changes);
            changes::refuse(recipe, &changes, "it would lose")?;
            let names = (names.0.as_str(), names.1.as_str());
            let command = arguments.shown(recipe, &source, &output, names);
            Ok::<_, Failure>(Seen::Encoded { changes, command })
        };
        let seen = seen.await;
        match seen {
            Ok(Seen::Encoded { changes, command }) => Ok(Forecast {
                changes,
                command: Some(command),
                media: content,
                ..Forecast::default()
            }),
            Ok(Seen::Kept(why)) => Ok(Forecast {
                kept: Some(why),
                media: content,
                ..Forecast::default()
            }),
            // A fault of the input or the recipe is an answer, because all workers would give it.
            Err(failure) if failure.fault == Fault::Input => Ok(Forecast {
                refused: Some(failure.message),
                media: content,
                ..Forecast::default()
            }),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn look(&self, preview: &Preview, stop: CancellationToken) -> anyhow::Result<Bytes> {
        let record = self.broker.job(&preview.job).await?;
        let record = record.with_context(|| format!("unknown job {}", preview.job))?;
        let file = self.file(&record, preview.side).await?;
        match preview.what {
            PreviewKind::Info | PreviewKind::Still(_) => {}
            PreviewKind::Frame(at) => {
                let output = self.file(&record, JobFile::Output).await?;
                let input = self.file(&record, JobFile::Input).await?;
                let files = (&input, &output);
                return self
                    .frame(record.job(), files, preview.side, at, stop)
                    .await;
            }
            PreviewKind::FrameTimes(at) => {
                let output = self.file(&record, JobFile::Output).await?;
                return self.frame_times(&output, at, stop).await;
            }
        }
        let scratch = self.scratch.preview()?;
        let source = input::open(
            self.places(),
            &file,
            ReadMode::InPlace,
            &scratch.path().join(input::NAME),
            &|_| {},
        )
        .await?;
        let mut runner = self.runner([&source], scratch.path(), stop);
        runner.limits.stall = LONGEST;
        let media = probe::probe(&runner, &source).await?;
        match preview.what {
            PreviewKind::Still(at) => {
                if !(at.is_finite() && at >= 0.0) {
                    bail!("{at} is no time");
                }
                let source = (&runner, &source, &media);
                picture_at(source, at, STILL_WIDTH, &scratch).await
            }
            _ => Ok(wire::encode(&media.info())),
        }
    }

    /// The version of the file that the job was made for, or that the job has made.
    async fn file(&self, record: &JobRecord, side: JobFile) -> anyhow::Result<Input> {
        let job = record.job();
        if side == JobFile::Input {
            // The input of a job that has replaced it lies in the trash.
            if let Some(RunState::Completed { report }) = record.run().map(|run| &run.state)
                && let Some(replaced) = &report.replaced
            {
                return Ok(self.stores.head(&replaced.original).await?);
            }
            return Ok(job.input.clone());
        }
        let Some(RunState::Completed { report }) = record.run().map(|run| &run.state) else {
            bail!("the job has no output yet");
        };
        let file = self.stores.head(&job.output).await?;
        if file.size != report.output_size {
            bail!("{} is not what the job made any more", job.output);
        }
        Ok(file)
    }
}

/// The name of the output in a command that is shown: the input's, with another extension.
fn shown_output(input: &Input, container: Container) -> String {
    let name = input.location.name();
    let stem = Path::new(&name).file_stem().unwrap_or_default();
    let shown = format!("{}.{}", stem.to_string_lossy(), container.extension());
    match shown == name {
        true => format!("new.{shown}"),
        false => shown,
    }
}

/// The picture at `at` seconds, of this width, as a JPEG.
async fn picture_at(
    (runner, source, media): (&Runner, &Source, &Media),
    at: f64,
    width: u32,
    scratch: &AttemptFolder,
) -> anyhow::Result<Bytes> {
    let film = media.films().next().context("it holds no video")?;
    scratch.put_tables(picture::table(film).as_slice()).await?;
    let work = scratch.work_path();
    let mut arguments: Vec<OsString> = ["-nostdin", "-hide_banner", "-v", "error", "-ss"]
        .map(OsString::from)
        .into();
    arguments.push(at.to_string().into());
    arguments.extend(source.arguments());
    let size = picture::size(film, width);
    let filters = picture::filters(film, size, Shown::Still);
    let map = format!("0:{}", film.index);
    arguments.extend(["-map", &map, "-frames:v", "1", "-vf", &filters].map(OsString::from));
    arguments.extend(["-c:v", "mjpeg", "-q:v", "4", "-f", "image2"].map(OsString::from));
    arguments.extend(["-update".into(), "1".into(), work.join(STILL).into()]);
    runner
        .writing(work)
        .ffmpeg(&arguments, Origin::of(source), |_| {})
        .await?;
    if scratch.work().symlink_metadata(STILL).is_err() {
        bail!("there is no picture at that time");
    }
    let picture = ToolOutput::take(scratch, STILL)?;
    if picture.size() > LARGEST {
        bail!("the picture is too large");
    }
    let mut bytes = Vec::new();
    picture.file().take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}
