//! Recipes: what to do with an input.
//!
//! A recipe that exists is sound: everything free-form in it (filters, extra
//! arguments) is checked against an allowlist when it is read, from a command
//! line, a file or the wire alike. Unknown fields are refused, so that an older
//! worker never runs half of a newer recipe.

mod arguments;
mod audio;
mod container;
pub mod encoder;
mod encoder_preset;
mod filters;
mod picture;
pub mod preset;
mod rate;
mod scale;
mod words;

pub use arguments::{Argument, ArgumentError};
pub use audio::{Audio, AudioEncoder, AudioError};
pub use container::Container;
pub use filters::{FilterError, Filters};
pub use picture::{BitDepth, Chroma, Hdr};
pub use rate::{Bitrate, BitrateError, Quality, QualityError, Rate};
pub use scale::{Scale, ScaleError};

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::farm::card::{Capabilities, Proof};
use crate::farm::queue::Queue;
use crate::job::changes::Kind;
use crate::names::token::Token;
use crate::recipe::encoder::{Codec, Encoder};

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

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What becomes of video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Video {
    /// Encode it.
    Encode(Box<VideoEncode>),
    /// Keep it as it is, in another container.
    Copy,
}

/// How video is encoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoEncode {
    /// By what.
    pub with: Choice,
    /// How much quality, or how many bits.
    #[serde(default)]
    pub rate: Rate,
    /// The encoder's own preset, e.g. `slow`, `p5`, `8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Token>,
    /// Bits per sample: 8 or 10; the source's where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_depth: Option<BitDepth>,
    /// What becomes of high dynamic range.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hdr: Hdr,
    /// How colour is sampled.
    #[serde(default, skip_serializing_if = "is_default")]
    pub chroma: Chroma,
    /// The picture's size; the source's where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// Whether `scale` may enlarge a smaller source.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scale_up: bool,
    /// What else is done to the picture before it is encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
    /// Further arguments for ffmpeg.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Argument>,
}

impl VideoEncode {
    /// Encoding with everything at its default.
    pub fn new(with: Choice) -> Self {
        Self {
            with,
            rate: Rate::default(),
            preset: None,
            bit_depth: None,
            hdr: Hdr::default(),
            chroma: Chroma::default(),
            scale: None,
            scale_up: false,
            filters: None,
            arguments: Vec::new(),
        }
    }

    /// Whether every frame of the input becomes one of the output.
    pub fn keeps_frames(&self) -> bool {
        self.filters.as_ref().is_none_or(Filters::keep_frames)
            && self.arguments.iter().all(Argument::keeps_frames)
    }
}

/// What encodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// This encoder and no other.
    Encoder(Encoder),
    /// The first of these encoders, all of one codec; each further one only
    /// once the job has waited long enough (see [`crate::job::Fallbacks`]).
    FirstOf(#[serde(deserialize_with = "some")] Vec<Encoder>),
    /// The best encoder of this codec that the worker has proved.
    Codec(Codec),
}

/// A list of encoders that names one at least: no worker could ever take a job
/// that is to be encoded by none.
fn some<'de, D: Deserializer<'de>>(encoders: D) -> Result<Vec<Encoder>, D::Error> {
    let encoders = Vec::<Encoder>::deserialize(encoders)?;
    if encoders.is_empty() {
        return Err(D::Error::custom("first_of names no encoder"));
    }
    Ok(encoders)
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoder(encoder) => encoder.fmt(f),
            Self::FirstOf(encoders) => {
                let names: Vec<&str> = encoders.iter().map(Encoder::as_str).collect();
                f.write_str(&names.join(", else "))
            }
            Self::Codec(codec) => write!(f, "any {codec} encoder"),
        }
    }
}

impl Choice {
    /// The encoders that may be used, in the order of preference; none where
    /// each worker chooses its best.
    pub fn encoders(&self) -> &[Encoder] {
        match self {
            Self::Encoder(encoder) => std::slice::from_ref(encoder),
            Self::FirstOf(encoders) => encoders,
            Self::Codec(_) => &[],
        }
    }

    /// The codec that is made; `None` for an encoder outside the catalogue.
    pub fn codec(&self) -> Option<Codec> {
        match self {
            Self::Codec(codec) => Some(*codec),
            _ => self.encoders().first().and_then(Encoder::codec),
        }
    }

