//! How the parts of a film become one file, and what that asks of the recipe.

use common::job::failure::Failure;
use common::recipe::{Audio, AudioEncoder, AudioOutput, AudioRule, Recipe, RecipeDraft, Video};

use crate::attempt::steps::join::part::Part;
use crate::attempt::steps::join::{alike, copy, encode};

/// How the parts become one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// By copy, as one stream of bytes that was cut.
    Stream,
    /// By copy, one after the other.
    List,
    /// By copy, after the tracks of each were put in order, and its sound was cut where its picture ends.
    Tidied,
    /// Each is decoded, and brought to the shape of the first.
    Encode,
}

impl Method {
    /// Decides, and changes the recipe accordingly.
    ///
    /// # Errors
    /// The input's fault if the parts differ, and the recipe or their colours forbid to encode them.
    pub(super) fn choose(
        recipe: &mut Recipe,
        parts: &[Part],
        may_copy: bool,
    ) -> Result<Self, Failure> {
        let first = &parts[0];
        let is_stream = copy::is_one_stream(parts);
        let difference = match is_stream {
            true => alike::difference_in_stream,
            false => alike::difference,
        };
        let mut later = parts[1..].iter();
        let differs = later.find_map(|part| Some((part, difference(first, part)?)));
        let Some((part, why)) = differs else {
            if may_copy {
                *recipe = edited(recipe, |draft| draft.video = Video::Copy)?;
            }
            return Ok(Self::of_alike(parts, is_stream));
        };
        if recipe.video_encode().is_none() {
            return Err(Failure::input(format!(
                "{} cannot follow {} by copy, because {why}: choose an encoder, e.g. --encoder libx265",
                part.title, first.title
            )));
        }
        if parts.iter().any(|part| part.film.colour.is_hdr()) {
            return Err(Failure::input(format!(
                "{} cannot follow {}, because {why} and one of them is HDR: make them alike first",
                part.title, first.title
            )));
        }
        let rules = rules(recipe, parts)?;
        let (audio, output) = encoded(recipe, first);
        *recipe = edited(recipe, |draft| {
            draft.audio = audio;
            draft.audio_tracks.rules = rules;
            let rules = draft.audio_tracks.rules.iter_mut();
            for made in rules.flat_map(|rule| rule.outputs.iter_mut()) {
                if *made == AudioOutput::Copy {
                    *made = output.clone();
                }
            }
        })?;
        Ok(Self::Encode)
    }

    fn of_alike(parts: &[Part], is_stream: bool) -> Self {
        if is_stream && copy::can_be_stream(parts) {
            Self::Stream
        } else if copy::are_in_order(parts) && !parts.iter().any(|part| part.overhangs) {
            Self::List
        } else {
            Self::Tidied
        }
    }

    /// How many subtitle tracks the joined file has of these parts.
    pub(super) fn subtitles(self, parts: &[Part]) -> usize {
        match self {
            Self::Stream => parts[0].subtitles().len(),
            Self::List => common_subtitles(parts),
            Self::Tidied | Self::Encode => 0,
        }
    }
}

fn edited(recipe: &Recipe, change: impl FnOnce(&mut RecipeDraft)) -> Result<Recipe, Failure> {
    let edited = recipe.clone().edit(change);
    edited.map_err(|error| Failure::input(error.to_string()))
}

/// What is made of all audio tracks, and of one that a rule copies: the sound was decoded, so that a copy would be raw.
fn encoded(recipe: &Recipe, first: &Part) -> (Audio, AudioOutput) {
    let (encoder, bitrate) = match recipe.audio {
        Audio::Encode { encoder, bitrate } | Audio::CopyElse { encoder, bitrate } => {
            (encoder, bitrate)
        }
        Audio::Copy | Audio::None => {
            let alike = encoder_like(first);
            match recipe.container.holds_audio(alike.codec()) {
                true => (alike, None),
                false => (AudioEncoder::Libopus, None),
            }
        }
    };
    let audio = match recipe.audio {
        Audio::None => Audio::None,
        _ => Audio::Encode { encoder, bitrate },
    };
    let output = AudioOutput::Encode {
        encoder,
        bitrate,
        downmix: None,
        loudness: None,
        title: None,
    };
    (audio, output)
}

/// The rules for the joined sound, which has not the codecs of the parts any more.
///
/// # Errors
/// The input's fault if a rule holds for some of the tracks only.
fn rules(recipe: &Recipe, parts: &[Part]) -> Result<Vec<AudioRule>, Failure> {
    let codecs: Vec<&str> = encode::sounds(parts)
        .into_iter()
        .map(|sound| sound.codec.as_str())
        .collect();
    let mut rules = Vec::new();
    for rule in &recipe.audio_tracks.rules {
        let holds = |codec: &&&str| rule.codecs.iter().any(|wanted| wanted == **codec);
        let held = codecs.iter().filter(holds).count();
        if rule.codecs.is_empty() || held == codecs.len() {
            rules.push(AudioRule {
                codecs: Vec::new(),
                ..rule.clone()
            });
        } else if held > 0 {
            return Err(Failure::input(format!(
                "the parts differ, so that their sound is decoded, and a rule for {} can no longer tell its tracks from \
                 the others: leave the codecs out of the rule",
                rule.codecs.join(" and ")
            )));
        }
    }
    Ok(rules)
}

/// An encoder of the codec of a part's sound, or of AAC.
fn encoder_like(part: &Part) -> AudioEncoder {
    let codec = part.sounds().first().map(|sound| sound.codec.clone());
    match codec.as_deref() {
        Some("opus") => AudioEncoder::Libopus,
        Some("ac3") => AudioEncoder::Ac3,
        Some("eac3") => AudioEncoder::Eac3,
        Some("mp3") => AudioEncoder::Libmp3lame,
        Some("flac") => AudioEncoder::Flac,
        Some(pcm) if pcm.starts_with("pcm_") => AudioEncoder::Flac,
        _ => AudioEncoder::Aac,
    }
}

/// How many subtitle tracks all parts have, in the same format.
fn common_subtitles(parts: &[Part]) -> usize {
    let of = |part: &Part| -> Vec<String> {
        let subtitles = part.subtitles();
        subtitles.iter().map(|track| track.codec.clone()).collect()
    };
    let first = of(&parts[0]);
    let common = |other: Vec<String>| {
        let pairs = first.iter().zip(&other);
        pairs.take_while(|(one, other)| one == other).count()
    };
    parts.iter().map(|part| common(of(part))).min().unwrap_or(0)
}
