//! The options of a recipe, the same for all commands. Each part of a recipe has its own file.

mod audio;
mod companions;
mod outputs;
mod picture;
mod rate;
mod subtitles;
#[cfg(test)]
mod tests;

use clap::{Args, ValueEnum};
use common::job::changes::Kind;
use common::names::token::Token;
use common::recipe::encoder::{Codec, Encoder};
use common::recipe::preset::Preset;
use common::recipe::{
    Argument, Audio, Captions, Choice, Container, FieldChange, Outputs, Recipe, RecipeDraft,
    Segment, Trim, Video, VideoEncode,
};
use common::submit::output_set::OutputSet;

use crate::cli::exit::Error;
use crate::recipe::options::audio::AudioOptions;
use crate::recipe::options::companions::CompanionOptions;
use crate::recipe::options::outputs::OutputOptions;
use crate::recipe::options::picture::PictureOptions;
use crate::recipe::options::rate::RateOptions;
use crate::recipe::options::subtitles::SubtitleOptions;
use crate::recipe::presets::{PresetChoice, PresetSource, Start};

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Recipe")]
pub(crate) struct RecipeOptions {
    /// Preset name, or a .toml or .json file with a recipe; other options override it
    #[arg(long, value_name = "NAME|FILE")]
    pub preset: Option<PresetChoice>,
    /// Video encoder by its ffmpeg name, e.g. libx265; several in order of preference: hevc_nvenc,libx265
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with_all = ["codec", "video"])]
    pub encoder: Vec<Encoder>,
    /// Any encoder of this codec: h264, hevc, av1, vp9, …
    #[arg(long, value_name = "NAME", conflicts_with = "video")]
    pub codec: Option<Codec>,
    /// `copy` keeps the video as it is, `none` leaves it out: the output has audio only
    #[arg(long, value_name = "copy|none")]
    pub video: Option<VideoChoice>,
    /// Container: mkv, mp4, mov, webm, cmaf (HLS and DASH); with --video none: mka, m4a, mp3, flac, opus [default: mkv, or mka]
    #[arg(long, value_name = "NAME")]
    pub container: Option<Container>,
    /// With --container cmaf: seconds of a segment [default: 6s]
    #[arg(long, value_name = "SECONDS")]
    pub segment: Option<Segment>,
    /// Only this part of the input: 1:30-2:45, 10- or -20
    #[arg(long, value_name = "FROM-TO", allow_hyphen_values = true)]
    pub trim: Option<Trim>,
    /// Closed captions in the video: keep, or srt to extract them to a subtitle track [default: keep]
    #[arg(long, value_name = "HOW")]
    pub captions: Option<Captions>,
    /// Refuse inputs that would lose one of these, e.g. hdr10,captions,layout
    #[arg(
        long,
        value_name = "KIND",
        value_delimiter = ',',
        long_help = kinds_of_loss()
    )]
    pub refuse_loss: Vec<Kind>,
    /// Refuse inputs that are damaged anywhere
    #[arg(long)]
    pub strict_input: bool,
    /// Extra ffmpeg option from the allowlist, e.g. g=240; may be repeated
    #[arg(long, value_name = "OPTION=VALUE")]
    pub argument: Vec<Argument>,
    /// Any field by its name in recipe files, e.g. video.encode.scale=720p; without a value, its default; may be repeated
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<FieldChange>,
    #[command(flatten)]
    pub outputs: OutputOptions,
    #[command(flatten)]
    pub rate: RateOptions,
    #[command(flatten)]
    pub picture: PictureOptions,
    #[command(flatten)]
    pub audio: AudioOptions,
    #[command(flatten)]
    pub subtitles: SubtitleOptions,
    #[command(flatten)]
    pub companions: CompanionOptions,
}

/// What the options ask for.
#[derive(Clone)]
pub(crate) struct Ordered {
    pub recipe: Recipe,
    /// The names and renditions that the preset says.
    pub outputs: Outputs,
    /// The name of the preset, for the names of outputs.
    pub preset: Option<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VideoChoice {
    Copy,
    None,
}

/// The help of `--refuse-loss`, with every kind of change.
fn kinds_of_loss() -> String {
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    format!(
        "Refuse inputs that would lose one of these, e.g. hdr10,captions,layout. The kinds are: {}",
        kinds.join(", ")
    )
}

impl RecipeOptions {
    /// Whether the options name an encoder, a codec or `copy`.
    fn names_encoder(&self) -> bool {
        !self.encoder.is_empty() || self.codec.is_some() || self.video.is_some()
    }