    /// What a worker with this card encodes a job with that it took from this
    /// queue: never anything that it has not proved.
    pub fn on<'a>(
        &self,
        card: &'a Capabilities,
        queue: &Queue,
    ) -> Option<(&'a Encoder, &'a Proof)> {
        match (self, queue) {
            (Self::Codec(codec), _) => card.best(*codec),
            (Self::FirstOf(encoders), Queue::Encoder(encoder)) if encoders.contains(encoder) => {
                card.proved().find(|(proved, _)| *proved == encoder)
            }
            _ => self
                .encoders()
                .iter()
                .find_map(|wanted| card.proved().find(|(proved, _)| *proved == wanted)),
        }
    }
}

/// What becomes of subtitles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subtitles {
    /// Every track, in the form that the container holds.
    #[default]
    Keep,
    /// No track.
    None,
}

/// What becomes of closed captions (CEA-608, CEA-708), which lie inside the video and not in a track of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Captions {
    /// They stay inside the video where the encoder writes them.
    #[default]
    Keep,
    /// They become a subtitle track as well.
    Srt,
}

/// `keep` or `srt`.
impl FromStr for Captions {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "keep" | "copy" => Ok(Self::Keep),
            "srt" => Ok(Self::Srt),
            _ => Err(UnknownName::new(
                "choice of captions",
                text,
                &["keep", "srt"],
            )),
        }
    }
}

/// `keep` or `none`.
impl FromStr for Subtitles {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "keep" | "copy" => Ok(Self::Keep),
            "none" => Ok(Self::None),
            _ => Err(UnknownName::new(
                "choice of subtitles",
                text,
                &["keep", "none"],
            )),
        }
    }
}

/// A name that is none of those allowed.
#[derive(Debug, thiserror::Error)]
#[error("unknown {what} '{given}': one of {known}")]
pub struct UnknownName {
    what: &'static str,
    given: String,
    known: String,
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, given: &str, known: &[&str]) -> Self {
        Self {
            what,
            given: given.to_owned(),
            known: known.join(", "),
        }
    }
}

/// A recipe that cannot work whatever the input is.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// e.g. H.264 in WebM.
    #[error(
        "{container} cannot hold {codec} video: choose another --container (mkv holds everything)"
    )]
    Video {
        /// The container asked for.
        container: Container,
        /// The codec that the encoder makes.
        codec: Codec,
    },
    /// e.g. AAC in WebM.
    #[error("{container} cannot hold {codec} audio: choose another --audio encoder or --container")]
    Audio {
        /// The container asked for.
        container: Container,
        /// The codec that the encoder makes.
        codec: &'static str,
    },
    /// e.g. libx264 in the place of libx265.
    #[error("{1} cannot stand in for {0}: they make different codecs")]
    Codecs(Encoder, Encoder),
    /// A preset that this encoder does not have.
    #[error("{encoder} has no preset '{preset}': use {instead}")]
    Preset {
        /// The encoder asked for.
        encoder: Encoder,
        /// What was asked of it.
        preset: Token,
        /// What it has.
        instead: String,
    },
    /// Filters that cut or stretch the film while its sound and subtitles stay as long as they are.
    #[error(
        "filter '{0}' changes when frames are shown, and sound and subtitles would not follow: leave it out, or give --audio none and --subtitles none"
    )]
    Length(String),
    /// Tone mapping of what is no light.
    #[error(
        "filter 'tonemap' works on linear light only: give --hdr sdr for the whole conversion, or put zscale=t=linear before it"
    )]
    ToneMap,
    /// A number that means nothing for this encoder.
    #[error("{encoder} cannot work at {what}: use {instead}")]
    Rate {
        /// The encoder asked for.
        encoder: Encoder,
        /// What was asked of it.
        what: String,
        /// What it understands.
        instead: String,
    },
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

    /// The queue of jobs with this recipe.
    pub fn queue(&self) -> Queue {
        match self.video_encode().map(|encode| &encode.with) {
            Some(Choice::Codec(codec)) => Queue::Any(*codec),
            Some(choice) => match choice.encoders().first() {
                Some(encoder) => Queue::Encoder(encoder.clone()),
                None => Queue::Copy,
            },
            None => Queue::Copy,
        }
    }

    /// The queues that are opened to such jobs one after the other where the
    /// first one does not take them.
    pub fn further_queues(&self) -> Vec<Queue> {
        let encoders = self
            .video_encode()
            .map_or(&[][..], |encode| encode.with.encoders());
        encoders
            .iter()
            .skip(1)
            .cloned()
            .map(Queue::Encoder)
            .collect()
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
