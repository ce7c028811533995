//! One sample encode: a part of the input is copied into scratch, encoded at one quality, and compared with its
//! source.

use std::ffi::OsString;
use std::path::PathBuf;

use common::farm::card::Proof;
use common::farm::film::FilmFindings;
use common::farm::sample::{Sample, SampleScore};
use common::job::failure::{Failure, Fault};
use common::recipe::encoder::Encoder;
use common::recipe::{
    Audio, AudioTracks, Captions, Container, Metric, Rate, Recipe, RecipeDraft, RecipeError,
    SubtitleTracks, Subtitles, Video,
};

use crate::attempt::scratch::AttemptFolder;
use crate::ffmpeg::build::Build;
use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::metric::{Comparison, Pairing, score_in};
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::probe::probe;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::{Runner, Sign};
use crate::ffmpeg::{Source, arguments, file};

/// The name of an encoded sample.
const ENCODED: &str = "encoded.mkv";

/// The recipe of sample encodes: the job's video, and nothing else. What only draws over the picture is left out.
///
/// # Errors
/// The recipe does not encode video at this quality.
pub(crate) fn recipe(job: &Recipe, crf: f64) -> Result<Recipe, RecipeError> {
    let mut draft = RecipeDraft::clone(job);
    draft.audio = Audio::None;
    draft.audio_tracks = AudioTracks::default();
    draft.subtitles = Subtitles::None;
    draft.subtitle_tracks = SubtitleTracks::default();
    draft.captions = Captions::default();
    draft.trim = None;
    draft.container = Container::Mkv;
    draft.refuse_loss.clear();
    draft.strict_input = false;
    if let Video::Encode(video) = &mut draft.video {
        video.rate = Rate::Crf(crf);
        video.two_pass = false;
        video.floor = None;
        video.burn_in = None;
        video.watermark = None;
        // Only the worker of the job has its files, and a table changes how many bits are needed but little.
        video.lut = None;
    }
    Recipe::new(draft)
}

/// The tools and the folder of sample encodes, and the encoder to use.
pub(crate) struct Bench<'a> {
    pub(crate) folder: &'a AttemptFolder,
    /// Reads the input.
    pub(crate) runner: &'a Runner,
    pub(crate) source: &'a Source,
    pub(crate) encoder: (&'a Encoder, &'a Proof),
    pub(crate) build: &'a Build,
    pub(crate) metric: Metric,
    /// What the survey has found in the film of the samples: a sample alone might give another answer.
    pub(crate) film: FilmFindings,
}

/// A sample in scratch, still in the source's encoding.
pub(crate) struct CutSample {
    path: PathBuf,
    media: Media,
    bytes: u64,
}

