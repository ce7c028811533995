//! Parses ffprobe's answer.

use std::collections::{BTreeMap, BTreeSet};

use common::job::failure::{Doubt, Failure};
use serde::Deserialize;

use crate::ffmpeg::probe::media::{Chapter, Colour, Hdr10, Media, Ratio, Stream, StreamKind};
use crate::ffmpeg::probe::side_data::SideData;

/// Parses ffprobe's JSON.
pub fn parse(json: &[u8]) -> Result<Media, Failure> {
    // Tags may contain bytes that are not UTF-8.
    let raw: Raw = serde_json::from_str(&String::from_utf8_lossy(json)).map_err(|error| {
        let what = format!("ffprobe's answer cannot be read: {error}");
        Failure::in_doubt(Doubt::Proof, what)
    })?;
    if raw.streams.is_empty() {
        return Err(Failure::input("input holds no video, audio or subtitles"));
    }
    let mut media = Media {
        duration: raw.format.length(),
        start: raw.format.start(),
        size: raw.format.size.and_then(|size| size.parse().ok()),
        format: raw.format.format_name,
        streams: raw.streams.into_iter().map(Stream::from).collect(),
        chapters: raw.chapters.into_iter().map(Chapter::from).collect(),
        tags: raw.format.tags,
    };
    media.mark_posters();
    Ok(media)
}

/// Adds the facts of the first frames to their streams.
pub fn look_at_frames(media: &mut Media, json: &[u8]) {
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
            data.add_to(stream);
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
    fn start(&self) -> Option<f64> {
        let start = self.start_time.as_deref()?.parse().ok();
        start.filter(|start: &f64| start.is_finite())
    }

    /// Seconds from the first frame to the end. Matroska stores the end only, and a cut recording may start later
    /// than at 0.
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
    bit_rate: Option<String>,
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
            external: None,
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
            // ffprobe prints other characters than letters as numbers in brackets.
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
            bitrate: raw.bit_rate.and_then(|bitrate| bitrate.parse().ok()),
            is_reordered: raw.has_b_frames > 0,
            hidden: 0.0,
            is_steady: false,
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
            data.add_to(&mut stream);
        }
        stream
    }
}

/// ffprobe's value, or an empty string if the value is `unknown`.
fn known(word: String) -> String {
    if word == "unknown" {
        String::new()
    } else {
        word
    }
}

/// Whether a pixel format, by ffmpeg's name, has transparency.
fn has_alpha(pixel_format: &str) -> bool {
    [
        "yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16", "ayuv", "vuya",
    ]
    .iter()
    .any(|format| pixel_format.starts_with(format))
}

#[cfg(test)]
mod tests {
    use common::job::failure::Fault;

    use super::*;
    use crate::ffmpeg::probe::media::ContentLight;

    #[test]
    fn an_answer_of_ffprobe_becomes_media() {
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
    fn properties_of_frames_are_added_to_their_streams() {
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
    fn no_streams_is_the_inputs_fault() {
        let failure = parse(br#"{"format": {}}"#).expect_err("nothing in it");
        assert_eq!(failure.fault, Fault::Input);
    }
}
