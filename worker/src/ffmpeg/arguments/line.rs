//! Builds one command line of ffmpeg.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use common::farm::card::Proof;
use common::job::changes::Change;
use common::job::failure::Failure;
use common::recipe::encoder::{Codec, Encoder};
use common::recipe::{Container, Recipe, Video, VideoEncode};

use crate::ffmpeg::build::Build;
use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::part::Part;
use crate::ffmpeg::picture::{Clock, Pace, Picture, Task};
use crate::ffmpeg::probe::media::{Media, Ratio, Stream, StreamKind};
use crate::ffmpeg::probe::times;
use crate::ffmpeg::rate::{Pass, keyframes, passes};
use crate::ffmpeg::tracks::subtitles::{Burnt, burn_in};
use crate::ffmpeg::tracks::{Track, TrackMethod, Tracks, captions, subtitles};
use crate::ffmpeg::{Source, picture, rate, sound};

/// A command line under construction.
#[derive(Default)]
pub(super) struct Line {
    pub(super) list: Vec<OsString>,
    numbers: Numbers,
}

/// The numbers of the inputs after the first one.
#[derive(Clone, Copy, Default)]
struct Numbers {
    /// The source again, for its captions.
    captions: usize,
    /// The source again, for its subtitles; 0 if they are read with the rest.
    texts: usize,
    /// The subtitles that are drawn into the picture.
    burn_in: usize,
}

