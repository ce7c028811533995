//! The command lines that join parts, pure.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use common::job::failure::Failure;

use crate::attempt::steps::join::part::Part;
use crate::ffmpeg::probe::media::{Ratio, Stream, StreamKind};
use crate::ffmpeg::{FORMATS, Source, file};

/// Drops packets of sound that begin before the end of the one before: the sound of a part begins a little before its
/// picture, where that of the part before has not ended.
const NO_OVERLAP: &str = "noise=drop='if(gt(n\\,0)*lt(pts\\,ld(0))\\,1\\,st(0\\,pts+d/2)*0)'";

/// The file format of the joined file: one that holds what the parts hold.
pub(super) fn format(first: &Part) -> &'static str {
    let brand = first
        .media
        .tags
        .iter()
        .find(|(key, _)| *key == "major_brand");
    match (first.media.format.starts_with("mov,mp4"), brand) {
        (true, Some((_, brand))) if brand.starts_with("qt") => "mov",
        (true, _) => "mp4",
        (false, _) => "matroska",
    }
}

/// Whether the parts are one stream of bytes that was cut: the timestamps of each go on where the part before ends.
pub(super) fn is_one_stream(parts: &[Part]) -> bool {
    let is_stream = |part: &Part| matches!(part.media.format.as_str(), "mpeg" | "mpegts");
    parts.iter().all(is_stream)
        && parts.windows(2).all(|pair| {
            let end = pair[0].start + pair[0].length;
            (pair[1].start - end).abs() < 0.5
        })
}

/// A list of parts for ffmpeg's concat demuxer. Each part is so long that the picture of the next one begins where its
/// own ends, even if sound begins before the picture.
///
/// # Errors
/// The input's fault if a path cannot be written into a list.
pub(super) fn list(parts: &[Part]) -> Result<Vec<u8>, Failure> {
    let mut list = b"ffconcat version 1.0\n".to_vec();
    for (number, part) in parts.iter().enumerate() {
        let Source::File(path) = &part.source else {
            let why = "a part of a joined film was not downloaded";
            return Err(Failure::worker(why));
        };
        let path = file(path);
        let path = path.as_encoded_bytes();
        if path.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
            return Err(Failure::input(format!(
                "the name of {} holds a line break: rename it",
                part.title
            )));
        }
        list.extend(b"file '");
        for byte in path {
            match byte {
                b'\'' => list.extend(b"'\\''"),
                byte => list.push(*byte),
            }
        }
        let next = parts.get(number + 1).map_or(0.0, |next| next.lead);
        let length = part.lead + part.length - next;
        list.extend(format!("'\nduration {length:.6}\n").as_bytes());
    }
    Ok(list)
}

fn words(text: &str) -> impl Iterator<Item = OsString> + '_ {
    text.split(' ').map(OsString::from)
}

/// Arguments under construction.
struct Line(Vec<OsString>);

impl Line {
    fn new() -> Self {
        Self(words("-nostdin -hide_banner -v warning -y").collect())
    }

    fn push(&mut self, text: impl AsRef<str>) {
        self.0.extend(words(text.as_ref()));
    }

    fn add(&mut self, argument: impl AsRef<OsStr>) {
        self.0.push(argument.as_ref().to_owned());
    }

    /// Opens a file of ours: a list or metadata, in this format.
    fn open(&mut self, format: &str, path: &Path) {
        self.push(format!("-f {format} -i"));
        self.add(file(path));
    }

    /// The dispositions of a track, which ffmpeg's concat demuxer and filters forget.
    fn dispositions(&mut self, number: usize, stream: &Stream) {
        let names: Vec<&str> = stream.dispositions.iter().map(String::as_str).collect();
        let value = match names.is_empty() {
            true => "0".to_owned(),
            false => names.join("+"),
        };
        self.push(format!("-disposition:{number} {value}"));
    }

    fn finish(mut self, format: &str, to: &Path) -> Vec<OsString> {
        self.push("-max_muxing_queue_size 4096");
        if matches!(format, "mp4" | "mov") {
            self.push("-f_strict experimental");
        }
        self.push(format!("-f {format}"));
        self.add(file(to));
        self.0
    }
}

/// Copies one part with its tracks in order, and cuts its sound where its picture ends.
pub(super) fn tidy(part: &Part, format: &str, to: &Path) -> Vec<OsString> {
    let mut line = Line::new();
    line.0.extend(part.source.arguments());
    let end = part.lead + part.length;
    line.push(format!("-t {end:.6}"));
    line.0.extend(part.source.arguments());
    line.push(format!("-map 0:{} -c copy", part.film.index));
    for sound in part.sounds() {
        line.push(format!("-map 1:{}", sound.index));
    }
    line.push("-map_chapters -1");
    line.finish(format, to)
}

