//! Chooses the streams of the output.

mod audio;
pub mod captions;
pub mod dispositions;
pub mod extras;
pub mod language;
pub mod subtitles;
pub mod tags;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::{AudioEncoder, Container, Recipe, Subtitles, Video};

use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::probe::times;
use crate::ffmpeg::sound::Sound;
use crate::ffmpeg::tracks::extras::Extra;
use crate::ffmpeg::tracks::subtitles::Burnt;
use crate::ffmpeg::tracks::subtitles::extract;
use crate::ffmpeg::tracks::subtitles::extract::TrackFile;

/// A stream of the output.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// The input's stream from which the track is made.
    pub source: Stream,
    pub by: TrackMethod,
    /// The width and height of the picture that an encode makes; `None` if only ffmpeg knows them.
    pub size: Option<(u32, u32)>,
    /// Whether an encode makes four frames of each five of a telecined film.
    pub is_detelecined: bool,
    /// How audio is encoded; `None` for all other tracks.
    pub sound: Option<Sound>,
    /// The title, if it is not the source's.
    pub title: Option<String>,
    /// What the track is marked as, if the container holds such a mark.
    pub dispositions: BTreeSet<String>,
    /// Whether the recipe asks for an encode of this very track.
    pub is_asked: bool,
}

impl Track {
    /// A track with the title and dispositions of its source.
    pub fn new(source: &Stream, by: TrackMethod) -> Self {
        Self {
            source: source.clone(),
            by,
            size: None,
            is_detelecined: false,
            sound: None,
            title: None,
            dispositions: source.dispositions.clone(),
            is_asked: false,
        }
    }
}

/// How a track is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackMethod {
    /// Its bytes are copied.
    Copy,
    /// The recipe's video encoder makes it.
    Video,
    /// An audio encoder makes it.
    Audio(AudioEncoder),
    /// It is converted to this subtitle format, by ffmpeg's name.
    Subtitles(&'static str),
    /// It is made from the closed captions in a film, in this subtitle format.
    Captions(&'static str),
    /// Its bytes are attached as a file.
    Attach,
}

/// The tracks of an output, and the changes from the input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tracks {
    /// The tracks in this order: films, audio, subtitles, covers, attachments.
    pub list: Vec<Track>,
    /// The kept, converted and lost properties of the input that are known before the encode.
    pub changes: Vec<Change>,
    /// The subtitle track that is drawn into the picture.
    pub(crate) burnt: Option<Burnt>,
    /// The subtitle tracks that become files beside the output.
    pub(crate) files: Vec<TrackFile>,
}

impl Tracks {
    /// Chooses the tracks for a recipe.
    ///
    /// # Errors
    /// If the input has no film, or has audio that the container cannot hold; the input is at fault.
    pub fn choose(recipe: &Recipe, media: &Media, findings: &Findings) -> Result<Self, Failure> {
        let mut tracks = Self::default();
        for stream in &media.streams {
            if let Some(why) = stream.absent.as_deref() {
                let kind = match stream.is_picture {
                    true => Kind::Cover,
                    false => Kind::Track,
                };
                tracks.lose(kind, stream, why);
            }
        }
        if recipe.video != Video::None && media.films().next().is_none() {
            let mut declared = media
                .streams
                .iter()
                .filter(|stream| stream.kind == StreamKind::Video)
                .filter_map(|stream| stream.absent.as_deref());
            return Err(Failure::input(match declared.next() {
                Some(why) => format!("the input holds no frame: its video track is {why}"),
                None => {
                    "input holds no video, only sound or covers: --video none makes sound of it"
                        .to_owned()
                }
            }));
        }
        if recipe.video != Video::None && media.films().all(|film| film.codec.is_empty()) {
            let what = "ffmpeg does not know the codec of the input's video";
            return Err(Failure::input(what));
        }
        let container = recipe.container;
        for film in media.films() {
            if film.codec.is_empty() && recipe.video != Video::None {
                tracks.lose(Kind::Track, film, "ffmpeg does not know its codec");
                continue;
            }
            let by = match recipe.video {
                Video::Encode(_) => TrackMethod::Video,
                Video::Copy => {
                    times::can_keep(film, media, container)?;
                    TrackMethod::Copy
                }
                Video::None => continue,
            };
            if container.is_ladder() && !tracks.list.is_empty() {
                tracks.lose(Kind::Track, film, "a ladder shows one film");
                continue;
            }
            tracks.add(film, by);
        }
        let mut audio = audio::choose(recipe, media)?;
        tracks.list.append(&mut audio.list);
        tracks.changes.append(&mut audio.changes);
        if recipe.video == Video::None {
            tracks.keep_audio_that_fits(container)?;
        }
        tracks.choose_subtitles(recipe, media, findings)?;
        if let Some(film) = captions::source(recipe, media) {
            let form = subtitles::text_of(container);
            tracks.add(&captions::track(film), TrackMethod::Captions(form));
        }
        for stream in media.streams.iter().filter(|one| one.absent.is_none()) {
            tracks.add_extra(stream, media, container);
        }
        // ffmpeg puts attachments after all other streams.
        tracks
            .list
            .sort_by_key(|track| track.by == TrackMethod::Attach);
        let list = &tracks.list;
        tracks
            .changes
            .extend(dispositions::changes(container, list));
        tracks.changes.extend(extras::changes(container, list));
        tracks.changes.extend(tags::changes(container, list));
        Ok(tracks)
    }