    /// Whether an option or a preset says whether and how video is encoded.
    pub(crate) fn says_how_video_is_made(&self) -> bool {
        self.names_encoder()
            || self.preset.is_some()
            || self.set.iter().any(FieldChange::is_of_video)
            || self.trim.is_some()
            || self.encode_option().is_some()
    }

    /// The recipe of these options, for commands that make one output of a source.
    ///
    /// # Errors
    /// As of [`RecipeOptions::ordered`], or the options or the preset make several outputs of a source.
    pub(crate) async fn recipe(
        &self,
        presets: PresetSource<'_>,
        default: Option<Choice>,
    ) -> Result<Recipe, Error> {
        let ordered = self.ordered(presets, default).await?;
        if ordered.outputs == Outputs::default() {
            return Ok(ordered.recipe);
        }
        let whose = match &ordered.preset {
            Some(name) => format!("the preset {name} names"),
            None => "the options name".to_owned(),
        };
        Err(Error::usage(format!(
            "{whose} outputs or several renditions, and this command makes one output of its own name: leave them out"
        )))
    }

    /// The recipe of these options, and the outputs that the preset makes with it. `default` is used if they name no
    /// encoder.
    ///
    /// # Errors
    /// If nothing is named and there is no default, the preset is not there
    /// or cannot be read, or the options do not fit together.
    pub(crate) async fn ordered(
        &self,
        presets: PresetSource<'_>,
        default: Option<Choice>,
    ) -> Result<Ordered, Error> {
        let base = presets
            .base(self.preset.as_ref(), self.names_encoder())
            .await?;
        self.ordered_from(base, default)
    }

    /// The preset that these options name, if they name one.
    ///
    /// # Errors
    /// If the preset is not there or cannot be read.
    pub(crate) async fn chosen(&self, presets: PresetSource<'_>) -> Result<Option<Ordered>, Error> {
        let Some(choice) = &self.preset else {
            return Ok(None);
        };
        let base = presets.base(Some(choice), true).await?;
        Ok(base.map(|start| Ordered {
            recipe: start.recipe,
            outputs: start.outputs,
            preset: Some(start.name),
        }))
    }

    /// A recipe with what these options change about it.
    ///
    /// # Errors
    /// If the options do not fit it.
    pub(crate) fn over(&self, base: Ordered) -> Result<Ordered, Error> {
        let preset = base.preset.clone();
        let start = Start {
            recipe: base.recipe,
            outputs: base.outputs,
            name: base.preset.unwrap_or_else(|| Token::sanitised("recipe")),
        };
        let ordered = self.ordered_from(Some(start), None)?;
        Ok(Ordered { preset, ..ordered })
    }

    /// The outputs that these options ask for, of each source.
    ///
    /// # Errors
    /// As of [`RecipeOptions::ordered`].
    pub(crate) async fn output_set(
        &self,
        presets: PresetSource<'_>,
        default: Option<Choice>,
    ) -> Result<OutputSet, Error> {
        let Ordered {
            recipe,
            outputs,
            preset,
        } = self.ordered(presets, default).await?;
        OutputSet::new(&recipe, &outputs, preset).map_err(Error::usage)
    }

    fn ordered_from(&self, base: Option<Start>, default: Option<Choice>) -> Result<Ordered, Error> {
        let (base, mut outputs, preset) = match base {
            Some(start) => (Some(start.recipe), start.outputs, Some(start.name)),
            None => (None, Outputs::default(), None),
        };
        self.outputs.override_outputs(&mut outputs);
        let video = self.video(base.as_ref().map(|recipe| &recipe.video), default)?;
        let edited = base.unwrap_or_else(Recipe::copy).edit(|draft| {
            draft.video = video;
            self.override_draft(draft);
            self.adapt_to_audio_only(draft);
        });
        let mut changed = Preset::new(edited.map_err(Error::usage)?, None).map_err(Error::usage)?;
        changed.outputs = outputs;
        for change in &self.set {
            changed = change.apply(changed).map_err(Error::usage)?;
        }
        let Preset {
            recipe, outputs, ..
        } = changed;
        // Renditions may change what a recipe can do: each is checked.
        OutputSet::new(&recipe, &outputs, preset.clone()).map_err(Error::usage)?;
        Ok(Ordered {
            recipe,
            outputs,
            preset,
        })
    }