/// What a copy reads: a list of parts, or the parts as one stream of bytes.
pub(super) enum Parts<'a> {
    List(&'a Path),
    Stream(OsString),
}

/// The parts as one stream of bytes, by ffmpeg's concat protocol.
pub(super) fn stream(parts: &[Part]) -> Option<Parts<'static>> {
    let mut address = OsString::from("concat:");
    for (number, part) in parts.iter().enumerate() {
        let Source::File(path) = &part.source else {
            return None;
        };
        if path.as_os_str().as_encoded_bytes().contains(&b'|') {
            return None;
        }
        if number > 0 {
            address.push("|");
        }
        address.push(file(path));
    }
    Some(Parts::Stream(address))
}

/// Joins alike parts by copy. The first `subtitles` subtitle tracks are in all parts. With `in_order`, the tracks of
/// each part were put in order, without subtitles.
pub(super) fn copy(
    first: &Part,
    parts: &Parts<'_>,
    (subtitles, in_order): (usize, bool),
    chapters: &Path,
    (format, to): (&str, &Path),
) -> Vec<OsString> {
    let mut line = Line::new();
    line.push("-fflags +genpts");
    match parts {
        Parts::List(list) => {
            // A list begins at 0, and sound that an encoder has put before that stays there.
            line.push("-copyts");
            line.push(format!(
                "-format_whitelist concat,{FORMATS} -protocol_whitelist file -auto_convert 0 -safe 0"
            ));
            line.open("concat", list);
        }
        Parts::Stream(address) => {
            line.push(format!(
                "-format_whitelist {FORMATS} -protocol_whitelist file,concat -i"
            ));
            line.add(address);
        }
    }
    line.open("ffmetadata", chapters);
    line.0.extend(first.source.arguments());
    let sounds = first.sounds();
    let texts = first.subtitles();
    let tracks = std::iter::once(&first.film)
        .chain(sounds.iter().copied())
        .chain(texts.into_iter().take(subtitles));
    for (number, track) in tracks.enumerate() {
        let index = if in_order { number } else { track.index };
        line.push(format!("-map 0:{index}"));
        // The tags and marks of the track are the first part's.
        line.push(format!("-map_metadata:s:{number} 2:s:{}", track.index));
        line.dispositions(number, track);
    }
    if format == "matroska" {
        line.push("-map 2:t?");
    }
    line.push("-c copy -map_metadata 2 -map_chapters 1");
    for number in 0..sounds.len() {
        line.push(format!("-bsf:a:{number}"));
        line.add(NO_OVERLAP);
    }
    line.finish(format, to)
}

/// The picture and sound that all parts are brought to: those of the first part that has them.
struct Shape<'a> {
    size: (u32, u32),
    film: &'a Stream,
    rate: Option<Ratio>,
    sounds: Vec<&'a Stream>,
}

impl<'a> Shape<'a> {
    fn of(parts: &'a [Part]) -> Self {
        let film = &parts[0].film;
        let (width, height) = film.shown();
        let even = |side: u32| (side + side % 2).max(2);
        let most = parts.iter().map(|part| part.sounds()).max_by_key(Vec::len);
        Self {
            size: (even(width), even(height)),
            film,
            rate: film.mean_rate.or(film.base_rate),
            sounds: most.unwrap_or_default(),
        }
    }

    /// Whether a part has other frames than the joined film gets of it.
    fn retimes(&self, part: &Part) -> bool {
        let own = part.film.mean_rate.or(part.film.base_rate);
        match (self.rate, own) {
            (Some(rate), Some(own)) => (rate.value() - own.value()).abs() > rate.value() * 0.001,
            _ => false,
        }
    }

    fn picture(&self, part: &Part) -> String {
        let (width, height) = self.size;
        let mut filters = vec!["setpts=PTS-STARTPTS".to_owned()];
        if let Some(rate) = self.rate.filter(|_| self.retimes(part)) {
            filters.push(format!("fps={rate}"));
        }
        let shaped = part.film.shown() != self.size
            || part.film.pixel_format != self.film.pixel_format
            || part.film.colour != self.film.colour
            || part
                .film
                .sample_aspect
                .is_some_and(|aspect| aspect.value() != 1.0);
        if shaped {
            let matrix = match self.film.colour.matrix.as_str() {
                "bt709" => ":out_color_matrix=bt709",
                "smpte170m" | "bt470bg" => ":out_color_matrix=smpte170m",
                "bt2020nc" => ":out_color_matrix=bt2020",
                _ => "",
            };
            // Pixels become square first, so that the shape of the picture stays.
            filters.push("scale=trunc(iw*sar/2)*2:ih:interl=-1".to_owned());
            filters.push(format!(
                "scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2:interl=-1{matrix}"
            ));
            filters.push(format!("pad={width}:{height}:(ow-iw)/2:(oh-ih)/2"));
        }
        filters.push("setsar=1".to_owned());
        if !self.film.pixel_format.is_empty() {
            filters.push(format!("format={}", self.film.pixel_format));
        }
        filters.join(",")
    }

