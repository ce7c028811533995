//! The command lines that make the pieces of a split job: a chunk of the film, and the rest, which is all other tracks.
//!
//! A piece holds what the output of an unsplit encode would hold of it, packet by packet, so that the join only copies.
//! The times of a chunk begin at 0; the join knows where it belongs. The times of the rest are those of an unsplit
//! encode.

use std::path::Path;

use common::farm::card::Proof;
use common::job::failure::Failure;
use common::job::split::Chunk;
use common::recipe::encoder::{Codec, Encoder};
use common::recipe::{Container, Recipe};

use crate::ffmpeg::arguments::line::{Input, Line, units};
use crate::ffmpeg::arguments::{Arguments, tasks};
use crate::ffmpeg::build::Build;
use crate::ffmpeg::containers::finish::Finish;
use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::part::has_jumps;
use crate::ffmpeg::picture::{ColourTable, Frames, Picture};
use crate::ffmpeg::probe::media::{Media, Ratio, Stream, StreamKind};
use crate::ffmpeg::tracks::{Track, TrackMethod, Tracks, dispositions, extras, tags};
use crate::ffmpeg::{Source, file};

/// Seconds before a keyframe at which a search for it is aimed if the plan does not say where.
const SEEK_LEAD: f64 = 1.0;

/// Seconds by which the rest is later in its piece if that is Matroska, which holds no times below 0. Sound may begin
/// there.
const REST_LATER: u32 = 10;

/// What decides about the output of a whole job.
#[derive(Clone, Copy)]
pub struct Whole<'a> {
    pub recipe: &'a Recipe,
    /// What the input holds.
    pub media: &'a Media,
    /// The answers of the survey.
    pub findings: &'a Findings,
    /// The video encoder with its proof.
    pub encoder: Option<(&'a Encoder, &'a Proof)>,
    pub build: &'a Build,
    pub source: &'a Source,
}

/// The file extension of pieces that hold a film of this codec. They hold each time exactly.
pub fn extension_of_chunks(codec: Codec) -> &'static str {
    match codec {
        Codec::H264
        | Codec::Hevc
        | Codec::Mpeg2video
        | Codec::Mpeg4
        | Codec::Prores
        | Codec::Dnxhd
        | Codec::Ffv1
        | Codec::Mjpeg => "mov",
        // ffmpeg writes these to no mov.
        Codec::Av1 | Codec::Vp9 | Codec::Vvc => "mp4",
        Codec::Vp8 => "nut",
    }
}

/// The file extension of the piece with all tracks but the film: what the output's container holds, its piece holds.
pub fn extension_of_rest(container: Container) -> &'static str {
    match container.muxer() {
        "matroska" => "mkv",
        muxer => muxer,
    }
}

/// Makes the command line that encodes a chunk of the film. `time_base` is the unit of its times.
///
/// # Errors
/// As for [`super::encode`]. The worker's fault if the encoder is of no known codec.
pub fn chunk(
    whole: &Whole<'_>,
    chunk: &Chunk,
    time_base: (u32, u32),
    output: &Path,
) -> Result<Arguments, Failure> {
    let unit = ratio(time_base);
    let frames = Frames {
        start: chunk.start,
        end: chunk.end,
        time_base: unit,
    };
    // The frames are chosen by the source's own times.
    let mut reading = vec!["-copyts".to_owned()];
    reading.extend(seek(search_at(whole.media, chunk, time_base)));
    let codec = whole.encoder.map(|(encoder, _)| codec(encoder));
    let (mut line, film) = film(whole, Some(frames), &reading)?;
    let muxer = codec.transpose()?.map(extension_of_chunks);
    let muxer = muxer.ok_or_else(copied)?;
    if muxer != "nut" {
        if let Some(unit) = film.unit {
            line.push(format!("-video_track_timescale {}", unit.denominator));
        }
        line.push("-write_tmcd 0");
    }
    line.push(format!("-max_muxing_queue_size 4096 -f {muxer}"));
    line.list.push(file(output));
    Ok(film.arguments(line))
}

