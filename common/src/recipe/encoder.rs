//! Encoders, the codecs that they make, and the hardware that they need.
//!
//! An encoder is ffmpeg's name for a piece of code (`hevc_nvenc`); a codec is the format that several encoders make
//! (`hevc`). The catalogue below lists the video encoders that the farm supports; a worker still has to prove each of
//! them (see [`crate::farm::card`]).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::token::{Token, TokenError};

/// A video codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Codec {
    /// H.264 / AVC.
    H264,
    /// H.265 / HEVC.
    Hevc,
    /// AV1.
    Av1,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// H.266 / VVC.
    Vvc,
    /// MPEG-2 part 2.
    Mpeg2video,
    /// MPEG-4 part 2.
    Mpeg4,
    /// Apple ProRes.
    Prores,
    /// Avid DNxHD / DNxHR.
    Dnxhd,
    /// FFV1, lossless.
    Ffv1,
    /// Motion JPEG.
    Mjpeg,
}

impl Codec {
    /// Every codec, in the order in which people see them.
    pub const ALL: [Self; 12] = [
        Self::H264,
        Self::Hevc,
        Self::Av1,
        Self::Vp9,
        Self::Vp8,
        Self::Vvc,
        Self::Mpeg2video,
        Self::Mpeg4,
        Self::Prores,
        Self::Dnxhd,
        Self::Ffv1,
        Self::Mjpeg,
    ];

    /// ffmpeg's name of the codec, as `ffprobe` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::Hevc => "hevc",
            Self::Av1 => "av1",
            Self::Vp8 => "vp8",
            Self::Vp9 => "vp9",
            Self::Vvc => "vvc",
            Self::Mpeg2video => "mpeg2video",
            Self::Mpeg4 => "mpeg4",
            Self::Prores => "prores",
            Self::Dnxhd => "dnxhd",
            Self::Ffv1 => "ffv1",
            Self::Mjpeg => "mjpeg",
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text names no codec of the catalogue.
#[derive(Debug, thiserror::Error)]
#[error("unknown codec '{0}': one of {known}", known = codec_names())]
pub struct UnknownCodec(String);

fn codec_names() -> String {
    Codec::ALL.map(Codec::name).join(", ")
}

impl FromStr for Codec {
    type Err = UnknownCodec;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = match text.to_ascii_lowercase().as_str() {
            "h265" | "x265" => "hevc".to_owned(),
            "avc" | "x264" => "h264".to_owned(),
            "h266" => "vvc".to_owned(),
            "mpeg2" => "mpeg2video".to_owned(),
            other => other.to_owned(),
        };
        Self::ALL
            .into_iter()
            .find(|codec| codec.name() == name)
            .ok_or_else(|| UnknownCodec(text.to_owned()))
    }
}

/// The hardware or software that an encoder uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EncoderKind {
    /// The CPU.
    Software,
    /// NVENC.
    Nvidia,
    /// Quick Sync Video.
    Intel,
    /// AMF.
    Amd,
    /// VideoToolbox.
    Apple,
    /// VA-API, of any vendor.
    Vaapi,
    /// A V4L2 memory-to-memory device.
    V4l2,
    /// Vulkan Video.
    Vulkan,
    /// Windows Media Foundation.
    Mediafoundation,
    /// Rockchip MPP.
    Rockchip,
}

impl EncoderKind {
    /// The kind in the encoder's name; software if the name has none.
    fn of(name: &str) -> Self {
        match name.rsplit('_').next() {
            Some("nvenc") => Self::Nvidia,
            Some("qsv") => Self::Intel,
            Some("amf") => Self::Amd,
            Some("videotoolbox") => Self::Apple,
            Some("vaapi") => Self::Vaapi,
            Some("v4l2m2m" | "omx") => Self::V4l2,
            Some("vulkan") => Self::Vulkan,
            Some("mf") => Self::Mediafoundation,
            Some("rkmpp") => Self::Rockchip,
            _ => Self::Software,
        }
    }

    /// Whether the encoder needs more than a CPU.
    pub fn is_hardware(self) -> bool {
        self != Self::Software
    }
}

impl fmt::Display for EncoderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Software => "software",
            Self::Nvidia => "nvidia",
            Self::Intel => "intel",
            Self::Amd => "amd",
            Self::Apple => "apple",
            Self::Vaapi => "vaapi",
            Self::V4l2 => "v4l2",
            Self::Vulkan => "vulkan",
            Self::Mediafoundation => "mediafoundation",
            Self::Rockchip => "rockchip",
        })
    }
}

