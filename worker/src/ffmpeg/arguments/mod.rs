//! ffmpeg's command line for a recipe. Pure: what comes out depends on nothing
//! but what goes in.

mod line;

use std::ffi::OsString;
use std::path::Path;

use common::farm::card::Proof;
use common::job::changes::Change;
use common::job::failure::Failure;
use common::recipe::encoder::Encoder;
use common::recipe::{Recipe, Video};

use crate::ffmpeg::arguments::line::Line;
use crate::ffmpeg::build::Build;
use crate::ffmpeg::containers::finish::Finish;
use crate::ffmpeg::picture::{Picture, Task};
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::probe::times;
use crate::ffmpeg::tracks::{Means, Track, Tracks, captions, dispositions, extras, tags};
use crate::ffmpeg::{Source, file, picture, rate};

/// A command line, and what it will make.
#[derive(Clone, Debug, PartialEq)]
pub struct Arguments {
    /// What ffmpeg is given.
    pub list: Vec<OsString>,
    /// The streams of the output, in order.
    pub tracks: Vec<Track>,
    /// What becomes of what the input holds, as far as it is known before the encode.
    pub changes: Vec<Change>,
    /// What ffmpeg is given before, in the same folder: it brings what is to be attached.
    pub before: Option<Vec<OsString>>,
    /// What is to be written to the output afterwards.
    pub finish: Finish,
}

/// The command line that makes the output with this `build` of ffmpeg. `encoder` is what encodes video and what was
/// seen of it; `None` for recipes that copy video.
///
/// # Errors
/// The input's fault where this recipe cannot work on it.
pub fn encode(
    recipe: &Recipe,
    media: &Media,
    encoder: Option<(&Encoder, &Proof)>,
    build: &Build,
    source: &Source,
    output: &Path,
) -> Result<Arguments, Failure> {
    let mut tracks = Tracks::choose(recipe, media)?;
    let films: Vec<_> = tracks.films().map(|track| track.source.clone()).collect();
    let mut pictures = Vec::new();
    if let Some(video) = recipe.video_encode() {
        let (encoder, proof) = encoder
            .ok_or_else(|| Failure::worker(format!("no encoder was chosen for {}", video.with)))?;
        for film in &films {
            let task = Task {
                film,
                video,
                encoder,
                proof,
                captions: recipe.captions,
                container: recipe.container,
                build,
            };
            let mut picture = Picture::of(&task)?;
            tracks.changes.append(&mut picture.changes);
            pictures.push((task, picture));
        }
    }
    let mut line = Line::default();
    line.push("-nostdin -hide_banner -v warning -y");
    if let Some((_, proof)) = encoder {
        line.add(&proof.device_arguments);
    }
    line.readers(&tracks);
    for (task, picture) in &pictures {
        if let Some(decoder) = picture.decoder {
            line.push(format!("-c:{} {decoder}", task.film.index));
        }
    }
    if let Some(reading) = times::reading(media).filter(|_| recipe.video == Video::Copy) {
        line.push(reading);
    }
    line.add(source.arguments());
    if let Some(film) = captions::source(recipe, media) {
        line.add(captions::input(film, media, source));
    }
    for (number, track) in tracks.list.iter().enumerate() {
        if track.by == Means::Attach {
            continue;
        }
        let codec = match (track.by, encoder) {
            (Means::Video, Some((encoder, _))) => encoder.as_str(),
            (Means::Audio(encoder), _) => encoder.name(),
            (Means::Subtitles(form) | Means::Captions(form), _) => form,
            (Means::Copy | Means::Video | Means::Attach, _) => "copy",
        };
        let from = match track.by {
            Means::Captions(_) => captions::STREAM.to_owned(),
            _ => format!("0:{}", track.source.index),
        };
        line.push(format!("-map {from} -c:{number} {codec}"));
    }
    let folder = output.parent().unwrap_or(Path::new(""));
    line.add(extras::arguments(&tracks.list, folder));
    line.push("-map_metadata 0 -map_chapters 0");
    line.add(tags::arguments(recipe.container, media, &tracks.list));
    line.add(dispositions::arguments(recipe.container, &tracks.list));
    if let (Some(video), Some((encoder, proof))) = (recipe.video_encode(), encoder) {
        line.add(&proof.encoder_arguments);
        line.add(rate::rate(encoder, video.rate));
        if let Some(preset) = &video.preset {
            line.add(rate::preset(encoder, preset.as_str()));
        }
        let depth = films.first().map_or(8, |film| film.depth());
        line.add(rate::default_options(
            encoder,
            video.bit_depth.map_or(depth, u8::from),
        ));
        line.further(video, encoder);
        for (number, (task, picture)) in pictures.iter().enumerate() {
            line.film(number, task, picture);
        }
    } else {
        for (number, film) in films.iter().enumerate() {
            let copied = picture::copied(film, number, recipe.container, build)?;
            line.add(copied.arguments);
            tracks.changes.extend(copied.changes);
        }
    }
    if pictures.iter().any(|(_, picture)| picture.has_dolby_vision) {
        line.push(picture::UNOFFICIAL);
    }
    if recipe.video == Video::Copy {
        for (number, film) in tracks.films().enumerate() {
            if let Some(filter) = times::film_filter(&film.source, media) {
                line.push(format!("-bsf:v:{number} {filter}"));
            }
        }
    }
    line.sound(recipe, media, &tracks)?;
    line.container(
        recipe.container,
        encoder.map(|(encoder, _)| encoder),
        &tracks,
        tags::has_keys(media),
    );
    line.list.push(file(output));
    Ok(Arguments {
        list: line.list,
        before: extras::bring_covers(source, &tracks.list, folder),
        finish: Finish::new(recipe.container, media, &tracks.list),
        tracks: tracks.list,
        changes: tracks.changes,
    })
}

#[cfg(test)]
mod tests;