/// Makes the command line that encodes the first frame of the film, as an unsplit encode does, into the container of the
/// output: it states about the film what an unsplit output states.
///
/// # Errors
/// As for [`super::encode`].
pub fn first_frame(whole: &Whole<'_>, output: &Path) -> Result<Arguments, Failure> {
    let (mut line, film) = film(whole, None, &[])?;
    line.push("-frames:v 1");
    let encoder = whole.encoder.map(|(encoder, _)| encoder);
    line.container(whole.recipe.container, encoder, &film.tracks.list, false);
    line.list.push(file(output));
    Ok(film.arguments(line))
}

/// What comes with a command line that encodes the film alone.
struct FilmAlone {
    tracks: Tracks,
    tables: Vec<ColourTable>,
    filters: String,
    /// The unit of times of the output.
    unit: Option<Ratio>,
}

impl FilmAlone {
    fn arguments(self, line: Line) -> Arguments {
        Arguments {
            list: line.list,
            tables: self.tables,
            filters: self.filters,
            ..of(self.tracks)
        }
    }
}

/// Begins a command line that encodes these frames of the film, or all of them, and nothing else. `reading` are the
/// options of the input.
fn film(
    whole: &Whole<'_>,
    frames: Option<Frames>,
    reading: &[String],
) -> Result<(Line, FilmAlone), Failure> {
    let Whole {
        recipe,
        media,
        findings,
        build,
        source,
        ..
    } = *whole;
    let (Some(video), Some((encoder, proof))) = (recipe.video_encode(), whole.encoder) else {
        return Err(copied());
    };
    let mut tracks = Tracks::choose(recipe, media, findings)?;
    tracks.list.retain(|track| track.by == TrackMethod::Video);
    let films: Vec<Stream> = tracks.films().map(|track| track.source.clone()).collect();
    let with = (findings, None);
    let tasks = tasks(recipe, &films, with, whole.encoder, build, frames)?;
    let mut pictures = Vec::new();
    for task in &tasks {
        let picture = Picture::of(task)?;
        tracks.make(task.film, picture.size(), false);
        pictures.push((task, picture));
    }
    let mut line = Line::beginning(Some(proof));
    line.readers(&tracks.list, &pictures);
    line.add(reading);
    line.add(source.arguments());
    line.maps(&tracks, Some(encoder), &pictures);
    line.push("-map_metadata:g -1 -map_chapters -1");
    line.encoder(video, encoder, proof, &films);
    line.films(&pictures, media, None, None);
    let filters = pictures.first().map(|(_, picture)| picture.filters());
    let unit = tasks.first().and_then(|task| units(task, None).0);
    let tables = pictures
        .into_iter()
        .filter_map(|(_, picture)| picture.table)
        .collect();
    let film = FilmAlone {
        tracks,
        tables,
        filters: filters.unwrap_or_default(),
        unit,
    };
    Ok((line, film))
}

fn copied() -> Failure {
    Failure::worker("a film that is copied has no chunks")
}

/// Makes the command line for all tracks but the film. `None` if there are no others.
///
/// # Errors
/// As for [`super::encode`].
pub fn rest(whole: &Whole<'_>, output: &Path) -> Result<Option<Arguments>, Failure> {
    let Whole {
        recipe,
        media,
        findings,
        source,
        build,
        ..
    } = *whole;
    let mut tracks = Tracks::choose(recipe, media, findings)?;
    tracks.level(findings);
    let begins = beginning(media, &tracks.list, build);
    tracks.list.retain(is_of_rest);
    if tracks.list.is_empty() {
        return Ok(None);
    }
    let mut line = Line::beginning(None);
    line.readers(&tracks.list, &[]);
    // Without the film, ffmpeg may take another track's beginning for 0. Where that is depends on its version if the input
    // itself is moved, so the output is.
    let late = beginning(media, &tracks.list, build) - begins;
    let input = Input {
        recipe,
        media,
        source,
        findings,
        drawn: None,
    };
    line.inputs(input, &tracks.list);
    line.maps(&tracks, None, &[]);
    let folder = output.parent().unwrap_or(Path::new(""));
    line.add(extras::arguments(&tracks.list, folder));
    // The join has the chapters from the source.
    line.push("-map_metadata:g -1 -map_chapters -1");
    line.add(tags::arguments(recipe.container, media, &tracks.list));
    line.add(dispositions::arguments(recipe.container, &tracks.list));
    line.sound(media, &tracks, None);
    let later = f64::from(rest_later(recipe.container)) + late;
    if later != 0.0 {
        line.push(format!("-output_ts_offset {later:.6}"));
    }
    line.container(recipe.container, None, &tracks.list, false);
    line.list.push(file(output));
    Ok(Some(Arguments {
        list: line.list,
        ..of(tracks)
    }))
}

