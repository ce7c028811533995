//! A command line in the making.

use std::ffi::{OsStr, OsString};

use common::farm::card::Proof;
use common::job::changes::Change;
use common::job::failure::Failure;
use common::recipe::encoder::{Codec, Encoder};
use common::recipe::{Audio, Container, Recipe, Video, VideoEncode};

use crate::ffmpeg::build::Build;
use crate::ffmpeg::picture::{Clock, Picture, Task};
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::probe::times;
use crate::ffmpeg::sound::Sound;
use crate::ffmpeg::tracks::{Track, TrackMethod, Tracks, captions};
use crate::ffmpeg::{Source, picture, rate, sound};

/// A command line in the making.
#[derive(Default)]
pub(super) struct Line {
    pub(super) list: Vec<OsString>,
}

impl Line {
    /// Adds arguments that hold no spaces themselves.
    pub(super) fn push(&mut self, arguments: impl AsRef<str>) {
        self.add(arguments.as_ref().split(' '));
    }

    pub(super) fn add(&mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) {
        self.list.extend(
            arguments
                .into_iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
    }

    /// What the recipe says in ffmpeg's own words; later ones win over ours.
    fn further(&mut self, video: &VideoEncode, encoder: &Encoder) {
        let arguments = video.arguments.iter();
        for argument in arguments.filter(|argument| !picture::holds_params(encoder, argument)) {
            self.add([
                format!("-{}:v", argument.option()),
                argument.value().to_owned(),
            ]);
        }
    }

    /// How one film is encoded, by its place among the output's video streams.
    fn film(&mut self, number: usize, task: &Task<'_>, picture: &Picture) {
        if task.video.keeps_frames() {
            self.push(format!("-fps_mode:v:{number} passthrough"));
            let takes_any = rate::takes_any_time_base(task.encoder);
            let clock = Clock::of(task.film, task.container).filter(|_| takes_any);
            // In the source's own unit of time no two frames fall on one timestamp, at whatever rate they come.
            let unit = clock.map(Clock::unit).or(task.film.time_base);
            if let Some(unit) = unit.filter(|_| takes_any) {
                self.push(format!("-enc_time_base:v:{number} {unit}"));
            }
            if let Some(clock) = clock {
                self.add([format!("-bsf:v:{number}"), clock.filter()]);
            }
        }
        self.add(picture.arguments(task, number));
    }

    pub(super) fn sound(
        &mut self,
        recipe: &Recipe,
        media: &Media,
        tracks: &Tracks,
    ) -> Result<(), Failure> {
        let bitrate = match &recipe.audio {
            Audio::Encode { bitrate, .. } | Audio::CopyElse { bitrate, .. } => bitrate,
            Audio::Copy | Audio::None => &None,
        };
        let sounds = tracks
            .list
            .iter()
            .filter(|track| track.source.kind == StreamKind::Audio);
        for (number, track) in sounds.enumerate() {
            let TrackMethod::Audio(encoder) = track.by else {
                if track.by == TrackMethod::Copy
                    && let Some(filter) = sound::filter_of_copy(&track.source, media)
                {
                    self.push(format!("-bsf:a:{number} {filter}"));
                }
                continue;
            };
            let sound = Sound::plan(&track.source, encoder, recipe.container)?;
            if let Some(bitrate) = bitrate {
                self.push(format!("-b:a:{number} {}", sound.bitrate(*bitrate)));
            }
            self.push(format!("-filter:a:{number} {}", sound.filter()));
        }
        Ok(())
    }

    /// How the input is read, where ffmpeg does not read it well by itself.
    pub(super) fn readers(&mut self, tracks: &Tracks, pictures: &[(&Task<'_>, Picture)]) {
        for track in &tracks.list {
            let index = track.source.index;
            if let Some(reader) = track.source.reader {
                self.push(format!("-c:{index} {reader}"));
            }
            // Text in an old encoding is kept byte by byte instead of being refused.
            if matches!(track.by, TrackMethod::Subtitles(_)) {
                self.push(format!("-sub_charenc_mode:{index} ignore"));
            }
        }
        for (task, picture) in pictures {
            if let Some(decoder) = picture.decoder {
                self.push(format!("-c:{} {decoder}", task.film.index));
            }
        }
    }

    /// What is read: the input, and once more for its captions.
    pub(super) fn inputs(&mut self, recipe: &Recipe, media: &Media, source: &Source) {
        if let Some(reading) = times::reading(media).filter(|_| recipe.video == Video::Copy) {
            self.push(reading);
        }
        self.add(source.arguments());
        if let Some(film) = captions::source(recipe, media) {
            self.add(captions::input(film, media, source));
        }
    }

    /// Which stream of the input each track is made of, and by what.
    pub(super) fn maps(&mut self, tracks: &Tracks, encoder: Option<&Encoder>) {
        for (number, track) in tracks.list.iter().enumerate() {
            let codec = match (track.by, encoder) {
                (TrackMethod::Attach, _) => continue,
                (TrackMethod::Video, Some(encoder)) => encoder.as_str(),
                (TrackMethod::Audio(encoder), _) => encoder.name(),
                (TrackMethod::Subtitles(form) | TrackMethod::Captions(form), _) => form,
                (TrackMethod::Copy | TrackMethod::Video, _) => "copy",
            };
            let from = match track.by {
                TrackMethod::Captions(_) => captions::STREAM.to_owned(),
                _ => format!("0:{}", track.source.index),
            };
            self.push(format!("-map {from} -c:{number} {codec}"));
        }
    }

    /// How the encoder of all films is told to work.
    pub(super) fn encoder(
        &mut self,
        video: &VideoEncode,
        encoder: &Encoder,
        proof: &Proof,
        films: &[Stream],
    ) {
        self.add(&proof.encoder_arguments);
        self.add(rate::rate(encoder, video.rate));
        if let Some(preset) = &video.preset {
            self.add(rate::preset(encoder, preset.as_str()));
        }
        let depth = films.first().map_or(8, Stream::depth);
        self.add(rate::default_options(
            encoder,
            video.bit_depth.map_or(depth, u8::from),
        ));
        self.further(video, encoder);
    }

    /// How each film is encoded.
    pub(super) fn films(&mut self, pictures: &[(&Task<'_>, Picture)]) {
        for (number, (task, picture)) in pictures.iter().enumerate() {
            self.film(number, task, picture);
        }
        if pictures.iter().any(|(_, picture)| picture.has_dolby_vision) {
            self.push(picture::UNOFFICIAL);
        }
    }

    /// How films are copied; gives what becomes of them.
    pub(super) fn copied_films(
        &mut self,
        recipe: &Recipe,
        films: &[Stream],
        build: &Build,
    ) -> Result<Vec<Change>, Failure> {
        let mut changes = Vec::new();
        for (number, film) in films.iter().enumerate() {
            let copied = picture::copied(film, number, recipe.container, build)?;
            self.add(copied.arguments);
            changes.extend(copied.changes);
        }
        Ok(changes)
    }

    /// How the times of copied films are set right.
    pub(super) fn times_of_copies(&mut self, films: &[Stream], media: &Media) {
        for (number, film) in films.iter().enumerate() {
            if let Some(filter) = times::film_filter(film, media) {
                self.push(format!("-bsf:v:{number} {filter}"));
            }
        }
    }

    pub(super) fn container(
        &mut self,
        container: Container,
        encoder: Option<&Encoder>,
        tracks: &Tracks,
        has_keys: bool,
    ) {
        if matches!(container, Container::Mp4 | Container::Mov) {
            for (number, film) in tracks.films().enumerate() {
                let hevc = match encoder {
                    Some(encoder) => encoder.codec() == Some(Codec::Hevc),
                    None => film.source.codec == "hevc",
                };
                // Apple's players know HEVC by this name only.
                if hevc {
                    self.push(format!("-tag:v:{number} hvc1"));
                }
            }
            self.push(if has_keys {
                "-movflags +faststart+use_metadata_tags"
            } else {
                "-movflags +faststart"
            });
            let codec = |track: &Track| match track.by {
                TrackMethod::Audio(encoder) => encoder.codec().to_owned(),
                _ => track.source.codec.clone(),
            };
            // What ffmpeg took for an experiment when these were new to MP4. Only the muxer is told: encoders, too, have experiments.
            if tracks
                .list
                .iter()
                .any(|track| matches!(codec(track).as_str(), "flac" | "opus" | "truehd"))
            {
                self.push("-f_strict experimental");
            }
        }
        // Sparse subtitles must not starve the others out.
        self.push("-max_muxing_queue_size 4096");
        self.push(format!("-f {}", container.muxer()));
    }
}
