//! What was found in an input by decoding parts of it, as far as the recipe asks. The survey (`attempt::survey`) asks
//! the questions.
//!
//! A question that was not asked, or not answered in time, has no answer. The command line is then made without it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use common::recipe::{Borders, PictureForm, Recipe};

use crate::ffmpeg::part::Part;
use crate::ffmpeg::probe::media::{Media, Stream};
use crate::ffmpeg::sound::loudness::Measured;

/// The answers. Tracks are named by their index among all streams of the input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// The black borders of each film.
    pub borders: Option<BTreeMap<usize, BlackBorders>>,
    /// The combs in each film.
    pub combing: Option<BTreeMap<usize, Combing>>,
    /// The films whose frames all last equally long.
    pub steady: Option<BTreeSet<usize>>,
    /// The form of the watermark, where the recipe has one.
    pub watermark: Option<PictureForm>,
    /// The part of the input that becomes the output; `None` for all of it.
    pub part: Option<Part>,
    /// The loudness of each encoded audio track for which one is asked, by its number among the output's audio tracks.
    pub loudness: Option<BTreeMap<usize, Measured>>,
    /// The subtitle track for scenes in another language.
    pub foreign: Option<ForeignTrack>,
    /// The subtitle files beside the input, in their order.
    pub external: Vec<SubtitleFile>,
}

impl Findings {
    /// The input with what was found out about it, as if it were only the part that the recipe asks for. A part that was
    /// not looked for is cut where the recipe says.
    pub fn applied_to(&mut self, recipe: &Recipe, media: &Media) -> Media {
        let mut applied = match recipe.trim {
            Some(trim) => {
                let part = self.part.get_or_insert_with(|| Part::asked(trim, media));
                part.of(media)
            }
            None => media.clone(),
        };
        for stream in &mut applied.streams {
            stream.is_steady = self
                .steady
                .as_ref()
                .is_some_and(|steady| steady.contains(&stream.index));
        }
        applied
    }

    /// The answers about one film, for a file that holds this film alone.
    #[must_use]
    pub fn alone(&self, film: usize) -> Self {
        fn only<T: Copy>(
            all: Option<&BTreeMap<usize, T>>,
            film: usize,
        ) -> Option<BTreeMap<usize, T>> {
            let found = all?.get(&film)?;
            Some(BTreeMap::from([(0, *found)]))
        }
        Self {
            borders: only(self.borders.as_ref(), film),
            combing: only(self.combing.as_ref(), film),
            ..Self::default()
        }
    }
}

/// The search for a track that shows only what is said in another language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignTrack {
    /// It is shown far less than another track in the language of the sound.
    Found(usize),
    /// No track is shown far less than the others.
    Missing,
}

/// A subtitle file beside the input, as ffmpeg can read it.
#[derive(Clone, Debug, PartialEq)]
pub struct SubtitleFile {
    /// Its only stream, with a number that no stream of the input has.
    pub stream: Stream,
    /// ffmpeg's name of the demuxer.
    pub format: &'static str,
    /// The file; text is in UTF-8.
    pub path: PathBuf,
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

/// Combs: pictures whose two fields were taken at different times. All numbers count pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    Top,
    Bottom,
}

impl Combing {
    /// The fewest combed pictures of a film that counts as combed.
    const FEWEST: usize = 2;

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
