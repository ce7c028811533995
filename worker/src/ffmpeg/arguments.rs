//! ffmpeg's command line for a recipe. Pure: what comes out depends on nothing
//! but what goes in.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use common::card::{Proof, bit_depth};
use common::encoder::{Codec, Encoder, Kind};
use common::failure::Failure;
use common::recipe::{Audio, AudioEncoder, Container, Recipe, Scale, VideoEncode};

use super::probe::{Media, Stream, StreamKind};
use super::rate;
use super::tracks::{Means, Track, Tracks};
use super::{Source, file};

/// A command line, and what it will make.
#[derive(Clone, Debug, PartialEq)]
pub struct Arguments {
    /// What ffmpeg is given.
    pub list: Vec<OsString>,
    /// The streams of the output, in order.
    pub tracks: Vec<Track>,
    /// What is worth telling.
    pub warnings: Vec<String>,
}

/// The command line that makes the output. `encoder` is what encodes video and
/// what was seen of it; `None` for recipes that copy video.
///
/// # Errors
/// The input's fault where this recipe cannot work on it.
pub fn encode(
    recipe: &Recipe,
    media: &Media,
    encoder: Option<(&Encoder, &Proof)>,
    source: &Source,
    output: &Path,
) -> Result<Arguments, Failure> {
    let tracks = Tracks::choose(recipe, media)?;
    let mut line = Line::default();
    line.push("-nostdin -hide_banner -v warning -y");
    if let Some((_, proof)) = encoder {
        line.add(&proof.device_arguments);
    }
    line.add(source.arguments());
    for track in &tracks.list {
        line.push(format!("-map 0:{}", track.source.index));
    }
    line.push("-map_metadata 0 -map_chapters 0");
    // Everything is copied that is not said to be made anew below.
    line.push("-c copy");
    if let Some(video) = recipe.video_encode() {
        let (encoder, proof) = encoder
            .ok_or_else(|| Failure::worker(format!("no encoder was chosen for {}", video.with)))?;
        line.add(rate::rate(encoder, video.rate));
        if let Some(preset) = &video.preset {
            line.add(rate::preset(encoder, preset.as_str()));
        }
        line.add(rate::habits(encoder));
        line.further(video, encoder);
        for (number, film) in tracks.films().enumerate() {
            line.film(number, &film.source, video, encoder, proof)?;
        }
    }
    line.sound(recipe, &tracks);
    line.subtitles(&tracks);
    line.container(
        recipe.container,
        encoder.map(|(encoder, _)| encoder),
        &tracks,
    );
    line.list.push(file(output));
    Ok(Arguments {
        list: line.list,
        tracks: tracks.list,
        warnings: tracks.warnings,
    })
}

/// A command line in the making.
#[derive(Default)]
struct Line {
    list: Vec<OsString>,
}

impl Line {
    /// Adds arguments that hold no spaces themselves.
    fn push(&mut self, arguments: impl AsRef<str>) {
        self.add(arguments.as_ref().split(' '));
    }

