//! Files that a job makes beside its output.

use serde::{Deserialize, Serialize};

use crate::job::companion::Suffix;
use crate::wire::is_default;

/// Which files a job makes beside its output `film.mkv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Companions {
    /// So many pictures, evenly spread: `film.1.jpg`, `film.2.jpg`, …
    #[serde(skip_serializing_if = "is_default")]
    pub thumbnails: u8,
    /// Twenty pictures on one sheet: `film.contact.jpg`.
    #[serde(skip_serializing_if = "is_default")]
    pub contact_sheet: bool,
    /// Up to 100 small pictures on one sheet, and when each is shown, for a player's time line: `film.sprites.jpg` and
    /// `film.sprites.vtt`.
    #[serde(skip_serializing_if = "is_default")]
    pub sprites: bool,
    /// A short clip of parts of the film, without sound: `film.preview.mp4`.
    #[serde(skip_serializing_if = "is_default")]
    pub preview: bool,
}

impl Companions {
    /// Most thumbnails.
    pub const MOST_THUMBNAILS: u8 = 100;

    /// The suffix of a contact sheet.
    pub const CONTACT_SHEET: &str = "contact.jpg";
    /// The suffix of a sheet of sprites.
    pub const SPRITES: &str = "sprites.jpg";
    /// The suffix of the times of sprites.
    pub const SPRITE_TIMES: &str = "sprites.vtt";
    /// The suffix of a preview.
    pub const PREVIEW: &str = "preview.mp4";

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// The suffixes of all these files.
    pub fn suffixes(self) -> Vec<Suffix> {
        let thumbnails = (1..=self.thumbnails).map(|number| format!("{number}.jpg"));
        let others = [
            (self.contact_sheet, Self::CONTACT_SHEET),
            (self.sprites, Self::SPRITES),
            (self.sprites, Self::SPRITE_TIMES),
            (self.preview, Self::PREVIEW),
        ];
        let others = others.iter().filter(|(is_wanted, _)| *is_wanted);
        thumbnails
            .chain(others.map(|(_, suffix)| (*suffix).to_owned()))
            .filter_map(|suffix| Suffix::new(suffix).ok())
            .collect()
    }
}
