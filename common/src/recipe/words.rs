//! A recipe in one line, for listings.

use std::fmt;

use super::{Audio, Rate, Recipe, Subtitles, Video, VideoEncode};

/// `any hevc encoder, quality 65, 10 bits, mkv`: what differs from the
/// defaults, what encodes first and the container last.
impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = match &self.video {
            Video::Encode(encode) => video(encode),
            Video::Copy => vec!["video as it is".to_owned()],
        };
        match &self.audio {
            Audio::Copy => {}
            Audio::None => words.push("no audio".to_owned()),
            Audio::Encode { encoder, bitrate } => words.push(match bitrate {
                Some(bitrate) => format!("{} {bitrate}", encoder.name()),
                None => encoder.name().to_owned(),
            }),
        }
        if self.subtitles == Subtitles::None {
            words.push("no subtitles".to_owned());
        }
        words.push(self.container.to_string());
        f.pad(&words.join(", "))
    }
}

fn video(encode: &VideoEncode) -> Vec<String> {
    let mut words = vec![encode.with.to_string()];
    words.extend(match encode.rate {
        Rate::Default => None,
        Rate::Crf(value) => Some(format!("CRF {value}")),
        Rate::Quality(quality) => Some(format!("quality {}", u8::from(quality))),
        Rate::Bitrate(bitrate) => Some(format!("{bitrate} bit/s")),
    });
    words.extend(
        encode
            .preset
            .as_ref()
            .map(|preset| format!("preset {preset}")),
    );
    words.extend(
        encode
            .bit_depth
            .map(|depth| format!("{} bits", u8::from(depth))),
    );
    words.extend(encode.scale.map(|scale| scale.to_string()));
    words.extend(encode.filters.as_ref().map(ToString::to_string));
    words.extend(encode.arguments.iter().map(ToString::to_string));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::Codec;
    use crate::recipe::Choice;

    #[test]
    fn a_recipe_is_told_in_a_line() {
        let mut encode = VideoEncode::new(Choice::Codec(Codec::Hevc));
        encode.rate = Rate::Crf(20.5);
        encode.arguments.push("g=240".parse().expect("allowed"));
        let mut recipe = Recipe::encode(encode);
        assert_eq!(recipe.to_string(), "any hevc encoder, CRF 20.5, g=240, mkv");
        recipe.video = Video::Copy;
        recipe.audio = "opus:96k".parse().expect("sound");
        recipe.subtitles = Subtitles::None;
        assert_eq!(
            recipe.to_string(),
            "video as it is, libopus 96k, no subtitles, mkv"
        );
    }
}
