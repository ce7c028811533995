//! The speed of an encode, on one scale for all encoders.

use serde::{Deserialize, Serialize};

use crate::recipe::encoder::{Codec, Encoder, EncoderKind};
use crate::recipe::named::named;

/// How much time an encoder takes to make a file small. `medium` is about libx264's preset of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs)]
pub enum Speed {
    Slowest,
    Slower,
    Slow,
    Medium,
    Fast,
    Faster,
    Fastest,
}

named!(Speed, "speed":
    Slowest = "slowest", Slower = "slower", Slow = "slow", Medium = "medium", Fast = "fast", Faster = "faster",
    Fastest = "fastest");

impl Speed {
    /// The encoder's own preset for this speed, as `--encoder-preset` takes it; `None` if the encoder has one speed
    /// only, or if its presets differ between drivers. An encoder with fewer presets has the same for several speeds.
    pub fn preset(self, encoder: &Encoder) -> Option<&'static str> {
        presets(encoder).map(|presets| presets[self as usize])
    }
}

/// An encoder's presets, from the slowest speed to the fastest.
type Presets = [&'static str; 7];

fn presets(encoder: &Encoder) -> Option<&'static Presets> {
    let presets = match (encoder.kind(), encoder.as_str()) {
        // `placebo` takes several times as long as `veryslow`, for less than a percent.
        (_, "libx264" | "libx265" | "libkvazaar") => &[
            "veryslow",
            "slower",
            "slow",
            "medium",
            "fast",
            "veryfast",
            "ultrafast",
        ],
        (_, "libsvtav1") => &["2", "3", "4", "6", "8", "10", "12"],
        (_, "libaom-av1") => &["1", "2", "3", "4", "5", "6", "8"],
        // Above 5, the encoder works as for a live stream.
        (_, "libvpx" | "libvpx-vp9") => &["0", "1", "2", "3", "4", "5", "8"],
        (_, "librav1e") => &["1", "3", "5", "6", "7", "8", "10"],
        (_, "libvvenc") => &[
            "slower", "slower", "slow", "medium", "fast", "faster", "faster",
        ],
        // How each block's mode is decided: by the real cost in bits, by their number, or by a guess.
        (EncoderKind::Software, "mpeg4" | "mpeg2video") => {
            &["rd", "rd", "rd", "bits", "simple", "simple", "simple"]
        }
        // The precision of the search for motion.
        (_, "libxvid") => &["6", "6", "5", "4", "3", "2", "1"],
        (EncoderKind::Nvidia, _) => &["p7", "p6", "p5", "p4", "p3", "p2", "p1"],
        (EncoderKind::Intel, _) if encoder.codec() != Some(Codec::Mjpeg) => &[
            "veryslow", "slower", "slow", "medium", "fast", "faster", "veryfast",
        ],
        (EncoderKind::Amd, _) => &[
            "quality", "quality", "quality", "balanced", "balanced", "speed", "speed",
        ],
        // The levels of Intel's driver; other drivers take the nearest that they have.
        (EncoderKind::Vaapi, _) if encoder.codec() != Some(Codec::Mjpeg) => {
            &["1", "2", "3", "4", "5", "6", "7"]
        }
        (EncoderKind::Apple, _) if encoder.codec() != Some(Codec::Prores) => {
            &["0", "0", "0", "0", "1", "1", "1"]
        }
        _ => return None,
    };
    Some(presets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::encoder_preset;

    #[test]
    fn every_speed_is_a_preset_that_its_encoder_knows() {
        for (encoder, _) in Encoder::catalogue() {
            for speed in Speed::ALL {
                let Some(preset) = speed.preset(&encoder) else {
                    continue;
                };
                let preset = preset.parse().expect("a token");
                encoder_preset::check(&encoder, &preset).expect("known");
            }
        }
    }

    #[test]
    fn one_speed_is_alike_on_encoders_with_unlike_presets() {
        let medium = |encoder: &str| Speed::Medium.preset(&encoder.parse().expect("a name"));
        assert_eq!(medium("libx264"), Some("medium"));
        assert_eq!(medium("libsvtav1"), Some("6"));
        assert_eq!(medium("hevc_nvenc"), Some("p4"));
        assert_eq!(medium("h264_v4l2m2m"), None);
        assert_eq!(medium("ffv1"), None);
    }
}
