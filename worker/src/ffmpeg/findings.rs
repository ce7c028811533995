//! What was found in an input by decoding parts of it, as far as the recipe asks. The survey (`attempt::survey`) asks
//! the questions.
//!
//! A question that was not asked, or not answered in time, has no answer. The command line is then made without it.

use std::collections::BTreeMap;

use common::recipe::Borders;

/// The answers. Tracks are named by their index among all streams of the input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// The black borders of each film.
    pub borders: Option<BTreeMap<usize, BlackBorders>>,
}

/// The black borders of a film, found in several pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
