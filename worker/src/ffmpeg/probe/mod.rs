//! Reads the properties of a file with ffprobe.

pub mod answer;
pub mod beginning;
pub mod count;
mod facts;
pub mod first_packets;
pub mod media;
pub mod packets;
mod side_data;
pub mod survey;
pub mod times;
pub mod whole;

use std::ffi::OsString;
use std::fs::File;
use std::io::Cursor;

use common::job::failure::{Failure, Fault};

use super::Source;
use crate::ffmpeg::containers::matroska;
use crate::ffmpeg::probe::answer::{look_at_frames, parse};
use crate::ffmpeg::probe::beginning::beginning;
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::run::fault;
use crate::ffmpeg::run::runner::Runner;

/// The number of video packets to decode from the beginning. Only frames show HDR metadata, captions and fields.
const FIRST_PACKETS: &str = "%+#8";

/// Reads the properties of a file.
///
/// # Errors
/// If the file is no media, the input is at fault. Otherwise the failure of ffprobe.
pub async fn probe(runner: &Runner, source: &Source) -> Result<Media, Failure> {
    let origin = fault::Origin::of(source);
    let run = |what: &[&str]| {
        let mut arguments: Vec<OsString> =
            ["-v", "error", "-of", "json"].map(OsString::from).into();
        arguments.extend(what.iter().map(OsString::from));
        arguments.extend(source.arguments());
        async move { runner.ffprobe(&arguments, origin).await }
    };
    let whole = run(&["-show_streams", "-show_format", "-show_chapters"]);
    // A capital V excludes covers.
    let first = run(&[
        "-select_streams",
        "V",
        "-show_frames",
        "-read_intervals",
        FIRST_PACKETS,
    ]);
    let (whole, first, packets) =
        tokio::join!(whole, first, first_packets::read(runner, source, None));
    let whole = whole.map_err(|mut failure| {
        if failure.fault == Fault::Input {
            failure.message = format!(
                "this is no media that ffmpeg can read ({})",
                failure.message
            );
        }
        failure
    })?;
    let mut media = parse(&whole)?;
    if media.format.starts_with("matroska") {
        media = look_at_header(runner, source, media).await;
    }
    match first {
        Ok(frames) => look_at_frames(&mut media, &frames),
        Err(failure) if failure.fault == Fault::Passing => return Err(failure),
        // The properties of the streams must do. If the file is damaged, the encode will fail with the reason.
        Err(failure) => tracing::debug!(%failure, "no frame could be looked at"),
    }
    if let Some(packets) = packets? {
        first_packets::apply(runner, source, &mut media, &packets).await?;
    }
    Ok(media)
}

/// Adds the properties of a Matroska file that ffprobe does not print.
async fn look_at_header(runner: &Runner, source: &Source, media: Media) -> Media {
    match source {
        Source::File(path) | Source::Outline(path) => {
            let (path, unchanged) = (path.clone(), media.clone());
            let read = move || {
                let mut media = media;
                match File::open(&path) {
                    Ok(file) => matroska::look(file, &mut media),
                    Err(error) => tracing::debug!(%error, "the header of a file cannot be read"),
                }
                media
            };
            // A mount that hangs must not block other jobs.
            let result = tokio::task::spawn_blocking(read).await;
            result.unwrap_or(unchanged)
        }
        Source::Url(_) => {
            let mut media = media;
            match beginning(runner, source).await {
                Ok(bytes) => matroska::look(Cursor::new(bytes), &mut media),
                Err(failure) => {
                    tracing::debug!(%failure, "the header of an object cannot be read");
                }
            }
            media
        }
    }
}
