//! What is written to an output after ffmpeg: the little that a container holds and ffmpeg does not write.

use std::fs::File;
use std::io;

use common::recipe::Container;
use jiff::Timestamp;

use crate::ffmpeg::containers::{matroska, mp4};
use crate::ffmpeg::probe::media::{Media, StreamKind};
use crate::ffmpeg::tracks::{Track, dispositions, tags};

/// What is to be written to an output once ffmpeg has made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finish {
    /// Languages by BCP 47, by the place of their track.
    languages: Vec<(usize, String)>,
    /// The track of an mp4 or mov that is to be switched off, by its place among those that are no covers.
    switched_off: Option<usize>,
    /// When the film of an mp4 or mov was made.
    created: Option<Timestamp>,
}

impl Finish {
    pub(crate) fn new(container: Container, media: &Media, tracks: &[Track]) -> Self {
        let languages = tracks.iter().enumerate().filter_map(|(number, track)| {
            let language = tags::language_to_write(track, container)?;
            Some((number, language.to_owned()))
        });
        let off = dispositions::wrongly_default(container, tracks).map(|number| {
            let before = &tracks[..number];
            let is_track = |track: &&Track| {
                !track.source.is_picture && track.source.kind != StreamKind::Attachment
            };
            before.iter().filter(is_track).count()
        });
        Self {
            languages: languages.collect(),
            switched_off: off,
            created: tags::created(container, media),
        }
    }

    /// Whether there is nothing to be written.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Writes it.
    ///
    /// # Errors
    /// Where the file cannot be written, or is not what ffmpeg was to make.
    pub fn write(&self, output: &mut File) -> io::Result<()> {
        if !self.languages.is_empty() {
            matroska::write_languages(output, &self.languages)?;
        }
        if let Some(track) = self.switched_off {
            mp4::switch_off(output, track)?;
        }
        if let Some(created) = self.created {
            mp4::write_created(output, created)?;
        }
        Ok(())
    }
}
