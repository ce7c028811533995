//! The contents of a file: its streams, chapters and tags.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use common::farm::card::bit_depth;
use common::job::media_info::{MOST_TRACKS, MediaInfo, TrackInfo};
use common::names::printable::printable;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A stream that begins this close to 0, in seconds, is as long as the time of its end.
const SAME_START: f64 = 0.1;

/// The maximal length of a single picture, in seconds, if a container has only a duration. ffmpeg gives the picture
/// the length of one frame.
const LONGEST_PICTURE: f64 = 0.1;

/// Bits per second below which a file cannot be a film.
const LEAST_BIT_RATE: f64 = 100.0;

/// The contents of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Length in seconds; `None` if the file does not say.
    pub duration: Option<f64>,
    /// Where the file begins, in seconds of its own clock, if it says so.
    pub start: Option<f64>,
    /// Size in bytes, if known.
    pub size: Option<u64>,
    /// ffmpeg's name of the demuxer, such as `matroska,webm`.
    pub format: String,
    /// The streams, by index.
    pub streams: Vec<Stream>,
    /// The chapters, in order.
    pub chapters: Vec<Chapter>,
    /// Tags of the whole file, such as `title`, in the spelling of the file.
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chapter {
    /// Seconds from the file's beginning.
    pub start: f64,
    /// Seconds from the file's beginning.
    pub end: f64,
    /// The name; empty if the chapter has none.
    pub title: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// The number of the stream among all streams of the file.
    pub index: usize,
    pub kind: StreamKind,
    /// The number of the subtitle file that holds the stream, from 0; `None` if the input itself holds it.
    pub external: Option<usize>,
    /// ffmpeg's name of the codec; empty if unknown to ffmpeg.
    pub codec: String,
    /// ffmpeg's name of the codec's profile, such as `Main 10` or `HE-AAC`; empty if there is none.
    pub profile: String,
    /// The container's four letters for the codec, such as `hvc1`; empty if there are none.
    pub codec_tag: String,
    /// Stored picture width in pixels, before rotation; 0 if there is no picture.
    pub width: u32,
    /// Stored picture height in pixels, before rotation; 0 if there is no picture.
    pub height: u32,
    /// ffmpeg's name of the pixel format; empty if there is none.
    pub pixel_format: String,
    /// Width of a pixel divided by its height; `None` if the file does not say.
    pub sample_aspect: Option<Ratio>,
    pub colour: Colour,
    /// ffmpeg's name of the field order: `progressive`, `tt`, `bb`, `tb`, `bt`; empty if unknown.
    pub field_order: String,
    /// Whether the first frames are interlaced.
    pub is_interlaced: bool,
    /// Whether the bottom field of these frames is shown first.
    pub is_bottom_first: bool,
    /// HDR10's static metadata, of the stream or of its first frames.
    pub hdr10: Hdr10,
    /// Whether the first frames carry dynamic metadata of HDR10+.
    pub has_hdr10plus: bool,
    /// The Dolby Vision record, if there is one.
    pub dolby_vision: Option<DolbyVision>,
    /// Whether the first frames carry closed captions.
    pub has_captions: bool,
    /// Whether the pictures have transparency, by the pixel format or by a tag of the container.
    pub has_alpha: bool,
    /// The smallest frame rate that expresses all timestamps exactly, in frames per second.
    pub base_rate: Option<Ratio>,
    /// The mean frame rate, in frames per second.
    pub mean_rate: Option<Ratio>,
    /// The unit of the timestamps, in seconds.
    pub time_base: Option<Ratio>,
    /// Whether all frames last equally long, by their packets. The rates above do not tell: Matroska states any.
    pub is_steady: bool,
    /// The number of frames, if the container says it.
    pub frames: Option<u64>,
    /// Length in seconds, if the container says it.
    pub duration: Option<f64>,
    /// Bits per second, if the container says it.
    pub bitrate: Option<u64>,
    /// The time of the first frame in seconds, if the container says it.
    pub start: Option<f64>,
    /// Whether frames are decoded in another order than they are shown.
    pub is_reordered: bool,
    /// Seconds that an edit list hides before the start.
    pub hidden: f64,
    /// Why the stream cannot be used although the file declares it.
    pub absent: Option<Cow<'static, str>>,
    /// Whether the stream is a single picture and not a film: a cover, or a poster that is not marked as a cover.
    pub is_picture: bool,
    /// ffmpeg's name of the decoder to request, if ffmpeg would choose none or a wrong one.
    pub reader: Option<Cow<'static, str>>,
    /// The clockwise rotation by a player: 0, 90, 180 or 270 degrees.
    pub rotation: u16,
    /// Whether a player mirrors the picture.
    pub is_mirrored: bool,
    /// Audio channels; 0 if there is no audio.
    pub channels: u32,
    /// ffmpeg's name of the channel layout, such as `5.1(side)`; empty if the file does not say.
    pub layout: String,
    /// Audio samples per second; 0 if there is no audio.
    pub sample_rate: u32,
    /// ffmpeg's names of the dispositions: `default`, `forced`, `comment`, …
    pub dispositions: BTreeSet<String>,
    /// Tags of the stream, such as `language`.
    pub tags: BTreeMap<String, String>,
}

