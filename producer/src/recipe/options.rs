//! The options of a recipe, the same for all commands.

use clap::{Args, ValueEnum};
use common::job::changes::Kind;
use common::names::token::Token;
use common::recipe::encoder::{Codec, Encoder};
use common::recipe::{
    Argument, Audio, BitDepth, Bitrate, Captions, Choice, Chroma, Container, Filters, Hdr, Quality,
    Rate, Recipe, Scale, Subtitles, Video, VideoEncode,
};

use crate::cli::exit::Error;
use crate::recipe::presets::{PresetChoice, PresetSource};

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Recipe")]
pub(crate) struct RecipeOptions {
    /// Video encoder by its ffmpeg name, e.g. libx265; several in order of preference: hevc_nvenc,libx265
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with_all = ["codec", "video"])]
    pub encoder: Vec<Encoder>,
    /// Any encoder of this codec: h264, hevc, av1, vp9, …
    #[arg(long, value_name = "NAME", conflicts_with = "video")]
    pub codec: Option<Codec>,
    /// `copy` keeps the video and changes only the container
    #[arg(long, value_name = "copy")]
    pub video: Option<VideoChoice>,
    /// Constant quality on the encoder's own scale; lower is better
    #[arg(long, value_name = "N", value_parser = crf, conflicts_with_all = ["bitrate", "quality"])]
    pub crf: Option<f64>,
    /// Average video bitrate, e.g. 4M or 2500k
    #[arg(long, value_name = "RATE", conflicts_with = "quality")]
    pub bitrate: Option<Bitrate>,
    /// Constant quality on one scale for all encoders, 1 (smallest) to 100 (best)
    #[arg(long, value_name = "1..100")]
    pub quality: Option<Quality>,
    /// The encoder's own preset, e.g. slow, p5, 8
    #[arg(long, value_name = "NAME")]
    pub encoder_preset: Option<Token>,
    /// Maximum picture size: 720p (shorter side), 1280x-2 (width), -2x720 (height); or a size: 1280x720
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub scale: Option<Scale>,
    /// Also enlarge sources that are smaller than --scale
    #[arg(long)]
    pub scale_up: bool,
    /// Chain of video filters, e.g. hqdn3d,crop=1280:536
    #[arg(long, value_name = "CHAIN")]
    pub filter: Option<Filters>,
    /// Bit depth: 8 or 10 [default: as the source]
    #[arg(long, value_name = "BITS")]
    pub bit_depth: Option<BitDepth>,
    /// HDR: keep, or sdr to tone map for standard screens [default: keep]
    #[arg(long, value_name = "HOW")]
    pub hdr: Option<Hdr>,
    /// Chroma subsampling: keep, or 420, which every player supports [default: keep]
    #[arg(long, value_name = "HOW")]
    pub chroma: Option<Chroma>,
    /// Container: mkv, mp4, mov, webm [default: mkv]
    #[arg(long, value_name = "NAME")]
    pub container: Option<Container>,
    /// Audio: copy, none, CODEC or CODEC:BITRATE, e.g. opus:128k; copy,else=aac encodes what the container cannot hold [default: copy]
    #[arg(long, value_name = "HOW")]
    pub audio: Option<Audio>,
    /// Subtitles: keep or none [default: keep]
    #[arg(long, value_name = "HOW")]
    pub subtitles: Option<Subtitles>,
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
    /// Preset name, or a .toml or .json file with a recipe; other options override it
    #[arg(long, value_name = "NAME|FILE")]
    pub preset: Option<PresetChoice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VideoChoice {
    Copy,
}

/// The largest CRF of any encoder.
const LARGEST_CRF: f64 = 255.0;

