//! ffmpeg's command line for a recipe, as a pure function of its inputs.

mod extraction;
mod join;
mod line;
mod passes;
mod pieces;
mod shown;

use std::ffi::OsString;
use std::path::Path;

use common::farm::card::Proof;
use common::job::changes::Change;
use common::job::failure::Failure;
use common::recipe::encoder::Encoder;
use common::recipe::{MOST_PIXELS, Rate, Recipe, VideoEncode};

use crate::ffmpeg::arguments::line::{Input, Line};
use crate::ffmpeg::arguments::passes::Run;
use crate::ffmpeg::build::Build;
use crate::ffmpeg::containers::finish::Finish;
use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::picture::{ColourTable, Cut, Fields, Frames, Picture, Task};
use crate::ffmpeg::probe::media::{Media, Stream};
use crate::ffmpeg::rate::passes::Passes;
use crate::ffmpeg::rate::{Pass, keyframes, lossless};
use crate::ffmpeg::tracks::subtitles::burn_in::Extraction;
use crate::ffmpeg::tracks::subtitles::{Burnt, burn_in};
use crate::ffmpeg::tracks::{Track, Tracks, dispositions, extras, tags};
use crate::ffmpeg::{Source, file, part};

pub use crate::ffmpeg::rate::passes::STATISTICS;
pub use extraction::SubtitleFiles;
pub use join::{Pieces, join, list_of_pieces, reading_of_pieces};
pub use passes::{REST, SizePlan, at_bitrate};
pub use pieces::{
    Whole, chunk, extension_of_chunks, extension_of_rest, first_frame, rest, search_at,
};

/// A command line, and its expected results.
#[derive(Clone, Debug, PartialEq)]
pub struct Arguments {
    /// The arguments for ffmpeg; without a bitrate if the recipe asks for a size.
    pub list: Vec<OsString>,
    /// The arguments for a run before that, in the same folder, if the encoder sees the video twice.
    pub first_pass: Option<Vec<OsString>>,
    /// How the size is reached that the recipe asks for.
    pub size: Option<SizePlan>,
    /// The streams of the output, in order.
    pub tracks: Vec<Track>,
    /// The kept, converted and lost properties of the input that are known before the encode.
    pub changes: Vec<Change>,
    /// The arguments for an earlier run of ffmpeg in the same folder, which extracts the covers to be attached.
    pub before: Option<Vec<OsString>>,
    /// The colour tables to write into ffmpeg's working folder before the encode.
    pub tables: Vec<ColourTable>,
    /// The files to bring into the same folder before subtitles are drawn into the picture.
    pub burn_in: Option<Extraction>,
    /// The subtitle tracks that become files beside the output.
    pub files: Option<SubtitleFiles>,
    /// The metadata to write to the output after the encode.
    pub finish: Finish,
    /// The filters of the first encoded film, without the upload to a device; empty for none.
    pub filters: String,
}

/// Refuses what would take all of a machine: values of the recipe, and pictures of the input.
fn within_bounds(recipe: &Recipe, films: &[Stream]) -> Result<(), Failure> {
    let Some(video) = recipe.video_encode() else {
        return Ok(());
    };
    let checked = video.check_bounds();
    checked.map_err(|error| Failure::input(error.to_string()))?;
    let pixels = |film: &&Stream| u64::from(film.width) * u64::from(film.height);
    match films.iter().max_by_key(pixels) {
        Some(film) if pixels(&film) > MOST_PIXELS => Err(Failure::input(format!(
            "its pictures are too large: {}×{}, and at most {} million pixels are encoded",
            film.width,
            film.height,
            MOST_PIXELS / 1_000_000
        ))),
        _ => Ok(()),
    }
}

