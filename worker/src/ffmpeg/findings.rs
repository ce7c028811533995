//! What was found in an input by decoding parts of it, as far as the recipe asks. The survey (`attempt::survey`) asks
//! the questions.
//!
//! A question that was not asked, or not answered in time, has no answer. The command line is then made without it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use common::farm::film::{BlackBorders, Combing, FilmFindings};
use common::recipe::{PictureForm, Recipe};

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

    /// The answers about one film.
    pub fn of_film(&self, film: usize) -> FilmFindings {
        let of = |found: &BTreeSet<usize>| found.contains(&film);
        FilmFindings {
            borders: self
                .borders
                .as_ref()
                .and_then(|all| all.get(&film).copied()),
            combing: self
                .combing
                .as_ref()
                .and_then(|all| all.get(&film).copied()),
            is_steady: self.steady.as_ref().is_some_and(of),
        }
    }

    /// Takes the answers about one film.
    pub fn put_film(&mut self, film: usize, found: FilmFindings) {
        let FilmFindings {
            borders,
            combing,
            is_steady,
        } = found;
        if let Some(borders) = borders {
            self.borders.get_or_insert_default().insert(film, borders);
        }
        if let Some(combing) = combing {
            self.combing.get_or_insert_default().insert(film, combing);
        }
        if is_steady {
            self.steady.get_or_insert_default().insert(film);
        }
    }

    /// The answers for a file that holds nothing but a film of which this is known.
    pub fn alone(film: FilmFindings) -> Self {
        let mut findings = Self::default();
        findings.put_film(0, film);
        findings
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