    /// Leaves out the audio tracks that a container of one track has no room for: all but the default track. So far,
    /// there are no others.
    fn keep_audio_that_fits(&mut self, container: Container) -> Result<(), Failure> {
        if self.list.is_empty() {
            return Err(Failure::input(
                "the input holds no audio, and --video none leaves the rest out",
            ));
        }
        if container.holds_several_tracks() {
            return Ok(());
        }
        let mut left = std::mem::take(&mut self.list);
        let is_default = |track: &Track| track.dispositions.contains("default");
        let kept = left.remove(left.iter().position(is_default).unwrap_or(0));
        let why = format!("{container} holds one audio track: --container mka holds all");
        // Rules and ensured tracks make several of one stream.
        let (versions, others): (Vec<Track>, Vec<Track>) = left
            .into_iter()
            .partition(|track| track.source.index == kept.source.index);
        for other in others {
            self.lose(Kind::Track, &other.source, why.clone());
        }
        if !versions.is_empty() {
            let versions: Vec<String> = versions.iter().map(version).collect();
            let what = format!("{} as {}", name(&kept.source), versions.join(", "));
            self.changes
                .push(Change::lost(Kind::Track, None, what, why));
        }
        self.list.push(kept);
        Ok(())
    }

    fn add(&mut self, stream: &Stream, by: TrackMethod) {
        self.list.push(Track::new(stream, by));
    }

    /// Notes what an encode makes of a film: the size of its picture, and whether telecine is undone.
    pub(in crate::ffmpeg) fn make(
        &mut self,
        film: &Stream,
        size: Option<(u32, u32)>,
        is_detelecined: bool,
    ) {
        let tracks = self.list.iter_mut();
        for track in tracks.filter(|track| track.source.index == film.index) {
            track.size = size;
            track.is_detelecined = is_detelecined;
        }
    }

    fn choose_subtitles(
        &mut self,
        recipe: &Recipe,
        media: &Media,
        findings: &Findings,
    ) -> Result<(), Failure> {
        let (burnt, missing) = subtitles::burn_in::find(recipe, media, findings)?;
        self.changes.extend(missing);
        if let Some(burnt) = &burnt {
            self.leave_out(&burnt.stream, "it is drawn into the picture");
        }
        let burnt_index = burnt.as_ref().map(|burnt| burnt.stream.index);
        self.burnt = burnt;
        let chosen = subtitles::choose(recipe, media, findings, burnt_index);
        let is_kept = recipe.subtitles == Subtitles::Keep && !recipe.container.is_audio_only();
        if recipe.subtitle_tracks.extract {
            self.extract(recipe, media, &chosen.kept, is_kept);
        }
        if !is_kept {
            return Ok(());
        }
        self.changes.extend(chosen.told);
        for (subtitle, why) in &chosen.dropped {
            self.leave_out(subtitle, why);
        }
        for subtitle in &chosen.kept {
            self.add_subtitle(subtitle, recipe.container);
        }
        Ok(())
    }