    fn add(&mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) {
        self.list.extend(
            arguments
                .into_iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
    }

    /// What the recipe says in ffmpeg's own words; later ones win over ours.
    fn further(&mut self, video: &VideoEncode, encoder: &Encoder) {
        for argument in &video.arguments {
            let mut value = argument.value().to_owned();
            if argument.option() == "x265-params" && encoder.as_str() == "libx265" {
                value.push_str(":log-level=error");
            }
            self.add([format!("-{}:v", argument.option()), value]);
        }
    }

    /// How one film is encoded, by its place among the output's video streams.
    fn film(
        &mut self,
        number: usize,
        film: &Stream,
        video: &VideoEncode,
        encoder: &Encoder,
        proof: &Proof,
    ) -> Result<(), Failure> {
        self.push(format!("-c:v:{number} {encoder}"));
        if video.keeps_frames() {
            self.push(format!("-fps_mode:v:{number} passthrough"));
            // In the source's own unit of time no two frames fall on one timestamp, at whatever rate they come.
            if let Some(unit) = film.time_base
                && rate::takes_any_time_base(encoder)
            {
                self.push(format!("-enc_time_base:v:{number} {unit}"));
            }
        }
        let format = pixel_format(film, video, encoder, proof)?;
        let uploads = matches!(encoder.kind(), Kind::Vaapi | Kind::Vulkan);
        let filters = filters(film, video, encoder, format.filter(|_| uploads));
        if !filters.is_empty() {
            self.add([format!("-filter:v:{number}"), filters]);
        }
        if let Some(format) = format
            && !uploads
        {
            self.push(format!("-pix_fmt:v:{number} {format}"));
        }
        Ok(())
    }

    fn sound(&mut self, recipe: &Recipe, tracks: &Tracks) {
        let Audio::Encode { encoder, bitrate } = &recipe.audio else {
            return;
        };
        let sounds = tracks
            .list
            .iter()
            .filter(|track| track.source.kind == StreamKind::Audio);
        for (number, track) in sounds.enumerate() {
            self.push(format!("-c:a:{number} {}", encoder.name()));
            if let Some(bitrate) = bitrate {
                self.push(format!("-b:a:{number} {}", bitrate.bits_per_second()));
            }
            // libopus refuses the side channels that most 5.1 sources have, instead of taking them for back channels.
            if *encoder == AudioEncoder::Libopus && track.source.channels > 2 {
                self.push(format!(
                    "-filter:a:{number} aformat=channel_layouts=7.1|6.1|5.1|5.0|quad|3.0|stereo"
                ));
            }
        }
    }

    fn subtitles(&mut self, tracks: &Tracks) {
        let subtitles = tracks
            .list
            .iter()
            .filter(|track| track.source.kind == StreamKind::Subtitle);
        for (number, track) in subtitles.enumerate() {
            if let Means::Subtitles(form) = track.by {
                self.push(format!("-c:s:{number} {form}"));
            }
        }
    }

    fn container(&mut self, container: Container, encoder: Option<&Encoder>, tracks: &Tracks) {
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
            self.push("-movflags +faststart");
            if tracks
                .list
                .iter()
                .any(|track| track.source.codec == "truehd")
            {
                self.push("-strict experimental");
            }
        }
        // Sparse subtitles must not starve the others out.
        self.push("-max_muxing_queue_size 4096");
        self.push(format!("-f {}", container.muxer()));
    }
}

/// The chain of filters; empty where nothing is to be done to pictures.
fn filters(film: &Stream, video: &VideoEncode, encoder: &Encoder, upload: Option<&str>) -> String {
    let mut chain = Vec::new();
    if let Some(filters) = &video.filters {
        chain.push(filters.to_string());
    }
    match video.scale {
        Some(Scale { width, height }) => {
            let side =
                |pixels: Option<u32>| pixels.map_or("-2".to_owned(), |pixels| pixels.to_string());
            chain.push(format!("scale={}:{}", side(width), side(height)));
        }
        // Sizes after filters are not known, and a crop to the same size costs nothing.
        None => {
            let odd = film.width % 2 == 1 || film.height % 2 == 1 || video.filters.is_some();
            if odd && rate::needs_even_size(encoder) {
                chain.push("crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0".to_owned());
            }
        }
    }
    if let Some(format) = upload {
        chain.push(format!("format={format},hwupload"));
    }
    chain.join(",")
}

/// The pixel format to ask for; `None` leaves it to ffmpeg, which keeps the
/// source's as far as the encoder knows it.
fn pixel_format<'a>(
    film: &Stream,
    video: &VideoEncode,
    encoder: &Encoder,
    proof: &'a Proof,
) -> Result<Option<&'a str>, Failure> {
    let told = video
        .arguments
        .iter()
        .any(|argument| argument.option() == "pix_fmt");
    if told || (film.pixel_format.is_empty() && video.bit_depth.is_none()) {
        return Ok(None);
    }
    let depth = video.bit_depth.map_or(film.depth(), u8::from);
    let depths = || proof.pixel_formats.iter().map(|format| bit_depth(format));
    // What makes only deeper pictures (ProRes) loses nothing of shallower ones.
    let made = if video.bit_depth.is_some() {
        depths().find(|made| *made == depth)
    } else {
        depths().filter(|made| *made >= depth).min()
    };
    let Some(made) = made else {
        let most = depths().max().unwrap_or(8);
        let whose = if video.bit_depth.is_some() {
            "asked for"
        } else {
            "as in the source"
        };
        return Err(Failure::input(format!(
            "{encoder} here makes no {depth}-bit pictures, {whose}: choose --bit-depth {most} or another encoder"
        )));
    };
    if !encoder.kind().is_hardware() && video.bit_depth.is_none() {
        return Ok(None);
    }
    let formats = || {
        proof
            .pixel_formats
            .iter()
            .map(String::as_str)
            .filter(|format| bit_depth(format) == made)
    };
    let wanted = chroma(&film.pixel_format);
    Ok(formats()
        .find(|format| chroma(format) == wanted)
        .or_else(|| formats().next()))
}

/// How a pixel format samples colour, in the usual notation.
fn chroma(format: &str) -> &'static str {
    ["444", "422", "440", "411", "410"]
        .into_iter()
        .find(|kind| format.contains(kind))
        .unwrap_or("420")
}