    fn override_draft(&self, draft: &mut RecipeDraft) {
        if let Some(container) = self.container {
            draft.container = container;
        }
        if let Some(segment) = self.segment {
            draft.segment_seconds = Some(segment);
        }
        if let Some(trim) = self.trim {
            draft.trim = Some(trim);
        }
        if let Some(captions) = self.captions {
            draft.captions = captions;
        }
        draft.refuse_loss.extend(&self.refuse_loss);
        draft.strict_input |= self.strict_input;
        self.audio.override_draft(draft);
        self.subtitles.override_draft(draft);
        self.companions.override_draft(draft);
    }

    /// Chooses what a person who leaves the video out expects: a container for audio, and its usual codec.
    fn adapt_to_audio_only(&self, draft: &mut RecipeDraft) {
        if self.video != Some(VideoChoice::None) {
            return;
        }
        if self.container.is_none() && !draft.container.is_audio_only() {
            draft.container = Container::Mka;
        }
        if draft.audio == Audio::Copy && draft.container != Container::Mka {
            draft.audio = Audio::CopyElse {
                encoder: draft.container.usual_audio_encoder(),
                bitrate: None,
            };
        }
    }

    fn video(&self, base: Option<&Video>, default: Option<Choice>) -> Result<Video, Error> {
        let choice = match (self.encoder.as_slice(), self.codec) {
            ([encoder], _) => Some(Choice::Encoder(encoder.clone())),
            ([], Some(codec)) => Some(Choice::Codec(codec)),
            ([], None) => None,
            (encoders, _) => {
                let encoders = encoders.to_vec().try_into();
                Some(Choice::FirstOf(encoders.map_err(Error::usage)?))
            }
        };
        let mut video = match (self.video, choice, base) {
            (Some(VideoChoice::Copy), _, _) => Video::Copy,
            (Some(VideoChoice::None), _, _) => Video::None,
            (None, Some(with), Some(Video::Encode(encode))) => {
                let mut encode = encode.clone();
                encode.with = with;
                Video::Encode(encode)
            }
            (None, Some(with), _) => Video::Encode(Box::new(VideoEncode::new(with))),
            (None, None, Some(video)) => video.clone(),
            (None, None, None) => match default {
                Some(with) => Video::Encode(Box::new(VideoEncode::new(with))),
                None => {
                    return Err(Error::usage(
                        "no encoder is named: give --encoder NAME, --codec NAME, --video copy or --preset NAME|FILE",
                    ));
                }
            },
        };
        match &mut video {
            Video::Encode(encode) => self.override_encode(encode)?,
            Video::Copy => self.refuse_encode_options("copied video")?,
            Video::None => self.refuse_encode_options("--video none")?,
        }
        Ok(video)
    }

    fn override_encode(&self, encode: &mut VideoEncode) -> Result<(), Error> {
        self.rate.override_encode(encode)?;
        self.picture.override_encode(encode)?;
        self.subtitles.override_encode(encode);
        for argument in &self.argument {
            encode
                .arguments
                .retain(|earlier| earlier.option() != argument.option());
            encode.arguments.push(argument.clone());
        }
        Ok(())
    }

    /// The first option that only an encode can follow.
    fn encode_option(&self) -> Option<&'static str> {
        self.rate
            .given()
            .or_else(|| self.picture.given())
            .or_else(|| self.subtitles.given_for_encode())
            .or_else(|| (!self.argument.is_empty()).then_some("--argument"))
    }

    /// Refuses options of an encode, because the video is copied or left out.
    fn refuse_encode_options(&self, video: &str) -> Result<(), Error> {
        match self.encode_option() {
            Some(option) => Err(Error::usage(format!(
                "{option} has no effect with {video}: leave it out, or choose an --encoder"
            ))),
            None => Ok(()),
        }
    }
}

/// The first of these options that is given.
fn first_given<const N: usize>(options: [(&'static str, bool); N]) -> Option<&'static str> {
    options
        .into_iter()
        .find_map(|(option, is_given)| is_given.then_some(option))
}
