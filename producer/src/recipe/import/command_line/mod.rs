//! Command lines of ffmpeg.

mod audio;
mod filters;
mod maps;
mod time;
mod video;

#[cfg(test)]
mod tests;

use std::path::Path;

use common::recipe::encoder::Encoder;
use common::recipe::{
    Audio, AudioEncoder, Choice, Container, RecipeDraft, Subtitles, Video, VideoEncode,
};

use self::audio::AudioWords;
use self::maps::Maps;
use self::time::Times;
use super::{Imported, LeftOut, finish};

/// Options of the program that no output shows; `true` if a value follows.
const WITHOUT_EFFECT: &[(&str, bool)] = &[
    ("y", false),
    ("n", false),
    ("hide_banner", false),
    ("nostdin", false),
    ("stats", false),
    ("nostats", false),
    ("loglevel", true),
    ("v", true),
    ("progress", true),
    ("stats_period", true),
    ("threads", true),
    ("max_muxing_queue_size", true),
    ("probesize", true),
    ("analyzeduration", true),
    ("strict", true),
    ("passlogfile", true),
    ("thread_queue_size", true),
];

/// Options without a value that are not carried over.
const FLAGS: &[&str] = &[
    "shortest",
    "re",
    "copyts",
    "start_at_zero",
    "accurate_seek",
    "noaccurate_seek",
    "autorotate",
    "noautorotate",
    "bitexact",
    "ignore_unknown",
    "copy_unknown",
    "benchmark",
    "report",
    "xerror",
];

/// What is being read.
struct Reader {
    /// Whether `-vn` leaves the video out.
    is_without_video: bool,
    /// Whether the video is copied. The last `-c` counts.
    copies_video: bool,
    /// Whether an encoder of video is named.
    names_encoder: bool,
    encode: VideoEncode,
    audio: AudioWords,
    subtitles: Subtitles,
    container: Option<Container>,
    times: Times,
    maps: Maps,
    inputs: usize,
    outputs: usize,
    left_out: LeftOut,
}

/// Reads a command line of ffmpeg, as a shell would.
///
/// # Errors
/// It is none, or makes no recipe.
pub(crate) fn read(line: &str) -> Result<Imported, String> {
    let line = line.replace("\\\r\n", " ").replace("\\\n", " ");
    let words = shlex::split(&line)
        .ok_or_else(|| "the command line has a quote without its partner".to_owned())?;
    let (words, has_two_passes) = last_command(&words)?;
    let mut reader = Reader::new();
    reader.encode.two_pass = has_two_passes;
    reader.read(words)?;
    reader.finish()
}

/// The words of the last command, without the program; whether an earlier one is a first pass.
fn last_command(words: &[String]) -> Result<(&[String], bool), String> {
    let is_end = |word: &String| matches!(word.as_str(), "&&" | ";" | "&");
    let commands: Vec<&[String]> = words
        .split(is_end)
        .filter(|command| !command.is_empty())
        .collect();
    if words.iter().any(|word| word == "|") {
        return Err("it is a pipe of several programs: give one command of ffmpeg".to_owned());
    }
    let (last, earlier) = commands.split_last().ok_or("it is empty")?;
    let is_second = is_pass(last, "2");
    if let Some(other) = earlier.iter().find(|command| !is_pass(command, "1")) {
        let other = other.first().map_or("", String::as_str);
        return Err(format!(
            "it is several commands, the first with {other}: give one command of ffmpeg, or both passes of one encode"
        ));
    }
    let program = last.first().map(Path::new);
    let name = program
        .and_then(|path| path.file_stem()?.to_str())
        .unwrap_or_default();
    match name.starts_with("ffmpeg") {
        true => Ok((&last[1..], is_second)),
        false => Err(format!("it begins with '{name}', and not with ffmpeg")),
    }
}

fn is_pass(command: &[String], number: &str) -> bool {
    let mut pairs = command.windows(2);
    pairs.any(|pair| pair[0] == "-pass" && pair[1] == number)
}

