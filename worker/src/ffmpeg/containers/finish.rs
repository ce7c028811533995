//! Changes to an output after ffmpeg has written it, for metadata that ffmpeg cannot write.

use std::fs::File;
use std::io;

use common::recipe::Container;
use jiff::Timestamp;

use crate::ffmpeg::containers::{matroska, mp4};
use crate::ffmpeg::probe::media::{Media, StreamKind};
use crate::ffmpeg::tracks::{Track, TrackMethod, dispositions, tags};

/// The metadata to write to an output after ffmpeg has made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finish {
    /// BCP 47 languages, with the number of their track.
    languages: Vec<(usize, String)>,
    /// Languages of a mov, each of three letters, with the number of their track. It does not count covers.
    of_mov: Vec<(usize, [u8; 3])>,
    /// The track of an mp4 or mov to disable. Its number does not count covers.
    switched_off: Option<usize>,
    /// The creation time of an mp4 or mov.
    created: Option<Timestamp>,
    /// The number of a film in a Matroska file, and how long its frames are shown, in nanoseconds.
    frame: Option<(usize, u64)>,
}

impl Finish {
    pub(crate) fn new(container: Container, media: &Media, tracks: &[Track]) -> Self {
        let languages = tracks.iter().enumerate().filter_map(|(number, track)| {
            let language = tags::language_to_write(track, container)?;
            Some((number, language.to_owned()))
        });
        let place = |number: usize| {
            let is_track = |track: &&Track| {
                !track.source.is_picture && track.source.kind != StreamKind::Attachment
            };
            tracks[..number].iter().filter(is_track).count()
        };
        let off = dispositions::wrongly_default(container, tracks).map(place);
        let all = tracks.iter().enumerate();
        let of_mov = all
            .filter(|(_, track)| container == Container::Mov && !track.source.is_picture)
            .filter_map(|(number, track)| Some((place(number), tags::three_letters(track)?)));
        Self {
            languages: languages.collect(),
            of_mov: of_mov.collect(),
            switched_off: off,
            created: tags::created(container, media),
            frame: None,
        }
    }

    /// Also states how long a frame of the encoded film is shown, in nanoseconds, if the container is Matroska.
    pub(crate) fn with_frame(
        self,
        container: Container,
        tracks: &[Track],
        nanoseconds: Option<u64>,
    ) -> Self {
        let film = tracks
            .iter()
            .position(|track| track.by == TrackMethod::Video);
        let frame = film.zip(nanoseconds);
        Self {
            frame: frame.filter(|_| container.is_matroska()),
            ..self
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
        if !self.of_mov.is_empty() {
            mp4::write_languages(output, &self.of_mov)?;
        }
        if let Some(track) = self.switched_off {
            mp4::switch_off(output, track)?;
        }
        if let Some((track, nanoseconds)) = self.frame {
            matroska::write_frame(output, track, nanoseconds)?;
        }
        if let Some(created) = self.created {
            mp4::write_created(output, created)?;
        }
        Ok(())
    }
}