/// What a run of ffmpeg reads.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) media: &'a Media,
    pub(super) source: &'a Source,
    pub(super) findings: &'a Findings,
    /// The subtitles that are drawn into the picture, and ffmpeg's folder.
    pub(super) drawn: Option<(&'a Burnt, &'a Path)>,
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
    fn film(
        &mut self,
        number: usize,
        task: &Task<'_>,
        picture: &Picture,
        part: Option<String>,
        pass: Option<Pass>,
    ) {
        if task.video.paces_frames() {
            self.push(format!("-fps_mode:v:{number} passthrough"));
            let (unit, clock) = units(task, pass);
            if let Some(unit) = unit {
                self.push(format!("-enc_time_base:v:{number} {unit}"));
            }
            // The times of chunks are corrected when their film is whole.
            let clock = clock.filter(|_| task.frames.is_none());
            if let Some(clock) = clock {
                let step = Pace::of(task.video, task.film).step();
                self.add([format!("-bsf:v:{number}"), clock.filter(step)]);
            }
        }
        if let Some(graph) = picture.graph(task, number, self.numbers.burn_in, part.as_deref()) {
            self.add(["-filter_complex".to_owned(), graph]);
        }
        if let Some(segment) = task.segment {
            self.add(keyframes::options(task.encoder, segment, task.film, number));
        }
        self.add(picture.arguments(task, number, part, pass));
        if let Some(pass) = pass {
            self.add(pass.options(task.encoder, number));
        }
    }

    /// Adds the options of each audio track.
    pub(super) fn sound(&mut self, media: &Media, tracks: &Tracks, part: Option<&Part>) {
        let sounds = tracks
            .list
            .iter()
            .filter(|track| track.source.kind == StreamKind::Audio);
        for (number, track) in sounds.enumerate() {
            if let Some(sound) = &track.sound {
                if let Some(bitrate) = sound.bitrate() {
                    self.push(format!("-b:a:{number} {bitrate}"));
                }
                let part = part.map(|part| format!("{},", part.sound_filter(media)));
                let part = part.unwrap_or_default();
                self.push(format!("-filter:a:{number} {part}{}", sound.filter()));
            } else if track.by == TrackMethod::Copy
                && let Some(filter) = sound::filter_of_copy(&track.source, media)
            {
                self.push(format!("-bsf:a:{number} {filter}"));
            }
        }
    }

    /// Adds decoder options for films and sound that ffmpeg would not decode well by itself.
    pub(super) fn readers(&mut self, tracks: &[Track], pictures: &[(&Task<'_>, Picture)]) {
        for track in tracks.iter().filter(|track| !is_own_text(track)) {
            if let Some(reader) = &track.source.reader {
                self.push(format!("-c:{} {reader}", track.source.index));
            }
        }
        for (task, picture) in pictures {
            if let Some(decoder) = picture.decoder {
                self.push(format!("-c:{} {decoder}", task.film.index));
            }
        }
    }

    /// The same for the input's own subtitles, which may be read from another input than the rest.
    fn text_readers(&mut self, tracks: &[Track]) {
        for track in tracks.iter().filter(|track| is_own_text(track)) {
            let index = track.source.index;
            if let Some(reader) = &track.source.reader {
                self.push(format!("-c:{index} {reader}"));
            }
            // Text in an old encoding is kept byte by byte. ffmpeg would otherwise refuse it.
            if matches!(track.by, TrackMethod::Subtitles(_)) {
                self.push(format!("-sub_charenc_mode:{index} ignore"));
            }
        }
    }

    /// Adds the inputs of these tracks: the source, the subtitle files, the same source again for its captions, and again
    /// for subtitles that begin long before the part, and the pictures that are drawn into films.
    pub(super) fn inputs(&mut self, input: Input<'_>, tracks: &[Track]) {
        let Input {
            recipe,
            media,
            source,
            findings,
            drawn,
        } = input;
        let part = findings.part.as_ref();
        let texts = part
            .filter(|_| tracks.iter().any(is_own_text))
            .and_then(|part| part.reading_subtitles(media));
        if texts.is_none() {
            self.text_readers(tracks);
        }
        if let Some(reading) = times::reading(media).filter(|_| recipe.video == Video::Copy) {
            self.push(reading);
        }
        self.add(part.map_or(Vec::new(), |part| part.reading(media)));
        self.add(source.arguments());
        for file in &findings.external {
            let shift = part.map_or(0.0, Part::shift_of_files);
            self.add(subtitles::file::arguments(file, shift));
        }
        let mut last = findings.external.len();
        if let Some(film) = captions::source(recipe, media) {
            self.add(captions::input(
                film,
                media,
                source,
                part.map(|part| part.from),
            ));
            last += 1;
            self.numbers.captions = last;
        }
        if let Some(reading) = texts {
            self.text_readers(tracks);
            self.add(reading);
            self.add(source.arguments());
            last += 1;
            self.numbers.texts = last;
        }
        if let Some((burnt, folder)) = drawn.filter(|(burnt, _)| !burnt.is_text) {
            let film = media.films().next();
            let size = film.map(|film| (film.width, film.height));
            self.add(burn_in::input(burnt, size.unwrap_or_default(), folder));
            self.numbers.burn_in = last + 1;
        }
    }

    /// Maps each track to its input stream, and chooses its codec.
    pub(super) fn maps(
        &mut self,
        tracks: &Tracks,
        encoder: Option<&Encoder>,
        pictures: &[(&Task<'_>, Picture)],
    ) {
        let mut ends = pictures
            .iter()
            .enumerate()
            .map(|(number, (_, picture))| picture.end(number));
        for (number, track) in tracks.list.iter().enumerate() {
            let codec = match (track.by, encoder) {
                (TrackMethod::Attach, _) => continue,
                (TrackMethod::Video, Some(encoder)) => encoder.as_str(),
                (TrackMethod::Audio(encoder), _) => encoder.name(),
                (TrackMethod::Subtitles(form) | TrackMethod::Captions(form), _) => form,
                (TrackMethod::Copy | TrackMethod::Video, _) => "copy",
            };
            let end = match track.by {
                TrackMethod::Video => ends.next().flatten(),
                _ => None,
            };
            let from = end.unwrap_or_else(|| self.origin(track));
            self.push(format!("-map {from} -c:{number} {codec}"));
        }
    }

    /// Maps a subtitle track to a file of its own.
    pub(super) fn subtitle_file(&mut self, track: &Track) {
        let codec = match track.by {
            TrackMethod::Subtitles(form) | TrackMethod::Captions(form) => form,
            _ => "copy",
        };
        self.push(format!("-map {} -c:s {codec}", self.origin(track)));
    }

    /// The input's stream from which a track is made, in the syntax of `-map`.
    fn origin(&self, track: &Track) -> String {
        let Numbers {
            captions, texts, ..
        } = self.numbers;
        let index = track.source.index;
        match (track.by, track.source.external) {
            (TrackMethod::Captions(_), _) => format!("{captions}:s:0"),
            (TrackMethod::Video, _) => format!("0:{index}"),
            (_, Some(file)) => format!("{}:0", file + 1),
            _ if track.source.kind == StreamKind::Subtitle => format!("{texts}:{index}"),
            _ => format!("0:{index}"),
        }
    }

    /// Adds the tags of films that come from a graph of filters, to which ffmpeg gives none.
    pub(super) fn tags_of_graphs(&mut self, pictures: &[(&Task<'_>, Picture)]) {
        for (number, (task, picture)) in pictures.iter().enumerate() {
            if picture.end(number).is_none() {
                continue;
            }
            for (key, value) in &task.film.tags {
                self.add([format!("-metadata:s:v:{number}"), format!("{key}={value}")]);
            }
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
    pub(super) fn films(
        &mut self,
        pictures: &[(&Task<'_>, Picture)],
        media: &Media,
        part: Option<&Part>,
        pass: Option<Pass>,
    ) {
        for (number, (task, picture)) in pictures.iter().enumerate() {
            let part = part.map(|part| part.film_filter(task.film.index, media));
            self.film(number, task, picture, part, pass);
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
        media: &Media,
        build: &Build,
        part: Option<&Part>,
    ) -> Result<Vec<Change>, Failure> {
        let mut changes = Vec::new();
        for (number, film) in films.iter().enumerate() {
            let copied = picture::copied(film, number, recipe.container, build)?;
            self.add(copied.arguments);
            let unpacked = times::film_filter(film, media).map(str::to_owned);
            let cut = part.map(|part| part.copied_film_filter(film.index));
            let filters: Vec<String> = unpacked
                .into_iter()
                .chain(cut)
                .chain(copied.filter)
                .collect();
            if !filters.is_empty() {
                self.add([format!("-bsf:v:{number}"), filters.join(",")]);
            }
            changes.extend(copied.changes);
        }
        Ok(changes)
    }

    pub(super) fn container(
        &mut self,
        container: Container,
        encoder: Option<&Encoder>,
        tracks: &[Track],
        has_keys: bool,
    ) {
        if container.is_mp4() {
            let films = tracks.iter().filter(|track| track.source.is_film());
            for (number, film) in films.enumerate() {
                let hevc = match encoder {
                    Some(encoder) => encoder.codec() == Some(Codec::Hevc),
                    None => film.source.codec == "hevc",
                };
                // Apple's players accept HEVC only under this name.
                if hevc {
                    self.push(format!("-tag:v:{number} hvc1"));
                }
            }
            self.push(match (container, has_keys) {
                // It is packaged anew, without a track of timecode.
                (Container::Cmaf, _) => "-write_tmcd 0",
                (_, true) => "-movflags +faststart+use_metadata_tags",
                (_, false) => "-movflags +faststart",
            });
            let codec = |track: &Track| match track.by {
                TrackMethod::Audio(encoder) => encoder.codec().to_owned(),
                _ => track.source.codec.clone(),
            };
            // ffmpeg counted these codecs in MP4 as experimental when they were new. The option goes to the muxer
            // only, because encoders have experimental features, too.
            if tracks
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

/// The unit of an encoded film's times, if the encoder takes any, and the clock to which its times are set.
pub(super) fn units(task: &Task<'_>, pass: Option<Pass>) -> (Option<Ratio>, Option<Clock>) {
    let takes_any = rate::takes_any_time_base(task.encoder);
    let pace = Pace::of(task.video, task.film);
    let clock = Clock::of(task.film, task.container).filter(|_| takes_any && pace.keeps_times());
    // In the source's own time base, no two frames get the same timestamp, whatever the frame rate.
    let whole_frames = pass.and_then(|_| passes::unit(task.encoder, task.build, task.film));
    // Frames that were found again come at their own rate.
    let is_own = !task.fields.leaves_out_frames();
    let clock = clock.filter(|_| is_own);
    let source = task.film.time_base.filter(|_| is_own);
    let unit = pace
        .time_base()
        .or(whole_frames)
        .or(clock.map(Clock::unit))
        .or(source);
    (unit.filter(|_| takes_any), clock)
}

/// Whether a track is one of the input's own subtitles.
fn is_own_text(track: &Track) -> bool {
    track.source.kind == StreamKind::Subtitle
        && track.source.external.is_none()
        && !matches!(track.by, TrackMethod::Captions(_))
}