impl Reader {
    fn new() -> Self {
        let usual = Choice::Codec(common::recipe::encoder::Codec::H264);
        Self {
            is_without_video: false,
            copies_video: false,
            names_encoder: false,
            encode: VideoEncode::new(usual),
            audio: AudioWords::default(),
            subtitles: Subtitles::Keep,
            container: None,
            times: Times::default(),
            maps: Maps::default(),
            inputs: 0,
            outputs: 0,
            left_out: LeftOut::default(),
        }
    }

    fn read(&mut self, words: &[String]) -> Result<(), String> {
        let mut words = words.iter().map(String::as_str).peekable();
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
                self.output(word);
                continue;
            };
            // What stands behind the first output is said of others.
            let is_of_another = self.outputs > 0;
            if is_flag(option) {
                if !is_of_another {
                    self.flag(option);
                }
                continue;
            }
            let is_value = |next: &&str| {
                !next.starts_with('-')
                    || next[1..].starts_with(|c: char| c.is_ascii_digit() || matches!(c, '0' | '.'))
            };
            // Streams are taken out of the output with `-map -0:s`.
            let value = match option {
                "map" => words.next(),
                _ => words.next_if(is_value),
            };
            match value {
                _ if is_of_another => {}
                Some(value) => self.option(option, value)?,
                None => self.left_out.add(word, "the option is unknown here"),
            }
        }
        Ok(())
    }

    /// An option without a value.
    fn flag(&mut self, option: &str) {
        match option {
            "an" => self.audio.is_none = true,
            "vn" => self.is_without_video = true,
            "sn" => self.subtitles = Subtitles::None,
            "dn" => self
                .left_out
                .add("-dn", "tracks of data are kept where the container can"),
            _ if FLAGS.contains(&option) => {
                self.left_out
                    .add(format!("-{option}"), "there is no such choice here");
            }
            _ => {}
        }
    }

    fn output(&mut self, name: &str) {
        self.outputs += 1;
        if self.outputs > 1 {
            self.left_out.add(
                format!("output {name}"),
                "a recipe makes one output: import each",
            );
            return;
        }
        let extension = Path::new(name).extension().and_then(|end| end.to_str());
        if let (None, Some(extension)) = (self.container, extension) {
            self.container = container(extension);
            if self.container.is_none() {
                self.left_out.add(
                    format!("output {name}"),
                    "its container is unknown here: mkv is used",
                );
            }
        }
    }

    fn option(&mut self, option: &str, value: &str) -> Result<(), String> {
        let (name, specifier) = option.split_once(':').unwrap_or((option, ""));
        let shown = format!("-{option} {value}");
        match (name, specifier) {
            ("i", _) => {
                self.inputs += 1;
                if self.inputs > 1 {
                    self.left_out.add(
                        &shown,
                        "a recipe has one input: see external subtitles and watermarks",
                    );
                }
            }
            _ if WITHOUT_EFFECT.contains(&(name, true)) => {}
            ("ss" | "t" | "to", _) => {
                self.times
                    .read(name, value, self.inputs == 0, &mut self.left_out)
            }
            _ if self.inputs == 0 => {
                self.left_out
                    .add(&shown, "how an input is read is the worker's choice");
            }
            ("map", _) => self.maps.read(value, &mut self.left_out),
            ("c" | "codec", "") => {
                self.video(value)?;
                self.audio.encoder = Some(value.to_owned());
            }
            ("c" | "codec", "v" | "v:0" | "V" | "V:0") | ("vcodec", _) => self.video(value)?,
            ("c" | "codec", "a" | "a:0") | ("acodec", _) => {
                self.audio.encoder = Some(value.to_owned())
            }
            ("c" | "codec", "s" | "s:0") | ("scodec", _) => {
                if !matches!(value, "copy" | "mov_text" | "srt" | "subrip" | "webvtt") {
                    self.left_out
                        .add(&shown, "subtitles get a form that the container holds");
                }
            }
            ("f", _) => match container(value) {
                Some(container) => self.container = Some(container),
                None => self.left_out.add(&shown, "the container is unknown here"),
            },
            ("movflags", _) => {
                let others = value
                    .split('+')
                    .filter(|flag| !matches!(*flag, "" | "faststart" | "use_metadata_tags"));
                for flag in others {
                    self.left_out.add(
                        format!("-movflags {flag}"),
                        "MP4 is written to start while it loads, and no other way",
                    );
                }
            }
            ("map_metadata" | "map_chapters", _) if value == "0" => {}
            ("metadata" | "map_metadata" | "map_chapters" | "disposition", _) => {
                self.left_out
                    .add(&shown, "tags, chapters and marks are kept as they are");
            }
            ("b" | "ab" | "ac" | "ar" | "af" | "filter" | "q" | "aq", _)
                if matches!(specifier.split(':').next(), Some("a"))
                    || matches!(name, "ab" | "ac" | "ar" | "af" | "aq") =>
            {
                self.audio.read(name, specifier, value, &mut self.left_out);
            }
            _ => video::option(
                &mut self.encode,
                (name, specifier),
                value,
                &mut self.left_out,
            ),
        }
        Ok(())
    }

    fn video(&mut self, name: &str) -> Result<(), String> {
        self.copies_video = name == "copy";
        if self.copies_video {
            return Ok(());
        }
        let encoder: Encoder = name
            .parse()
            .map_err(|error| format!("-c:v {name}: {error}"))?;
        self.names_encoder = true;
        self.encode.with = match encoder.as_str().parse() {
            // `-c:v h264` is any encoder of the codec for ffmpeg, too.
            Ok(codec) if encoder.codec().is_none() => Choice::Codec(codec),
            _ => Choice::Encoder(encoder),
        };
        Ok(())
    }

    fn finish(mut self) -> Result<Imported, String> {
        if self.inputs == 0 {
            return Err("it has no input: expected ffmpeg -i INPUT … OUTPUT".to_owned());
        }
        let container = self.container.unwrap_or_default();
        let is_encoded = !(self.copies_video || self.is_without_video);
        if is_encoded && !self.names_encoder && container == Container::Webm {
            self.encode.with = Choice::Codec(common::recipe::encoder::Codec::Vp9);
        }
        let encode = std::mem::replace(
            &mut self.encode,
            VideoEncode::new(Choice::Codec(common::recipe::encoder::Codec::H264)),
        );
        let video = match (self.is_without_video, self.copies_video) {
            _ if container.is_audio_only() => Video::None,
            (false, false) => Video::Encode(Box::new(encode)),
            (is_without, _) => {
                video::note_without_encode(&encode, &mut self.left_out);
                if is_without { Video::None } else { Video::Copy }
            }
        };
        let mut draft = RecipeDraft::new(video);
        draft.container = container;
        draft.trim = self.times.trim();
        draft.subtitles = self.subtitles;
        draft.audio = Audio::Copy;
        self.audio
            .apply(&mut draft, usual_audio(container), &mut self.left_out);
        self.maps.apply(&mut draft, &mut self.left_out);
        if draft.container.is_audio_only() {
            draft.subtitles = Subtitles::None;
        }
        finish("the command line", "", draft, self.left_out)
    }
}

/// Whether no value follows the option.
fn is_flag(option: &str) -> bool {
    matches!(option, "an" | "vn" | "sn" | "dn")
        || FLAGS.contains(&option)
        || WITHOUT_EFFECT.contains(&(option, false))
}

/// The container of ffmpeg's name of a muxer, or of a file name's extension.
fn container(name: &str) -> Option<Container> {
    Some(match name.to_ascii_lowercase().as_str() {
        "mkv" | "matroska" => Container::Mkv,
        "mp4" | "m4v" => Container::Mp4,
        "mov" => Container::Mov,
        "webm" => Container::Webm,
        "mka" => Container::Mka,
        "m4a" | "ipod" => Container::M4a,
        "mp3" => Container::Mp3,
        "flac" => Container::Flac,
        "opus" => Container::Opus,
        _ => return None,
    })
}

/// The encoder that ffmpeg chooses where none is named.
fn usual_audio(container: Container) -> AudioEncoder {
    match container {
        Container::Mkv | Container::Mka => AudioEncoder::Libvorbis,
        other => other.usual_audio_encoder(),
    }
}
