//! What a file holds, as ffprobe sees it.

use std::collections::BTreeMap;
use std::ffi::OsString;

use common::card::bit_depth;
use common::failure::{Failure, Fault};
use common::media_info::{MOST_TRACKS, MediaInfo, TrackInfo};
use common::printable::printable;
use serde::Deserialize;

use super::process::Runner;
use super::{Source, fault};

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Media {
    /// Length in seconds, where the file says it.
    pub duration: Option<f64>,
    /// Bytes, where known.
    pub size: Option<u64>,
    /// ffmpeg's name of the demuxer, e.g. `matroska,webm`.
    pub format: String,
    /// Its streams, by index.
    pub streams: Vec<Stream>,
}

/// One stream of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stream {
    /// Its place among all streams of the file.
    pub index: usize,
    /// What it carries.
    pub kind: StreamKind,
    /// ffmpeg's name of the codec; empty where ffmpeg does not know it.
    pub codec: String,
    /// Picture size in pixels as stored, before rotation; 0 where there is none.
    pub width: u32,
    /// See `width`.
    pub height: u32,
    /// ffmpeg's name of the pixel format; empty where there is none.
    pub pixel_format: String,
    /// Smallest frame rate that fits all timestamps, frames per second.
    pub base_rate: Option<Ratio>,
    /// Mean frame rate, frames per second.
    pub mean_rate: Option<Ratio>,
    /// Unit of its timestamps, in seconds.
    pub time_base: Option<Ratio>,
    /// Frames that the container says it has.
    pub frames: Option<u64>,
    /// Length in seconds, where the container says it.
    pub duration: Option<f64>,
    /// A cover and not a film.
    pub is_picture: bool,
    /// Degrees by which a player turns the picture: 0, 90, 180 or 270.
    pub rotation: u16,
    /// Channels of sound; 0 where there is none.
    pub channels: u32,
    /// Tags, e.g. `language`.
    pub tags: BTreeMap<String, String>,
}

/// What a stream carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum StreamKind {
    Video,
    Audio,
    Subtitle,
    Attachment,
    #[default]
    Data,
}

impl std::fmt::Display for StreamKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Subtitle => "subtitle",
            Self::Attachment => "attachment",
            Self::Data => "data",
        })
    }
}

/// A ratio of two positive numbers, exact as ffmpeg gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Above the line.
    pub numerator: u32,
    /// Below the line.
    pub denominator: u32,
}

