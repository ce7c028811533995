//! A recipe in one line, for listings.

use std::fmt;

use crate::recipe::{
    Audio, AudioEncoder, Bitrate, Captions, Chroma, Hdr, Rate, Recipe, Subtitles, Video,
    VideoEncode,
};

/// `any hevc encoder, quality 65, 10 bits, mkv`: all that differs from the defaults, with the encoder first and the
/// container last.
impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = match &self.video {
            Video::Encode(encode) => video(encode),
            Video::Copy => vec!["video as it is".to_owned()],
        };
        match &self.audio {
            Audio::Copy => {}
            Audio::None => words.push("no audio".to_owned()),
            Audio::Encode { encoder, bitrate } => words.push(sound(*encoder, *bitrate)),
            Audio::CopyElse { encoder, bitrate } => {
                words.push(format!("audio copied, else {}", sound(*encoder, *bitrate)));
            }
        }
        if self.subtitles == Subtitles::None {
            words.push("no subtitles".to_owned());
        }
        if self.captions == Captions::Srt {
            words.push("captions as subtitles".to_owned());
        }
        words.push(self.container.to_string());
        if !self.refuse_loss.is_empty() {
            let kinds: Vec<&str> = self.refuse_loss.iter().map(|kind| kind.name()).collect();
            words.push(format!("no loss of {}", kinds.join(" or ")));
        }
        if self.strict_input {
            words.push("undamaged inputs only".to_owned());
        }
        f.pad(&words.join(", "))
    }
}

fn sound(encoder: AudioEncoder, bitrate: Option<Bitrate>) -> String {
    match bitrate {
        Some(bitrate) => format!("{} {bitrate}", encoder.name()),
        None => encoder.name().to_owned(),
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
    words.extend((encode.chroma == Chroma::Yuv420).then(|| "4:2:0".to_owned()));
    words.extend((encode.hdr == Hdr::Sdr).then(|| "SDR".to_owned()));
    words.extend(encode.scale.map(|scale| scale.to_string()));
    words.extend(encode.scale_up.then(|| "enlarging".to_owned()));
    words.extend(encode.filters.as_ref().map(ToString::to_string));
    words.extend(encode.arguments.iter().map(ToString::to_string));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Choice;
    use crate::recipe::encoder::Codec;

    #[test]
    fn a_recipe_is_summarised_in_one_line() {
        let mut encode = VideoEncode::new(Choice::Codec(Codec::Hevc));
        encode.rate = Rate::Crf(20.5);
        encode.arguments.push("g=240".parse().expect("allowed"));
        let recipe = Recipe::encode(encode).expect("sound");
        assert_eq!(recipe.to_string(), "any hevc encoder, CRF 20.5, g=240, mkv");
        let edited = recipe.edit(|draft| {
            draft.video = Video::Copy;
            draft.audio = "opus:96k".parse().expect("audio");
            draft.subtitles = Subtitles::None;
        });
        let recipe = edited.expect("sound");
        assert_eq!(
            recipe.to_string(),
            "video as it is, libopus 96k, no subtitles, mkv"
        );
    }
}
