//! Joining: the input and its continuations become one file in scratch, which the later steps take for the input.
//!
//! Parts that are alike are copied. Parts that differ are decoded and brought to the shape of the first; for that the
//! recipe has to encode. Each part is as long as its picture, so sound and picture begin together in every part.

mod alike;
mod chapters;
mod check;
mod copy;
mod encode;
mod line;
mod lost;
mod method;
mod part;

use std::path::{Path, PathBuf};

use common::job::failure::Failure;
use common::job::further::{FurtherRole, Join};
use common::job::run::Stage;

use crate::attempt::steps::join::copy::Parts;
use crate::attempt::steps::join::method::Method;
use crate::attempt::steps::join::part::Part;
use crate::attempt::steps::{Attempt, Prepared, Unfinished};
use crate::ffmpeg::Source;
use crate::ffmpeg::run::fault::Origin;
use crate::report::load::free_space;

/// The names of files in the folder where tools may write.
const JOINED: &str = "joined";
const LIST: &str = "parts.ffconcat";
const CHAPTERS: &str = "chapters.txt";

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
        let method = Method::choose(&mut self.recipe, &parts, may_copy)?;
        let joined = self.folder.work_path().join(JOINED);
        self.folder
            .put(CHAPTERS, chapters::metadata(&parts))
            .await?;
        if method == Method::Encode {
            self.has_room(encode::least_bytes(&parts))?;
            let chapters = self.folder.work_path().join(CHAPTERS);
            self.run(&encode::line(&parts, &chapters, &joined)).await?;
        } else {
            self.copy(&parts, method, &joined).await?;
        }
        self.lost = lost::lost(&parts, method);
        self.runner = self.runner.reading(&joined);
        self.source = Source::File(joined);
        self.further
            .retain(|(role, _)| !matches!(role, FurtherRole::Continuation(_)));
        self.holds(&mut parts, method).await?;
        Ok(self)
    }

    async fn copy(&self, parts: &[Part], method: Method, joined: &Path) -> Result<(), Failure> {
        let first = &parts[0];
        let work = self.folder.work_path();
        let to = (copy::format(first), joined);
        let chapters = work.join(CHAPTERS);
        let subtitles = method.subtitles(parts);
        if method == Method::Stream {
            let stream = Parts::Stream(copy::stream(parts)?);
            let line = copy::line(first, &stream, (subtitles, false), &chapters, to);
            return self.run(&line).await;
        }
        let is_tidied = method == Method::Tidied;
        let mut paths: Vec<PathBuf> = Vec::new();
        let mut tidied: Vec<Part> = Vec::new();
        if is_tidied {
            for (number, part) in parts.iter().enumerate() {
                let path = work.join(format!("part{number}"));
                self.run(&copy::tidy(part, to.0, &path)).await?;
                let (runner, source) = (self.runner.reading(&path), Source::File(path.clone()));
                tidied.push(Part::read(&runner, &source, part.title.clone()).await?);
                paths.push(path);
            }
        }
        let listed = if is_tidied { &tidied } else { parts };
        self.folder.put(LIST, copy::list(listed)?).await?;
        let list = work.join(LIST);
        let (from, tracks) = (Parts::List(&list), (subtitles, is_tidied));
        self.run(&copy::line(first, &from, tracks, &chapters, to))
            .await?;
        for path in paths {
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::debug!(%error, "a part stays in scratch");
            }
        }
        Ok(())
    }

    /// Makes sure that so many bytes may fit into scratch, before hours are spent on them.
    fn has_room(&self, bytes: u64) -> Result<(), Failure> {
        let free = free_space(self.folder.path());
        if free.is_none_or(|free| free >= bytes) {
            return Ok(());
        }
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        Err(Failure::worker(format!(
            "the parts differ, and joined without loss they take more than {:.1} GiB of scratch space, of which {:.1} GiB are \
             free: make room, or make the parts alike first",
            gib(bytes),
            gib(free.unwrap_or(0))
        )))
    }

    async fn run(&self, arguments: &[std::ffi::OsString]) -> Result<(), Failure> {
        let writing = self.writing();
        let ran = writing.ffmpeg(arguments, Origin::Local, |_| {});
        ran.await.map(drop).map_err(|mut failure| {
            failure.message = format!("the parts cannot be joined: {}", failure.message);
            failure
        })
    }
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
