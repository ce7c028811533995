//! Makes audio tracks: copies and encodes them.

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::{Audio, AudioEncoder, AudioOutput, AudioRule, Bitrate, Container, Recipe};

use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::sound;
use crate::ffmpeg::sound::{Sound, SoundTask};
use crate::ffmpeg::tracks::audio::{Chosen, title};
use crate::ffmpeg::tracks::{Track, TrackMethod, name};

/// The audio tracks of an output under construction.
pub(super) struct Maker<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) list: Vec<Track>,
    pub(super) changes: Vec<Change>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(recipe: &'a Recipe) -> Self {
        Self {
            recipe,
            list: Vec::new(),
            changes: Vec::new(),
        }
    }

    pub(super) fn into_chosen(self) -> Chosen {
        Chosen {
            list: self.list,
            changes: self.changes,
        }
    }

    fn container(&self) -> Container {
        self.recipe.container
    }

    /// Makes the tracks of one source, as its rule says, or else as the recipe says for all tracks.
    pub(super) fn make(
        &mut self,
        source: &Stream,
        rule: Option<&AudioRule>,
    ) -> Result<(), Failure> {
        let Some(rule) = rule else {
            return self.make_like_others(source);
        };
        for output in &rule.outputs {
            match output {
                AudioOutput::Copy => self.copy_or_convert(source)?,
                AudioOutput::Encode {
                    encoder,
                    bitrate,
                    downmix,
                    loudness,
                    title,
                } => {
                    let general = self.task(*encoder, *bitrate);
                    let task = SoundTask {
                        downmix: downmix.or(general.downmix),
                        loudness: loudness.or(general.loudness),
                        ..general
                    };
                    self.encode(source, &task, title.clone())?;
                }
            }
        }
        Ok(())
    }

    fn make_like_others(&mut self, source: &Stream) -> Result<(), Failure> {
        let container = self.container();
        match &self.recipe.audio {
            Audio::None => Ok(()),
            Audio::Encode { encoder, bitrate } => {
                let task = self.task(*encoder, *bitrate);
                self.encode(source, &task, None)
            }
            Audio::CopyElse { encoder, bitrate } if !sound::can_copy(source, container) => {
                let task = self.task(*encoder, *bitrate);
                self.convert(source, &task)
            }
            // Players of ladders know few codecs, so that a copy of all would refuse most films.
            Audio::Copy if container.is_ladder() && !sound::can_copy(source, container) => {
                let task = self.task(container.usual_audio_encoder(), None);
                self.convert(source, &task)
            }
            Audio::Copy | Audio::CopyElse { .. } => self.keep(source),
        }
    }

    /// A task with the recipe's downmix and loudness.
    pub(super) fn task(&self, encoder: AudioEncoder, bitrate: Option<Bitrate>) -> SoundTask {
        SoundTask {
            encoder,
            bitrate,
            downmix: self.recipe.audio_tracks.downmix,
            loudness: self.recipe.audio_tracks.loudness,
        }
    }

    /// Encodes a track, as asked for. Without a `title`, it keeps the source's, as far as that stays true.
    pub(super) fn encode(
        &mut self,
        source: &Stream,
        task: &SoundTask,
        title: Option<String>,
    ) -> Result<(), Failure> {
        self.add_encoded(source, task, title, true)
    }

    pub(super) fn copy(&mut self, source: &Stream) {
        self.list.push(Track::new(source, TrackMethod::Copy));
    }

    fn add_encoded(
        &mut self,
        source: &Stream,
        task: &SoundTask,
        title: Option<String>,
        is_asked: bool,
    ) -> Result<(), Failure> {
        let sound = Sound::plan(source, task, self.container())?;
        self.list.push(Track {
            title: title.or_else(|| title::truthful(source, &sound)),
            is_asked,
            sound: Some(sound),
            ..Track::new(source, TrackMethod::Audio(task.encoder))
        });
        Ok(())
    }

    /// Encodes a track that was to be copied.
    fn convert(&mut self, source: &Stream, task: &SoundTask) -> Result<(), Failure> {
        let why = sound::why_not(source, self.container());
        let codec = task.encoder.codec();
        self.changes.push(Change::converted(
            Kind::Track,
            source.index,
            &source.codec,
            codec,
            why,
        ));
        self.add_encoded(source, task, None, false)
    }

    /// Copies a track. Encodes it if no container could hold its copy.
    fn keep(&mut self, source: &Stream) -> Result<(), Failure> {
        let container = self.container();
        if self.copies_or_loses(source) {
            return Ok(());
        }
        if let Some(encoder) = sound::stand_in(source, container) {
            return self.convert(source, &self.task(encoder, None));
        }
        Err(Failure::input(format!(
            "{}: encode it (--audio copy,else={encoder} or --audio {encoder}), or choose --container mkv ({})",
            sound::why_not(source, container),
            name(source),
            encoder = container.usual_audio_encoder().name(),
        )))
    }

    /// Copies a track. Encodes it if the container cannot hold its copy.
    fn copy_or_convert(&mut self, source: &Stream) -> Result<(), Failure> {
        if self.copies_or_loses(source) {
            return Ok(());
        }
        let task = match &self.recipe.audio {
            Audio::Encode { encoder, bitrate } | Audio::CopyElse { encoder, bitrate } => {
                self.task(*encoder, *bitrate)
            }
            Audio::Copy | Audio::None => {
                let container = self.container();
                let encoder = sound::stand_in(source, container);
                self.task(
                    encoder.unwrap_or_else(|| container.usual_audio_encoder()),
                    None,
                )
            }
        };
        self.convert(source, &task)
    }

    /// Copies a track if that is possible, or lists its loss if nothing can be made of it. Returns whether one of the
    /// two was done.
    fn copies_or_loses(&mut self, source: &Stream) -> bool {
        let container = self.container();
        let loss = |why: String| Change::lost(Kind::Track, source.index, name(source), why);
        if source.codec.is_empty() {
            self.changes
                .push(loss("ffmpeg does not know its codec".to_owned()));
        } else if sound::is_opaque(source, container) {
            self.changes.push(loss(sound::why_not(source, container)));
        } else if sound::can_copy(source, container) {
            self.copy(source);
        } else {
            return false;
        }
        true
    }
}
