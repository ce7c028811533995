//! Subtitle files beside the input: read by the worker, and given to ffmpeg as text in UTF-8.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::job::failure::Failure;
use common::job::further::{ExternalSubtitles, FurtherInput, FurtherRole};

use crate::attempt::scratch::AttemptFolder;
use crate::attempt::steps::Prepared;
use crate::ffmpeg::Source;
use crate::ffmpeg::findings::SubtitleFile;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::subtitles::encoding;

/// The largest text. A film has a hundredth of it.
const LARGEST: u64 = 32 << 20;

impl Prepared {
    /// Makes the subtitle files readable for ffmpeg.
    ///
    /// # Errors
    /// The input's fault if a file holds no subtitles; the worker's if the disk refuses.
    pub(super) async fn subtitle_files(
        &mut self,
        media: &Media,
    ) -> Result<Vec<SubtitleFile>, Failure> {
        let mut files = Vec::new();
        let free = media.streams.iter().map(|stream| stream.index + 1).max();
        for (role, source) in &self.further {
            let FurtherRole::Subtitles(said) = role else {
                continue;
            };
            let Source::File(path) = source else {
                return Err(Failure::worker("a subtitle file is not on this machine"));
            };
            let number = files.len();
            let (folder, path, language) = (
                Arc::clone(&self.folder),
                path.clone(),
                said.language.clone(),
            );
            let read = tokio::task::spawn_blocking(move || {
                let language = language.as_ref().map(|language| language.as_str());
                read(&folder, &path, number, language)
            });
            let read = read.await.map_err(std::io::Error::other);
            let read = read.map_err(|error| Failure::worker(error.to_string()))??;
            self.runner = self.runner.reading(&read.path);
            let index = free.unwrap_or(0) + number;
            files.push(SubtitleFile {
                stream: stream(said, index, number, read.form.codec),
                format: read.form.format,
                path: read.path,
            });
        }
        Ok(files)
    }
}

/// The subtitle files of a job that is only foreseen, by their names. Nothing is read.
pub(crate) fn foreseen(further: &[FurtherInput], media: &Media) -> Vec<SubtitleFile> {
    let free = media.streams.iter().map(|stream| stream.index + 1).max();
    let files = further.iter().filter_map(|further| match &further.role {
        FurtherRole::Subtitles(said) => Some((said, further.input.location.name())),
        _ => None,
    });
    files
        .enumerate()
        .map(|(number, (said, name))| {
            let form = encoding::of_name(&name);
            SubtitleFile {
                stream: stream(said, free.unwrap_or(0) + number, number, form.codec),
                format: form.format,
                path: PathBuf::from(name),
            }
        })
        .collect()
}

/// A file that ffmpeg can read.
struct ReadFile {
    form: encoding::FileForm,
    path: PathBuf,
}

fn read(
    folder: &AttemptFolder,
    path: &Path,
    number: usize,
    language: Option<&str>,
) -> Result<ReadFile, Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let system = |error: std::io::Error| {
        Failure::worker(format!("the subtitle file {name} cannot be read: {error}"))
    };
    let file = File::open(path).map_err(system)?;
    let size = file.metadata().map_err(system)?.len();
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(system)?;
    if let Some(form) = encoding::of_pictures(&bytes) {
        let path = path.to_owned();
        return Ok(ReadFile { form, path });
    }
    if size > LARGEST {
        return Err(Failure::input(format!(
            "the subtitle file {name} has {size} bytes: that is no text of a film"
        )));
    }
    let text = encoding::decode(&bytes, language);
    let form = encoding::of_text(&text).ok_or_else(|| {
        Failure::input(format!(
            "the subtitle file {name} is none of SubRip, ASS, WebVTT and PGS: convert it, or move it elsewhere, or leave out \
             --external-subtitles"
        ))
    })?;
    let to = format!("subtitles-{number}");
    folder.dir().write(&to, text).map_err(system)?;
    let path = folder.path().join(to);
    Ok(ReadFile { form, path })
}

/// The file's stream, with what its name says.
fn stream(said: &ExternalSubtitles, index: usize, number: usize, codec: &str) -> Stream {
    let mut stream = Stream {
        index,
        kind: StreamKind::Subtitle,
        external: Some(number),
        codec: codec.to_owned(),
        ..Stream::default()
    };
    if let Some(language) = &said.language {
        let tag = language.as_str().to_owned();
        stream.tags.insert("language".to_owned(), tag);
    }
    for (mark, is_set) in [("forced", said.forced), ("hearing_impaired", said.sdh)] {
        if is_set {
            stream.dispositions.insert(mark.to_owned());
        }
    }
    stream
}
