//! What a survey has found in one film by decoding parts of it. The owner of a job tells its helpers, because a sample
//! of the film alone might give another answer.

use serde::{Deserialize, Serialize};

use crate::recipe::Borders;
use crate::wire::is_default;

/// The answers about one film. A question that the recipe does not ask has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilmFindings {
    /// Its black borders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub borders: Option<BlackBorders>,
    /// Its combs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combing: Option<Combing>,
    /// Whether all its frames last equally long.
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_steady: bool,
}

/// The black borders of a film, found in several pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlackBorders {
    /// The pixels to cut off, as a player shows the picture. Empty if too few pictures show where a border is.
    pub borders: Borders,
    /// The number of pictures that were looked at.
    pub pictures: usize,
    /// The number of pictures that show where a border is.
    pub usable: usize,
    /// Whether the shape of the picture changes within the film.
    pub is_mixed: bool,
}

impl BlackBorders {
    /// With fewer usable pictures, nothing is cut off.
    pub const LEAST: usize = 3;

    /// Whether enough pictures show where a border is.
    pub fn is_sure(&self) -> bool {
        self.usable >= Self::LEAST
    }
}

/// Combs: pictures whose two fields were taken at different times. All numbers count pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Combing {
    /// Pictures that were looked at.
    pub pictures: usize,
    /// Pictures that move enough to tell, and whose fields belong together.
    pub whole: usize,
    /// Combed pictures whose top field is the earlier one.
    pub top_first: usize,
    /// Combed pictures whose bottom field is the earlier one.
    pub bottom_first: usize,
    /// Pictures with a field of the picture before, while the other field is a new one.
    pub repeats: usize,
    /// Pictures with at least one new field.
    pub moving: usize,
}

/// Which field of a picture is the earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldOrder {
    /// The top field.
    Top,
    /// The bottom field.
    Bottom,
}

impl Combing {
    /// The fewest combed pictures of a film that counts as combed.
    const FEWEST: usize = 2;

    /// Combed pictures of either order.
    pub fn combed(&self) -> usize {
        self.top_first + self.bottom_first
    }

    /// Whether at least `percent` of the pictures that can be told are combed.
    fn has(&self, percent: usize) -> bool {
        let told = self.combed() + self.whole;
        self.combed() >= Self::FEWEST && self.combed() * 100 >= told * percent
    }

    /// Whether the film has combs that are no accident.
    pub fn is_combed(&self) -> bool {
        self.has(10)
    }

    /// Whether the film is interlaced from beginning to end, and is no telecined film.
    pub fn is_interlaced_throughout(&self) -> bool {
        self.has(50) && !self.is_telecined()
    }

    /// Whether fields are repeated as in film of 24 pictures that was stretched to 60 fields: in two of five pictures.
    pub fn is_telecined(&self) -> bool {
        self.is_combed() && self.repeats * 100 >= self.moving * 25
    }

    /// The order of the fields; `None` if the pictures do not agree on it.
    pub fn order(&self) -> Option<FieldOrder> {
        let (top, bottom) = (self.top_first, self.bottom_first);
        if top > 3 * bottom {
            Some(FieldOrder::Top)
        } else if bottom > 3 * top {
            Some(FieldOrder::Bottom)
        } else {
            None
        }
    }
}
