//! What a recipe asks for that holds for the whole film only.

use common::recipe::encoder::Encoder;
use common::recipe::{Argument, Rate, RecipeDraft, Video, VideoEncode};

use super::Obstacle;

/// Options that set limits of bits, or make the encoder see the film twice.
const OF_BITS: &[&str] = &["bufsize", "maxrate", "minrate", "multipass", "rc"];

/// Keys of encoders' own lists that do so, or that name frames by their number.
const OF_THE_WHOLE: &[&str] = &[
    "abr",
    "bitrate",
    "buf-sz",
    "crf-max",
    "frames",
    "hrd",
    "max-bitrate",
    "maxrate",
    "mbr",
    "nal-hrd",
    "rc",
    "seek",
    "skip",
    "strict-cbr",
    "target-bitrate",
    "tbr",
    "vbv-bufsize",
    "vbv-maxrate",
    "zones",
];

/// The video encode of a recipe that may be split.
pub(super) fn of_draft(draft: &RecipeDraft) -> Result<&VideoEncode, Obstacle> {
    // All fields by name: whoever adds one decides here whether it can be kept in chunks.
    let RecipeDraft {
        video,
        container,
        trim,
        captions: _,
        // The part for all other tracks makes these.
        audio: _,
        audio_tracks: _,
        subtitles: _,
        subtitle_tracks: _,
        // These are about the whole output, which the join makes and looks at.
        companions: _,
        refuse_loss: _,
        strict_input: _,
        // Only ladders have segments.
        segment_seconds: _,
    } = draft;
    let Video::Encode(video) = video else {
        return Err(Obstacle::NoEncode);
    };
    match (container.is_ladder(), trim) {
        (true, _) => Err(Obstacle::Ladder),
        (_, Some(_)) => Err(Obstacle::Trim),
        _ => Ok(video),
    }
}

/// What the recipe asks of the encoder.
pub(super) fn of_video(video: &VideoEncode, encoder: &Encoder) -> Option<Obstacle> {
    let VideoEncode {
        rate,
        max_bitrate,
        two_pass,
        arguments,
        // The encoder is given.
        with: _,
        // The join measures the whole output.
        floor: _,
        // These hold for each frame.
        speed: _,
        preset: _,
        bit_depth: _,
        chroma: _,
        // These are filters, or options for each frame; see `of_line`.
        hdr: _,
        tone_map: _,
        crop: _,
        deinterlace: _,
        detelecine: _,
        denoise: _,
        sharpen: _,
        deband: _,
        rotate: _,
        scale: _,
        scale_up: _,
        pad: _,
        lut: _,
        watermark: _,
        filters: _,
        // See `of_film`.
        frame_rate: _,
        // See `of_line`.
        burn_in: _,
    } = video;
    if max_bitrate.is_some() {
        return Some(Obstacle::Limit);
    }
    if *two_pass {
        return Some(Obstacle::TwoPasses);
    }
    match rate {
        Rate::Bitrate(_) | Rate::Size(_) => return Some(Obstacle::Bits),
        Rate::Default if !has_default_quality(encoder) => {
            return Some(Obstacle::NoQuality(encoder.clone()));
        }
        // The search for a target finds one quality for all chunks.
        Rate::Default | Rate::Crf(_) | Rate::Quality(_) | Rate::Target(_) | Rate::Lossless => {}
    }
    if encoder.as_str() == "libvvenc" {
        return Some(Obstacle::Encoder(encoder.clone()));
    }
    let whole = arguments.iter().find(|argument| is_of_the_whole(argument));
    whole.map(|argument| Obstacle::Argument(argument.to_string()))
}

/// Whether the encoder's own default is a constant quality and no number of bits per second.
fn has_default_quality(encoder: &Encoder) -> bool {
    matches!(
        encoder.as_str(),
        "libx264"
            | "libx265"
            | "libsvtav1"
            | "libaom-av1"
            | "librav1e"
            | "ffv1"
            | "prores_ks"
            | "prores"
            | "prores_aw"
            | "dnxhd"
            | "ffvhuff"
            | "utvideo"
    )
}

fn is_of_the_whole(argument: &Argument) -> bool {
    let option = argument.option().trim_end_matches(":v");
    let keys = argument.value().split(':');
    let mut keys = keys.filter_map(|entry| Some(entry.split_once('=')?.0));
    OF_BITS.contains(&option)
        || !argument.keeps_frames()
        || keys.any(|key| OF_THE_WHOLE.contains(&key))
}
