//! Copied audio tracks: when a track can be copied, and what happens when it cannot.

use common::recipe::{AudioEncoder, Container};

use crate::ffmpeg::probe::media::{Media, Stream};
use crate::ffmpeg::probe::times::is_cut;
use crate::ffmpeg::sound::encoders::FLAC;
use crate::ffmpeg::sound::layout::Layout;

/// Whether a track can be copied. The container must hold its codec, its channel layout, and the hidden part at its
/// start.
pub fn can_copy(source: &Stream, container: Container) -> bool {
    container.holds_audio(&source.codec)
        && places_channels(source, container)
        && !is_cut(source, container)
}

/// Whether the container can express the layout. FLAC in MP4 and PCM in Matroska store only a number of channels,
/// which means the usual layout of that number.
fn places_channels(source: &Stream, container: Container) -> bool {
    let Some(layout) = Layout::parse(&source.layout) else {
        return true;
    };
    if container == Container::Mp4 && source.codec == "flac" {
        let mut held = FLAC.iter().filter_map(|name| Layout::parse(name));
        return held.any(|held| held.sounds_like(&layout));
    }
    if container.is_matroska() && source.codec.starts_with("pcm_") {
        let usual = Layout::usual(source.channels);
        return usual.is_some_and(|usual| usual.sounds_like(&layout));
    }
    true
}

/// The bitstream filter for a copied track.
///
/// Broadcasts carry AAC with a header before each frame. The muxer would remove the headers, but fails on the first
/// damaged one. A filter given on the command line drops that packet instead.
pub(in crate::ffmpeg) fn filter_of_copy(source: &Stream, media: &Media) -> Option<&'static str> {
    let has_headers = matches!(media.format.as_str(), "mpegts" | "mpeg" | "aac" | "avi");
    (source.codec == "aac" && has_headers).then_some("aac_adtstoasc")
}

/// Why a track cannot be copied, for people.
pub fn why_not(source: &Stream, container: Container) -> String {
    let codec = &source.codec;
    if is_cut(source, container) {
        format!(
            "{container} would let the first {:.1} s be heard, which an edit list hides",
            source.hidden
        )
    } else if container.holds_audio(codec) {
        format!("{container} holds no {codec} of layout {}", source.layout)
    } else {
        format!("{container} holds no {codec}")
    }
}

/// The encoder for a track that was to be copied, if Matroska could not hold the copy either. Then no other container
/// is a way out. A lossless track stays lossless if the container holds FLAC.
pub fn stand_in(source: &Stream, container: Container) -> Option<AudioEncoder> {
    if can_copy(source, Container::Mkv) {
        return None;
    }
    let same = AudioEncoder::ALL
        .into_iter()
        .find(|encoder| encoder.codec() == source.codec);
    Some(match container {
        Container::Webm | Container::Mp3 | Container::Flac | Container::Opus => {
            container.usual_audio_encoder()
        }
        Container::Mkv | Container::Mka | Container::Mp4 | Container::Cmaf
            if is_lossless(&source.codec) =>
        {
            AudioEncoder::Flac
        }
        _ => same
            .filter(|encoder| container.holds_audio(encoder.codec()))
            .unwrap_or(AudioEncoder::Aac),
    })
}

/// Whether a track can be neither copied nor encoded, because ffmpeg has no decoder for its codec.
pub fn is_opaque(source: &Stream, container: Container) -> bool {
    let decoded = !matches!(source.codec.as_str(), "ac4" | "mpegh_3d_audio" | "lc3");
    !decoded && !can_copy(source, container)
}

fn is_lossless(codec: &str) -> bool {
    let pcm = codec.starts_with("pcm_") && !matches!(codec, "pcm_alaw" | "pcm_mulaw" | "pcm_vidc");
    let others = [
        "alac",
        "ape",
        "flac",
        "mlp",
        "mp4als",
        "osq",
        "s302m",
        "shorten",
        "tak",
        "truehd",
        "tta",
        "wavpack",
        "wmalossless",
    ];
    pcm || codec.starts_with("dsd_") || others.contains(&codec)
}
