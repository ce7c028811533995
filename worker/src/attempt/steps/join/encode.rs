//! The command line that joins parts that differ, pure: each is decoded, and brought to the shape of the first.

use std::ffi::OsString;
use std::path::Path;

use crate::attempt::steps::join::line::Line;
use crate::attempt::steps::join::part::Part;
use crate::ffmpeg::probe::media::{Ratio, Stream};
use crate::ffmpeg::tracks::tags;

/// The part by which two shapes of pixels may differ, because containers round them.
const ROUNDED: f64 = 0.001;

/// The picture and sound that all parts are brought to: those of the first part that has them.
struct Shape<'a> {
    size: (u32, u32),
    /// The shape of its pixels, as a player shows the picture.
    pixel: Ratio,
    film: &'a Stream,
    rate: Option<Ratio>,
    sounds: Vec<&'a Stream>,
}

impl<'a> Shape<'a> {
    fn of(parts: &'a [Part]) -> Self {
        let film = &parts[0].film;
        let (width, height) = film.shown();
        let even = |side: u32| (side + side % 2).max(2);
        Self {
            size: (even(width), even(height)),
            pixel: shown_pixel(film),
            film,
            rate: film.mean_rate.or(film.base_rate),
            sounds: sounds(parts),
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

    fn has_pixels_of(&self, part: &Part) -> bool {
        let (own, wanted) = (part.film.shown_aspect(), self.pixel.value());
        (own - wanted).abs() <= wanted * ROUNDED
    }

    /// The largest picture of a film that keeps its shape within the joined one, in pixels of the joined film. Both
    /// numbers are even.
    fn fitted(&self, film: &Stream) -> (u32, u32) {
        let (width, height) = film.shown();
        // Lengths in heights of a pixel, which all shapes of pixels have in common.
        let own = f64::from(width.max(1)) * film.shown_aspect();
        let most = f64::from(self.size.0) * self.pixel.value();
        let factor = (most / own).min(f64::from(self.size.1) / f64::from(height.max(1)));
        let even = |length: f64, most: u32| ((length / 2.0).round() as u32 * 2).clamp(2, most);
        (
            even(own * factor / self.pixel.value(), self.size.0),
            even(f64::from(height.max(1)) * factor, self.size.1),
        )
    }

    fn picture(&self, part: &Part) -> String {
        let (width, height) = self.size;
        let mut filters = vec!["setpts=PTS-STARTPTS".to_owned()];
        if let Some(rate) = self.rate.filter(|_| self.retimes(part)) {
            filters.push(format!("fps={rate}"));
        }
        let is_reshaped = part.film.shown() != self.size || !self.has_pixels_of(part);
        if is_reshaped
            || part.film.pixel_format != self.film.pixel_format
            || part.film.colour != self.film.colour
        {
            let matrix = match self.film.colour.matrix.as_str() {
                "bt709" => ":out_color_matrix=bt709",
                "smpte170m" | "bt470bg" => ":out_color_matrix=smpte170m",
                "bt2020nc" => ":out_color_matrix=bt2020",
                _ => "",
            };
            let (inner_width, inner_height) = self.fitted(&part.film);
            filters.push(format!(
                "scale={inner_width}:{inner_height}:interl=-1{matrix}"
            ));
            filters.push(format!("pad={width}:{height}:(ow-iw)/2:(oh-ih)/2"));
        }
        filters.push(format!("setsar={}", self.pixel));
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

/// The audio tracks of the joined film: those of the part that has most of them, or of the first such part.
pub(super) fn sounds(parts: &[Part]) -> Vec<&Stream> {
    // Of equally many, the last one of an iterator wins.
    let all = parts.iter().rev().map(Part::sounds);
    all.max_by_key(Vec::len).unwrap_or_default()
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

/// Bytes that the joined film most likely exceeds: without loss, pictures of a camera become about half as large as they
/// are raw, and drawn ones a tenth.
pub(super) fn least_bytes(parts: &[Part]) -> u64 {
    let shape = Shape::of(parts);
    let (width, height) = shape.size;
    let pixels = u64::from(width) * u64::from(height) * frames(parts).0;
    pixels.saturating_mul(u64::from(shape.film.depth())) / 8 / 10
}

/// Joins parts that differ: each is decoded, and brought to the size, rate and sound of the first. Nothing is lost by
/// encoding here, because the recipe encodes the result.
pub(super) fn line(parts: &[Part], chapters: &Path, to: &Path) -> Vec<OsString> {
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
        let language = track.tags.get("language").map(String::as_str);
        for (key, value) in [("language", language), ("title", tags::title(track))] {
            if let Some(value) = value {
                line.tag(number, key, value);
            }
        }
        line.dispositions(number, track);
    }
    line.finish("matroska", to)
}

/// The shape of a film's pixels, as a player shows the picture.
fn shown_pixel(film: &Stream) -> Ratio {
    let square = Ratio {
        numerator: 1,
        denominator: 1,
    };
    let stored = film.sample_aspect.unwrap_or(square);
    match film.rotation.is_multiple_of(180) {
        true => stored,
        false => Ratio {
            numerator: stored.denominator,
            denominator: stored.numerator,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffmpeg::probe::media::StreamKind;
    use crate::ffmpeg::samples::stream;

    fn film(size: (u32, u32), pixel: &str) -> Stream {
        Stream {
            width: size.0,
            height: size.1,
            sample_aspect: Ratio::parse(pixel),
            ..stream(0, StreamKind::Video, "mpeg2video")
        }
    }

    #[test]
    fn a_picture_keeps_its_shape_within_wide_pixels() {
        let dvd = film((720, 576), "64:45");
        let shape = Shape {
            size: dvd.shown(),
            pixel: shown_pixel(&dvd),
            film: &dvd,
            rate: None,
            sounds: Vec::new(),
        };
        for (size, pixel, fitted) in [
            ((720, 576), "64:45", (720, 576)),
            ((1920, 1080), "1:1", (720, 576)),
            ((1024, 576), "1:1", (720, 576)),
            // 4:3 within 16:9.
            ((720, 576), "16:15", (540, 576)),
            ((640, 480), "1:1", (540, 576)),
            // 2.4:1 within 16:9.
            ((1920, 800), "1:1", (720, 426)),
        ] {
            assert_eq!(shape.fitted(&film(size, pixel)), fitted, "{size:?} {pixel}");
        }
        let turned = Stream {
            rotation: 90,
            ..film((1280, 720), "4:3")
        };
        assert_eq!(shown_pixel(&turned).to_string(), "3/4");
    }
}
