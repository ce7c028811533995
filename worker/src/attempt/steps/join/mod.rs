//! Joining: the input and its continuations become one file in scratch, which the later steps take for the input.
//!
//! Parts that are alike are copied. Parts that differ are decoded and brought to the shape of the first; for that the
//! recipe has to encode. Each part is as long as its picture, so sound and picture begin together in every part.

mod alike;
mod chapters;
mod command;
mod part;

use std::path::{Path, PathBuf};

use common::job::changes::Change;
use common::job::failure::Failure;
use common::job::further::{FurtherRole, Join};
use common::job::run::Stage;
use common::recipe::loss::Kind;
use common::recipe::{Audio, AudioEncoder, Recipe, Video};

use crate::attempt::steps::join::command::Parts;
use crate::attempt::steps::join::part::Part;
use crate::attempt::steps::{Attempt, Prepared, Unfinished};
use crate::ffmpeg::Source;
use crate::ffmpeg::probe::survey::{Depth, survey};
use crate::ffmpeg::run::fault::Origin;

/// The names of files in the folder where tools may write.
const JOINED: &str = "joined";
const LIST: &str = "parts.ffconcat";
const CHAPTERS: &str = "chapters.txt";

/// How the parts become one file.
enum Method {
    Copy,
    Encode,
}

impl Prepared {
    /// Joins the input and its continuations. `titles` are the names of all of them.
    ///
    /// # Errors
    /// The input's fault if the parts differ and the recipe copies video, or if a part is no film.
    pub async fn join(mut self, titles: &[String]) -> Result<Self, Failure> {
        let is_continuation =
            |further: &&(FurtherRole, Source)| matches!(further.0, FurtherRole::Continuation(_));
        let later: Vec<_> = self.further.iter().filter(is_continuation).collect();
        if later.is_empty() {
            return Ok(self);
        }
        let may_copy = later
            .iter()
            .all(|(role, _)| *role == FurtherRole::Continuation(Join::CopyIfAlike));
        let sources = std::iter::once(&self.source).chain(later.iter().map(|(_, source)| source));
        let mut parts = Vec::new();
        for (number, source) in sources.enumerate() {
            let title = titles.get(number).cloned();
            let title = title.unwrap_or_else(|| format!("part {}", number + 1));
            parts.push(Part::read(&self.runner, source, title).await?);
        }
        let method = method(&mut self.recipe, &parts, may_copy)?;
        let joined = self.folder.work_path().join(JOINED);
        self.put(CHAPTERS, chapters::metadata(&parts).as_bytes())?;
        let frames = match method {
            Method::Copy => {
                self.copy(&parts, &joined).await?;
                (parts.iter().map(|part| part.frames).sum(), 0)
            }
            Method::Encode => {
                let chapters = self.folder.work_path().join(CHAPTERS);
                self.run(&command::encode(&parts, &chapters, &joined))
                    .await?;
                command::frames(&parts)
            }
        };
        self.lost = lost(&parts, &method);
        self.runner = self.runner.reading(&joined);
        self.source = Source::File(joined);
        self.further
            .retain(|(role, _)| !matches!(role, FurtherRole::Continuation(_)));
        // A stream of bytes that was cut anywhere has frames that belong to two parts.
        if !command::is_one_stream(&parts) {
            self.is_as_long_as(&parts, frames).await?;
        }
        Ok(self)
    }

    async fn copy(&self, parts: &[Part], joined: &Path) -> Result<(), Failure> {
        let first = &parts[0];
        let work = self.folder.work_path();
        let to = (command::format(first), joined);
        let chapters = work.join(CHAPTERS);
        if command::is_one_stream(parts)
            && let Some(stream) = command::stream(parts)
        {
            let subtitles = first.subtitles().len();
            let line = command::copy(first, &stream, (subtitles, false), &chapters, to);
            return self.run(&line).await;
        }
        let is_tidied = !command::are_in_order(parts) || parts.iter().any(|part| part.overhangs);
        let mut paths: Vec<PathBuf> = Vec::new();
        let mut tidied: Vec<Part> = Vec::new();
        if is_tidied {
            for (number, part) in parts.iter().enumerate() {
                let path = work.join(format!("part{number}"));
                self.run(&command::tidy(part, to.0, &path)).await?;
                let (runner, source) = (self.runner.reading(&path), Source::File(path.clone()));
                tidied.push(Part::read(&runner, &source, part.title.clone()).await?);
                paths.push(path);
            }
        }
        let listed = if is_tidied { &tidied } else { parts };
        self.put(LIST, &command::list(listed)?)?;
        let subtitles = match is_tidied {
            true => 0,
            false => common_subtitles(parts),
        };
        let list = work.join(LIST);
        let (from, tracks) = (Parts::List(&list), (subtitles, is_tidied));
        self.run(&command::copy(first, &from, tracks, &chapters, to))
            .await?;
        for path in paths {
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::debug!(%error, "a part stays in scratch");
            }
        }
        Ok(())
    }

    async fn run(&self, arguments: &[std::ffi::OsString]) -> Result<(), Failure> {
        let writing = self.writing();
        let ran = writing.ffmpeg(arguments, Origin::Local, |_| {});
        ran.await.map(drop).map_err(|mut failure| {
            failure.message = format!("the parts cannot be joined: {}", failure.message);
            failure
        })
    }

    /// Writes a file for ffmpeg to read.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.folder.work().write(name, bytes);
        written.map_err(|error| Failure::worker(format!("cannot write to scratch: {error}")))
    }

    /// Makes sure that the joined file holds all frames of the parts, and is as long as they are together.
    async fn is_as_long_as(
        &self,
        parts: &[Part],
        (frames, tolerance): (u64, u64),
    ) -> Result<(), Failure> {
        let surveyed = survey(&self.runner, &self.source, Depth::Packets, None).await?;
        let seen = surveyed.streams.values().next();
        let seen = seen.ok_or_else(|| Failure::worker("the joined file holds no picture"))?;
        let wanted: f64 = parts.iter().map(|part| part.length).sum();
        let length = seen.end - seen.start;
        let frame = wanted / frames.max(1) as f64;
        if seen.packets.abs_diff(frames) > tolerance
            || (length - wanted).abs() > (1.5 + tolerance as f64) * frame
        {
            return Err(Failure::worker(format!(
                "the parts have {frames} frames and are {wanted:.3} s long, but joined they have {} and are {length:.3} s long",
                seen.packets
            )));
        }
        Ok(())
    }
}

