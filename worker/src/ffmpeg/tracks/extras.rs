//! Covers, attachments and data streams: everything except films, audio and subtitles.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use common::job::changes::{Change, Kind};
use common::job::failure::{Failure, Fault};
use common::recipe::Container;

use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::Runner;
use crate::ffmpeg::tracks::{Track, TrackMethod};
use crate::ffmpeg::{Source, file};

/// The decision about a stream that is neither film nor audio nor subtitles.
#[derive(Debug, PartialEq)]
pub(crate) enum Extra {
    /// The stream becomes a track.
    Track(TrackMethod),
    /// The container holds the same content in another place.
    Elsewhere,
    /// The stream is left out, for this reason.
    Lost(Kind, String),
}

/// Decides about an extra stream. `None` for other streams.
pub(crate) fn choose(stream: &Stream, media: &Media, container: Container) -> Option<Extra> {
    Some(match stream.kind {
        StreamKind::Video if stream.is_picture => picture(stream, container),
        StreamKind::Attachment if container == Container::Mkv => Extra::Track(TrackMethod::Copy),
        StreamKind::Attachment if container.is_audio_only() => Extra::Lost(
            Kind::Attachment,
            "fonts serve subtitles, which the output has none of".to_owned(),
        ),
        StreamKind::Attachment => {
            Extra::Lost(Kind::Attachment, "only mkv holds attachments".to_owned())
        }
        StreamKind::Data => data(stream, media, container),
        _ => return None,
    })
}

fn picture(stream: &Stream, container: Container) -> Extra {
    let kind = Kind::Cover;
    match container {
        // ffmpeg's Matroska muxer would turn a cover into a film of one frame.
        Container::Mkv | Container::Mka if stream.is_cover() && extension(stream).is_some() => {
            Extra::Track(TrackMethod::Attach)
        }
        Container::Mkv if !stream.is_cover() => Extra::Track(TrackMethod::Copy),
        Container::Mkv | Container::Mka => {
            Extra::Lost(kind, format!("{} is no form of covers", stream.codec))
        }
        Container::Mp4 | Container::M4a | Container::Mp3 | Container::Flac if stream.width == 0 => {
            Extra::Lost(kind, "ffmpeg cannot read the picture".to_owned())
        }
        Container::Mp3 | Container::Flac if matches!(stream.codec.as_str(), "mjpeg" | "png") => {
            Extra::Track(TrackMethod::Copy)
        }
        Container::Mp3 | Container::Flac => Extra::Lost(
            kind,
            format!(
                "{container} holds covers of JPEG and PNG, not {}",
                stream.codec
            ),
        ),
        Container::Mp4 | Container::M4a => match stream.codec.as_str() {
            "mjpeg" | "png" | "bmp" => Extra::Track(TrackMethod::Copy),
            codec => Extra::Lost(
                kind,
                format!("{container} holds covers of JPEG, PNG and BMP, not {codec}"),
            ),
        },
        Container::Mov
            if !stream.is_cover() && matches!(stream.codec.as_str(), "mjpeg" | "png") =>
        {
            Extra::Track(TrackMethod::Copy)
        }
        Container::Mov | Container::Webm | Container::Opus => {
            Extra::Lost(kind, format!("ffmpeg writes no covers to {container}"))
        }
        Container::Cmaf => Extra::Lost(kind, "players of ladders show no covers".to_owned()),
    }
}

fn data(stream: &Stream, media: &Media, container: Container) -> Extra {
    let has_timecode = || {
        media
            .films()
            .flat_map(|film| film.tags.keys())
            .any(|key| key.eq_ignore_ascii_case("timecode"))
    };
    match stream.codec_tag.as_str() {
        // The names of chapters. The output gets its own track for them.
        "text" if !media.chapters.is_empty() => Extra::Elsewhere,
        // The films have the timecode as a tag, from which ffmpeg makes such a track.
        "tmcd" if has_timecode() => Extra::Elsewhere,
        "tmcd" => Extra::Lost(Kind::Timecode, "it belongs to no film".to_owned()),
        "gpmd" if matches!(container, Container::Mp4 | Container::Mov) => {
            Extra::Track(TrackMethod::Copy)
        }
        _ => Extra::Lost(
            Kind::Track,
            format!("ffmpeg writes no such data to {container}"),
        ),
    }
}

/// The file name extension of a picture. `None` if its codec is not used for covers.
fn extension(picture: &Stream) -> Option<&'static str> {
    Some(match picture.codec.as_str() {
        "mjpeg" => "jpg",
        "png" => "png",
        "bmp" => "bmp",
        "gif" => "gif",
        "webp" => "webp",
        "tiff" => "tiff",
        _ => return None,
    })
}