    /// The sound of a part: as long as its picture.
    fn sound(&self, part: &Part, track: usize) -> String {
        let wanted = self.sounds[track];
        let rate = wanted.sample_rate.max(8000);
        let layout = match (wanted.layout.as_str(), wanted.channels) {
            ("", 1) => "mono".to_owned(),
            ("", 2) => "stereo".to_owned(),
            ("", channels) => format!("{channels}c"),
            (layout, _) => layout.to_owned(),
        };
        let length = part.length;
        if part.sounds().get(track).is_none() {
            return format!("anullsrc=r={rate}:cl={layout},atrim=end={length:.6}");
        }
        let offset = part.lead;
        format!(
            "asetpts=PTS-{offset:.6}/TB,aresample={rate}:async=1:first_pts=0,\
             aformat=sample_fmts=flt:channel_layouts={layout},atrim=end={length:.6},apad=whole_dur={length:.6}"
        )
    }
}

/// The frames that the joined film gets of the parts, and by how many it may miss them.
pub(super) fn frames(parts: &[Part]) -> (u64, u64) {
    let shape = Shape::of(parts);
    let mut frames = (0, 0);
    for part in parts {
        match shape.rate.filter(|_| shape.retimes(part)) {
            Some(rate) => {
                frames.0 += (part.length * rate.value()).round() as u64;
                frames.1 += 1;
            }
            None => frames.0 += part.frames,
        }
    }
    frames
}

/// Joins parts that differ: each is decoded, and brought to the size, rate and sound of the first. Nothing is lost by
/// encoding here, because the recipe encodes the result.
pub(super) fn encode(parts: &[Part], chapters: &Path, to: &Path) -> Vec<OsString> {
    let shape = Shape::of(parts);
    let mut line = Line::new();
    for part in parts {
        line.0.extend(part.source.arguments());
    }
    line.open("ffmetadata", chapters);
    let sounds = shape.sounds.len();
    let (mut graph, mut ends) = (Vec::new(), String::new());
    for (number, part) in parts.iter().enumerate() {
        let picture = shape.picture(part);
        graph.push(format!(
            "[{number}:{}]{picture}[v{number}]",
            part.film.index
        ));
        ends += &format!("[v{number}]");
        let own = part.sounds();
        for track in 0..sounds {
            let from = own
                .get(track)
                .map(|sound| format!("[{number}:{}]", sound.index));
            let (from, sound) = (from.unwrap_or_default(), shape.sound(part, track));
            graph.push(format!("{from}{sound}[a{number}x{track}]"));
            ends += &format!("[a{number}x{track}]");
        }
    }
    let outputs: String = (0..sounds).map(|track| format!("[a{track}]")).collect();
    graph.push(format!(
        "{ends}concat=n={}:v=1:a={sounds}[v]{outputs}",
        parts.len()
    ));
    line.push("-filter_complex");
    line.add(graph.join(";"));
    line.push("-map [v] -c:v ffv1 -level 3 -g 1 -slices 4 -fps_mode:v passthrough");
    let colour = &shape.film.colour;
    for (option, value) in [
        ("color_range", &colour.range),
        ("colorspace", &colour.matrix),
        ("color_trc", &colour.transfer),
        ("color_primaries", &colour.primaries),
    ] {
        if !value.is_empty() {
            line.push(format!("-{option} {value}"));
        }
    }
    for track in 0..sounds {
        line.push(format!("-map [a{track}]"));
    }
    line.push("-map 0:t? -c:t copy");
    line.push(format!(
        "-c:a pcm_f32le -map_metadata 0 -map_chapters {}",
        parts.len()
    ));
    let tracks = std::iter::once(shape.film).chain(shape.sounds.iter().copied());
    for (number, track) in tracks.enumerate() {
        if let Some((_, language)) = track.tags.iter().find(|(key, _)| *key == "language") {
            line.push(format!("-metadata:s:{number}"));
            line.add(format!("language={language}"));
        }
        line.dispositions(number, track);
    }
    line.finish("matroska", to)
}

/// Whether the tracks of all parts have the same numbers, as ffmpeg's concat demuxer takes for granted.
pub(super) fn are_in_order(parts: &[Part]) -> bool {
    let shape = |part: &Part| -> Vec<(usize, StreamKind)> {
        let streams = part.media.streams.iter();
        streams.map(|stream| (stream.index, stream.kind)).collect()
    };
    parts.windows(2).all(|pair| {
        let (one, other) = (shape(&pair[0]), shape(&pair[1]));
        one.iter().zip(&other).all(|(one, other)| one == other)
    })
}
