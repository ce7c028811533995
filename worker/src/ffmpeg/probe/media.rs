//! What a file holds: its streams, and what belongs to all of it.

use std::collections::{BTreeMap, BTreeSet};

use common::farm::card::bit_depth;
use common::job::media_info::{MOST_TRACKS, MediaInfo, TrackInfo};
use common::names::printable::printable;

/// Seconds that a single picture lasts, at the most, where a container says no more of it: ffmpeg gives it a frame.
const LONGEST_PICTURE: f64 = 0.1;

/// Bits a second below which no film is.
const LEAST_BIT_RATE: f64 = 100.0;

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
    /// Its chapters, in order.
    pub chapters: Vec<Chapter>,
    /// Tags of the whole file, e.g. `title`, as the file spells them.
    pub tags: BTreeMap<String, String>,
}

/// A chapter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chapter {
    /// Seconds from the file's beginning.
    pub start: f64,
    /// As above.
    pub end: f64,
    /// What it is called; empty where it has no name.
    pub title: String,
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
    /// ffmpeg's name of the codec's profile, e.g. `Main 10`, `HE-AAC`; empty where there is none.
    pub profile: String,
    /// The container's four letters for the codec, e.g. `hvc1`; empty where it has none.
    pub codec_tag: String,
    /// Picture size in pixels as stored, before rotation; 0 where there is none.
    pub width: u32,
    /// See `width`.
    pub height: u32,
    /// ffmpeg's name of the pixel format; empty where there is none.
    pub pixel_format: String,
    /// Width of a pixel by its height; `None` where the file does not say it.
    pub sample_aspect: Option<Ratio>,
    /// What its colours mean.
    pub colour: Colour,
    /// ffmpeg's name of the order of fields: `progressive`, `tt`, `bb`, `tb`, `bt`; empty where unknown.
    pub field_order: String,
    /// Whether its first frames are coded as fields or interlaced.
    pub is_interlaced: bool,
    /// Whether the bottom field of such a frame is shown first.
    pub is_bottom_first: bool,
    /// HDR10's static metadata, of the stream or of its first frames.
    pub hdr10: Hdr10,
    /// Whether its first frames carry dynamic metadata of HDR10+.
    pub has_hdr10plus: bool,
    /// Dolby Vision, where the stream is of it.
    pub dolby_vision: Option<DolbyVision>,
    /// Whether its first frames carry closed captions.
    pub has_captions: bool,
    /// Whether its pictures have transparency, by pixel format or by the container's word.
    pub has_alpha: bool,
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
    /// When its first frame is shown, in seconds, where the container says it.
    pub start: Option<f64>,
    /// Whether frames are decoded in another order than they are shown.
    pub is_reordered: bool,
    /// Seconds before its start that an edit list hides.
    pub hidden: f64,
    /// Why nothing can be made of it, although the file declares it.
    pub absent: Option<&'static str>,
    /// A single picture and no film: a cover, or a poster that is not marked as one.
    pub is_picture: bool,
    /// ffmpeg's name of the decoder that it has to be told, where it finds none by itself or the wrong one.
    pub reader: Option<&'static str>,
    /// Degrees clockwise by which a player turns the picture: 0, 90, 180 or 270.
    pub rotation: u16,
    /// Whether a player mirrors the picture.
    pub is_mirrored: bool,
    /// Channels of sound; 0 where there is none.
    pub channels: u32,
    /// ffmpeg's name of where the channels are, e.g. `5.1(side)`; empty where the file does not say it.
    pub layout: String,
    /// Samples a second of sound; 0 where there is none.
    pub sample_rate: u32,
    /// What it is marked as, by ffmpeg's names: `default`, `forced`, `comment`, …
    pub dispositions: BTreeSet<String>,
    /// Tags, e.g. `language`.
    pub tags: BTreeMap<String, String>,
}

/// What colours mean, by ffmpeg's names; empty where the file does not say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Colour {
    /// `tv` (limited) or `pc` (full).
    pub range: String,
    /// The matrix, e.g. `bt709`, `bt2020nc`.
    pub matrix: String,
    /// The transfer function, e.g. `bt709`, `smpte2084` (PQ), `arib-std-b67` (HLG).
    pub transfer: String,
    /// The primaries, e.g. `bt709`, `bt2020`.
    pub primaries: String,
}

impl Colour {
    /// Whether brightness is coded by PQ, as in HDR10 and Dolby Vision.
    pub fn is_pq(&self) -> bool {
        self.transfer == "smpte2084"
    }

