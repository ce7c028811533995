//! Recipes: what to do with an input.
//!
//! A recipe that exists is sound: everything free-form in it (filters, extra
//! arguments) is checked against an allowlist when it is read, from a command
//! line, a file or the wire alike. Unknown fields are refused, so that an older
//! worker never runs half of a newer recipe.

mod arguments;
mod filters;
mod rate;

pub use arguments::{Argument, ArgumentError};
pub use filters::{FilterError, Filters};
pub use rate::{Bitrate, BitrateError, Quality, QualityError, Rate};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::encoder::{Codec, Encoder};
use crate::queue::Queue;
use crate::subject::Token;

/// What to do with an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The video streams.
    pub video: Video,
    /// The audio streams.
    #[serde(default)]
    pub audio: Audio,
    /// The subtitle streams.
    #[serde(default)]
    pub subtitles: Subtitles,
    /// The file format of the output.
    #[serde(default)]
    pub container: Container,
}

/// What becomes of video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Video {
    /// Encode it.
    Encode(Box<VideoEncode>),
    /// Keep it as it is, in another container.
    Copy,
}

/// How video is encoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoEncode {
    /// By what.
    pub with: Choice,
    /// How much quality, or how many bits.
    #[serde(default)]
    pub rate: Rate,
    /// The encoder's own preset, e.g. `slow`, `p5`, `8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Token>,
    /// Bits per sample: 8 or 10; the source's where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_depth: Option<BitDepth>,
    /// The picture's size; the source's where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// What else is done to the picture before it is encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
    /// Further arguments for ffmpeg.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Argument>,
}

impl VideoEncode {
    /// Encoding with everything at its default.
    pub fn new(with: Choice) -> Self {
        Self {
            with,
            rate: Rate::default(),
            preset: None,
            bit_depth: None,
            scale: None,
            filters: None,
            arguments: Vec::new(),
        }
    }

    /// Whether every frame of the input becomes one of the output.
    pub fn keeps_frames(&self) -> bool {
        self.filters.as_ref().is_none_or(Filters::keep_frames)
            && self.arguments.iter().all(Argument::keeps_frames)
    }
}

/// What encodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// This encoder and no other.
    Encoder(Encoder),
    /// The best encoder of this codec that the worker has proved.
    Codec(Codec),
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoder(encoder) => encoder.fmt(f),
            Self::Codec(codec) => write!(f, "any {codec} encoder"),
        }
    }
}

/// What becomes of audio.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audio {
    /// Every track as it is.
    #[default]
    Copy,
    /// No track.
    None,
    /// Every track encoded anew.
    Encode {
        /// ffmpeg's encoder.
        encoder: AudioEncoder,
        /// Bits per second and track; ffmpeg's default where not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bitrate: Option<Bitrate>,
    },
}

/// The audio encoders that recipes may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum AudioEncoder {
    Aac,
    LibfdkAac,
    Libmp3lame,
    Libopus,
    Libvorbis,
    Flac,
    Ac3,
    Eac3,
}

impl AudioEncoder {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Aac,
        Self::LibfdkAac,
        Self::Libmp3lame,
        Self::Libopus,
        Self::Libvorbis,
        Self::Flac,
        Self::Ac3,
        Self::Eac3,
    ];

    /// ffmpeg's name of the encoder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aac => "aac",
            Self::LibfdkAac => "libfdk_aac",
            Self::Libmp3lame => "libmp3lame",
            Self::Libopus => "libopus",
            Self::Libvorbis => "libvorbis",
            Self::Flac => "flac",
            Self::Ac3 => "ac3",
            Self::Eac3 => "eac3",
        }
    }

    /// ffmpeg's name of the codec that it makes.
    pub fn codec(self) -> &'static str {
        match self {
            Self::Aac | Self::LibfdkAac => "aac",
            Self::Libmp3lame => "mp3",
            Self::Libopus => "opus",
            Self::Libvorbis => "vorbis",
            Self::Flac => "flac",
            Self::Ac3 => "ac3",
            Self::Eac3 => "eac3",
        }
    }
}

/// What becomes of subtitles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subtitles {
    /// Every track, in the form that the container holds.
    #[default]
    Keep,
    /// No track.
    None,
}

/// The file format of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// Matroska: holds every codec and every kind of track.
    #[default]
    Mkv,
    /// MP4.
    Mp4,
    /// QuickTime.
    Mov,
    /// WebM: VP8, VP9 and AV1 with Opus or Vorbis.
    Webm,
}

