//! Changes to an output after ffmpeg has written it, for metadata that ffmpeg cannot write.

use std::fs::File;
use std::io;

use common::recipe::Container;
use jiff::Timestamp;

use crate::ffmpeg::containers::{matroska, mp4};
use crate::ffmpeg::probe::media::{Media, StreamKind};
use crate::ffmpeg::tracks::{Track, dispositions, tags};

/// The metadata to write to an output after ffmpeg has made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finish {
    /// BCP 47 languages, with the number of their track.
    languages: Vec<(usize, String)>,
    /// The track of an mp4 or mov to disable. Its number does not count covers.
    switched_off: Option<usize>,
    /// The creation time of an mp4 or mov.
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

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Writes the metadata.
    ///
    /// # Errors
    /// If the file cannot be written, or does not have the expected structure.
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
