//! Recipes: what to do with an input.
//!
//! A recipe that exists is sound: everything free-form in it (filters, extra
//! arguments) is checked against an allowlist when it is read, from a command
//! line, a file or the wire alike. Unknown fields are refused, so that an older
//! worker never runs half of a newer recipe.

mod arguments;
mod audio;
mod choice;
mod container;
pub mod encoder;
mod encoder_preset;
mod error;
mod filters;
pub mod loss;
mod picture;
pub mod preset;
mod rate;
mod scale;
mod subtitles;
mod summary;
mod video;

pub use arguments::{Argument, ArgumentError};
pub use audio::{Audio, AudioEncoder, AudioError};
pub use choice::Choice;
pub use container::Container;
pub use error::RecipeError;
pub use filters::{FilterError, Filters};
pub use picture::{BitDepth, Chroma, Hdr};
pub use rate::{Bitrate, BitrateError, Quality, QualityError, Rate};
pub use scale::{Scale, ScaleError};
pub use subtitles::{Captions, Subtitles};
pub use video::{Video, VideoEncode};

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::recipe::encoder::Codec;
use crate::recipe::loss::Kind;
use crate::wire::is_default;

/// What to do with an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The video streams.
    pub video: Video,
    /// The audio streams.
    #[serde(default)]
    pub audio: Audio,
    /// The subtitle streams.
    #[serde(default)]
    pub subtitles: Subtitles,
    /// What becomes of closed captions inside the video.
    #[serde(default, skip_serializing_if = "is_default")]
    pub captions: Captions,
    /// The file format of the output.
    #[serde(default)]
    pub container: Container,
    /// Kinds of things that must not be lost: an input that would lose one is refused.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refuse_loss: BTreeSet<Kind>,
    /// Whether an input that is damaged anywhere is refused, although an output can be made of the rest.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strict_input: bool,
}

impl Recipe {
    /// Encoding video with everything else at its default.
    pub fn encode(video: VideoEncode) -> Self {
        Self {
            video: Video::Encode(Box::new(video)),
            ..Self::copy()
        }
    }

    /// Keeping every track as it is.
    pub fn copy() -> Self {
        Self {
            video: Video::Copy,
            audio: Audio::default(),
            subtitles: Subtitles::default(),
            captions: Captions::default(),
            container: Container::default(),
            refuse_loss: BTreeSet::new(),
            strict_input: false,
        }
    }

    /// How video is encoded; `None` where it is copied.
    pub fn video_encode(&self) -> Option<&VideoEncode> {
        match &self.video {
            Video::Encode(encode) => Some(encode),
            Video::Copy => None,
        }
    }

    /// The codec of the output's video; `None` where it is copied, or made by
    /// an encoder outside the catalogue.
    pub fn codec(&self) -> Option<Codec> {
        self.video_encode()?.with.codec()
    }

    /// Finds what cannot work whatever the input is.
    ///
    /// # Errors
    /// The first such thing.
    pub fn check(&self) -> Result<(), RecipeError> {
        let container = self.container;
        if let Some(codec) = self.codec().filter(|codec| !container.holds_video(*codec)) {
            return Err(RecipeError::Video { container, codec });
        }
        if let Audio::Encode { encoder, .. } | Audio::CopyElse { encoder, .. } = &self.audio
            && !container.holds_audio(encoder.codec())
        {
            return Err(RecipeError::Audio {
                container,
                codec: encoder.codec(),
            });
        }
        if let Some(filters) = self.video_encode().and_then(|video| video.filters.as_ref()) {
            let is_alone = self.audio == Audio::None && self.subtitles == Subtitles::None;
            if let Some(filter) = filters.retiming().filter(|_| !is_alone) {
                return Err(RecipeError::Length(filter.to_owned()));
            }
            if filters.map_tones_of_no_light() {
                return Err(RecipeError::ToneMap);
            }
        }
        if let Some(VideoEncode {
            with, rate, preset, ..
        }) = self.video_encode()
        {
            for encoder in with.encoders() {
                rate.check(encoder)?;
                if let Some(preset) = preset {
                    encoder_preset::check(encoder, preset)?;
                }
                if encoder.codec() != with.codec() {
                    return Err(RecipeError::Codecs(
                        with.encoders()[0].clone(),
                        encoder.clone(),
                    ));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_container_cannot_hold_is_refused() {
        let mut recipe = Recipe::encode(VideoEncode::new(Choice::Codec(Codec::H264)));
        recipe.container = Container::Webm;
        assert!(matches!(recipe.check(), Err(RecipeError::Video { .. })));
        recipe.video = Video::Copy;
        recipe.audio = "aac:128k".parse().expect("ok");
        assert!(matches!(recipe.check(), Err(RecipeError::Audio { .. })));
    }

    #[test]
    fn filters_that_part_pictures_from_sound_are_refused() {
        let with = |filters: &str| {
            let mut video = VideoEncode::new(Choice::Codec(Codec::H264));
            video.filters = Some(filters.parse().expect("filters"));
            Recipe::encode(video)
        };
        for filters in ["trim=end=2", "hqdn3d,setpts=2*PTS", "tpad=stop=20"] {
            let mut recipe = with(filters);
            assert!(matches!(recipe.check(), Err(RecipeError::Length(_))));
            recipe.audio = Audio::None;
            assert!(matches!(recipe.check(), Err(RecipeError::Length(_))));
            recipe.subtitles = Subtitles::None;
            recipe.check().expect("nothing is left to be parted from");
        }
        with("fps=25,bwdif,decimate").check().expect("times stay");
    }

    #[test]
    fn tones_are_mapped_in_linear_light_only() {
        let check = |filters: &str| {
            let mut video = VideoEncode::new(Choice::Codec(Codec::H264));
            video.filters = Some(filters.parse().expect("filters"));
            Recipe::encode(video).check()
        };
        assert!(matches!(check("tonemap=hable"), Err(RecipeError::ToneMap)));
        check("zscale=t=linear:npl=100,tonemap=hable,zscale=t=bt709:m=bt709").expect("sound");
    }

    #[test]
    fn a_choice_of_no_encoder_is_refused() {
        let none = r#"{"video":{"encode":{"with":{"first_of":[]}}}}"#;
        let error = serde_json::from_str::<Recipe>(none).expect_err("no encoder");
        assert!(error.to_string().contains("names no encoder"), "{error}");
    }

    #[test]
    fn an_unknown_field_is_refused_and_not_ignored() {
        let newer = r#"{"video":"copy","denoise":"strong"}"#;
        let error = serde_json::from_str::<Recipe>(newer).expect_err("unknown field");
        assert!(error.to_string().contains("denoise"), "{error}");
    }
}
