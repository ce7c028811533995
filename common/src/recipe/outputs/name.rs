//! Templates of outputs' names.

use std::fmt;
use std::path::{Component, Path};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::token::Token;
use crate::names::unknown::UnknownName;
use crate::recipe::RecipeDraft;
use crate::recipe::audio::Audio;
use crate::recipe::named::{named, written_as_text};
use crate::recipe::outputs::codec_words;
use crate::recipe::picture::{Pad, Scale};
use crate::recipe::rate::Rate;
use crate::recipe::video::Video;

/// The name of an output, without its extension: text with placeholders, e.g. `{stem}-{height}p`. A slash makes a
/// folder below the output folder; `{{` and `}}` are braces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NameTemplate(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    Text(String),
    Value(Placeholder),
}

impl Part {
    /// Whether the part differs from source to source.
    fn is_stem(&self) -> bool {
        matches!(
            self,
            Self::Value(
                Placeholder::Stem | Placeholder::StemWithoutCodec | Placeholder::StemWithCodec
            )
        )
    }
}

/// A part of a name that differs from output to output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placeholder {
    /// The source's file name without its extension.
    Stem,
    /// The stem without words for codecs, such as `x264`.
    StemWithoutCodec,
    /// The stem in which words for codecs say the output's, e.g. `x265` in place of `x264`.
    StemWithCodec,
    /// The height that the recipe asks for; for `1080p`, the shorter side.
    Height,
    /// The width that the recipe asks for.
    Width,
    /// The video's codec, or `copy`; of sound alone, its codec.
    Codec,
    /// The encoder that the recipe prefers, or its codec if any encoder will do.
    Encoder,
    /// The quality that the recipe asks for: a number of `--quality` or `--crf`, or a score.
    Quality,
    /// The bits per second that the recipe asks for, or the most.
    Bitrate,
    /// The container's extension.
    Container,
    /// The name of the preset.
    Preset,
}

named!(Placeholder, "placeholder": Stem = "stem", StemWithoutCodec = "stem-without-codec",
    StemWithCodec = "stem-with-codec", Height = "height", Width = "width", Codec = "codec",
    Encoder = "encoder", Quality = "quality", Bitrate = "bitrate", Container = "container" | "ext",
    Preset = "preset");

/// Why a template is refused, or names no file.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// A brace is open, or closes nothing.
    #[error(
        "name template '{0}' has a brace without its partner: placeholders are written {{stem}}, and braces {{{{ and }}}}"
    )]
    Brace(String),
    /// A placeholder is unknown.
    #[error("name template '{template}': {error}")]
    Placeholder {
        /// The template.
        template: String,
        /// The placeholder, with the known ones.
        error: UnknownName,
    },
    /// The template has no placeholder: every source would get the same name.
    #[error("name template '{0}' gives every file the same name: it needs {{stem}}")]
    NoStem(String),
    /// The name leads out of the output folder, or is none.
    #[error(
        "'{0}' is no name for an output: expected a file name, or folders below the output folder with /, without .. and \\"
    )]
    Path(String),
    /// The recipe does not say what the placeholder stands for.
    #[error("name template '{template}': {{{placeholder}}} has no value, because {why}")]
    NoValue {
        /// The template.
        template: String,
        /// The placeholder.
        placeholder: Placeholder,
        /// What is missing.
        why: &'static str,
    },
}

impl NameTemplate {
    /// `{stem}`.
    pub fn stem() -> Self {
        Self(vec![Part::Value(Placeholder::Stem)])
    }

    /// `{stem}-{height}p`.
    pub fn height() -> Self {
        Self(vec![
            Part::Value(Placeholder::Stem),
            Part::Text("-".to_owned()),
            Part::Value(Placeholder::Height),
            Part::Text("p".to_owned()),
        ])
    }