    /// Whether brightness is coded by hybrid log-gamma.
    pub fn is_hlg(&self) -> bool {
        self.transfer == "arib-std-b67"
    }

    /// Whether it is of high dynamic range.
    pub fn is_hdr(&self) -> bool {
        self.is_pq() || self.is_hlg()
    }
}

/// HDR10's static metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hdr10 {
    /// The display that the film was mastered on (SMPTE ST 2086).
    pub mastering: Option<MasteringDisplay>,
    /// How bright it gets (CTA-861.3).
    pub light: Option<ContentLight>,
}

impl Hdr10 {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.mastering.is_none() && self.light.is_none()
    }
}

/// A mastering display: chromaticities in units of 0.00002, luminances in units of 0.0001 cd/m².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MasteringDisplay {
    /// x and y of red, green, blue and white, where they are said.
    pub chromaticities: Option<[(u32, u32); 4]>,
    /// Least and greatest luminance, where they are said.
    pub luminance: Option<(u32, u32)>,
}

/// Content light level, cd/m².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentLight {
    /// Brightest pixel (MaxCLL).
    pub max: u32,
    /// Brightest mean of a frame (MaxFALL).
    pub average: u32,
}

/// A Dolby Vision configuration record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DolbyVision {
    /// Its profile, e.g. 5, 7, 8.
    pub profile: u8,
    /// Its level.
    pub level: u8,
    /// What its base layer is by itself: 0 nothing, 1 HDR10, 2 SDR, 4 HLG, 6 HDR10 of UHD discs.
    pub compatibility: u8,
    /// Whether a second layer of pictures belongs to it.
    pub has_enhancement_layer: bool,
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

    /// Reads `30000/1001` or `16:9`; `None` where it is no ratio of two positive numbers.
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

    /// Whether it is marked as a cover.
    pub fn is_cover(&self) -> bool {
        self.dispositions.contains("attached_pic")
    }

    /// A film: video that is no single picture, and of which there is something.
    pub fn is_film(&self) -> bool {
        self.kind == StreamKind::Video && !self.is_picture && self.absent.is_none()
    }

    /// Whether it holds one picture, as far as the container says.
    fn may_be_poster(&self) -> bool {
        let is_picture = matches!(
            self.codec.as_str(),
            "mjpeg" | "png" | "bmp" | "gif" | "webp" | "tiff" | "jpegxl"
        );
        // mkvmerge adds a language to these names.
        let said = |name: &str| {
            let mut tags = self.tags.iter();
            tags.find(|(key, _)| key.to_ascii_uppercase().starts_with(name))
                .map(|(_, value)| value)
        };
        let counted = said("NUMBER_OF_FRAMES").and_then(|frames| frames.parse().ok());
        let length = self.duration.or_else(|| {
            said("DURATION")?.split(':').try_fold(0.0, |seconds, part| {
                Some(seconds * 60.0 + part.parse::<f64>().ok()?)
            })
        });
        self.is_film()
            && is_picture
            && match self.frames.filter(|frames| *frames > 0).or(counted) {
                Some(frames) => frames == 1,
                None => length.is_some_and(|length| length < LONGEST_PICTURE),
            }
    }

    /// Width of a pixel by its height as a player shows it; 1 where the file does not say it.
    pub fn shown_aspect(&self) -> f64 {
        let stored = self.sample_aspect.map_or(1.0, Ratio::value);
        if self.rotation.is_multiple_of(180) {
            stored
        } else {
            1.0 / stored
        }
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

    /// Has nothing made of these streams, and says why.
    pub fn leave_out(&mut self, indices: &[usize], why: &'static str) {
        let streams = self.streams.iter_mut();
        for stream in streams.filter(|stream| indices.contains(&stream.index)) {
            stream.absent = Some(why);
        }
    }

    /// Takes the pictures beside a film for what they are: a film of one frame, of a codec of pictures, is a poster.
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

    /// Length in seconds, for estimates; `None` where the file is far too small for what it states.
    pub fn likely_duration(&self) -> Option<f64> {
        let fits = |seconds: &f64| {
            self.size
                .is_none_or(|bytes| bytes as f64 * 8.0 / seconds >= LEAST_BIT_RATE)
        };
        self.duration.filter(fits)
    }

    /// The films among its streams.
    pub fn films(&self) -> impl Iterator<Item = &Stream> {
        self.streams.iter().filter(|stream| stream.is_film())
    }
}
