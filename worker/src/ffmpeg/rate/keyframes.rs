//! Keyframes of ladders: at the same times in all renditions, whichever encoders make them.
//!
//! The frames' times alone decide which frames become keyframes: the first of each segment. An encoder sets no others
//! of its own, and no frame needs one of another segment.

use common::job::failure::Failure;
use common::recipe::encoder::{Encoder, EncoderKind};
use common::recipe::{Rate, Segment, VideoEncode};

use crate::ffmpeg::probe::media::{Ratio, Stream};

/// Frames per second where a film tells no rate.
const USUAL_RATE: f64 = 60.0;
/// The most frames between keyframes that all encoders take.
const LONGEST_GROUP: f64 = 65535.0;

/// The options for the output's video stream of this number.
pub(in crate::ffmpeg) fn options(
    encoder: &Encoder,
    segment: Segment,
    film: &Stream,
    number: usize,
) -> Vec<String> {
    let seconds = segment.seconds();
    // A millisecond makes up for rounded times. A frame is forced by its own time and that of the last keyframe, so that
    // a gap in the film moves no later keyframe.
    let forced = format!(
        "expr:isnan(prev_forced_t)+gte(t+0.001,{seconds}*(floor((prev_forced_t+0.001)/{seconds})+1))"
    );
    let rate = film.mean_rate.or(film.base_rate).map(Ratio::value);
    let rate = rate.filter(|rate| rate.is_finite()).unwrap_or(USUAL_RATE);
    // Twice a segment, so that the encoder never comes to set one by itself. Fields may become frames.
    let group = (f64::from(seconds) * rate.max(1.0) * 4.0).ceil();
    let group = group.min(LONGEST_GROUP);
    let mut options = vec![
        format!("-force_key_frames:v:{number}"),
        forced,
        format!("-g:v:{number}"),
        group.to_string(),
    ];
    let mut add = |option: &str, value: &str| {
        options.extend([format!("-{option}:v:{number}"), value.to_owned()]);
    };
    match (encoder.kind(), encoder.as_str()) {
        (EncoderKind::Software, "libx264") => {
            add("forced-idr", "1");
            add("sc_threshold", "0");
        }
        (EncoderKind::Software, "libx265") => add("forced-idr", "1"),
        (EncoderKind::Software, "libaom-av1") => add("keyint_min", &group.to_string()),
        (EncoderKind::Nvidia, _) => {
            add("forced-idr", "1");
            add("no-scenecut", "1");
        }
        (EncoderKind::Intel, _) => add("forced_idr", "1"),
        _ => {}
    }
    options
}

/// The entries for the encoder's own parameter list.
pub(in crate::ffmpeg) fn params(encoder: &Encoder) -> &'static [&'static str] {
    match encoder.as_str() {
        "libx264" => &["open-gop=0"],
        "libx265" => &["open-gop=0", "scenecut=0"],
        "libsvtav1" => &["enable-force-key-frames=1"],
        _ => &[],
    }
}

/// Refuses an encoder that cannot set keyframes where a ladder needs them.
///
/// # Errors
/// The worker's fault: another encoder of the codec may do it.
pub(in crate::ffmpeg) fn check(encoder: &Encoder, video: &VideoEncode) -> Result<(), Failure> {
    let is_bitrate = matches!(video.rate, Rate::Bitrate(_) | Rate::Size(_));
    if encoder.as_str() == "libsvtav1" && is_bitrate {
        return Err(Failure::worker(
            "libsvtav1 sets no keyframes for a ladder at a bitrate or a size: a quality and a maximum bitrate do",
        ));
    }
    Ok(())
}
