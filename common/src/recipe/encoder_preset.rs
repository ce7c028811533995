//! The encoders' own presets, from fast to small, as far as they are known.

use crate::names::token::Token;
use crate::recipe::encoder::{Encoder, EncoderKind};
use crate::recipe::error::RecipeError;

/// The presets that an encoder understands.
enum Words {
    /// One of these names.
    Names(&'static [&'static str]),
    /// One of these names, or the number of its position.
    NamesOrNumbers(&'static [&'static str]),
    /// A number in this range.
    Numbers(std::ops::RangeInclusive<i32>),
}

const X264: &[&str] = &[
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
];
const NVENC: &[&str] = &[
    "default",
    "slow",
    "medium",
    "fast",
    "hp",
    "hq",
    "bd",
    "ll",
    "llhq",
    "llhp",
    "lossless",
    "losslesshp",
    "p1",
    "p2",
    "p3",
    "p4",
    "p5",
    "p6",
    "p7",
];
const QSV: &[&str] = &[
    "veryslow", "slower", "slow", "medium", "fast", "faster", "veryfast",
];
const VVENC: &[&str] = &["faster", "fast", "medium", "slow", "slower"];

impl Words {
    /// The presets of an encoder; `None` if they are unknown, or differ between its versions.
    fn of(encoder: &Encoder) -> Option<Self> {
        Some(match (encoder.kind(), encoder.as_str()) {
            (_, "libx264" | "libx264rgb" | "libx265") => Self::NamesOrNumbers(X264),
            (_, "libsvtav1") => Self::Numbers(-2..=13),
            (_, "libaom-av1") => Self::Numbers(0..=11),
            (_, "libvpx") => Self::Numbers(-16..=16),
            (_, "libvpx-vp9") => Self::Numbers(-9..=9),
            (_, "librav1e") => Self::Numbers(-1..=10),
            (_, "libvvenc") => Self::NamesOrNumbers(VVENC),
            (EncoderKind::Nvidia, _) => Self::Names(NVENC),
            (EncoderKind::Intel, _) => Self::Names(QSV),
            _ => return None,
        })
    }

    fn hold(&self, word: &str) -> bool {
        let number = word.parse::<i32>().ok();
        match self {
            Self::Names(names) => names.contains(&word),
            Self::NamesOrNumbers(names) => {
                names.contains(&word)
                    || number.is_some_and(|n| usize::try_from(n).is_ok_and(|n| n < names.len()))
            }
            Self::Numbers(range) => number.is_some_and(|number| range.contains(&number)),
        }
    }

    fn list(&self) -> String {
        match self {
            Self::Names(names) | Self::NamesOrNumbers(names) => names.join(", "),
            Self::Numbers(range) => format!("{} (slow) to {} (fast)", range.start(), range.end()),
        }
    }
}

/// Refuses a preset that the encoder is known not to understand: ffmpeg would refuse it only once a worker runs it.
pub(super) fn check(encoder: &Encoder, preset: &Token) -> Result<(), RecipeError> {
    match Words::of(encoder) {
        Some(words) if !words.hold(preset.as_str()) => Err(RecipeError::Preset {
            encoder: encoder.clone(),
            preset: preset.clone(),
            instead: words.list(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(encoder: &str, preset: &str) -> Result<(), String> {
        let encoder = encoder.parse().expect("an encoder");
        let preset = preset.parse().expect("a token");
        check(&encoder, &preset).map_err(|error| error.to_string())
    }

    #[test]
    fn an_unknown_preset_is_refused_with_the_known_ones() {
        for (encoder, good, bad, instead) in [
            ("libx265", "slow", "slwo", "veryslow"),
            ("libx264", "7", "12", "ultrafast"),
            ("libsvtav1", "-1", "slow", "-2 (slow) to 13 (fast)"),
            ("libvpx-vp9", "-8", "12", "-9 (slow) to 9 (fast)"),
            ("hevc_nvenc", "p5", "p8", "p7"),
            ("av1_qsv", "veryslow", "p4", "veryfast"),
        ] {
            assert_eq!(answer(encoder, good), Ok(()), "{encoder} {good}");
            let error = answer(encoder, bad).expect_err(bad);
            assert!(error.contains(instead), "{error}");
        }
        assert_eq!(answer("some_encoder", "anything"), Ok(()));
    }
}
