//! Changes: what an output has kept, converted or lost of its input, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

mod tally;

pub use crate::recipe::loss::Kind;
pub use tally::{Tally, tally};

/// Most changes that are listed for one output: a hostile input may have thousands of tracks.
pub const MOST_CHANGES: usize = 200;

/// What has become, or will become, of one thing of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// The kind of thing.
    pub kind: Kind,
    /// Kept, converted or lost.
    pub fate: Fate,
    /// The input's stream that it belongs to, counted from 0; `None` for the whole file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<usize>,
    /// The thing in the input, e.g. `5.1(side)`, `HDR10 (1000 cd/m²)`, `3 chapters`.
    pub from: String,
    /// The thing in the output; `None` if it is kept unchanged, or lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Why it was not kept unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether the recipe asks for it, e.g. for a track left out by `--audio none`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_wanted: bool,
}

impl Change {
    /// A thing that the output holds unchanged.
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

    /// A thing that the output holds in another form.
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

    /// A thing that the output does not hold.
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

    /// Marks the change as asked for by the recipe.
    pub fn wanted(self) -> Self {
        Self {
            is_wanted: self.fate != Fate::Kept,
            ..self
        }
    }

    /// Whether this is a loss: not asked for, and either lost or converted without a way back to the old form.
    pub fn is_loss(&self) -> bool {
        !self.is_wanted
            && match self.fate {
                Fate::Kept => false,
                Fate::Converted => self.kind.is_lost_by_conversion(),
                Fate::Lost => true,
            }
    }

    /// Whether people should be told: it is neither kept nor asked for.
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

/// What became of a thing of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Fate {
    /// The output holds it unchanged.
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_conversion_without_a_way_back_is_a_loss() {
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
