//! Drafts: unchecked recipes, and the rules that make a recipe sound.

mod ladder;
mod subtitles;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::recipe::audio;
use crate::recipe::audio::{Audio, AudioTracks};
use crate::recipe::companions::Companions;
use crate::recipe::container::Container;
use crate::recipe::encoder::Codec;
use crate::recipe::error::RecipeError;
use crate::recipe::filters::Filters;
use crate::recipe::loss::Kind;
use crate::recipe::picture::{Hdr, ToneMap, Watermark};
use crate::recipe::rate::Metric;
use crate::recipe::segment::Segment;
use crate::recipe::subtitles::{Captions, SubtitleTracks, Subtitles};
use crate::recipe::trim::Trim;
use crate::recipe::video::{Video, VideoEncode};
use crate::wire::is_default;

/// The parts of a recipe, free to be changed. [`Recipe::new`](crate::recipe::Recipe::new) checks them and makes a
/// recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(description = "What to do with an input."))]
pub struct RecipeDraft {
    /// The video streams.
    pub video: Video,
    /// The audio streams.
    #[serde(default)]
    pub audio: Audio,
    /// Which audio tracks the output has, and how single tracks are made.
    #[serde(default, skip_serializing_if = "is_default")]
    pub audio_tracks: AudioTracks,
    /// The subtitle streams.
    #[serde(default)]
    pub subtitles: Subtitles,
    /// Which subtitle tracks the output has.
    #[serde(default, skip_serializing_if = "is_default")]
    pub subtitle_tracks: SubtitleTracks,
    /// The closed captions inside the video.
    #[serde(default, skip_serializing_if = "is_default")]
    pub captions: Captions,
    /// The part of the input that becomes the output; all of it if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trim: Option<Trim>,
    /// The file format of the output.
    #[serde(default)]
    pub container: Container,
    /// Seconds of a segment of a ladder (container `cmaf`); 6 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment_seconds: Option<Segment>,
    /// Which files are made beside the output.
    #[serde(default, skip_serializing_if = "is_default")]
    pub companions: Companions,
    /// Kinds of things that must not be lost: a job whose output would lose one fails.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refuse_loss: BTreeSet<Kind>,
    /// Whether a damaged input is refused, even if an output can be made of the rest.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strict_input: bool,
}

impl RecipeDraft {
    /// A draft with this video, and defaults for the rest.
    pub fn new(video: Video) -> Self {
        Self {
            video,
            audio: Audio::default(),
            audio_tracks: AudioTracks::default(),
            subtitles: Subtitles::default(),
            subtitle_tracks: SubtitleTracks::default(),
            captions: Captions::default(),
            trim: None,
            container: Container::default(),
            segment_seconds: None,
            companions: Companions::default(),
            refuse_loss: BTreeSet::new(),
            strict_input: false,
        }
    }

    /// How video is encoded; `None` if it is copied or left out.
    pub fn video_encode(&self) -> Option<&VideoEncode> {
        match &self.video {
            Video::Encode(encode) => Some(encode),
            Video::Copy | Video::None => None,
        }
    }

    /// The codec of the output's video; `None` if it is copied or left out, or if the encoder is outside the catalogue.
    pub fn codec(&self) -> Option<Codec> {
        self.video_encode()?.with.codec()
    }

    /// The metrics of quality that a worker must measure.
    pub fn metrics(&self) -> impl Iterator<Item = Metric> {
        let video = self.video_encode();
        let target = video.and_then(|video| video.rate.target());
        let floor = video.and_then(|video| video.floor);
        let target = target.map(|target| target.score.metric);
        target.into_iter().chain(floor.map(|floor| floor.metric))
    }

    /// Refuses parts that cannot work with any input.
    pub(super) fn check(&self) -> Result<(), RecipeError> {
        let container = self.container;
        if container.is_audio_only() && self.video != Video::None {
            return Err(RecipeError::AudioOnly(container));
        }
        if self.video == Video::None && !self.companions.is_empty() {
            return Err(RecipeError::Companions);
        }
        if self.companions.thumbnails > Companions::MOST_THUMBNAILS {
            return Err(RecipeError::Thumbnails(self.companions.thumbnails));
        }
        if self.video == Video::None && self.audio == Audio::None {
            return Err(RecipeError::Empty);
        }
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
        audio::check(&self.audio, &self.audio_tracks, container)?;
        self.check_ladder()?;
        self.check_subtitles()?;
        self.video_encode()
            .map_or(Ok(()), |video| self.check_encode(video))
    }

    fn check_encode(&self, video: &VideoEncode) -> Result<(), RecipeError> {
        if let Some(filters) = &video.filters {
            let is_alone = self.audio == Audio::None && self.subtitles == Subtitles::None;
            if let Some(filter) = filters.retiming().filter(|_| !is_alone) {
                return Err(RecipeError::Length(filter.to_owned()));
            }
            if filters.map_tones_of_no_light() {
                return Err(RecipeError::ToneMap);
            }
        }
        if video.hdr != Hdr::Sdr && video.tone_map != ToneMap::default() {
            return Err(RecipeError::Curve(video.tone_map));
        }
        if let Some(watermark) = &video.watermark {
            check_watermark(watermark, video.filters.as_ref())?;
        }
        video.check_rate()
    }
}

/// Refuses a watermark that would have no size or cover nothing, or whose size nobody knows after these filters.
fn check_watermark(watermark: &Watermark, filters: Option<&Filters>) -> Result<(), RecipeError> {
    let within = |what, percent: u8| match (1..=100).contains(&percent) {
        true => Ok(()),
        false => Err(RecipeError::Watermark { what, percent }),
    };
    within("the opacity", watermark.opacity_percent)?;
    let Some(percent) = watermark.width_percent else {
        return Ok(());
    };
    within("the width", percent)?;
    match filters.and_then(Filters::reshaping) {
        Some(filter) => Err(RecipeError::WatermarkWidth(filter.to_owned())),
        None => Ok(()),
    }
}