impl Container {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mkv, Self::Mp4, Self::Mov, Self::Webm];

    /// File name extension, and the name that people type.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mkv => "mkv",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Webm => "webm",
        }
    }

    /// ffmpeg's name of the muxer.
    pub fn muxer(self) -> &'static str {
        match self {
            Self::Mkv => "matroska",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Webm => "webm",
        }
    }

    /// Whether it can hold video of the codec.
    pub fn holds_video(self, codec: Codec) -> bool {
        match self {
            Self::Mkv => true,
            Self::Webm => matches!(codec, Codec::Vp8 | Codec::Vp9 | Codec::Av1),
            Self::Mp4 => !matches!(
                codec,
                Codec::Vp8 | Codec::Prores | Codec::Dnxhd | Codec::Ffv1
            ),
            Self::Mov => !matches!(
                codec,
                Codec::Vp8 | Codec::Vp9 | Codec::Av1 | Codec::Vvc | Codec::Ffv1
            ),
        }
    }

    /// Whether it can hold audio of the codec, by ffmpeg's name.
    pub fn holds_audio(self, codec: &str) -> bool {
        match self {
            Self::Mkv => true,
            Self::Webm => matches!(codec, "opus" | "vorbis"),
            Self::Mp4 => matches!(
                codec,
                "aac"
                    | "mp3"
                    | "mp2"
                    | "ac3"
                    | "eac3"
                    | "opus"
                    | "flac"
                    | "alac"
                    | "dts"
                    | "truehd"
                    | "vorbis"
            ),
            Self::Mov => {
                matches!(codec, "aac" | "mp3" | "ac3" | "eac3" | "alac")
                    || codec.starts_with("pcm_")
            }
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.extension())
    }
}

impl FromStr for Container {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = if text == "matroska" { "mkv" } else { text };
        Self::ALL
            .into_iter()
            .find(|container| container.extension() == name)
            .ok_or_else(|| UnknownName::new("container", text, &Self::ALL.map(Self::extension)))
    }
}

impl FromStr for AudioEncoder {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = match text {
            "opus" => "libopus",
            "mp3" => "libmp3lame",
            "vorbis" => "libvorbis",
            other => other,
        };
        Self::ALL
            .into_iter()
            .find(|encoder| encoder.name() == name)
            .ok_or_else(|| UnknownName::new("audio encoder", text, &Self::ALL.map(Self::name)))
    }
}

/// `copy`, `none`, `CODEC` or `CODEC:BITRATE`.
impl FromStr for Audio {
    type Err = AudioError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once(':') {
            None if text == "copy" => Self::Copy,
            None if text == "none" => Self::None,
            None => Self::Encode {
                encoder: text.parse()?,
                bitrate: None,
            },
            Some((encoder, bitrate)) => Self::Encode {
                encoder: encoder.parse()?,
                bitrate: Some(bitrate.parse()?),
            },
        })
    }
}

/// What is to become of audio cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// Neither `copy`, `none` nor an encoder.
    #[error("{0} (or copy, or none)")]
    Encoder(#[from] UnknownName),
    /// The part after the colon.
    #[error(transparent)]
    Bitrate(#[from] BitrateError),
}

/// `keep` or `none`.
impl FromStr for Subtitles {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "keep" | "copy" => Ok(Self::Keep),
            "none" => Ok(Self::None),
            _ => Err(UnknownName::new(
                "choice of subtitles",
                text,
                &["keep", "none"],
            )),
        }
    }
}

/// A name that is none of those allowed.
#[derive(Debug, thiserror::Error)]
#[error("unknown {what} '{given}': one of {known}")]
pub struct UnknownName {
    what: &'static str,
    given: String,
    known: String,
}

impl UnknownName {
    fn new(what: &'static str, given: &str, known: &[&str]) -> Self {
        Self {
            what,
            given: given.to_owned(),
            known: known.join(", "),
        }
    }
}

/// Bits per sample of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum BitDepth {
    /// 8 bits.
    Eight,
    /// 10 bits.
    Ten,
}

impl From<BitDepth> for u8 {
    fn from(depth: BitDepth) -> Self {
        match depth {
            BitDepth::Eight => 8,
            BitDepth::Ten => 10,
        }
    }
}

impl TryFrom<u8> for BitDepth {
    type Error = UnknownName;

    fn try_from(bits: u8) -> Result<Self, Self::Error> {
        match bits {
            8 => Ok(Self::Eight),
            10 => Ok(Self::Ten),
            _ => Err(UnknownName::new(
                "bit depth",
                &bits.to_string(),
                &["8", "10"],
            )),
        }
    }
}

impl FromStr for BitDepth {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "8" => Ok(Self::Eight),
            "10" => Ok(Self::Ten),
            _ => Err(UnknownName::new("bit depth", text, &["8", "10"])),
        }
    }
}

/// The size of the output's picture: `1280x720`, `1280x-2`, `-2x720` or `720p`.
/// `-2` follows the source's shape, rounded to an even number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scale {
    /// Width in pixels; `None` follows the shape.
    pub width: Option<u32>,
    /// Height in pixels; `None` follows the shape.
    pub height: Option<u32>,
}

/// The text is no size.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is no size: expected e.g. 1280x720, 1280x-2, -2x720 or 720p, even and at most 16384"
)]
pub struct ScaleError(String);

