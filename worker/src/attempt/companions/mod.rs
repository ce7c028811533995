//! The files that a job makes beside its output: thumbnails, a contact sheet, sprites for a player's time line, and a
//! preview, which are made of the verified output; and subtitles, which are made of the input.

mod made;
mod picture;
mod preview;
mod sheet;
mod sprites;
mod subtitles;
mod thumbnails;

use std::ffi::OsString;
use std::path::PathBuf;

use common::farm::card::Capabilities;
use common::job::companion::Suffix;
use common::job::failure::Failure;
use common::names::location::Location;
use common::recipe::Companions;

use crate::attempt::scratch::AttemptFolder;
use crate::attempt::steps::Verified;
use crate::attempt::tool_output::ToolOutput;
use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::Runner;
use crate::ffmpeg::{Source, file};

pub use made::Made;
pub(crate) use subtitles::extract;

/// Makes the companions of an output that will lie at `output`. `card` tells which encoder a preview gets.
///
/// # Errors
/// If ffmpeg cannot read its own output, or the disk refuses: the worker is at fault, or the failure is in doubt.
pub async fn make(
    verified: &Verified,
    output: &Location,
    card: Option<&Capabilities>,
) -> Result<Vec<Made>, Failure> {
    let prepared = &verified.encoded.probed.prepared;
    let Companions {
        thumbnails,
        contact_sheet,
        sprites,
        preview,
    } = prepared.recipe.companions;
    let media = &verified.checked.media;
    let Some(film) = media.films().next() else {
        return Ok(Vec::new());
    };
    let path = verified.output.path();
    let maker = Maker {
        runner: prepared
            .runner
            .reading(path)
            .writing(prepared.folder.work_path()),
        folder: &prepared.folder,
        source: Source::File(path.to_owned()),
        film,
        duration: film.duration.or(media.duration).unwrap_or(0.0),
    };
    maker.prepare().await?;
    let mut made = Vec::new();
    for number in 1..=thumbnails {
        made.push(maker.thumbnail(number, thumbnails).await?);
    }
    if contact_sheet {
        made.push(maker.contact_sheet().await?);
    }
    if sprites {
        made.extend(maker.sprites(output).await?);
    }
    if preview {
        made.push(maker.preview(preview::encoder(card)).await?);
    }
    Ok(made)
}

/// Makes files of one output.
struct Maker<'a> {
    /// Reads the output, and writes to the working folder.
    runner: Runner,
    folder: &'a AttemptFolder,
    source: Source,
    film: &'a Stream,
    /// The length of the film in seconds.
    duration: f64,
}

impl Maker<'_> {
    /// Runs ffmpeg with these arguments in place of `input` and for the named file. `before` come before the input.
    async fn run(&self, before: &[String], after: &[String], name: &str) -> Result<(), Failure> {
        let mut arguments: Vec<OsString> = ["-nostdin", "-hide_banner", "-v", "error", "-y"]
            .map(OsString::from)
            .into();
        arguments.extend(before.iter().map(OsString::from));
        arguments.extend(self.source.arguments());
        arguments.extend(after.iter().map(OsString::from));
        arguments.push(file(&self.path(name)));
        self.ffmpeg(&arguments).await
    }

    async fn ffmpeg(&self, arguments: &[OsString]) -> Result<(), Failure> {
        let ran = self.runner.ffmpeg(arguments, Origin::Local, |_| {}).await;
        ran.map(drop).map_err(|failure| Failure {
            message: format!("a file beside the output: {}", failure.message),
            ..failure
        })
    }

    /// The path of a file while it is made.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.work_path().join(name)
    }

    fn is_there(&self, name: &str) -> bool {
        self.folder.work().symlink_metadata(name).is_ok()
    }

    /// Takes a file that ffmpeg made. Its name is its suffix.
    fn take(&self, suffix: &str) -> Result<Made, Failure> {
        Ok(Made {
            suffix: Suffix::new(suffix).map_err(|error| Failure::worker(error.to_string()))?,
            file: ToolOutput::take(self.folder, suffix)?,
        })
    }

    /// Makes a file of this text.
    async fn text(&self, suffix: &str, text: String) -> Result<Made, Failure> {
        self.folder.put(suffix, text).await?;
        self.take(suffix)
    }
}
