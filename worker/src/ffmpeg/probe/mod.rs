//! Looks at a file with ffprobe.

pub mod beginning;
pub mod count;
pub mod first_packets;
pub mod media;
pub mod survey;
pub mod times;
pub mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::io::Cursor;

use common::job::failure::{Doubt, Failure, Fault};
use serde::Deserialize;
use serde_json::Value;

use super::Source;
use crate::ffmpeg::containers::matroska;
use crate::ffmpeg::probe::beginning::beginning;
use crate::ffmpeg::probe::media::{
    Chapter, Colour, ContentLight, DolbyVision, Hdr10, MasteringDisplay, Media, Ratio, Stream,
    StreamKind,
};
use crate::ffmpeg::run::fault;
use crate::ffmpeg::run::runner::Runner;

/// Packets of video from the beginning, whose frames are looked at for what only frames tell: HDR metadata, captions, fields.
const FIRST_PACKETS: &str = "%+#8";

/// Looks at a file.
///
/// # Errors
/// The input's fault where it is no media; else whatever kept ffprobe from looking.
pub async fn probe(runner: &Runner, source: &Source) -> Result<Media, Failure> {
    let origin = fault::Origin::of(source);
    let ask = |what: &[&str]| {
        let mut arguments: Vec<OsString> =
            ["-v", "error", "-of", "json"].map(OsString::from).into();
        arguments.extend(what.iter().map(OsString::from));
        arguments.extend(source.arguments());
        async move { runner.ffprobe(&arguments, origin).await }
    };
    let whole = ask(&["-show_streams", "-show_format", "-show_chapters"]);
    // A capital V leaves covers out.
    let first = ask(&[
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
        look_at_header(runner, source, &mut media).await;
    }
    match first {
        Ok(frames) => look_at_frames(&mut media, &frames),
        Err(failure) if failure.fault == Fault::Passing => return Err(failure),
        // What the streams say has to do: the encode will tell what is wrong.
        Err(failure) => tracing::debug!(%failure, "no frame could be looked at"),
    }
    if let Some(packets) = packets? {
        first_packets::tell(runner, source, &mut media, &packets).await?;
    }
    Ok(media)
}

/// Adds what ffprobe does not tell of a Matroska file.
async fn look_at_header(runner: &Runner, source: &Source, media: &mut Media) {
    match source {
        Source::File(path) => match File::open(path) {
            Ok(file) => matroska::look(file, media),
            Err(error) => tracing::debug!(%error, "the header of a file cannot be read"),
        },
        Source::Url(_) => match beginning(runner, source).await {
            Ok(bytes) => matroska::look(Cursor::new(bytes), media),
            Err(failure) => tracing::debug!(%failure, "the header of an object cannot be read"),
        },
    }
}

/// Reads ffprobe's JSON.
fn parse(json: &[u8]) -> Result<Media, Failure> {
    // Tags may hold bytes that are no UTF-8.
    let raw: Raw = serde_json::from_str(&String::from_utf8_lossy(json)).map_err(|error| {
        let what = format!("ffprobe's answer cannot be read: {error}");
        Failure::in_doubt(Doubt::Proof, what)
    })?;
    if raw.streams.is_empty() {
        return Err(Failure::input("input holds no video, audio or subtitles"));
    }
    let mut media = Media {
        duration: raw.format.length(),
        size: raw.format.size.and_then(|size| size.parse().ok()),
        format: raw.format.format_name,
        streams: raw.streams.into_iter().map(Stream::from).collect(),
        chapters: raw.chapters.into_iter().map(Chapter::from).collect(),
        tags: raw.format.tags,
    };
    media.mark_posters();
    Ok(media)
}

/// Adds what the first frames tell of their streams.
fn look_at_frames(media: &mut Media, json: &[u8]) {
    let Ok(raw) = serde_json::from_str::<RawFrames>(&String::from_utf8_lossy(json)) else {
        return;
    };
    for frame in raw.frames {
        let Some(stream) = media
            .streams
            .iter_mut()
            .find(|stream| stream.index == frame.stream_index)
        else {
            continue;
        };
        stream.is_interlaced |= frame.interlaced_frame != 0;
        stream.is_bottom_first |= frame.interlaced_frame != 0 && frame.top_field_first == 0;
        for data in &frame.side_data_list {
            data.tell(stream);
        }
    }
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
    chapters: Vec<RawChapter>,
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
    tags: BTreeMap<String, String>,
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
struct RawChapter {
    start_time: String,
    end_time: String,
    tags: BTreeMap<String, String>,
}

impl From<RawChapter> for Chapter {
    fn from(mut raw: RawChapter) -> Self {
        Self {
            start: raw.start_time.parse().unwrap_or(0.0),
            end: raw.end_time.parse().unwrap_or(0.0),
            title: raw.tags.remove("title").unwrap_or_default(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawStream {
    index: usize,
    codec_type: String,
    codec_name: String,
    codec_tag_string: String,
    profile: String,
    width: u32,
    height: u32,
    pix_fmt: String,
    sample_aspect_ratio: String,
    color_range: String,
    color_space: String,
    color_transfer: String,
    color_primaries: String,
    field_order: String,
    closed_captions: u8,
    r_frame_rate: String,
    avg_frame_rate: String,
    time_base: String,
    nb_frames: Option<String>,
    duration: Option<String>,
    start_time: Option<String>,
    channels: u32,
    channel_layout: String,
    has_b_frames: u32,
    sample_rate: String,
    disposition: BTreeMap<String, u8>,
    tags: BTreeMap<String, String>,
    side_data_list: Vec<SideData>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawFrames {
    frames: Vec<RawFrame>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawFrame {
    stream_index: usize,
    interlaced_frame: u8,
    top_field_first: u8,
    side_data_list: Vec<SideData>,
}

/// What ffprobe prints beside a stream or a frame: a name, and fields that depend on the name.
#[derive(Default, Deserialize)]
#[serde(default)]
struct SideData {
    side_data_type: String,
    #[serde(flatten)]
    fields: BTreeMap<String, Value>,
}

impl SideData {
    /// Writes what it says to the stream that it belongs to.
    fn tell(&self, stream: &mut Stream) {
        match self.side_data_type.as_str() {
            "Display Matrix" | "3x3 displaymatrix" => self.turn(stream),
            "Mastering display metadata" => stream.hdr10.mastering = Some(self.mastering()),
            "Content light level metadata" => {
                stream.hdr10.light = Some(ContentLight {
                    max: self.number("max_content"),
                    average: self.number("max_average"),
                });
            }
            "DOVI configuration record" => {
                stream.dolby_vision = Some(DolbyVision {
                    profile: self.number("dv_profile"),
                    level: self.number("dv_level"),
                    compatibility: self.number("dv_bl_signal_compatibility_id"),
                    has_enhancement_layer: self.number::<u8>("el_present_flag") != 0,
                });
            }
            // A raw stream has no record, but its frames have the metadata.
            "Dolby Vision RPU Data" | "Dolby Vision Metadata" => {
                stream.dolby_vision.get_or_insert_default();
            }
            name if name.contains("HDR10+") => stream.has_hdr10plus = true,
            name if name.contains("Closed Captions") => stream.has_captions = true,
            _ => {}
        }
    }

    fn number<N: TryFrom<i64> + Default>(&self, field: &str) -> N {
        let number = self.fields.get(field).and_then(Value::as_i64);
        number
            .and_then(|number| N::try_from(number).ok())
            .unwrap_or_default()
    }

    /// A ratio in units of `1 / unit`.
    fn ratio(&self, field: &str, unit: f64) -> Option<u32> {
        let text = self.fields.get(field)?.as_str()?;
        let (numerator, denominator) = text.split_once('/')?;
        let numerator: f64 = numerator.parse().ok()?;
        let denominator: f64 = denominator.parse().ok()?;
        (denominator > 0.0).then(|| (numerator / denominator * unit).round() as u32)
    }

    fn mastering(&self) -> MasteringDisplay {
        let point = |name: &str| {
            let x = self.ratio(&format!("{name}_x"), 50_000.0)?;
            Some((x, self.ratio(&format!("{name}_y"), 50_000.0)?))
        };
        let points = || {
            Some([
                point("red")?,
                point("green")?,
                point("blue")?,
                point("white_point")?,
            ])
        };
        let luminance = |name: &str| self.ratio(name, 10_000.0);
        MasteringDisplay {
            chromaticities: points(),
            luminance: luminance("min_luminance").zip(luminance("max_luminance")),
        }
    }

    fn turn(&self, stream: &mut Stream) {
        let degrees = self.fields.get("rotation").and_then(Value::as_f64);
        // Turned to a multiple of 90, in the direction of players.
        stream.rotation =
            ((-degrees.unwrap_or(0.0) / 90.0).round() as i64).rem_euclid(4) as u16 * 90;
        let matrix = self.fields.get("displaymatrix").and_then(Value::as_str);
        stream.is_mirrored = matrix.is_some_and(mirrors);
    }
}

/// Whether a display matrix, as ffprobe prints it, mirrors: its determinant is negative.
fn mirrors(matrix: &str) -> bool {
    let rows: Vec<Vec<f64>> = matrix
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(_, numbers)| numbers.split_whitespace().flat_map(str::parse).collect())
        .collect();
    match rows.as_slice() {
        [first, second, ..] if first.len() > 1 && second.len() > 1 => {
            first[0] * second[1] - first[1] * second[0] < 0.0
        }
        _ => false,
    }
}

impl From<RawStream> for Stream {
    fn from(raw: RawStream) -> Self {
        let dispositions: BTreeSet<String> = raw
            .disposition
            .into_iter()
            .filter(|(_, is_set)| *is_set != 0)
            .map(|(name, _)| name)
            .collect();
        let says_alpha = |key: &str| raw.tags.get(key).is_some_and(|value| value == "1");
        let mut stream = Self {
            index: raw.index,
            kind: match raw.codec_type.as_str() {
                "video" => StreamKind::Video,
                "audio" => StreamKind::Audio,
                "subtitle" => StreamKind::Subtitle,
                "attachment" => StreamKind::Attachment,
                _ => StreamKind::Data,
            },
            codec: raw.codec_name,
            profile: known(raw.profile),
            // ffprobe prints what is no letter as its number.
            codec_tag: Some(raw.codec_tag_string)
                .filter(|tag| !tag.contains('['))
                .unwrap_or_default(),
            width: raw.width,
            height: raw.height,
            has_alpha: has_alpha(&raw.pix_fmt)
                || says_alpha("alpha_mode")
                || says_alpha("ALPHA_MODE"),
            pixel_format: raw.pix_fmt,
            sample_aspect: Ratio::parse(&raw.sample_aspect_ratio),
            colour: Colour {
                range: known(raw.color_range),
                matrix: known(raw.color_space),
                transfer: known(raw.color_transfer),
                primaries: known(raw.color_primaries),
            },
            is_interlaced: matches!(raw.field_order.as_str(), "tt" | "bb" | "tb" | "bt"),
            is_bottom_first: raw.field_order == "bb",
            field_order: known(raw.field_order),
            hdr10: Hdr10::default(),
            has_hdr10plus: false,
            dolby_vision: None,
            has_captions: raw.closed_captions != 0,
            base_rate: Ratio::parse(&raw.r_frame_rate),
            mean_rate: Ratio::parse(&raw.avg_frame_rate),
            time_base: Ratio::parse(&raw.time_base),
            frames: raw.nb_frames.and_then(|frames| frames.parse().ok()),
            duration: raw.duration.as_deref().and_then(seconds),
            is_reordered: raw.has_b_frames > 0,
            hidden: 0.0,
            absent: None,
            start: raw.start_time.and_then(|start| start.parse().ok()),
            is_picture: dispositions.contains("attached_pic"),
            reader: None,
            rotation: 0,
            is_mirrored: false,
            channels: raw.channels,
            layout: known(raw.channel_layout),
            sample_rate: raw.sample_rate.parse().unwrap_or(0),
            dispositions,
            tags: raw.tags,
        };
        for data in &raw.side_data_list {
            data.tell(&mut stream);
        }
        stream
    }
}

/// ffprobe's word for a thing, or nothing where it knows none.
fn known(word: String) -> String {
    if word == "unknown" {
        String::new()
    } else {
        word
    }
}

/// Whether a pixel format, by ffmpeg's name, holds transparency.
fn has_alpha(pixel_format: &str) -> bool {
    [
        "yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16", "ayuv", "vuya",
    ]
    .iter()
    .any(|format| pixel_format.starts_with(format))
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
    fn frames_tell_what_streams_do_not() {
        let mut media =
            parse(br#"{"streams": [{"index": 0, "codec_type": "video"}]}"#).expect("media");
        let frames = br#"{"frames": [{"stream_index": 0, "interlaced_frame": 1, "side_data_list": [
            {"side_data_type": "Mastering display metadata", "red_x": "34000/50000", "red_y": "16000/50000",
             "green_x": "13250/50000", "green_y": "34500/50000", "blue_x": "7500/50000", "blue_y": "3000/50000",
             "white_point_x": "15635/50000", "white_point_y": "16450/50000",
             "min_luminance": "1/10000", "max_luminance": "10000000/10000"},
            {"side_data_type": "Content light level metadata", "max_content": 1000, "max_average": 400},
            {"side_data_type": "HDR Dynamic Metadata SMPTE2094-40 (HDR10+)"},
            {"side_data_type": "ATSC A53 Part 4 Closed Captions"}]}]}"#;
        look_at_frames(&mut media, frames);
        let film = &media.streams[0];
        assert!(film.is_interlaced && film.has_hdr10plus && film.has_captions);
        let mastering = film.hdr10.mastering.expect("it is there");
        assert_eq!(mastering.chromaticities.expect("said")[0], (34000, 16000));
        assert_eq!(mastering.luminance, Some((1, 10_000_000)));
        assert_eq!(
            film.hdr10.light,
            Some(ContentLight {
                max: 1000,
                average: 400
            })
        );
    }

    #[test]
    fn a_matrix_of_negative_determinant_mirrors() {
        let turned = "\n00000000: 0 65536 0\n00000001: -65536 0 0\n00000002: 0 0 1073741824\n";
        assert!(!mirrors(turned));
        assert!(mirrors(&turned.replace("-65536", "65536")));
    }

    #[test]
    fn no_streams_is_the_inputs_fault() {
        let failure = parse(br#"{"format": {}}"#).expect_err("nothing in it");
        assert_eq!(failure.fault, Fault::Input);
    }
}