impl FromStr for Scale {
    type Err = ScaleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ScaleError(text.to_owned());
        let side = |text: &str| match text {
            "-1" | "-2" => Ok(None),
            _ => match text.parse::<u32>() {
                Ok(pixels) if (2..=16384).contains(&pixels) && pixels.is_multiple_of(2) => {
                    Ok(Some(pixels))
                }
                _ => Err(error()),
            },
        };
        let (width, height) = match text.strip_suffix('p') {
            Some(height) => ("-2", height),
            None => text.split_once(['x', ':']).ok_or_else(error)?,
        };
        let scale = Self {
            width: side(width)?,
            height: side(height)?,
        };
        if scale.width.is_none() && scale.height.is_none() {
            return Err(error());
        }
        Ok(scale)
    }
}

impl TryFrom<String> for Scale {
    type Error = ScaleError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Scale> for String {
    fn from(scale: Scale) -> Self {
        scale.to_string()
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side =
            |pixels: Option<u32>| pixels.map_or("-2".to_owned(), |pixels| pixels.to_string());
        write!(f, "{}x{}", side(self.width), side(self.height))
    }
}

/// A recipe that cannot work whatever the input is.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// e.g. H.264 in WebM.
    #[error(
        "{container} cannot hold {codec} video: choose another --container (mkv holds everything)"
    )]
    Video {
        /// The container asked for.
        container: Container,
        /// The codec that the encoder makes.
        codec: Codec,
    },
    /// e.g. AAC in WebM.
    #[error("{container} cannot hold {codec} audio: choose another --audio encoder or --container")]
    Audio {
        /// The container asked for.
        container: Container,
        /// The codec that the encoder makes.
        codec: &'static str,
    },
    /// A number that means nothing for this encoder.
    #[error("{encoder} cannot work at {what}: use {instead}")]
    Rate {
        /// The encoder asked for.
        encoder: Encoder,
        /// What was asked of it.
        what: String,
        /// What it understands.
        instead: String,
    },
}

impl Recipe {
    /// Encoding video with everything else at its default.
    pub fn encode(video: VideoEncode) -> Self {
        Self {
            video: Video::Encode(Box::new(video)),
            audio: Audio::default(),
            subtitles: Subtitles::default(),
            container: Container::default(),
        }
    }

    /// How video is encoded; `None` where it is copied.
    pub fn video_encode(&self) -> Option<&VideoEncode> {
        match &self.video {
            Video::Encode(encode) => Some(encode),
            Video::Copy => None,
        }
    }

    /// The queue of jobs with this recipe.
    pub fn queue(&self) -> Queue {
        match self.video_encode().map(|encode| &encode.with) {
            Some(Choice::Encoder(encoder)) => Queue::Encoder(encoder.clone()),
            Some(Choice::Codec(codec)) => Queue::Any(*codec),
            None => Queue::Copy,
        }
    }

    /// The codec of the output's video; `None` where it is copied, or made by
    /// an encoder outside the catalogue.
    pub fn codec(&self) -> Option<Codec> {
        match &self.video_encode()?.with {
            Choice::Encoder(encoder) => encoder.codec(),
            Choice::Codec(codec) => Some(*codec),
        }
    }

    /// Finds what cannot work whatever the input is.
    ///
    /// # Errors
    /// The first such thing.
    pub fn check(&self) -> Result<(), RecipeError> {
        let container = self.container;
        if let Some(codec) = self.codec().filter(|codec| !container.holds_video(*codec)) {
            return Err(RecipeError::Video { container, codec });
        }
        if let Audio::Encode { encoder, .. } = &self.audio
            && !container.holds_audio(encoder.codec())
        {
            return Err(RecipeError::Audio {
                container,
                codec: encoder.codec(),
            });
        }
        if let Some(VideoEncode {
            with: Choice::Encoder(encoder),
            rate,
            ..
        }) = self.video_encode()
        {
            rate.check(encoder)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!("720p".parse::<Scale>().expect("ok").to_string(), "-2x720");
        assert_eq!(
            "1280x-2".parse::<Scale>().expect("ok").to_string(),
            "1280x-2"
        );
        for bad in [
            "",
            "x",
            "720",
            "1281x720",
            "0x0",
            "-2x-2",
            "99999x2",
            "1280x720;rm",
        ] {
            assert!(bad.parse::<Scale>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_the_container_cannot_hold_is_refused() {
        let mut recipe = Recipe::encode(VideoEncode::new(Choice::Codec(Codec::H264)));
        recipe.container = Container::Webm;
        assert!(matches!(recipe.check(), Err(RecipeError::Video { .. })));
        recipe.video = Video::Copy;
        recipe.audio = "aac:128k".parse().expect("ok");
        assert!(matches!(recipe.check(), Err(RecipeError::Audio { .. })));
    }

    #[test]
    fn an_unknown_field_is_refused_and_not_ignored() {
        let newer = r#"{"video":"copy","denoise":"strong"}"#;
        let error = serde_json::from_str::<Recipe>(newer).expect_err("unknown field");
        assert!(error.to_string().contains("denoise"), "{error}");
    }
}
