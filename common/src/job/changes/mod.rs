//! What becomes of what an input holds: kept, converted or lost, and why.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::UnknownName;

mod tally;

pub use tally::{Tally, tally};

/// Changes that are told of one output, at the most: a hostile input may have thousands of tracks.
pub const MOST_CHANGES: usize = 200;

/// What has become, or will become, of one thing that the input holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What kind of thing.
    pub kind: Kind,
    /// What became of it.
    pub fate: Fate,
    /// The input's stream that it belongs to, counted from 0; `None` for what belongs to the whole file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<usize>,
    /// What the input holds, e.g. `5.1(side)`, `HDR10 (1000 cd/m²)`, `3 chapters`.
    pub from: String,
    /// What the output holds instead; `None` where it is kept as it is, or lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Why it was not kept as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether the recipe asks for just that, e.g. a track left out by `--audio none`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_wanted: bool,
}

impl Change {
    /// The output holds it as the input does.
    pub fn kept(kind: Kind, track: impl Into<Option<usize>>, from: impl Into<String>) -> Self {
        Self {
            kind,
            fate: Fate::Kept,
            track: track.into(),
            from: from.into(),
            to: None,
            why: None,
            is_wanted: false,
        }
    }

    /// The output holds it in another form.
    pub fn converted(
        kind: Kind,
        track: impl Into<Option<usize>>,
        from: impl Into<String>,
        to: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            fate: Fate::Converted,
            to: Some(to.into()),
            why: Some(why.into()),
            ..Self::kept(kind, track, from)
        }
    }

    /// The output does not hold it.
    pub fn lost(
        kind: Kind,
        track: impl Into<Option<usize>>,
        from: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            fate: Fate::Lost,
            why: Some(why.into()),
            ..Self::kept(kind, track, from)
        }
    }

    /// It is what the recipe asks for.
    pub fn wanted(self) -> Self {
        Self {
            is_wanted: self.fate != Fate::Kept,
            ..self
        }
    }

    /// Whether something is gone that nobody asked to lose: it is lost, or converted where the old form cannot be
    /// had back of the new one.
    pub fn is_loss(&self) -> bool {
        !self.is_wanted
            && match self.fate {
                Fate::Kept => false,
                Fate::Converted => self.kind.is_lost_by_conversion(),
                Fate::Lost => true,
            }
    }

    /// Whether a person who was not asked needs to hear of it: it is neither kept nor wanted.
    pub fn is_news(&self) -> bool {
        self.fate != Fate::Kept && !self.is_wanted
    }
}

/// `lost: captions of track 0 (CEA-608): libx265 writes none`, `converted: track 2 (subrip) to mov_text: …`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fate, self.kind)?;
        match self.track {
            Some(track) if self.kind == Kind::Track => write!(f, " {track}")?,
            Some(track) => write!(f, " of track {track}")?,
            None => {}
        }
        if !self.from.is_empty() {
            write!(f, " ({})", self.from)?;
        }
        if let Some(to) = &self.to {
            let word = if self.fate == Fate::Kept { "as" } else { "to" };
            write!(f, " {word} {to}")?;
        }
        if let Some(why) = &self.why {
            write!(f, ": {why}")?;
        }
        Ok(())
    }
}

/// What became of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The output holds it as the input does.
    Kept,
    /// The output holds it in another form.
    Converted,
    /// The output does not hold it.
    Lost,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kept => "kept",
            Self::Converted => "converted",
            Self::Lost => "lost",
        })
    }
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)+) => {
        /// A kind of thing that an input holds and an output may lack.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// Its name, as people type it.
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
    /// What a track is marked as, e.g. `default`, `forced`, `comment`.
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
    /// The shape of the pixels, or of the picture.
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
    /// Which channels a track of sound has, and where.
    Layout = "layout",
}

impl Kind {
    /// Its name in a sentence, with an article where an input may hold several.
    fn noun(self) -> &'static str {
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

    /// Whether a conversion of it is a loss: HDR made SDR, channels mixed down, 10 bits made 8. Other conversions say
    /// the same in another form, e.g. subtitles or a turned picture.
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

    #[test]
    fn a_change_is_one_line() {
        let lost = Change::lost(Kind::Captions, 0, "CEA-608", "libx265 writes none");
        assert_eq!(
            lost.to_string(),
            "lost: captions of track 0 (CEA-608): libx265 writes none"
        );
        assert!(lost.is_loss() && lost.is_news());
        let wanted = lost.wanted();
        assert!(!wanted.is_loss() && !wanted.is_news());
        let kept = Change::kept(Kind::Chapters, None, "3 chapters");
        assert_eq!(kept.to_string(), "kept: chapters (3 chapters)");
        assert!(!kept.is_loss() && !kept.is_news());
    }

    #[test]
    fn a_conversion_is_a_loss_where_there_is_no_way_back() {
        let mixed = Change::converted(Kind::Layout, 1, "5.1", "stereo", "webm");
        assert!(mixed.is_loss());
        let text = Change::converted(Kind::Track, 2, "subrip", "mov_text", "mp4");
        assert!(!text.is_loss() && text.is_news());
        assert_eq!(
            text.to_string(),
            "converted: track 2 (subrip) to mov_text: mp4"
        );
    }
}