impl Ratio {
    /// As one number.
    pub fn value(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    fn parse(text: &str) -> Option<Self> {
        let (numerator, denominator) = text.split_once('/')?;
        let ratio = Self {
            numerator: numerator.parse().ok()?,
            denominator: denominator.parse().ok()?,
        };
        (ratio.numerator > 0 && ratio.denominator > 0).then_some(ratio)
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl Stream {
    /// Bits per sample of its pictures.
    pub fn depth(&self) -> u8 {
        bit_depth(&self.pixel_format)
    }

    fn info(&self) -> Option<TrackInfo> {
        let codec = self.codec.clone();
        let language = || Some(printable(self.tags.get("language")?)).filter(|tag| tag.len() < 36);
        match self.kind {
            StreamKind::Video => {
                let (width, height) = self.shown();
                Some(TrackInfo::Video {
                    codec,
                    width,
                    height,
                    fps: self.mean_rate.map(Ratio::value),
                    depth: self.depth(),
                })
            }
            StreamKind::Audio => Some(TrackInfo::Audio {
                codec,
                channels: self.channels,
                language: language(),
            }),
            StreamKind::Subtitle => Some(TrackInfo::Subtitles {
                codec,
                language: language(),
            }),
            StreamKind::Attachment | StreamKind::Data => None,
        }
    }

    /// A film: video that is no cover.
    pub fn is_film(&self) -> bool {
        self.kind == StreamKind::Video && !self.is_picture
    }

    /// Width and height in pixels as a player shows it.
    pub fn shown(&self) -> (u32, u32) {
        if self.rotation.is_multiple_of(180) {
            (self.width, self.height)
        } else {
            (self.height, self.width)
        }
    }
}

impl Media {
    /// What people compare files by.
    pub fn info(&self) -> MediaInfo {
        MediaInfo {
            format: self.format.clone(),
            duration: self.duration,
            tracks: self
                .streams
                .iter()
                .filter_map(Stream::info)
                .take(MOST_TRACKS)
                .collect(),
        }
    }

    /// The films among its streams.
    pub fn films(&self) -> impl Iterator<Item = &Stream> {
        self.streams.iter().filter(|stream| stream.is_film())
    }
}

/// Looks at a file.
///
/// # Errors
/// The input's fault where it is no media; else whatever kept ffprobe from looking.
pub async fn probe(runner: &Runner, source: &Source) -> Result<Media, Failure> {
    let mut arguments: Vec<OsString> = ["-v", "error", "-of", "json", "-show_streams"]
        .map(OsString::from)
        .into();
    arguments.push("-show_format".into());
    arguments.extend(source.arguments());
    let output = runner
        .ffprobe(&arguments, fault::Origin::of(source))
        .await
        .map_err(|mut failure| {
            if failure.fault == Fault::Input {
                failure.message = format!(
                    "this is no media that ffmpeg can read ({})",
                    failure.message
                );
            }
            failure
        })?;
    parse(&output)
}

/// Reads ffprobe's JSON.
fn parse(json: &[u8]) -> Result<Media, Failure> {
    // Tags may hold bytes that are no UTF-8.
    let raw: Raw = serde_json::from_str(&String::from_utf8_lossy(json))
        .map_err(|error| Failure::worker(format!("ffprobe's answer cannot be read: {error}")))?;
    if raw.streams.is_empty() {
        return Err(Failure::input("input holds no video, audio or subtitles"));
    }
    Ok(Media {
        duration: raw.format.length(),
        size: raw.format.size.and_then(|size| size.parse().ok()),
        format: raw.format.format_name,
        streams: raw.streams.into_iter().map(Stream::from).collect(),
    })
}

fn seconds(text: &str) -> Option<f64> {
    text.parse()
        .ok()
        .filter(|seconds: &f64| seconds.is_finite() && *seconds > 0.0)
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    streams: Vec<RawStream>,
    #[serde(default)]
    format: RawFormat,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawFormat {
    format_name: String,
    duration: Option<String>,
    start_time: Option<String>,
    size: Option<String>,
}

impl RawFormat {
    /// Seconds from its first frame to its end. Matroska states the end only,
    /// and a recording that was cut need not begin at 0.
    fn length(&self) -> Option<f64> {
        let end = self.duration.as_deref().and_then(seconds)?;
        let start = self.start_time.as_deref().and_then(seconds).unwrap_or(0.0);
        if self.format_name.starts_with("matroska") && (0.0..end).contains(&start) {
            Some(end - start)
        } else {
            Some(end)
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawStream {
    index: usize,
    codec_type: String,
    codec_name: String,
    width: u32,
    height: u32,
    pix_fmt: String,
    r_frame_rate: String,
    avg_frame_rate: String,
    time_base: String,
    nb_frames: Option<String>,
    duration: Option<String>,
    channels: u32,
    disposition: Disposition,
    tags: BTreeMap<String, String>,
    side_data_list: Vec<SideData>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Disposition {
    attached_pic: u8,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SideData {
    rotation: Option<f64>,
}

impl From<RawStream> for Stream {
    fn from(raw: RawStream) -> Self {
        let rotation = raw.side_data_list.iter().find_map(|data| data.rotation);
        Self {
            index: raw.index,
            kind: match raw.codec_type.as_str() {
                "video" => StreamKind::Video,
                "audio" => StreamKind::Audio,
                "subtitle" => StreamKind::Subtitle,
                "attachment" => StreamKind::Attachment,
                _ => StreamKind::Data,
            },
            codec: raw.codec_name,
            width: raw.width,
            height: raw.height,
            pixel_format: raw.pix_fmt,
            base_rate: Ratio::parse(&raw.r_frame_rate),
            mean_rate: Ratio::parse(&raw.avg_frame_rate),
            time_base: Ratio::parse(&raw.time_base),
            frames: raw.nb_frames.and_then(|frames| frames.parse().ok()),
            duration: raw.duration.as_deref().and_then(seconds),
            is_picture: raw.disposition.attached_pic != 0,
            // Turned to a multiple of 90, in the direction of players.
            rotation: ((-rotation.unwrap_or(0.0) / 90.0).round() as i64).rem_euclid(4) as u16 * 90,
            channels: raw.channels,
            tags: raw.tags,
        }
    }
}

/// What of a stream is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Packets: reads the file, decodes nothing.
    Packets,
    /// Frames that a full decode gives.
    Frames,
}

/// What a count found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub frames: u64,
    /// What the decoder complained of, in ffmpeg's words; empty for a sound stream.
    pub complaints: Vec<String>,
}

/// Counts the packets or frames of one stream. Complaints about its content are
/// told, not failures.
///
/// # Errors
/// Where the input cannot be read to its end.
pub async fn count(
    runner: &Runner,
    source: &Source,
    stream: usize,
    what: Count,
) -> Result<Counted, Failure> {
    let mut arguments: Vec<OsString> = ["-nostdin", "-hide_banner", "-v", "error"]
        .map(OsString::from)
        .into();
    arguments.extend(source.arguments());
    arguments.extend(["-map".into(), format!("0:{stream}").into()]);
    arguments.extend(
        match what {
            Count::Packets => ["-c", "copy", "-copyinkf"],
            Count::Frames => ["-fps_mode", "passthrough", "-an"],
        }
        .map(OsString::from),
    );
    arguments.extend(["-f", "null", "-"].map(OsString::from));
    let finished = runner
        .ffmpeg(&arguments, fault::Origin::of(source), |_| {})
        .await?;
    Ok(Counted {
        frames: finished.progress.frame,
        complaints: fault::complaints(finished.log),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ffprobes_answer_becomes_media() {
        let json = br#"{
            "streams": [
                {"index": 0, "codec_name": "hevc", "codec_type": "video", "width": 1920, "height": 1080,
                 "pix_fmt": "yuv420p10le", "r_frame_rate": "24000/1001", "avg_frame_rate": "0/0",
                 "time_base": "1/24000", "nb_frames": "240", "duration": "10.01",
                 "disposition": {"attached_pic": 0},
                 "side_data_list": [{"side_data_type": "Display Matrix", "rotation": -90}]},
                {"index": 1, "codec_type": "audio", "codec_name": "ac3", "channels": 6, "tags": {"language": "eng"}},
                {"index": 2, "codec_type": "video", "codec_name": "mjpeg", "disposition": {"attached_pic": 1}},
                {"index": 3, "codec_type": "data"}
            ],
            "format": {"format_name": "mov,mp4", "duration": "10.010000", "size": "1000"}
        }"#;
        let media = parse(json).expect("media");
        assert_eq!(media.duration, Some(10.01));
        let film = media.films().next().expect("a film");
        assert_eq!(film.depth(), 10);
        assert_eq!((film.rotation, film.shown()), (90, (1080, 1920)));
        assert_eq!((film.frames, film.mean_rate), (Some(240), None));
        assert_eq!(media.films().count(), 1);
        assert_eq!(media.streams[1].tags["language"], "eng");
        assert_eq!(media.streams[3].kind, StreamKind::Data);
    }

    #[test]
    fn no_streams_is_the_inputs_fault() {
        let failure = parse(br#"{"format": {}}"#).expect_err("nothing in it");
        assert_eq!(failure.fault, Fault::Input);
    }
}
