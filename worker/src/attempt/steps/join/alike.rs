//! Whether two parts can be joined by copy: a player gets the codec parameters of the first only.

use crate::attempt::steps::join::part::Part;
use crate::ffmpeg::probe::media::Stream;

/// Why `other` cannot follow `first` by copy; `None` if it can.
pub(super) fn difference(first: &Part, other: &Part) -> Option<String> {
    let film = film(&first.film, &other.film);
    film.or_else(|| sound(&first.sounds(), &other.sounds()))
        .or_else(|| {
            let all = |part: &Part| -> Vec<usize> {
                let sounds = part.sounds().into_iter().map(|sound| sound.index);
                std::iter::once(part.film.index).chain(sounds).collect()
            };
            let mut pairs = all(first).into_iter().zip(all(other));
            let differs =
                pairs.any(|(one, two)| first.parameters.get(&one) != other.parameters.get(&two));
            differs.then(|| "its codec was set up otherwise".to_owned())
        })
}

/// Why `other` is no continuation of the stream of bytes that begins with `first`; `None` if it is one.
///
/// How a codec is set up is told within such a stream. Tracks may begin or end anywhere, and come in any order.
pub(super) fn difference_in_stream(first: &Part, other: &Part) -> Option<String> {
    let film = film(&first.film, &other.film);
    film.or_else(|| {
        let (first, other) = (sorted(first.sounds()), sorted(other.sounds()));
        (first.len() == other.len()).then(|| sound(&first, &other))?
    })
}

/// Audio tracks in an order of their own, which their place in a file does not change.
fn sorted(mut sounds: Vec<&Stream>) -> Vec<&Stream> {
    let key = |sound: &Stream| (sound.codec.clone(), sound.channels, sound.sample_rate);
    sounds.sort_by_key(|sound| key(sound));
    sounds
}

fn film(first: &Stream, other: &Stream) -> Option<String> {
    let size = |film: &Stream| format!("{}x{}", film.width, film.height);
    let turn = |film: &Stream| format!("{} degrees", film.rotation);
    let pixel = |film: &Stream| film.sample_aspect.map_or(1.0, |aspect| aspect.value());
    let words: [(&str, String, String); 7] = [
        ("codec", first.codec.clone(), other.codec.clone()),
        ("size", size(first), size(other)),
        ("profile", first.profile.clone(), other.profile.clone()),
        (
            "pixel format",
            first.pixel_format.clone(),
            other.pixel_format.clone(),
        ),
        (
            "shape of pixels",
            format!("{:.3}", pixel(first)),
            format!("{:.3}", pixel(other)),
        ),
        ("rotation", turn(first), turn(other)),
        (
            "transfer function",
            first.colour.transfer.clone(),
            other.colour.transfer.clone(),
        ),
    ];
    told("", words)
}

fn sound(first: &[&Stream], other: &[&Stream]) -> Option<String> {
    if first.len() != other.len() {
        return Some(format!(
            "it has {} audio tracks, not {}",
            other.len(),
            first.len()
        ));
    }
    first.iter().zip(other).find_map(|(first, other)| {
        let words: [(&str, String, String); 4] = [
            ("codec", first.codec.clone(), other.codec.clone()),
            (
                "sample rate",
                first.sample_rate.to_string(),
                other.sample_rate.to_string(),
            ),
            (
                "channels",
                first.channels.to_string(),
                other.channels.to_string(),
            ),
            ("layout", first.layout.clone(), other.layout.clone()),
        ];
        told("audio ", words)
    })
}

fn told<const N: usize>(of: &str, values: [(&str, String, String); N]) -> Option<String> {
    let is_other = |(_, first, other): &(&str, String, String)| first != other;
    let (what, first, other) = values.into_iter().find(is_other)?;
    let or_none = |value: String| match value.is_empty() {
        true => "unknown".to_owned(),
        false => value,
    };
    let (first, other) = (or_none(first), or_none(other));
    Some(format!("its {of}{what} is {other}, not {first}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffmpeg::probe::media::StreamKind;
    use crate::ffmpeg::samples::stream;

    #[test]
    fn a_difference_is_named_with_both_values() {
        let first = Stream {
            width: 1920,
            height: 1080,
            ..stream(0, StreamKind::Video, "h264")
        };
        assert_eq!(film(&first, &first), None);
        let other = Stream {
            width: 1280,
            height: 720,
            ..first.clone()
        };
        let size = "its size is 1280x720, not 1920x1080";
        assert_eq!(film(&first, &other).as_deref(), Some(size));
        let hevc = Stream {
            codec: "hevc".to_owned(),
            ..other
        };
        let codec = "its codec is hevc, not h264";
        assert_eq!(film(&first, &hevc).as_deref(), Some(codec));
        let aac = stream(1, StreamKind::Audio, "aac");
        let none = "it has 0 audio tracks, not 1";
        assert_eq!(sound(&[&aac], &[]).as_deref(), Some(none));
        let fast = Stream {
            sample_rate: 48_000,
            ..aac.clone()
        };
        let rate = "its audio sample rate is 48000, not 0";
        assert_eq!(sound(&[&aac], &[&fast]).as_deref(), Some(rate));
    }
}