/// Makes the command line for this `build` of ffmpeg. `media` is what the input holds, or what the part of it holds
/// that becomes the output. `findings` are the answers of the survey. `encoder` is the video encoder with its proof;
/// `None` for recipes that copy video.
///
/// # Errors
/// If the recipe does not work for this input; the input is at fault.
pub fn encode(
    recipe: &Recipe,
    media: &Media,
    findings: &Findings,
    encoder: Option<(&Encoder, &Proof)>,
    build: &Build,
    source: &Source,
    output: &Path,
) -> Result<Arguments, Failure> {
    let mut tracks = Tracks::choose(recipe, media, findings)?;
    tracks.level(findings);
    let films: Vec<Stream> = tracks.films().map(|track| track.source.clone()).collect();
    within_bounds(recipe, &films)?;
    let part = findings.part.as_ref();
    let read = part.map(|_| part::as_read(media, &tracks.list));
    let media = read.as_ref().unwrap_or(media);
    let mut burnt = tracks.burnt.clone();
    if let (Some(burnt), Some(part)) = (&mut burnt, part) {
        burnt.shift = Some(part.shift(media, burnt.stream.external.is_some()));
    }
    let tasks = tasks(
        recipe,
        &films,
        (findings, burnt.as_ref()),
        encoder,
        build,
        None,
    )?;
    let mut pictures = Vec::new();
    for task in &tasks {
        let mut picture = Picture::of(task)?;
        tracks.changes.append(&mut picture.changes);
        let leaves_out_frames = task.fields.leaves_out_frames();
        tracks.make(task.film, picture.size(), leaves_out_frames);
        pictures.push((task, picture));
    }
    let filters = pictures.first().map(|(_, picture)| picture.filters());
    let folder = output.parent().unwrap_or(Path::new(""));
    let mut line = Line::beginning(encoder.map(|(_, proof)| proof));
    line.readers(&tracks.list, &pictures);
    if let Some(part) = part {
        part.can_cut(recipe, media, !findings.external.is_empty())?;
    }
    let drawn = burnt.as_ref().map(|burnt| (burnt, folder));
    let input = Input {
        recipe,
        media,
        source,
        findings,
        drawn,
    };
    line.inputs(input, &tracks.list);
    line.maps(&tracks, encoder.map(|(encoder, _)| encoder), &pictures);
    line.add(extras::arguments(&tracks.list, folder));
    line.push(match recipe.segment() {
        // Playlists have no place for them.
        Some(_) => "-map_metadata:g -1 -map_chapters -1",
        None => "-map_metadata 0 -map_chapters 0",
    });
    line.tags_of_graphs(&pictures);
    line.add(tags::arguments(recipe.container, media, &tracks.list));
    line.add(dispositions::arguments(recipe.container, &tracks.list));
    let run = Run {
        input,
        tracks: &tracks,
        build,
    };
    let mut first_pass = None;
    let mut changes = Vec::new();
    match (recipe.video_encode(), encoder) {
        (Some(video), Some((encoder, proof))) => {
            line.encoder(video, encoder, proof, &films);
            let has_two = two_passes(video, encoder, build, &films)?;
            line.films(&pictures, media, part, has_two.then_some(Pass::Second));
            let first = || run.first_pass(video, (encoder, proof), &films, &pictures);
            first_pass = has_two.then(first);
        }
        _ => {
            changes = line.copied_films(recipe, &films, media, build, part)?;
        }
    }
    line.sound(media, &tracks, part);
    if let Some(part) = part {
        line.add(part.arguments(&tracks.list, build));
        line.add(part.timecodes(media, &tracks.list));
        line.add(part.ends(media));
        changes.extend(part.changes(recipe, &tracks.list, build));
    }
    line.container(
        recipe.container,
        encoder.map(|(encoder, _)| encoder),
        &tracks.list,
        tags::has_keys(media),
    );
    line.list.push(file(output));
    let size = run.size(folder)?;
    let files = run.subtitle_files(folder);
    changes.extend(run.cut_files());
    tracks.changes.extend(changes);
    Ok(Arguments {
        list: line.list,
        first_pass,
        size,
        before: extras::bring_covers(source, &tracks.list, folder),
        tables: pictures
            .into_iter()
            .filter_map(|(_, picture)| picture.table)
            .collect(),
        burn_in: drawn.map(|(burnt, folder)| {
            burn_in::extraction(burnt, source, media, findings, &tracks.list, folder)
        }),
        files,
        finish: Finish::new(recipe.container, media, &tracks.list),
        tracks: tracks.list,
        changes: tracks.changes,
        filters: filters.unwrap_or_default(),
    })
}

/// Whether the encoder sees the video twice.
///
/// # Errors
/// The worker's fault if its build cannot do that.
fn two_passes(
    video: &VideoEncode,
    encoder: &Encoder,
    build: &Build,
    films: &[Stream],
) -> Result<bool, Failure> {
    match Passes::of(video, encoder, build, films) {
        Passes::One => Ok(false),
        Passes::Two => Ok(true),
        Passes::Missing => Err(Failure::worker(format!(
            "{encoder} of this ffmpeg cannot encode this film in two passes: FFmpeg 9 or newer can"
        ))),
    }
}

/// The encoding task of each film, of which only some `frames` may be wanted. Empty if the recipe copies video.
fn tasks<'a>(
    recipe: &'a Recipe,
    films: &'a [Stream],
    (findings, burnt): (&'a Findings, Option<&'a Burnt>),
    encoder: Option<(&'a Encoder, &'a Proof)>,
    build: &'a Build,
    frames: Option<Frames>,
) -> Result<Vec<Task<'a>>, Failure> {
    let Some(video) = recipe.video_encode() else {
        return Ok(Vec::new());
    };
    let (encoder, proof) = encoder
        .ok_or_else(|| Failure::worker(format!("no encoder was chosen for {}", video.with)))?;
    let task = |film: &'a Stream| {
        if video.rate == Rate::Lossless {
            let depth = video.bit_depth.map_or(film.depth(), u8::from);
            lossless::check(encoder, build, depth)?;
        }
        if recipe.segment().is_some() {
            keyframes::check(encoder, video)?;
        }
        let fields = Fields::of(film, video, findings)?;
        Ok(Task {
            film,
            video,
            fields,
            crop: Cut::of(film, video, fields, findings)?,
            watermark: findings.watermark,
            burnt,
            encoder,
            proof,
            captions: recipe.captions,
            container: recipe.container,
            segment: recipe.segment(),
            frames,
            build,
        })
    };
    films.iter().map(task).collect()
}

#[cfg(test)]
mod presets;
#[cfg(test)]
mod tests;