/// The supported video encoders by codec, the usual choice of each kind first.
const CATALOGUE: &[(Codec, &[&str])] = &[
    (
        Codec::H264,
        &[
            "libx264",
            "h264_nvenc",
            "h264_qsv",
            "h264_amf",
            "h264_videotoolbox",
            "h264_vaapi",
            "h264_v4l2m2m",
            "h264_vulkan",
            "h264_mf",
            "h264_rkmpp",
            "h264_omx",
            "libopenh264",
        ],
    ),
    (
        Codec::Hevc,
        &[
            "libx265",
            "hevc_nvenc",
            "hevc_qsv",
            "hevc_amf",
            "hevc_videotoolbox",
            "hevc_vaapi",
            "hevc_v4l2m2m",
            "hevc_vulkan",
            "hevc_mf",
            "hevc_rkmpp",
            "libkvazaar",
        ],
    ),
    (
        Codec::Av1,
        &[
            "libsvtav1",
            "av1_nvenc",
            "av1_qsv",
            "av1_amf",
            "av1_vaapi",
            "av1_vulkan",
            "av1_mf",
            "av1_videotoolbox",
            "libaom-av1",
            "librav1e",
        ],
    ),
    (Codec::Vp8, &["libvpx", "vp8_vaapi", "vp8_v4l2m2m"]),
    (Codec::Vp9, &["libvpx-vp9", "vp9_qsv", "vp9_vaapi"]),
    (Codec::Vvc, &["libvvenc"]),
    (
        Codec::Mpeg2video,
        &["mpeg2video", "mpeg2_qsv", "mpeg2_vaapi"],
    ),
    (Codec::Mpeg4, &["mpeg4", "libxvid", "mpeg4_v4l2m2m"]),
    (
        Codec::Prores,
        &["prores_ks", "prores", "prores_aw", "prores_videotoolbox"],
    ),
    (Codec::Dnxhd, &["dnxhd"]),
    (Codec::Ffv1, &["ffv1", "ffv1_vulkan"]),
    (
        Codec::Mjpeg,
        &["mjpeg", "mjpeg_qsv", "mjpeg_vaapi", "mjpeg_rkmpp"],
    ),
];

/// The name of an ffmpeg video encoder. Every well-formed name is accepted, so that a newer worker may prove an
/// encoder that this program does not know.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Encoder(Token);

impl Encoder {
    /// The encoders of the catalogue, with their codecs.
    pub fn catalogue() -> impl Iterator<Item = (Self, Codec)> {
        CATALOGUE.iter().flat_map(|&(codec, names)| {
            names
                .iter()
                .map(move |name| (Self(Token::from_static(name)), codec))
        })
    }

    /// The encoders of the codec, the usual choice first.
    pub fn of(codec: Codec) -> impl Iterator<Item = Self> {
        Self::catalogue().filter_map(move |(encoder, made)| (made == codec).then_some(encoder))
    }

    /// The codec of the encoder; `None` outside the catalogue.
    pub fn codec(&self) -> Option<Codec> {
        Self::catalogue().find_map(|(encoder, codec)| (encoder == *self).then_some(codec))
    }

    /// The hardware or software that the encoder uses.
    pub fn kind(&self) -> EncoderKind {
        EncoderKind::of(self.as_str())
    }

    /// ffmpeg's name of the encoder.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Names of the catalogue that are most similar, for "did you mean".
    pub fn similar(&self) -> Vec<Self> {
        let wanted = self.as_str().to_ascii_lowercase();
        let aliases: Vec<Self> = wanted
            .parse::<Codec>()
            .map(|codec| Self::of(codec).collect())
            .unwrap_or_default();
        if !aliases.is_empty() {
            return aliases;
        }
        Self::catalogue()
            .map(|(encoder, _)| (strsim::levenshtein(&wanted, encoder.as_str()), encoder))
            .filter(|(distance, encoder)| *distance <= 2 || encoder.as_str().contains(&wanted))
            .map(|(_, encoder)| encoder)
            .collect()
    }
}

impl fmt::Display for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Encoder {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hardware_is_known_from_the_name() {
        let kind = |name: &str| name.parse::<Encoder>().expect("a name").kind();
        assert_eq!(kind("hevc_nvenc"), EncoderKind::Nvidia);
        assert_eq!(kind("libvpx-vp9"), EncoderKind::Software);
        assert_eq!(kind("prores_ks"), EncoderKind::Software);
        assert_eq!(kind("h264_omx"), EncoderKind::V4l2);
    }

    #[test]
    fn a_typing_error_finds_similar_names() {
        let similar = |name: &str| {
            let encoder: Encoder = name.parse().expect("a name");
            encoder
                .similar()
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert!(similar("libx256").contains(&"libx265".to_owned()));
        assert_eq!(similar("hevc")[0], "libx265");
        assert!(similar("something").is_empty());
    }
}
