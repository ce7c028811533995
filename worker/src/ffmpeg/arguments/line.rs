//! Builds one command line of ffmpeg.

use std::ffi::{OsStr, OsString};

use common::farm::card::Proof;
use common::job::changes::Change;
use common::job::failure::Failure;
use common::recipe::encoder::{Codec, Encoder};
use common::recipe::{Container, Recipe, Video, VideoEncode};

use crate::ffmpeg::build::Build;
use crate::ffmpeg::picture::{Clock, Picture, Task};
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::probe::times;
use crate::ffmpeg::rate::{Pass, passes};
use crate::ffmpeg::tracks::{Track, TrackMethod, Tracks, captions};
use crate::ffmpeg::{Source, picture, rate, sound};

/// A command line under construction.
#[derive(Default)]
pub(super) struct Line {
    pub(super) list: Vec<OsString>,
}

impl Line {
    /// A line that begins with the options of all runs, and with those of the encoder's device.
    pub(super) fn beginning(proof: Option<&Proof>) -> Self {
        let mut line = Self::default();
        line.push("-nostdin -hide_banner -v warning -y");
        if let Some(proof) = proof {
            line.add(&proof.device_arguments);
        }
        line
    }

    /// Adds arguments, separated by spaces.
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

    /// Adds the recipe's own ffmpeg arguments. They come last, so that they override ours.
    fn own_arguments(&mut self, video: &VideoEncode, encoder: &Encoder) {
        let arguments = video.arguments.iter();
        for argument in arguments.filter(|argument| !picture::holds_params(encoder, argument)) {
            self.add([
                format!("-{}:v", argument.option()),
                argument.value().to_owned(),
            ]);
        }
    }

    /// Adds the options of one encoded film, by its number among the output's video streams.
    fn film(&mut self, number: usize, task: &Task<'_>, picture: &Picture, pass: Option<Pass>) {
        if task.video.keeps_frames() {
            self.push(format!("-fps_mode:v:{number} passthrough"));
            let takes_any = rate::takes_any_time_base(task.encoder);
            let clock = Clock::of(task.film, task.container).filter(|_| takes_any);
            // In the source's own time base, no two frames get the same timestamp, whatever the frame rate.
            let whole_frames = pass.and_then(|_| passes::unit(task.encoder, task.build, task.film));
            let unit = whole_frames
                .or(clock.map(Clock::unit))
                .or(task.film.time_base);
            // Frames that were found again come at their own rate.
            let is_own = !task.fields.leaves_out_frames();
            if let Some(unit) = unit.filter(|_| takes_any && is_own) {
                self.push(format!("-enc_time_base:v:{number} {unit}"));
            }
            if let Some(clock) = clock.filter(|_| is_own) {
                self.add([format!("-bsf:v:{number}"), clock.filter()]);
            }
        }
        self.add(picture.arguments(task, number, pass));
        if let Some(pass) = pass {
            self.add(pass.options(task.encoder, number));
        }
    }

    /// Adds the options of each audio track.
    pub(super) fn sound(&mut self, media: &Media, tracks: &Tracks) {
        let sounds = tracks
            .list
            .iter()
            .filter(|track| track.source.kind == StreamKind::Audio);
        for (number, track) in sounds.enumerate() {
            if let Some(sound) = &track.sound {
                if let Some(bitrate) = sound.bitrate() {
                    self.push(format!("-b:a:{number} {bitrate}"));
                }
                self.push(format!("-filter:a:{number} {}", sound.filter()));
            } else if track.by == TrackMethod::Copy
                && let Some(filter) = sound::filter_of_copy(&track.source, media)
            {
                self.push(format!("-bsf:a:{number} {filter}"));
            }
        }
    }

    /// Adds decoder options for inputs that ffmpeg would not decode well by itself.
    pub(super) fn readers(&mut self, tracks: &Tracks, pictures: &[(&Task<'_>, Picture)]) {
        for track in &tracks.list {
            let index = track.source.index;
            if let Some(reader) = track.source.reader {
                self.push(format!("-c:{index} {reader}"));
            }
            // Text in an old encoding is kept byte by byte. ffmpeg would otherwise refuse it.
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

    /// Adds the inputs: the source, and the same source again for its captions.
    pub(super) fn inputs(&mut self, recipe: &Recipe, media: &Media, source: &Source) {
        if let Some(reading) = times::reading(media).filter(|_| recipe.video == Video::Copy) {
            self.push(reading);
        }
        self.add(source.arguments());
        if let Some(film) = captions::source(recipe, media) {
            self.add(captions::input(film, media, source));
        }
    }

    /// Maps each track to its input stream, and chooses its codec.
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

    /// Adds the encoder options that all films share.
    pub(super) fn encoder(
        &mut self,
        video: &VideoEncode,
        encoder: &Encoder,
        proof: &Proof,
        films: &[Stream],
    ) {
        self.add(&proof.encoder_arguments);
        self.add(rate::rate(encoder, video));
        self.add(rate::speed(encoder, video));
        let depth = films.first().map_or(8, Stream::depth);
        self.add(rate::default_options(
            encoder,
            video.bit_depth.map_or(depth, u8::from),
        ));
        self.own_arguments(video, encoder);
    }

    /// Adds the options of each encoded film, in one of two passes or in the only one.
    pub(super) fn films(&mut self, pictures: &[(&Task<'_>, Picture)], pass: Option<Pass>) {
        for (number, (task, picture)) in pictures.iter().enumerate() {
            self.film(number, task, picture, pass);
        }
        if pictures.iter().any(|(_, picture)| picture.has_dolby_vision) {
            self.push(picture::UNOFFICIAL);
        }
    }

    /// Adds the options of copied films. Returns the changes that a copy causes.
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

    /// Adds filters that correct the timestamps of copied films.
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
        if container.is_mp4() {
            for (number, film) in tracks.films().enumerate() {
                let hevc = match encoder {
                    Some(encoder) => encoder.codec() == Some(Codec::Hevc),
                    None => film.source.codec == "hevc",
                };
                // Apple's players accept HEVC only under this name.
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
            // ffmpeg counted these codecs in MP4 as experimental when they were new. The option goes to the muxer
            // only, because encoders have experimental features, too.
            if tracks
                .list
                .iter()
                .any(|track| matches!(codec(track).as_str(), "flac" | "opus" | "truehd"))
            {
                self.push("-f_strict experimental");
            }
        }
        // Sparse subtitles must not block the other streams.
        self.push("-max_muxing_queue_size 4096");
        self.push(format!("-f {}", container.muxer()));
    }
}