/// Decides whether the parts are copied. Changes the recipe accordingly.
fn method(recipe: &mut Recipe, parts: &[Part], may_copy: bool) -> Result<Method, Failure> {
    let first = &parts[0];
    let differs = match command::is_one_stream(parts) {
        true => None,
        false => parts[1..]
            .iter()
            .find_map(|part| Some((part, alike::difference(first, part)?))),
    };
    let edit = |recipe: &Recipe, change: &dyn Fn(&mut common::recipe::RecipeDraft)| {
        let edited = recipe.clone().edit(|draft| change(draft));
        edited.map_err(|error| Failure::input(error.to_string()))
    };
    let Some((part, why)) = differs else {
        if may_copy {
            *recipe = edit(recipe, &|draft| draft.video = Video::Copy)?;
        }
        return Ok(Method::Copy);
    };
    if recipe.video_encode().is_none() {
        return Err(Failure::input(format!(
            "{} cannot follow {} by copy, because {why}: choose an encoder, e.g. --encoder libx265",
            part.title, first.title
        )));
    }
    if parts.iter().any(|part| part.film.colour.is_hdr()) {
        return Err(Failure::input(format!(
            "{} cannot follow {}, because {why} and one of them is HDR: make them alike first",
            part.title, first.title
        )));
    }
    if recipe.audio == Audio::Copy {
        // The sound was decoded.
        let encoder = encoder_like(first);
        let audio = Audio::Encode {
            encoder,
            bitrate: None,
        };
        let fits = recipe.container.holds_audio(encoder.codec());
        let audio = match fits {
            true => audio,
            false => Audio::Encode {
                encoder: AudioEncoder::Libopus,
                bitrate: None,
            },
        };
        *recipe = edit(recipe, &|draft| draft.audio = audio.clone())?;
    }
    Ok(Method::Encode)
}

/// An encoder of the codec of a part's sound, or of AAC.
fn encoder_like(part: &Part) -> AudioEncoder {
    let codec = part.sounds().first().map(|sound| sound.codec.clone());
    match codec.as_deref() {
        Some("opus") => AudioEncoder::Libopus,
        Some("ac3") => AudioEncoder::Ac3,
        Some("eac3") => AudioEncoder::Eac3,
        Some("mp3") => AudioEncoder::Libmp3lame,
        Some("flac") => AudioEncoder::Flac,
        Some(pcm) if pcm.starts_with("pcm_") => AudioEncoder::Flac,
        _ => AudioEncoder::Aac,
    }
}

/// How many subtitle tracks all parts have, in the same format.
fn common_subtitles(parts: &[Part]) -> usize {
    let of = |part: &Part| -> Vec<String> {
        let subtitles = part.subtitles();
        subtitles.iter().map(|track| track.codec.clone()).collect()
    };
    let first = of(&parts[0]);
    let common = |other: Vec<String>| {
        let pairs = first.iter().zip(&other);
        pairs.take_while(|(one, other)| one == other).count()
    };
    parts.iter().map(|part| common(of(part))).min().unwrap_or(0)
}

/// What a joined file does not hold of its parts.
fn lost(parts: &[Part], method: &Method) -> Vec<Change> {
    let is_tidied = !command::are_in_order(parts) || parts.iter().any(|part| part.overhangs);
    let kept = match method {
        Method::Copy if command::is_one_stream(parts) => usize::MAX,
        Method::Copy if !is_tidied => common_subtitles(parts),
        _ => 0,
    };
    let mut lost = Vec::new();
    for part in parts {
        for track in part.left_out() {
            let (kind, what) = match track.is_cover() {
                true => (Kind::Cover, "cover".to_owned()),
                false => (Kind::Track, format!("{} data", track.codec_tag)),
            };
            let what = format!("{what} of {}", part.title);
            lost.push(Change::lost(kind, None, what, "the parts were joined"));
        }
        for track in part.subtitles().into_iter().skip(kept) {
            let what = format!("{} subtitles of {}", track.codec, part.title);
            let why = match method {
                Method::Copy => "not all parts have the track in this form",
                Method::Encode => "the parts differ and are encoded",
            };
            lost.push(Change::lost(Kind::Track, None, what, why));
        }
    }
    lost
}

impl Attempt<'_> {
    /// Joins the parts of the job's film, if there are several.
    pub(super) async fn join(&self, prepared: Prepared) -> Result<Prepared, Unfinished> {
        if !self.job.is_joined() {
            return Ok(prepared);
        }
        self.report(Stage::Reading, None).await;
        let continuations = self.job.further.iter();
        let continuations =
            continuations.filter(|further| matches!(further.role, FurtherRole::Continuation(_)));
        let inputs = std::iter::once(&self.job.input).chain(continuations.map(|one| &one.input));
        let stem = |name: String| match Path::new(&name).file_stem() {
            Some(stem) => stem.to_string_lossy().into_owned(),
            None => name,
        };
        let titles: Vec<String> = inputs.map(|input| stem(input.location.name())).collect();
        Ok(prepared.join(&titles).await?)
    }
}
