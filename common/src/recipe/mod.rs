//! Recipes: what to do with an input.
//!
//! Every [`Recipe`] is sound, whether it comes from a command line, a file or the wire: filters and extra arguments
//! are on an allowlist, and its parts fit together. Unknown fields are refused, so that an older worker never runs
//! half of a newer recipe.
//!
//! Runs are read for ever, and a stored recipe that breaks a rule makes its run unreadable. So a rule here may be
//! made looser, but not stricter; stricter checks belong to the submission of jobs.
//!
//! More than 12 entries: each is one part of a recipe.

mod arguments;
mod audio;
mod bounds;
mod choice;
mod companions;
mod container;
mod draft;
pub mod encoder;
mod encoder_lists;
mod encoder_preset;
mod error;
mod expression;
mod file;
mod filters;
mod ladder_error;
mod language;
pub mod loss;
mod named;
mod outputs;
mod picture;
pub mod preset;
mod rate;
mod segment;
mod subtitles;
mod summary;
mod trim;
mod video;

pub use arguments::{Argument, ArgumentError};
pub use audio::{
    Audio, AudioEncoder, AudioError, AudioOutput, AudioRule, AudioTracks, AudioTracksError,
    Channels, ChannelsError, Downmix, EnsuredTrack, EnsuredTrackError, Loudness, LoudnessError,
};
pub use bounds::{BoundsError, MOST_PIXELS};
pub use choice::{Choice, Encoders, EncodersError};
pub use companions::Companions;
pub use container::Container;
pub use draft::RecipeDraft;
pub use error::RecipeError;
pub use file::{
    FieldChange, FieldChangeError, FileError, FileFormat, Place as FilePlace, RecipeFile,
};
pub use filters::{FilterError, Filters};
pub use ladder_error::LadderError;
pub use language::{Language, LanguageError};
pub use outputs::{
    NameError, NameTemplate, Outputs, OutputsError, Placeholder, Rendition, RenditionError,
};
pub use picture::{
    BitDepth, Borders, Chroma, Crop, CropError, CubeError, Deinterlace, Denoise, DenoiseFilter,
    FrameRate, FrameRateError, FramesPerSecond, Hdr, LARGEST_RECIPE_FILE, Pad, PadError,
    PictureForm, Place, Rotate, RotateError, Scale, ScaleError, Strength, ToneMap, Watermark,
    check_cube,
};
pub use rate::{
    Bitrate, BitrateError, Metric, Quality, QualityError, QualityScale, QualityTarget, Rate, Score,
    ScoreError, Size, SizeError, Speed,
};
pub use segment::{Segment, SegmentError};
pub use subtitles::{
    BurnIn, BurnInError, Captions, Flagged, SubtitleTracks, Subtitles, SubtitlesError,
};
pub use trim::{Trim, TrimError};
pub use video::{Video, VideoEncode};

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::names::location::Location;

/// What to do with an input: a [`RecipeDraft`] that has passed every rule. Its parts are read like the draft's, and
/// changed by [`Recipe::edit`] only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RecipeDraft")]
pub struct Recipe(RecipeDraft);

impl Recipe {
    /// The recipe of these parts.
    ///
    /// # Errors
    /// The first rule that they break.
    pub fn new(draft: RecipeDraft) -> Result<Self, RecipeError> {
        draft.check()?;
        Ok(Self(draft))
    }

    /// A recipe that encodes video in this way, with defaults for the rest.
    ///
    /// # Errors
    /// The first rule that this breaks.
    pub fn encode(video: VideoEncode) -> Result<Self, RecipeError> {
        Self::new(RecipeDraft::new(Video::Encode(Box::new(video))))
    }

    /// A recipe that copies every track.
    pub fn copy() -> Self {
        Self(RecipeDraft::new(Video::Copy))
    }

    /// Whether the recipe names this file: as its colour table, or as its watermark.
    pub fn names(&self, file: &Location) -> bool {
        let video = self.video_encode();
        let lut = video.and_then(|video| video.lut.as_ref());
        let watermark = video.and_then(|video| video.watermark.as_ref());
        let watermark = watermark.map(|watermark| &watermark.picture);
        [lut, watermark]
            .into_iter()
            .flatten()
            .any(|named| named == file)
    }

    /// The recipe's parts.
    pub fn into_draft(self) -> RecipeDraft {
        self.0
    }

    /// The recipe with some of its parts changed.
    ///
    /// # Errors
    /// The first rule that the changed parts break.
    pub fn edit(self, edit: impl FnOnce(&mut RecipeDraft)) -> Result<Self, RecipeError> {
        let mut draft = self.0;
        edit(&mut draft);
        Self::new(draft)
    }
}