fn crf(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|value: &f64| (0.0..=LARGEST_CRF).contains(value))
        .ok_or_else(|| format!("'{text}' is not a quality: expected a number, e.g. 23"))
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

    /// The recipe of these options. `default` is used if they name no encoder.
    ///
    /// # Errors
    /// If nothing is named and there is no default, the preset is not there
    /// or cannot be read, or the options do not fit together.
    pub(crate) async fn recipe(
        &self,
        presets: PresetSource<'_>,
        default: Option<Choice>,
    ) -> Result<Recipe, Error> {
        let base = presets
            .base(self.preset.as_ref(), self.names_encoder())
            .await?;
        self.recipe_from(base, default)
    }

    fn recipe_from(&self, base: Option<Recipe>, default: Option<Choice>) -> Result<Recipe, Error> {
        let video = self.video(base.as_ref().map(|recipe| &recipe.video), default)?;
        let edited = base.unwrap_or_else(Recipe::copy).edit(|draft| {
            draft.video = video;
            if let Some(audio) = &self.audio {
                draft.audio = audio.clone();
            }
            if let Some(subtitles) = self.subtitles {
                draft.subtitles = subtitles;
            }
            if let Some(container) = self.container {
                draft.container = container;
            }
            if let Some(captions) = self.captions {
                draft.captions = captions;
            }
            draft.refuse_loss.extend(&self.refuse_loss);
            draft.strict_input |= self.strict_input;
        });
        edited.map_err(Error::usage)
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
            Video::Encode(encode) => self.override_encode(encode),
            Video::Copy => self.refuse_encode_options()?,
        }
        Ok(video)
    }

    fn override_encode(&self, encode: &mut VideoEncode) {
        if let Some(rate) = self.rate() {
            encode.rate = rate;
        }
        if let Some(preset) = &self.encoder_preset {
            encode.preset = Some(preset.clone());
        }
        if let Some(depth) = self.bit_depth {
            encode.bit_depth = Some(depth);
        }
        if let Some(hdr) = self.hdr {
            encode.hdr = hdr;
        }
        if let Some(chroma) = self.chroma {
            encode.chroma = chroma;
        }
        if let Some(scale) = self.scale {
            encode.scale = Some(scale);
        }
        encode.scale_up |= self.scale_up;
        if let Some(filters) = &self.filter {
            encode.filters = Some(filters.clone());
        }
        for argument in &self.argument {
            encode
                .arguments
                .retain(|earlier| earlier.option() != argument.option());
            encode.arguments.push(argument.clone());
        }
    }

    fn rate(&self) -> Option<Rate> {
        self.crf
            .map(Rate::Crf)
            .or(self.bitrate.map(Rate::Bitrate))
            .or(self.quality.map(Rate::Quality))
    }

    fn refuse_encode_options(&self) -> Result<(), Error> {
        let given = [
            ("--crf", self.crf.is_some()),
            ("--bitrate", self.bitrate.is_some()),
            ("--quality", self.quality.is_some()),
            ("--encoder-preset", self.encoder_preset.is_some()),
            ("--scale", self.scale.is_some()),
            ("--scale-up", self.scale_up),
            ("--filter", self.filter.is_some()),
            ("--bit-depth", self.bit_depth.is_some()),
            ("--hdr", self.hdr.is_some()),
            ("--chroma", self.chroma.is_some()),
            ("--argument", !self.argument.is_empty()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(Error::usage(format!(
                "{option} has no effect with copied video: leave it out, or choose an --encoder"
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        recipe: RecipeOptions,
    }

    fn read(line: &[&str]) -> Result<Recipe, String> {
        let options = Line::try_parse_from([&["test"], line].concat())
            .map_err(|error| error.to_string())?
            .recipe;
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
            .block_on(options.recipe(PresetSource::BuiltIn, None))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn options_become_the_recipe_that_they_say() {
        let recipe = read(&[
            "--encoder",
            "libx265",
            "--crf",
            "20",
            "--scale",
            "-2x720",
            "--audio",
            "opus:96k",
            "--argument",
            "g=240",
            "--container",
            "mp4",
            "--bit-depth",
            "10",
        ])
        .expect("sound");
        let encode = recipe.video_encode().expect("encodes");
        assert_eq!(encode.rate, Rate::Crf(20.0));
        assert_eq!(encode.bit_depth, Some(BitDepth::Ten));
        assert_eq!(encode.scale, Some(Scale::Height(720)));
        assert_eq!(encode.arguments[0].to_string(), "g=240");
        assert_eq!(recipe.container, Container::Mp4);
        assert!(matches!(recipe.audio, Audio::Encode { .. }));
    }

    #[test]
    fn what_does_not_fit_together_is_refused_with_its_reason() {
        for (line, words) in [
            (&["--crf", "20"][..], "--encoder NAME"),
            (
                &["--encoder", "libx264", "--codec", "h264"],
                "cannot be used with",
            ),
            (
                &["--codec", "h264", "--crf", "20", "--bitrate", "4M"],
                "cannot be used with",
            ),
            (&["--codec", "h264", "--bitrate", "abc"], "no bitrate"),
            (&["--codec", "h264", "--crf", "NaN"], "not a quality"),
            (&["--codec", "h264", "--quality", "0"], "1 (smallest)"),
            (&["--codec", "h246"], "unknown codec"),
            (&["--video", "copy", "--crf", "20"], "--crf has no effect"),
            (&["--encoder", "libx264", "--crf", "99"], "0 (best) to 51"),
            (
                &["--encoder", "libx265", "--encoder-preset", "slwo"],
                "libx265 has no preset 'slwo'",
            ),
            (
                &["--codec", "h264", "--container", "webm"],
                "webm cannot hold h264",
            ),
            (
                &["--codec", "h264", "--filter", "movie=/etc/passwd"],
                "not allowed",
            ),
            (
                &["--codec", "h264", "--argument", "passlogfile=x"],
                "not allowed",
            ),
            (&["--preset", "missing.toml"], "preset missing.toml"),
            (
                &["--preset", "ours"],
                "archive-hevc, compatible-h264, small-av1 built in",
            ),
        ] {
            let error = read(line).expect_err("refused");
            assert!(error.contains(words), "{line:?}: {error}");
        }
    }

    #[test]
    fn options_override_a_preset_field_by_field() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("archive.toml");
        let text = "container = \"mp4\"\n[video.encode]\nwith = { encoder = \"libx265\" }\nrate = { crf = 18 }\narguments = [\"g=240\"]\n";
        std::fs::write(&file, text).expect("written");
        let file = file.to_str().expect("text");
        let recipe = read(&["--preset", file, "--crf", "30", "--argument", "g=60"]).expect("sound");
        let encode = recipe.video_encode().expect("encodes");
        assert_eq!(encode.with.to_string(), "libx265");
        assert_eq!(encode.rate, Rate::Crf(30.0));
        assert_eq!(encode.arguments.len(), 1);
        assert_eq!(recipe.container, Container::Mp4);
        let built_in = read(&["--preset", "small-av1", "--container", "webm"]).expect("sound");
        let words = "any av1 encoder, quality 50, libopus 128k, webm";
        assert_eq!(built_in.to_string(), words);
        assert_eq!(
            read(&["--preset", file, "--video", "copy"])
                .expect("sound")
                .video,
            Video::Copy
        );
    }
}