/// The colour properties of pictures, by ffmpeg's names. A field is empty if the file does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colour {
    /// `tv` (limited) or `pc` (full).
    pub range: String,
    /// The matrix, such as `bt709` or `bt2020nc`.
    pub matrix: String,
    /// The transfer function, such as `bt709`, `smpte2084` (PQ) or `arib-std-b67` (HLG).
    pub transfer: String,
    /// The primaries, such as `bt709` or `bt2020`.
    pub primaries: String,
}

/// The longest description of a file that others carry along, in bytes: a hostile file may declare thousands of streams.
const MOST_CARRIED: usize = 128 << 10;

impl Colour {
    /// Whether the transfer function is PQ, as in HDR10 and Dolby Vision.
    pub fn is_pq(&self) -> bool {
        self.transfer == "smpte2084"
    }

    /// Whether the transfer function is hybrid log-gamma.
    pub fn is_hlg(&self) -> bool {
        self.transfer == "arib-std-b67"
    }

    pub fn is_hdr(&self) -> bool {
        self.is_pq() || self.is_hlg()
    }
}

/// HDR10's static metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hdr10 {
    /// The display on which the film was mastered (SMPTE ST 2086).
    pub mastering: Option<MasteringDisplay>,
    /// The maximal brightness of the content (CTA-861.3).
    pub light: Option<ContentLight>,
}

impl Hdr10 {
    pub fn is_empty(&self) -> bool {
        self.mastering.is_none() && self.light.is_none()
    }
}

/// A mastering display: chromaticities in units of 0.00002, luminances in units of 0.0001 cd/m².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasteringDisplay {
    /// x and y of red, green, blue and white.
    pub chromaticities: Option<[(u32, u32); 4]>,
    /// The least and the greatest luminance.
    pub luminance: Option<(u32, u32)>,
}

/// Content light level, in cd/m².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentLight {
    /// The brightest pixel (MaxCLL).
    pub max: u32,
    /// The brightest mean of a frame (MaxFALL).
    pub average: u32,
}

/// A Dolby Vision configuration record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DolbyVision {
    /// The profile, such as 5, 7 or 8.
    pub profile: u8,
    pub level: u8,
    /// The format of the base layer alone: 0 none, 1 HDR10, 2 SDR, 4 HLG, 6 HDR10 of UHD discs.
    pub compatibility: u8,
    /// Whether there is a second video layer.
    pub has_enhancement_layer: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// A ratio of two positive numbers, exactly as ffmpeg prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratio {
    pub numerator: u32,
    pub denominator: u32,
}