/// The results of a piece, without a command line.
fn of(tracks: Tracks) -> Arguments {
    Arguments {
        list: Vec::new(),
        first_pass: None,
        size: None,
        tracks: tracks.list,
        changes: Vec::new(),
        before: None,
        tables: Vec::new(),
        burn_in: None,
        files: None,
        finish: Finish::default(),
        filters: String::new(),
    }
}

/// Whether a track is in the piece of the rest. Covers to be attached are at hand where the join is.
pub(super) fn is_of_rest(track: &Track) -> bool {
    !matches!(track.by, TrackMethod::Video | TrackMethod::Attach)
}

/// The tracks of the rest with their numbers among the output's tracks, in the order in which a demuxer shows them.
pub(super) fn shown_in_rest(container: Container, tracks: &[Track]) -> Vec<(usize, &Track)> {
    let all = tracks.iter().enumerate();
    let mut shown: Vec<_> = all.filter(|(_, track)| is_of_rest(track)).collect();
    let is_last = |track: &Track| {
        let source = &track.source;
        source.kind == StreamKind::Attachment || (source.is_picture && container.is_mp4())
    };
    shown.sort_by_key(|(_, track)| is_last(track));
    shown
}

/// Seconds by which the rest is later in its piece than in the output.
pub(super) fn rest_later(container: Container) -> u32 {
    match container.is_matroska() {
        true => REST_LATER,
        false => 0,
    }
}

/// The time of the input's clock, in seconds, that ffmpeg calls 0 when it makes these tracks.
pub(super) fn beginning(media: &Media, tracks: &[Track], build: &Build) -> f64 {
    let own = tracks.iter().map(|track| &track.source);
    let starts = own
        .filter(|stream| stream.external.is_none())
        .filter_map(|stream| stream.start);
    let used = starts.reduce(f64::min).filter(|_| has_jumps(media));
    let begins = used.or(media.start).unwrap_or(0.0);
    match build.keeps_times_below_zero() {
        true => begins.max(0.0),
        false => begins,
    }
}

/// The codec of an encoder.
///
/// # Errors
/// The worker's fault if it is unknown, for then nobody knows what holds it.
pub(super) fn codec(encoder: &Encoder) -> Result<Codec, Failure> {
    encoder.codec().ok_or_else(|| {
        Failure::worker(format!(
            "nobody knows which container holds {encoder}'s codec in chunks"
        ))
    })
}

pub(super) fn ratio((numerator, denominator): (u32, u32)) -> Ratio {
    Ratio {
        numerator,
        denominator,
    }
}

/// The time of the input's clock, in seconds, at which a search for the keyframe is aimed from which a chunk is decoded.
/// `None` if the input is read from its beginning. A read that begins earlier is no harm: the filters drop what lies before
/// the chunk.
pub fn search_at(media: &Media, chunk: &Chunk, time_base: (u32, u32)) -> Option<f64> {
    let unit = ratio(time_base);
    let at = match chunk.read_from {
        Some(time) => time as f64 * unit.value(),
        None => chunk.decode_from as f64 * unit.value() - SEEK_LEAD,
    };
    (at > media.start.unwrap_or(0.0)).then_some(at)
}

/// The input options that begin to read there.
fn seek(at: Option<f64>) -> Vec<String> {
    let Some(at) = at else {
        return Vec::new();
    };
    let seek = ["-seek_timestamp", "1", "-noaccurate_seek", "-ss"];
    let mut options: Vec<String> = seek.map(str::to_owned).into();
    options.push(format!("{at:.6}"));
    options
}