    /// The name for a source with this stem, without the extension; it may have folders.
    ///
    /// # Errors
    /// A placeholder has no value, or the name would lead out of the output folder.
    pub fn name(
        &self,
        stem: &str,
        preset: Option<&Token>,
        recipe: &RecipeDraft,
    ) -> Result<String, NameError> {
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name += text,
                Part::Value(placeholder) => {
                    let value = placeholder.value(stem, preset, recipe);
                    name += &value.map_err(|why| NameError::NoValue {
                        template: self.to_string(),
                        placeholder: *placeholder,
                        why,
                    })?;
                }
            }
        }
        match is_below(&name) {
            true => Ok(name),
            false => Err(NameError::Path(name)),
        }
    }
}

/// Whether a path stays below its folder and ends with a name.
fn is_below(path: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && c != '\\';
    let parts = || Path::new(path).components();
    path.chars().all(is_plain)
        && !path.ends_with('/')
        && parts().next().is_some()
        && parts().all(|part| matches!(part, Component::Normal(_)))
        && !path.split('/').any(|part| part == "." || part.is_empty())
}

impl Placeholder {
    fn value(
        self,
        stem: &str,
        preset: Option<&Token>,
        recipe: &RecipeDraft,
    ) -> Result<String, &'static str> {
        let encode = recipe.video_encode();
        let canvas = encode.and_then(|encode| encode.pad);
        let scale = encode.and_then(|encode| encode.scale);
        match self {
            Self::Stem => Ok(stem.to_owned()),
            Self::StemWithoutCodec => Ok(codec_words::dropped(stem)),
            Self::StemWithCodec => match (encode, recipe.codec()) {
                (None, _) => Ok(stem.to_owned()),
                (Some(_), Some(codec)) => Ok(codec_words::rewritten(stem, codec)),
                (Some(_), None) => {
                    Err("the codec of the encoder is not known: use {stem} or {stem-without-codec}")
                }
            },
            Self::Height => match (canvas, scale) {
                (Some(Pad::Size(_, height)), _)
                | (
                    _,
                    Some(Scale::Shorter(height) | Scale::Height(height) | Scale::Exact(_, height)),
                ) => Ok(height.to_string()),
                _ => Err("the recipe states no height: give --scale or --rendition, e.g. 720p"),
            },
            Self::Width => match (canvas, scale) {
                (Some(Pad::Size(width, _)), _)
                | (_, Some(Scale::Width(width) | Scale::Exact(width, _))) => Ok(width.to_string()),
                _ => Err("the recipe states no width: give --scale or --rendition, e.g. 1280x-2"),
            },
            Self::Codec => Ok(match (encode, recipe.codec()) {
                (None, _) => without_encode(recipe).to_owned(),
                (Some(_), Some(codec)) => codec.to_string(),
                (Some(encode), None) => encode.with.encoders()[0].to_string(),
            }),
            Self::Encoder => Ok(match encode {
                None => without_encode(recipe).to_owned(),
                Some(encode) => match (encode.with.encoders().first(), encode.with.codec()) {
                    (Some(encoder), _) => encoder.to_string(),
                    (None, Some(codec)) => codec.to_string(),
                    (None, None) => return Err("the recipe names no encoder"),
                },
            }),
            Self::Quality => match encode.map(|encode| encode.rate) {
                Some(Rate::Quality(quality)) => Ok(u8::from(quality).to_string()),
                Some(Rate::Crf(value)) => Ok(value.to_string()),
                Some(Rate::Target(target)) => {
                    Ok(format!("{}{}", target.score.metric, target.score.value))
                }
                Some(Rate::Lossless) => Ok("lossless".to_owned()),
                _ => Err("the recipe asks for no quality: give --quality, --crf or --target"),
            },
            Self::Bitrate => match encode.map(|encode| (encode.rate, encode.max_bitrate)) {
                Some((Rate::Bitrate(bitrate), _) | (_, Some(bitrate))) => Ok(bitrate.to_string()),
                _ => Err(
                    "the recipe states no bitrate: give --bitrate, --max-bitrate or --rendition 720p:3M",
                ),
            },
            Self::Container => Ok(recipe.container.to_string()),
            Self::Preset => match preset {
                Some(name) => Ok(name.to_string()),
                None => Err("no preset is named: give --preset NAME"),
            },
        }
    }
}