    fn add_subtitle(&mut self, subtitle: &Stream, container: Container) {
        match subtitles::form_for(subtitle, container) {
            Ok((by, cost)) => {
                if let (TrackMethod::Subtitles(form), Some(cost)) = (by, cost) {
                    let from = format!("{}, {}", name(subtitle), subtitle.codec);
                    // It is packaged as WebVTT.
                    let form = if container.is_ladder() {
                        "webvtt"
                    } else {
                        form
                    };
                    let index = subtitle.index;
                    let change = Change::converted(Kind::Track, index, from, form, cost);
                    self.changes.push(change);
                }
                self.add(subtitle, by);
            }
            Err(why) => self.keep_as_file(subtitle, &why),
        }
    }

    /// Chooses the files that are made of the input's subtitle tracks and captions. Files beside the input are files
    /// already. `is_kept` tells that the output has these tracks as well.
    fn extract(&mut self, recipe: &Recipe, media: &Media, chosen: &[Stream], is_kept: bool) {
        let captions = captions::source(recipe, media).map(captions::track);
        let own = chosen.iter().filter(|track| track.external.is_none());
        let (files, unknown) = extract::files(own.chain(&captions));
        self.files = files;
        for track in unknown {
            let what = format!("a file of {}", name(track));
            let why = format!("ffmpeg writes no file of {}", track.codec);
            self.changes
                .push(Change::lost(Kind::Track, None, what, why));
        }
        let is_file = |track: &&Stream| {
            let mut files = self.files.iter();
            files.any(|file| file.track.source.index == track.index)
        };
        let only_files: Vec<&Stream> = match is_kept {
            true => Vec::new(),
            false => chosen.iter().filter(is_file).collect(),
        };
        for track in only_files {
            self.keep_as_file(track, "the recipe asks for that");
        }
    }

    /// Notes that the output does not have a track, which may become a file beside it instead.
    fn keep_as_file(&mut self, subtitle: &Stream, why: &str) {
        let mut files = self.files.iter();
        let Some(file) = files.find(|file| file.track.source.index == subtitle.index) else {
            return self.lose(Kind::Track, subtitle, why);
        };
        let to = format!("a file beside the output ({})", file.suffix);
        let change = Change::converted(Kind::Track, subtitle.index, name(subtitle), to, why);
        self.changes.push(change.wanted());
    }

    fn add_extra(&mut self, stream: &Stream, media: &Media, container: Container) {
        match extras::choose(stream, media, container) {
            Some(Extra::Track(by)) => self.add(stream, by),
            Some(Extra::Lost(kind, why)) => self.lose(kind, stream, why),
            Some(Extra::Elsewhere) | None => {}
        }
    }

    fn lose(&mut self, kind: Kind, stream: &Stream, why: impl Into<String>) {
        self.changes
            .push(Change::lost(kind, stream.index, name(stream), why));
    }

    /// Leaves a track out, as the recipe asks.
    fn leave_out(&mut self, stream: &Stream, why: &str) {
        let change = Change::lost(Kind::Track, stream.index, name(stream), why);
        self.changes.push(change.wanted());
    }

    /// Corrects the loudness of the audio tracks for which one is asked.
    pub(in crate::ffmpeg) fn level(&mut self, findings: &Findings) {
        let tracks = self.list.iter_mut();
        let sounds = tracks.filter(|track| track.source.kind == StreamKind::Audio);
        for (number, track) in sounds.enumerate() {
            let measured = findings
                .loudness
                .as_ref()
                .and_then(|found| found.get(&number));
            if let Some(sound) = &mut track.sound {
                self.changes
                    .extend(sound.level(measured, track.source.index));
            }
        }
    }

    /// The films among the tracks, encoded or copied.
    pub fn films(&self) -> impl Iterator<Item = &Track> {
        self.list.iter().filter(|track| track.source.is_film())
    }
}

fn of_kind(media: &Media, kind: StreamKind) -> impl Iterator<Item = &Stream> {
    media
        .streams
        .iter()
        .filter(move |stream| stream.kind == kind && stream.absent.is_none())
}

