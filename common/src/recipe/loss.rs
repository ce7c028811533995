//! Kinds of things that an input holds and an output may lack: a recipe names those that must not be lost.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::unknown::UnknownName;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)+) => {
        /// A kind of thing that an input holds and an output may lack.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The kind's name, as people type it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// A whole track: video, audio, subtitles or data.
    Track = "track",
    /// The language of a track, a BCP-47 tag or an ISO 639 code.
    Language = "language",
    /// The title of a track.
    Title = "title",
    /// A mark of a track, e.g. `default`, `forced`, `comment`.
    Disposition = "disposition",
    /// Chapters.
    Chapters = "chapters",
    /// An attached file, e.g. a font.
    Attachment = "attachment",
    /// A cover picture.
    Cover = "cover",
    /// A tag of the file or of a track, e.g. `location`.
    Tag = "tag",
    /// How a player turns or mirrors the picture.
    Rotation = "rotation",
    /// The shape of the pixels or of the picture.
    Aspect = "aspect",
    /// Primaries, transfer function, matrix and range of the colours; depth and sampling of the pixels.
    Colour = "colour",
    /// HDR10: mastering display and content light level.
    Hdr10 = "hdr10",
    /// HDR10+: dynamic metadata of SMPTE ST 2094-40.
    Hdr10plus = "hdr10plus",
    /// Dolby Vision: RPU and configuration record.
    DolbyVision = "dolby_vision",
    /// Hybrid log-gamma.
    Hlg = "hlg",
    /// Fields instead of whole frames.
    Interlacing = "interlacing",
    /// Transparency.
    Alpha = "alpha",
    /// Closed captions inside the video: CEA-608, CEA-708.
    Captions = "captions",
    /// When frames are shown: frame rate, length, start, damage.
    Timing = "timing",
    /// The start timecode of SMPTE ST 12.
    Timecode = "timecode",
    /// The channels of a track of sound, and their positions.
    Layout = "layout",
    /// How loud a track of sound is, by EBU R 128.
    Loudness = "loudness",
}

impl Kind {
    /// The kind's name in a sentence, with an article if an input may hold several.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Track => "a track",
            Self::Language => "a language",
            Self::Title => "a title",
            Self::Disposition => "a disposition",
            Self::Attachment => "an attachment",
            Self::Cover => "a cover",
            Self::Tag => "a tag",
            one => one.name(),
        }
    }

    /// Whether a conversion is a loss: HDR made SDR, channels mixed down, 10 bits made 8. Other conversions keep the
    /// content in another form, e.g. of subtitles or of a turned picture.
    pub fn is_lost_by_conversion(self) -> bool {
        matches!(
            self,
            Self::Colour
                | Self::Hdr10
                | Self::Hdr10plus
                | Self::DolbyVision
                | Self::Hlg
                | Self::Interlacing
                | Self::Alpha
                | Self::Timing
                | Self::Layout
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.replace('-', "_");
        let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownName::new("kind of loss", text, &names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_on_the_wire_as_people_type_it() {
        for kind in Kind::ALL {
            let json = serde_json::to_string(kind).expect("a name");
            assert_eq!(json, format!("\"{kind}\""));
            assert_eq!(kind.name().parse::<Kind>().expect("known"), *kind);
        }
        assert_eq!(
            "dolby-vision".parse::<Kind>().expect("known"),
            Kind::DolbyVision
        );
        let error = "colours".parse::<Kind>().expect_err("unknown").to_string();
        assert!(error.contains("colour"), "{error}");
    }
}
