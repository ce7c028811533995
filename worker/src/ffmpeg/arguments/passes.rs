//! The further runs of ffmpeg that an encode may need before the one that makes the output.

use std::ffi::OsString;
use std::path::Path;

use common::farm::card::Proof;
use common::job::failure::Failure;
use common::recipe::VideoEncode;
use common::recipe::encoder::Encoder;

use crate::ffmpeg::arguments::line::{Input, Line};
use crate::ffmpeg::build::Build;
use crate::ffmpeg::file;
use crate::ffmpeg::part::{Part, has_jumps};
use crate::ffmpeg::picture::{Picture, Task};
use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::rate::Pass;
use crate::ffmpeg::rate::budget::Budget;
use crate::ffmpeg::tracks::{Track, TrackMethod, Tracks, of_source};

/// The name of the file with all tracks but the films.
pub const REST: &str = "rest";

/// How a size is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct SizePlan {
    pub budget: Budget,
    /// The arguments for a run that makes all tracks but the films, to measure them. `None` if there are no others.
    pub rest: Option<Vec<OsString>>,
}

/// The input of a run, and what is made of it.
pub(super) struct Run<'a> {
    pub(super) input: Input<'a>,
    pub(super) tracks: &'a Tracks,
    pub(super) build: &'a Build,
}

impl Run<'_> {
    /// The part of the input that becomes the output; `None` for all of it.
    pub(super) fn part(&self) -> Option<&Part> {
        self.input.findings.part.as_ref()
    }

    /// The arguments for the first of two passes: the films are encoded for their statistics.
    pub(super) fn first_pass(
        &self,
        video: &VideoEncode,
        (encoder, proof): (&Encoder, &Proof),
        films: &[Stream],
        pictures: &[(&Task<'_>, Picture)],
    ) -> Vec<OsString> {
        let mut line = Line::beginning(Some(proof));
        line.readers(&self.tracks.list, pictures);
        let seen: Vec<Track> = self.tracks.films().cloned().collect();
        line.inputs(self.input, &seen);
        for (number, (film, (_, picture))) in films.iter().zip(pictures).enumerate() {
            let end = picture.end(number);
            let from = end.unwrap_or_else(|| format!("0:{}", film.index));
            line.push(format!("-map {from} -c:{number} {encoder}"));
        }
        // Many encoders put out nothing in a first pass, so that ffmpeg knows no progress. A copy beside them has one.
        let progress = films.first().map(|film| film.index);
        let others = of_source(&self.tracks.list).filter(|track| !track.source.is_film());
        let others = others.filter(|_| has_jumps(self.input.media));
        let copies = progress
            .into_iter()
            .chain(others.map(|track| track.source.index));
        for (number, index) in copies.enumerate() {
            line.push(format!("-map 0:{index} -c:{} copy", films.len() + number));
        }
        line.push("-map_metadata -1 -map_chapters -1");
        line.encoder(video, encoder, proof, films);
        line.films(pictures, self.input.media, self.part(), Some(Pass::First));
        self.end(&mut line);
        line.push("-max_muxing_queue_size 4096 -f null -");
        line.list
    }

    /// Ends the output where the part ends.
    fn end(&self, line: &mut Line) {
        if let Some(part) = self.part() {
            line.add(part.ends(self.input.media));
        }
    }

    /// How the recipe's size is reached; `None` if it asks for none.
    ///
    /// # Errors
    /// Those of [`Budget::of`].
    pub(super) fn size(&self, folder: &Path) -> Result<Option<SizePlan>, Failure> {
        let Input { recipe, media, .. } = self.input;
        let Some(budget) = Budget::of(recipe, media, &self.tracks.list)? else {
            return Ok(None);
        };
        let is_measured =
            |track: &&Track| !matches!(track.by, TrackMethod::Video | TrackMethod::Attach);
        let rest = Tracks {
            list: self
                .tracks
                .list
                .iter()
                .filter(is_measured)
                .cloned()
                .collect(),
            ..Tracks::default()
        };
        if rest.list.is_empty() {
            return Ok(Some(SizePlan { budget, rest: None }));
        }
        let mut line = Line::beginning(None);
        line.readers(&rest.list, &[]);
        let input = Input {
            drawn: None,
            ..self.input
        };
        line.inputs(input, &rest.list);
        line.maps(&rest, None, &[]);
        line.push("-map_metadata 0 -map_chapters 0");
        line.sound(media, &rest, self.part());
        if let Some(part) = self.part() {
            line.add(part.arguments(&rest.list, self.build));
        }
        self.end(&mut line);
        line.container(recipe.container, None, &rest.list, false);
        line.list.push(file(&folder.join(REST)));
        Ok(Some(SizePlan {
            budget,
            rest: Some(line.list),
        }))
    }
}

/// The arguments with a bitrate for the films, in bits per second. The output stays the last argument.
pub fn at_bitrate(list: &[OsString], bitrate: u64) -> Vec<OsString> {
    let (output, options) = match list.split_last() {
        Some((output, options)) => (Some(output), options),
        None => (None, list),
    };
    let mut list = options.to_vec();
    list.extend(["-b:v".into(), bitrate.to_string().into()]);
    list.extend(output.cloned());
    list
}
