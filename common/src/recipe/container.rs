//! Containers: file formats, and what each can hold.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::unknown::UnknownName;
use crate::recipe::audio::AudioEncoder;
use crate::recipe::encoder::Codec;

/// The file format of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// Matroska with audio only.
    Mka,
    /// MP4 with audio only: AAC, ALAC or AC-3.
    M4a,
    /// MP3.
    Mp3,
    /// FLAC.
    Flac,
    /// Opus in Ogg.
    Opus,
    /// A rendition for HLS and DASH (CMAF): fragmented MP4, each track in a file of its own, with playlists.
    Cmaf,
}

impl Container {
    /// Every container.
    pub const ALL: [Self; 10] = [
        Self::Mkv,
        Self::Mp4,
        Self::Mov,
        Self::Webm,
        Self::Mka,
        Self::M4a,
        Self::Mp3,
        Self::Flac,
        Self::Opus,
        Self::Cmaf,
    ];

    /// The name that people type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cmaf => "cmaf",
            _ => self.extension(),
        }
    }

    /// File name extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mkv => "mkv",
            Self::Mp4 | Self::Cmaf => "mp4",
            Self::Mov => "mov",
            Self::Webm => "webm",
            Self::Mka => "mka",
            Self::M4a => "m4a",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
            Self::Opus => "opus",
        }
    }

    /// ffmpeg's name of the muxer.
    pub fn muxer(self) -> &'static str {
        match self {
            Self::Mkv | Self::Mka => "matroska",
            Self::Mp4 | Self::Cmaf => "mp4",
            Self::Mov => "mov",
            Self::Webm => "webm",
            Self::M4a => "ipod",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
            Self::Opus => "opus",
        }
    }

    /// Whether the container is for audio without video.
    pub fn is_audio_only(self) -> bool {
        matches!(
            self,
            Self::Mka | Self::M4a | Self::Mp3 | Self::Flac | Self::Opus
        )
    }

    /// Whether the container is Matroska or a part of it.
    pub fn is_matroska(self) -> bool {
        matches!(self, Self::Mkv | Self::Mka | Self::Webm)
    }

    /// Whether the container is MP4 or its relative, QuickTime.
    pub fn is_mp4(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov | Self::M4a | Self::Cmaf)
    }

    /// Whether the output is a rendition of a ladder for HLS and DASH.
    pub fn is_ladder(self) -> bool {
        self == Self::Cmaf
    }

    /// Whether the container holds more than one audio track.
    pub fn holds_several_tracks(self) -> bool {
        !matches!(self, Self::Mp3 | Self::Flac | Self::Opus)
    }

    /// The audio encoder whose codec every player of the container knows.
    pub fn usual_audio_encoder(self) -> AudioEncoder {
        match self {
            Self::Mkv | Self::Mka | Self::Mp4 | Self::Mov | Self::M4a | Self::Cmaf => {
                AudioEncoder::Aac
            }
            Self::Webm | Self::Opus => AudioEncoder::Libopus,
            Self::Mp3 => AudioEncoder::Libmp3lame,
            Self::Flac => AudioEncoder::Flac,
        }
    }

    /// Whether the container can hold video of the codec.
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
            Self::Cmaf => matches!(codec, Codec::H264 | Codec::Hevc | Codec::Av1),
            Self::Mka | Self::M4a | Self::Mp3 | Self::Flac | Self::Opus => false,
        }
    }

    /// Whether the container can hold audio of the codec, by ffmpeg's name: ffmpeg writes it, and reads back the
    /// same.
    pub fn holds_audio(self, codec: &str) -> bool {
        match self {
            Self::Mkv | Self::Mka => MKV.contains(&codec),
            Self::Webm => matches!(codec, "opus" | "vorbis"),
            Self::Mp4 => MP4.contains(&codec),
            Self::Mov => MOV.contains(&codec),
            Self::M4a => matches!(codec, "aac" | "alac" | "ac3"),
            Self::Mp3 => codec == "mp3",
            Self::Flac => codec == "flac",
            Self::Opus => codec == "opus",
            Self::Cmaf => matches!(codec, "aac" | "ac3" | "eac3" | "opus" | "flac"),
        }
    }
}

/// Codecs that Matroska has names for, of its own or borrowed from WAV. AAC in LATM form has a name that hardly any
/// player knows.
#[rustfmt::skip]
const MKV: &[&str] = &[
    "aac", "ac3", "adpcm_g722", "adpcm_g726", "adpcm_ima_wav", "adpcm_ms", "adpcm_swf", "adpcm_yamaha", "alac",
    "amr_nb", "amr_wb", "atrac3", "cook", "dts", "eac3", "flac", "g723_1", "gsm_ms", "mlp", "mp1", "mp2", "mp3",
    "opus", "pcm_alaw", "pcm_f32le", "pcm_f64le", "pcm_mulaw", "pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s24le",
    "pcm_s32be", "pcm_s32le", "pcm_s64le", "pcm_u8", "ra_144", "ra_288", "sipr", "speex", "truehd", "tta", "vorbis",
    "wavpack", "wmalossless", "wmapro", "wmav1", "wmav2", "wmavoice",
];

#[rustfmt::skip]
const MP4: &[&str] = &[
    "aac", "ac3", "alac", "dts", "eac3", "flac", "mp2", "mp3", "opus", "truehd", "vorbis",
];

/// Codecs that ffmpeg writes to QuickTime under a name that it reads back: others get no name, and are lost.
#[rustfmt::skip]
const MOV: &[&str] = &[
    "aac", "ac3", "adpcm_ima_qt", "alac", "amr_nb", "dts", "eac3", "gsm", "mp2", "mp3", "nellymoser", "pcm_alaw",
    "pcm_f32be", "pcm_f32le", "pcm_f64be", "pcm_f64le", "pcm_mulaw", "pcm_s16be", "pcm_s16le", "pcm_s24be",
    "pcm_s24le", "pcm_s32be", "pcm_s32le", "pcm_s8", "pcm_u8", "qdm2", "qdmc",
];

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Container {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = if text == "matroska" { "mkv" } else { text };
        Self::ALL
            .into_iter()
            .find(|container| container.name() == name)
            .ok_or_else(|| UnknownName::new("container", text, &Self::ALL.map(Self::name)))
    }
}