/// The codec of an output whose video is not encoded: that of its sound, if it has no video.
fn without_encode(recipe: &RecipeDraft) -> &'static str {
    match (&recipe.video, &recipe.audio) {
        (Video::None, Audio::Encode { encoder, .. }) => encoder.codec(),
        _ => "copy",
    }
}

impl FromStr for NameTemplate {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let brace = || NameError::Brace(text.to_owned());
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain += &rest[..at];
            let tail = &rest[at..];
            if let Some((doubled, after)) = ["{{", "}}"]
                .into_iter()
                .find_map(|pair| Some((&pair[..1], tail.strip_prefix(pair)?)))
            {
                plain += doubled;
                rest = after;
                continue;
            }
            let (name, after) = tail
                .strip_prefix('{')
                .and_then(|inside| inside.split_once('}'))
                .ok_or_else(brace)?;
            let placeholder = name.parse().map_err(|error| NameError::Placeholder {
                template: text.to_owned(),
                error,
            })?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Value(placeholder));
            rest = after;
        }
        plain += rest;
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        // A value of any placeholder is a name, as `x` is.
        let sample: String = parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Value(_) => "x",
            })
            .collect();
        if !is_below(&sample) {
            return Err(NameError::Path(text.to_owned()));
        }
        if !parts.iter().any(Part::is_stem) {
            return Err(NameError::NoStem(text.to_owned()));
        }
        Ok(Self(parts))
    }
}

impl fmt::Display for NameTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}")),
            Part::Value(placeholder) => write!(f, "{{{placeholder}}}"),
        })
    }
}

written_as_text!(NameTemplate, NameError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::encoder::Codec;
    use crate::recipe::{Choice, Recipe, VideoEncode};

    fn recipe() -> Recipe {
        let mut encode = VideoEncode::new(Choice::Codec(Codec::Hevc));
        encode.rate = Rate::Crf(20.5);
        encode.scale = Some(Scale::Exact(1280, 720));
        encode.max_bitrate = Some("3M".parse().expect("a bitrate"));
        Recipe::encode(encode).expect("sound")
    }

    #[test]
    fn placeholders_become_what_the_recipe_says() {
        let preset = "ours".parse().expect("a name");
        for (template, name) in [
            ("{stem}", "a {film}"),
            ("{stem}-{height}p", "a {film}-720p"),
            ("{codec}/{stem}_{width}", "hevc/a {film}_1280"),
            (
                "{stem}.{encoder}.q{quality}.{bitrate}",
                "a {film}.hevc.q20.5.3M",
            ),
            ("{{{preset}}} {stem} {ext}", "{ours} a {film} mkv"),
            ("{stem-without-codec}.{codec}", "a {film}.hevc"),
            ("{stem-with-codec}", "a {film}"),
        ] {
            let read: NameTemplate = template.parse().expect("a template");
            let made = read.name("a {film}", Some(&preset), &recipe());
            assert_eq!(made.expect("a name"), name);
            let again: NameTemplate = read.to_string().parse().expect("a template");
            assert_eq!(again, read, "{template}");
        }
    }

    #[test]
    fn templates_that_name_no_file_of_the_folder_are_refused() {
        for (bad, why) in [
            ("", "no name for an output"),
            ("{stem", "brace"),
            ("stem}", "brace"),
            ("{stem}-{heigth}", "one of stem, stem-without-codec"),
            ("film", "needs {stem}"),
            ("{height}", "needs {stem}"),
            ("../{stem}", "without .."),
            ("/tmp/{stem}", "below the output folder"),
            ("a//{stem}", "below the output folder"),
            ("./{stem}", "below the output folder"),
            ("{stem}/", "below the output folder"),
            ("a\\{stem}", "below the output folder"),
            ("{stem}\n", "below the output folder"),
        ] {
            let error = bad.parse::<NameTemplate>().expect_err(bad).to_string();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn a_stem_cannot_lead_out_of_the_folder() {
        let dots: NameTemplate = ".{stem}".parse().expect("a template");
        for stem in [".", "/../x", "a/../../b"] {
            assert!(dots.name(stem, None, &recipe()).is_err(), "{stem}");
        }
    }
}