impl Bench<'_> {
    /// Copies a sample into scratch, under a name of its own. It begins at a keyframe.
    ///
    /// # Errors
    /// The failure of ffmpeg.
    pub(crate) async fn cut(&self, sample: Sample, name: &str) -> Result<CutSample, Failure> {
        // Old versions of ffmpeg write no turn of the picture to Matroska.
        let format = if sample.is_turned { "mov" } else { "matroska" };
        let mut copied = self.copy(sample, name, format).await;
        // NUT holds every codec.
        if copied
            .as_ref()
            .is_err_and(|failure| failure.fault != Fault::Passing)
        {
            copied = self.copy(sample, name, "nut").await;
        }
        copied?;
        let path = self.folder.work_path().join(name);
        let working = self.runner.writing(self.folder.work_path());
        let media = probe(&working, &Source::File(path.clone())).await?;
        Ok(CutSample {
            media,
            bytes: self.size(name)?,
            path,
        })
    }

    async fn copy(&self, sample: Sample, name: &str, format: &str) -> Result<(), Failure> {
        let mut list: Vec<OsString> = ["-nostdin", "-hide_banner", "-y"]
            .map(OsString::from)
            .into();
        if sample.start > 0.0 {
            list.extend(["-ss".into(), sample.start.to_string().into()]);
        }
        list.extend(self.source.arguments());
        list.extend(["-map".into(), format!("0:{}", sample.stream).into()]);
        list.extend(
            ["-c", "copy", "-map_metadata", "-1", "-map_chapters", "-1"].map(OsString::from),
        );
        if let Some(frames) = sample.frames {
            list.extend(["-frames:v".into(), frames.to_string().into()]);
        }
        list.extend(["-f".into(), format.into()]);
        list.push(file(&self.folder.work_path().join(name)));
        let writing = self.runner.writing(self.folder.work_path());
        writing
            .ffmpeg(&list, Origin::of(self.source), |_| {})
            .await?;
        Ok(())
    }

    /// Encodes a sample by a recipe of [`recipe`], and compares it with its source.
    ///
    /// # Errors
    /// The failure of ffmpeg.
    pub(crate) async fn score(
        &self,
        sample: &CutSample,
        recipe: &Recipe,
    ) -> Result<SampleScore, Failure> {
        let source = Source::File(sample.path.clone());
        let path = self.folder.work_path().join(ENCODED);
        let mut findings = Findings::alone(self.film);
        let media = findings.applied_to(recipe, &sample.media);
        let encode = arguments::encode(
            recipe,
            &media,
            &findings,
            Some(self.encoder),
            self.build,
            &source,
            &path,
        )?;
        self.folder.put_tables(&encode.tables).await?;
        let writing = self.runner.writing(self.folder.work_path());
        writing.ffmpeg(&encode.list, Origin::Local, |_| {}).await?;
        let encoded = Source::File(path);
        let made = probe(&writing, &encoded).await?;
        let film = made.films().next();
        let film = film.ok_or_else(|| Failure::worker("a sample was encoded to nothing"))?;
        let comparison = Comparison::of(film, self.metric, encode.filters, Pairing::Count);
        let (encoded, source) = (encoded.arguments(), source.arguments());
        Ok(SampleScore {
            score: compare(&writing, &encoded, &source, &comparison).await?,
            encoded: self.size(ENCODED)?,
            source: sample.bytes,
        })
    }

    /// Removes these samples, and what was made of them: the encode needs the room.
    pub(crate) fn clear(&self, names: impl Iterator<Item = String>) {
        for name in names.chain([ENCODED.to_owned()]) {
            if let Err(error) = self.folder.work().remove_file(&name) {
                tracing::debug!(name, %error, "a sample stays in scratch until the job ends");
            }
        }
    }

    /// The size of a file that ffmpeg made.
    fn size(&self, name: &str) -> Result<u64, Failure> {
        match self.folder.work().symlink_metadata(name) {
            Ok(metadata) if metadata.is_file() && metadata.len() > 0 => Ok(metadata.len()),
            _ => Err(Failure::worker("a sample was made of nothing")),
        }
    }
}

/// Compares two inputs, each given with the options before it.
///
/// # Errors
/// The failure of ffmpeg; the worker's fault if it tells no score.
pub(crate) async fn compare(
    runner: &Runner,
    made: &[OsString],
    source: &[OsString],
    comparison: &Comparison,
) -> Result<f64, Failure> {
    // The score comes at the level of information.
    let mut list: Vec<OsString> = ["-nostdin", "-hide_banner", "-loglevel", "level+info"]
        .map(OsString::from)
        .into();
    list.extend_from_slice(made);
    list.extend_from_slice(source);
    list.extend(comparison.arguments());
    let mut score = None;
    let on_sign = |sign: Sign<'_>| {
        if let Sign::Log(line) = sign
            && let Some(told) = score_in(comparison.metric, line)
        {
            score = Some(told);
        }
    };
    runner.ffmpeg(&list, Origin::Local, on_sign).await?;
    score.ok_or_else(|| {
        Failure::worker(format!(
            "ffmpeg compared two samples and told no {}",
            comparison.metric
        ))
    })
}
