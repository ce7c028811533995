//! The channel layouts and sample rates that audio encoders support.

use common::recipe::{AudioEncoder, Container};

use crate::ffmpeg::sound::layout::{Layout, Speaker};

/// The layouts of MPEG-4's channel configurations, on which all decoders agree. ffmpeg writes other layouts in a form
/// that many players, and ffmpeg 5.1 itself, misread.
const AAC: &[&str] = &["mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"];

/// The layouts of the Vorbis specification.
const VORBIS: &[&str] = &["mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"];

/// Opus has the layouts of Vorbis, but ffmpeg writes the channels of 5.0 and 6.1 in the wrong order.
const OPUS: &[&str] = &["mono", "stereo", "3.0", "quad", "5.1", "7.1"];

/// The coding modes of ATSC A/52, each with and without LFE, by the names that decoders give.
const AC3: &[&str] = &[
    "mono",
    "stereo",
    "2.1",
    "3.0",
    "3.0(back)",
    "3.1",
    "4.0",
    "4.1",
    "quad(side)",
    "5.0(side)",
    "5.1(side)",
];

/// The layouts that a number of channels means in FLAC.
pub(super) const FLAC: &[&str] = &[
    "mono",
    "stereo",
    "3.0",
    "quad",
    "5.0(side)",
    "5.1(side)",
    "6.1",
    "7.1",
];

const MP3: &[&str] = &["mono", "stereo"];

/// The layouts that an encoder supports in every container, the largest last.
pub(super) fn names(encoder: AudioEncoder) -> &'static [&'static str] {
    match encoder {
        AudioEncoder::Aac | AudioEncoder::LibfdkAac => AAC,
        AudioEncoder::Libmp3lame => MP3,
        AudioEncoder::Libopus => OPUS,
        AudioEncoder::Libvorbis => VORBIS,
        AudioEncoder::Flac => FLAC,
        AudioEncoder::Ac3 | AudioEncoder::Eac3 => AC3,
    }
}

/// The layouts that an encoder supports in this container.
pub(super) fn kept(encoder: AudioEncoder, container: Container, taken: &Layout) -> Vec<Layout> {
    let named = names(encoder).iter().filter_map(|name| Layout::parse(name));
    // Matroska and FLAC itself keep FLAC's tag with the speaker mask, which has one bit for each of the first 18 speakers. MP4 has
    // no place for the tag.
    let masked = Some(taken.sorted()).filter(|layout| {
        let speakers = layout.speakers();
        encoder == AudioEncoder::Flac
            && matches!(container, Container::Mkv | Container::Mka | Container::Flac)
            && speakers.len() <= 8
            && speakers.iter().all(|speaker| *speaker <= Speaker::Tbr)
    });
    masked.into_iter().chain(named).collect()
}

/// The output's sample rate: the source's if the encoder supports it, else the next higher, else the highest.
pub(super) fn rate(encoder: AudioEncoder, source: u32) -> Option<u32> {
    const MPEG: &[u32] = &[
        8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000,
    ];
    let rates = match encoder {
        AudioEncoder::Aac | AudioEncoder::LibfdkAac => MPEG,
        AudioEncoder::Libmp3lame => &MPEG[..9],
        AudioEncoder::Ac3 | AudioEncoder::Eac3 => &MPEG[6..9],
        AudioEncoder::Libopus => &[48000],
        AudioEncoder::Libvorbis => return (source > 0).then(|| source.min(192_000)),
        AudioEncoder::Flac => return (source > 0).then_some(source),
    };
    let fits = || rates.iter().find(|rate| **rate >= source);
    (source > 0).then(|| fits().or(rates.last()).copied())?
}