impl Deref for Recipe {
    type Target = RecipeDraft;

    fn deref(&self) -> &RecipeDraft {
        &self.0
    }
}

impl TryFrom<RecipeDraft> for Recipe {
    type Error = RecipeError;

    fn try_from(draft: RecipeDraft) -> Result<Self, Self::Error> {
        Self::new(draft)
    }
}

#[cfg(test)]
mod tests {
    use super::encoder::Codec;
    use super::*;

    fn video(filters: &str) -> VideoEncode {
        let mut video = VideoEncode::new(Choice::Codec(Codec::H264));
        video.filters = Some(filters.parse().expect("filters"));
        video
    }

    #[test]
    fn codecs_that_the_container_cannot_hold_are_refused() {
        let h264 = Recipe::encode(VideoEncode::new(Choice::Codec(Codec::H264))).expect("sound");
        let refused = h264.edit(|draft| draft.container = Container::Webm);
        assert!(matches!(refused, Err(RecipeError::Video { .. })));
        let refused = Recipe::copy().edit(|draft| {
            draft.container = Container::Webm;
            draft.audio = "aac:128k".parse().expect("audio");
        });
        assert!(matches!(refused, Err(RecipeError::Audio { .. })));
    }

    #[test]
    fn filters_that_retime_pictures_but_not_sound_are_refused() {
        for filters in ["trim=end=2", "hqdn3d,setpts=2*PTS", "tpad=stop=20"] {
            let mut draft = RecipeDraft::new(Video::Encode(Box::new(video(filters))));
            let refused = Recipe::new(draft.clone());
            assert!(matches!(refused, Err(RecipeError::Length(_))));
            draft.audio = Audio::None;
            let refused = Recipe::new(draft.clone());
            assert!(matches!(refused, Err(RecipeError::Length(_))));
            draft.subtitles = Subtitles::None;
            Recipe::new(draft).expect("nothing is left to be parted from");
        }
        Recipe::encode(video("fps=25,bwdif,decimate")).expect("times stay");
    }

    #[test]
    fn tones_are_mapped_in_linear_light_only() {
        let refused = Recipe::encode(video("tonemap=hable"));
        assert!(matches!(refused, Err(RecipeError::ToneMap)));
        Recipe::encode(video(
            "zscale=t=linear:npl=100,tonemap=hable,zscale=t=bt709:m=bt709",
        ))
        .expect("sound");
    }

    #[test]
    fn a_curve_without_sdr_is_refused() {
        let with = |hdr| {
            let mut video = VideoEncode::new(Choice::Codec(Codec::Hevc));
            (video.hdr, video.tone_map) = (hdr, ToneMap::Bt2390);
            Recipe::encode(video)
        };
        assert!(matches!(with(Hdr::Keep), Err(RecipeError::Curve(_))));
        with(Hdr::Sdr).expect("it is used");
    }

    #[test]
    fn an_unsound_recipe_cannot_be_decoded() {
        for (json, why) in [
            (
                r#"{"video":{"encode":{"with":{"first_of":[]}}}}"#,
                "names no encoder",
            ),
            (
                r#"{"video":{"encode":{"with":{"first_of":["libx265","libx264"]}}}}"#,
                "libx264 cannot stand in for libx265",
            ),
            (
                r#"{"video":{"encode":{"with":{"codec":"h264"}}},"container":"webm"}"#,
                "webm cannot hold h264 video",
            ),
            (
                r#"{"video":{"encode":{"with":{"encoder":"libx264"},"preset":"slowest"}}}"#,
                "libx264 has no preset 'slowest'",
            ),
            (
                r#"{"video":{"encode":{"with":{"encoder":"libx264"},"filters":"crop=9:9","watermark":{"picture":"s3://a/b.png","width_percent":9}}}}"#,
                "needs a known picture size, which filter 'crop' changes",
            ),
            (
                r#"{"video":{"encode":{"with":{"encoder":"libx264"},"watermark":{"picture":"s3://a/b.png","opacity_percent":0}}}}"#,
                "the opacity of the watermark is 0 %",
            ),
            (
                r#"{"video":{"encode":{"with":{"encoder":"libx264"},"filters":"trim=end=2"}}}"#,
                "filter 'trim' changes when frames are shown",
            ),
        ] {
            let error = serde_json::from_str::<Recipe>(json).expect_err(why);
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn an_unknown_field_is_refused_and_not_ignored() {
        let newer = r#"{"video":"copy","denoise":"strong"}"#;
        let error = serde_json::from_str::<Recipe>(newer).expect_err("unknown field");
        assert!(error.to_string().contains("denoise"), "{error}");
    }
}