impl Ratio {
    pub fn value(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// Parses `30000/1001` or `16:9`. `None` if the text is not a ratio of two positive numbers.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (numerator, denominator) = text.split_once(['/', ':'])?;
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
    /// Bits per sample of the pictures.
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

    /// Whether the stream is marked as a cover.
    pub fn is_cover(&self) -> bool {
        self.dispositions.contains("attached_pic")
    }

    /// Whether the stream is a film: video that is not a single picture and that can be used.
    pub fn is_film(&self) -> bool {
        self.kind == StreamKind::Video && !self.is_picture && self.absent.is_none()
    }

    /// When the stream ends in seconds, if the container says it.
    pub fn stated_end(&self) -> Option<f64> {
        match self.duration {
            Some(length) => Some(self.start? + length),
            // Of a stream that begins later, ffmpeg tags the end, and mkvmerge the length.
            None => (self.start?.abs() <= SAME_START).then(|| self.tagged_length())?,
        }
    }

    /// The length in seconds that a tag states: Matroska has no other place for it.
    fn tagged_length(&self) -> Option<f64> {
        let mut parts = self.tag("DURATION")?.split(':');
        let seconds = parts.try_fold(0.0, |seconds, part| {
            Some(seconds * 60.0 + part.parse::<f64>().ok()?)
        })?;
        seconds.is_finite().then_some(seconds)
    }

    /// The value of a tag, whatever language its name has: mkvmerge appends one.
    fn tag(&self, name: &str) -> Option<&str> {
        let mut tags = self.tags.iter();
        tags.find(|(key, _)| key.to_ascii_uppercase().starts_with(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the stream seems to hold one picture, judged by the container's data.
    fn may_be_poster(&self) -> bool {
        let is_picture = matches!(
            self.codec.as_str(),
            "mjpeg" | "png" | "bmp" | "gif" | "webp" | "tiff" | "jpegxl"
        );
        let counted = self.tag("NUMBER_OF_FRAMES");
        let counted = counted.and_then(|frames| frames.parse().ok());
        let length = self.duration.or_else(|| self.tagged_length());
        self.is_film()
            && is_picture
            && match self.frames.filter(|frames| *frames > 0).or(counted) {
                Some(frames) => frames == 1,
                None => length.is_some_and(|length| length < LONGEST_PICTURE),
            }
    }

    /// Width of a pixel divided by its height, as shown by a player; 1 if the file does not say.
    pub fn shown_aspect(&self) -> f64 {
        let stored = self.sample_aspect.map_or(1.0, Ratio::value);
        if self.rotation.is_multiple_of(180) {
            stored
        } else {
            1.0 / stored
        }
    }

    /// Width and height in pixels, as shown by a player.
    pub fn shown(&self) -> (u32, u32) {
        if self.rotation.is_multiple_of(180) {
            (self.width, self.height)
        } else {
            (self.height, self.width)
        }
    }
}

impl Media {
    /// The summary by which people compare files.
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

    /// The contents in the form in which the parts of a split job get them; `None` if that is too long.
    pub fn to_carry(&self) -> Option<Value> {
        let text = serde_json::to_string(self).ok();
        let is_short = text.is_some_and(|text| text.len() <= MOST_CARRIED);
        is_short.then(|| serde_json::to_value(self).ok()).flatten()
    }

    /// The contents as a part gets them; `None` if another version has written them.
    pub fn carried(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }

    /// Excludes these streams from the output, and records the reason.
    pub fn leave_out(&mut self, indices: &[usize], why: &'static str) {
        let streams = self.streams.iter_mut();
        for stream in streams.filter(|stream| indices.contains(&stream.index)) {
            stream.absent = Some(why.into());
        }
    }

    /// Marks posters: if there is a film, a video stream of one frame with a picture codec is a poster.
    pub(crate) fn mark_posters(&mut self) {
        let may_be: Vec<bool> = self.streams.iter().map(Stream::may_be_poster).collect();
        let has_film = self
            .streams
            .iter()
            .zip(&may_be)
            .any(|(stream, may_be)| stream.is_film() && !may_be);
        for (stream, may_be) in self.streams.iter_mut().zip(may_be) {
            stream.is_picture |= may_be && has_film;
        }
    }

    /// Length in seconds, for estimates. `None` if the file is far too small for its stated length.
    pub fn likely_duration(&self) -> Option<f64> {
        let fits = |seconds: &f64| {
            self.size
                .is_none_or(|bytes| bytes as f64 * 8.0 / seconds >= LEAST_BIT_RATE)
        };
        self.duration.filter(fits)
    }

    /// The films among the streams.
    pub fn films(&self) -> impl Iterator<Item = &Stream> {
        self.streams.iter().filter(|stream| stream.is_film())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_is_what_was_probed() {
        let mut stream = Stream {
            index: 3,
            kind: StreamKind::Subtitle,
            reader: Some("subrip".into()),
            time_base: Ratio::parse("1/24000"),
            start: Some(0.1 + 0.2),
            ..Stream::default()
        };
        stream.tags.insert("language".into(), "deu".into());
        let media = Media {
            duration: Some(5400.0 / 1001.0),
            streams: vec![stream],
            ..Media::default()
        };
        let carried = media.to_carry().expect("it is short");
        assert_eq!(Media::carried(&carried), Some(media));
        let mut other = carried;
        other["streams"][0]["newer"] = 1.into();
        assert_eq!(Media::carried(&other), None, "of another version");
        let long = Media {
            format: "x".repeat(MOST_CARRIED),
            ..Media::default()
        };
        assert_eq!(long.to_carry(), None);
    }

    #[test]
    fn the_end_of_a_stream_is_stated_by_its_length_or_by_a_tag() {
        let end = |duration, start, tag: &str| {
            let tags = [("DURATION-eng".to_owned(), tag.to_owned())];
            Stream {
                duration,
                start,
                tags: tags.into(),
                ..Stream::default()
            }
            .stated_end()
        };
        assert_eq!(end(Some(9.0), Some(2.0), "00:00:01.0"), Some(11.0));
        assert_eq!(end(Some(9.0), None, "00:00:01.0"), None);
        let tag = "01:00:55.150000000";
        assert_eq!(end(None, Some(0.025), tag), Some(3655.15));
        // Whether the tag tells the end or the length depends on the program.
        assert_eq!(end(None, Some(2.0), tag), None);
        assert_eq!(end(None, None, tag), None);
        assert_eq!(end(None, Some(0.0), "unknown"), None);
        assert_eq!(end(None, Some(0.0), "inf:0:0"), None);
    }
}