/// The tracks that a run reads from the input itself. Where a clock may jump, the first of them begins at 0, so that all
/// runs for an output must use the same ones.
pub(crate) fn of_source(tracks: &[Track]) -> impl Iterator<Item = &Track> {
    tracks.iter().filter(|track| {
        track.source.external.is_none()
            && !matches!(track.by, TrackMethod::Attach | TrackMethod::Captions(_))
    })
}

/// The place of the track that stands for an input's stream, if several are made of it: its copy, or else the one with
/// the most channels.
pub(crate) fn representative(tracks: &[Track], index: usize) -> Option<usize> {
    let of_stream = tracks
        .iter()
        .enumerate()
        .filter(|(_, track)| track.source.index == index);
    let best = of_stream.min_by_key(|(_, track)| {
        let channels = track.sound.as_ref().map_or(0, Sound::channels);
        (track.by != TrackMethod::Copy, Reverse(channels))
    });
    best.map(|(place, _)| place)
}

/// A stream in words: `audio track 2 (deu)`.
fn name(stream: &Stream) -> String {
    let what = if stream.is_picture {
        "cover".to_owned()
    } else {
        stream.kind.to_string()
    };
    match stream.tags.get("language") {
        Some(language) => format!("{what} track {} ({language})", stream.index),
        None => format!("{what} track {}", stream.index),
    }
}

/// What is made of a stream, in words: `MP3 Stereo of 128k`.
fn version(track: &Track) -> String {
    let Some(sound) = &track.sound else {
        return "its copy".to_owned();
    };
    let made = format!("{} {}", sound.codec_in_words(), sound.layout_in_words());
    match sound.bitrate() {
        Some(bitrate) => format!("{made} of {}k", bitrate / 1000),
        None => made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffmpeg::samples::{recipe, stream};

    fn media() -> Media {
        Media {
            streams: vec![
                stream(0, StreamKind::Video, "h264"),
                stream(1, StreamKind::Audio, "truehd"),
                stream(2, StreamKind::Audio, "aac"),
                stream(3, StreamKind::Subtitle, "mov_text"),
                stream(4, StreamKind::Attachment, "ttf"),
                stream(5, StreamKind::Data, "bin_data"),
            ],
            ..Media::default()
        }
    }

    #[test]
    fn mkv_keeps_everything_but_data() {
        let tracks = Tracks::choose(&recipe(Container::Mkv), &media(), &Findings::default())
            .expect("tracks");
        let chosen: Vec<_> = tracks
            .list
            .iter()
            .map(|track| (track.source.index, track.by))
            .collect();
        assert_eq!(
            chosen,
            [
                (0, TrackMethod::Video),
                (1, TrackMethod::Copy),
                (2, TrackMethod::Copy),
                (3, TrackMethod::Subtitles("subrip")),
                (4, TrackMethod::Copy),
            ]
        );
        assert_eq!(tracks.changes.len(), 1);
    }

    #[test]
    fn tracks_that_the_container_cannot_hold_are_named_with_a_way_out() {
        let mut media = media();
        let failure = Tracks::choose(&recipe(Container::Mov), &media, &Findings::default())
            .expect_err("truehd in mov");
        assert!(failure.message.contains("truehd"), "{failure}");
        assert!(failure.message.contains("copy,else=aac"), "{failure}");
        media.streams.remove(1);
        media
            .streams
            .push(stream(6, StreamKind::Subtitle, "hdmv_pgs_subtitle"));
        let tracks = Tracks::choose(&recipe(Container::Mp4), &media, &Findings::default())
            .expect("without it");
        let lost = tracks.changes.iter().find(|change| change.track == Some(6));
        let lost = lost.expect("it is lost").to_string();
        assert!(lost.starts_with("lost: track 6"), "{lost}");
        assert!(lost.contains("--container mkv"), "{lost}");
    }

    #[test]
    fn an_input_of_sound_alone_is_refused() {
        let mut media = media();
        media.streams.remove(0);
        assert!(Tracks::choose(&recipe(Container::Mkv), &media, &Findings::default()).is_err());
    }
}