/// The covers to attach, with the files from which ffmpeg reads them.
fn covers<'a>(
    tracks: &'a [Track],
    folder: &'a Path,
) -> impl Iterator<Item = (usize, &'a Stream, PathBuf)> {
    let attached = tracks
        .iter()
        .enumerate()
        .filter(|(_, track)| track.by == TrackMethod::Attach);
    attached.map(|(number, track)| {
        let path = folder.join(cover(number));
        (number, &track.source, path)
    })
}

/// The name of the file with the cover that becomes this track.
fn cover(number: usize) -> String {
    format!("cover-{number}")
}

/// The names of the files with the covers to be attached.
pub fn covers_in(tracks: &[Track]) -> impl Iterator<Item = String> {
    let tracks = tracks.iter().enumerate();
    let attached = tracks.filter(|(_, track)| track.by == TrackMethod::Attach);
    attached.map(|(number, _)| cover(number))
}

/// The command line that extracts covers into `folder`, from where they are attached. `None` if there is no cover.
pub(crate) fn bring_covers(
    source: &Source,
    tracks: &[Track],
    folder: &Path,
) -> Option<Vec<OsString>> {
    let mut line: Vec<OsString> = ["-nostdin", "-hide_banner", "-v", "warning", "-y"]
        .map(OsString::from)
        .into();
    line.extend(source.arguments());
    let before = line.len();
    for (_, cover, path) in covers(tracks, folder) {
        line.extend(["-map".into(), format!("0:{}", cover.index).into()]);
        line.extend(["-c", "copy", "-frames:v", "1", "-f", "image2pipe"].map(OsString::from));
        line.push(file(&path));
    }
    (line.len() > before).then_some(line)
}

/// Extracts covers into the runner's folder, by the command line of [`bring_covers`]. Returns the indices of the
/// streams that could not be extracted.
///
/// # Errors
/// If the worker is at fault, or if the fault is passing.
pub async fn bring(
    runner: &Runner,
    source: &Source,
    before: &[OsString],
    tracks: &[Track],
) -> Result<Vec<usize>, Failure> {
    if let Err(failure) = runner.ffmpeg(before, Origin::of(source), |_| {}).await {
        let may_be_the_covers = failure.fault == Fault::Input || failure.doubt.is_some();
        if !may_be_the_covers {
            return Err(failure);
        }
    }
    let is_there = |path: &Path| {
        let found = path.symlink_metadata();
        found.is_ok_and(|found| found.is_file() && found.len() > 0)
    };
    Ok(covers(tracks, &runner.sandbox.home)
        .filter(|(_, _, path)| !is_there(path))
        .map(|(_, cover, _)| cover.index)
        .collect())
}

/// Attaches the covers that [`bring_covers`] extracts, and names attachments that have no name.
pub(crate) fn arguments(tracks: &[Track], folder: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let tag = |number: usize, key: &str, value: &str| {
        let tag = [format!("-metadata:s:{number}"), format!("{key}={value}")];
        tag.map(OsString::from)
    };
    for (number, cover, path) in covers(tracks, folder) {
        let extension = extension(cover).unwrap_or("jpg");
        let tag_value = |key: &str| cover.tags.get(key).cloned();
        let name = tag_value("filename").unwrap_or_else(|| format!("cover.{extension}"));
        let form = tag_value("mimetype").unwrap_or_else(|| {
            format!(
                "image/{}",
                if extension == "jpg" {
                    "jpeg"
                } else {
                    extension
                }
            )
        });
        arguments.extend(["-attach".into(), file(&path)]);
        arguments.extend(tag(number, "mimetype", &form));
        arguments.extend(tag(number, "filename", &name));
        if let Some(title) = tag_value("title") {
            arguments.extend(tag(number, "title", &title));
        }
    }
    // Matroska refuses attachments without these tags.
    for (number, track) in tracks.iter().enumerate() {
        if track.source.kind != StreamKind::Attachment {
            continue;
        }
        let has = |key: &str| track.source.tags.contains_key(key);
        if !has("filename") {
            arguments.extend(tag(number, "filename", &format!("attachment-{number}")));
        }
        if !has("mimetype") {
            arguments.extend(tag(number, "mimetype", "application/octet-stream"));
        }
    }
    arguments
}

/// Posters that become covers, because mp4 has no other place for a single picture.
pub(crate) fn changes(container: Container, tracks: &[Track]) -> Vec<Change> {
    if container != Container::Mp4 {
        return Vec::new();
    }
    let posters = tracks
        .iter()
        .map(|track| &track.source)
        .filter(|source| source.is_picture && !source.is_cover());
    posters
        .map(|poster| {
            let why = format!("{container} holds single pictures as covers");
            let from = "video track of one picture";
            Change::converted(Kind::Cover, poster.index, from, "a cover", why)
        })
        .collect()
}
