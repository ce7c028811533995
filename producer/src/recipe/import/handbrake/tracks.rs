//! HandBrake's choice of audio and subtitle tracks.

use common::recipe::{
    Audio, AudioEncoder, AudioOutput, AudioRule, Bitrate, BurnIn, Captions, Container, Downmix,
    Language, RecipeDraft, Subtitles,
};
use serde_json::{Map, Value};

use super::LeftOut;
use super::fields::Fields;

/// HandBrake's names of codecs, and ffmpeg's.
fn codec(name: &str) -> &str {
    match name {
        "dtshd" => "dts",
        "ca_aac" | "av_aac" | "fdk_aac" => "aac",
        name => name,
    }
}

fn encoder(name: &str, left_out: &mut LeftOut) -> Option<AudioEncoder> {
    Some(match name {
        "av_aac" | "aac" | "ca_aac" | "fdk_aac" | "faac" => AudioEncoder::Aac,
        "ca_haac" | "fdk_haac" => {
            left_out.add(format!("AudioEncoder {name}"), "AAC is made without HE");
            AudioEncoder::Aac
        }
        "ac3" | "ffac3" => AudioEncoder::Ac3,
        "eac3" => AudioEncoder::Eac3,
        "mp3" | "lame" => AudioEncoder::Libmp3lame,
        "vorbis" => AudioEncoder::Libvorbis,
        "opus" => AudioEncoder::Libopus,
        "flac16" | "flac24" | "ffflac" | "ffflac24" | "flac" => AudioEncoder::Flac,
        _ => return None,
    })
}

/// One of the outputs that HandBrake makes of a track.
struct Wanted {
    /// The codecs of tracks that are copied; `None` if every track is encoded.
    copied: Option<Vec<String>>,
    /// How the others are encoded.
    encode: Encode,
}

#[derive(Clone, Copy)]
struct Encode {
    encoder: AudioEncoder,
    bitrate: Option<Bitrate>,
    downmix: Option<Downmix>,
}

impl From<Encode> for AudioOutput {
    fn from(encode: Encode) -> Self {
        Self::Encode {
            encoder: encode.encoder,
            bitrate: encode.bitrate,
            downmix: encode.downmix,
            loudness: None,
            title: None,
        }
    }
}

/// Fields of an entry that no output shows.
const WITHOUT_EFFECT: &[&str] = &["AudioTrackQuality"];

pub(super) fn audio(fields: &mut Fields<'_>, draft: &mut RecipeDraft, left_out: &mut LeftOut) {
    let behavior = fields.text("AudioTrackSelectionBehavior");
    let languages = languages(
        &fields.texts("AudioLanguageList"),
        "AudioLanguageList",
        left_out,
    );
    let mask: Vec<String> = fields
        .texts("AudioCopyMask")
        .iter()
        .map(|name| codec(name.trim_start_matches("copy:")).to_owned())
        .collect();
    let fallback = fields.word("AudioEncoderFallback");
    let fallback = fallback
        .and_then(|name| encoder(name, left_out))
        .unwrap_or_else(|| draft.container.usual_audio_encoder());
    let wanted: Vec<Wanted> = fields
        .objects("AudioList")
        .into_iter()
        .filter_map(|entry| output(entry, (&mask, fallback), left_out))
        .collect();
    let is_secondary = fields.flag(&["AudioSecondaryEncoderMode"]);
    if behavior == "none" || wanted.is_empty() {
        draft.audio = Audio::None;
        return;
    }
    draft.audio_tracks.languages = languages;
    if behavior == "first" {
        left_out.add(
            "AudioTrackSelectionBehavior first",
            "every track of the languages is taken, and not the first of them only",
        );
    }
    if wanted.len() > 1 && is_secondary && behavior != "first" {
        left_out.add(
            "AudioSecondaryEncoderMode",
            "every track gets all encodes, and not the first one only",
        );
    }
    // Tracks that may be copied have a rule of their own.
    let copied: Vec<String> = wanted
        .iter()
        .filter_map(|wanted| wanted.copied.clone())
        .flatten()
        .collect();
    let outputs = |is_copied: bool| -> Vec<AudioOutput> {
        wanted
            .iter()
            .map(|wanted| match wanted.copied {
                Some(_) if is_copied => AudioOutput::Copy,
                _ => wanted.encode.into(),
            })
            .collect()
    };
    if !copied.is_empty() {
        draft.audio_tracks.rules.push(AudioRule {
            codecs: copied,
            outputs: outputs(true),
            ..AudioRule::default()
        });
    }
    match &wanted[..] {
        [Wanted { encode, .. }] => {
            draft.audio = Audio::Encode {
                encoder: encode.encoder,
                bitrate: encode.bitrate,
            };
            draft.audio_tracks.downmix = encode.downmix;
        }
        _ => {
            draft.audio = Audio::Encode {
                encoder: fallback,
                bitrate: None,
            };
            draft.audio_tracks.rules.push(AudioRule {
                outputs: outputs(false),
                ..AudioRule::default()
            });
        }
    }
}

fn output(
    entry: &Map<String, Value>,
    (mask, fallback): (&[String], AudioEncoder),
    left_out: &mut LeftOut,
) -> Option<Wanted> {
    let mut fields = Fields::new(entry);
    let name = fields.text("AudioEncoder");
    let copied = match name.strip_prefix("copy") {
        Some("") => Some(mask.to_vec()),
        Some(one) => Some(vec![codec(one.trim_start_matches(':')).to_owned()]),
        None => None,
    };
    let encoder = match copied {
        Some(_) => Some(fallback),
        None => encoder(name, left_out),
    };
    let Some(encoder) = encoder else {
        left_out.add(
            format!("AudioEncoder {name}"),
            "there is no such encoder here",
        );
        return None;
    };
    let encode = Encode {
        encoder,
        bitrate: bitrate(&mut fields).filter(|_| encoder != AudioEncoder::Flac),
        downmix: downmix(&mut fields, left_out),
    };
    for (name, nothing, why) in [
        ("AudioTrackDRCSlider", 0.0, "the dynamic range is kept"),
        (
            "AudioTrackGainSlider",
            0.0,
            "the volume is kept: see --loudness",
        ),
    ] {
        if fields.number(name).is_some_and(|value| value != nothing) {
            left_out.add(name, why);
        }
    }
    if fields.flag(&["AudioTrackQualityEnable"]) {
        left_out.add(
            "AudioTrackQuality",
            "audio has a bitrate here, and no quality",
        );
    }
    if fields.flag(&["AudioNormalizeMixLevel"]) {
        left_out.add("AudioNormalizeMixLevel", "see --loudness");
    }
    if let Some(rate) = fields.word("AudioSamplerate") {
        left_out.add(
            format!("AudioSamplerate {rate}"),
            "the rate of the source is kept",
        );
    }
    if let Some(name) = fields.word("AudioTrackName") {
        left_out.add(format!("AudioTrackName {name}"), "tracks keep their titles");
    }
    // Below 0, and 0 of most presets, is the encoder's own.
    if fields
        .number("AudioCompressionLevel")
        .is_some_and(|level| level > 0.0)
    {
        left_out.add(
            "AudioCompressionLevel",
            "audio is compressed as the encoder usually does",
        );
    }
    if let Some(method) = fields.word("AudioDitherMethod") {
        left_out.add(
            format!("AudioDitherMethod {method}"),
            "samples are rounded as ffmpeg usually does",
        );
    }
    let unread: Vec<&str> = fields.unread().collect();
    for name in unread {
        if !WITHOUT_EFFECT.contains(&name) {
            left_out.add(format!("{name} of AudioList"), "the field is unknown here");
        }
    }
    Some(Wanted { copied, encode })
}

fn bitrate(fields: &mut Fields<'_>) -> Option<Bitrate> {
    let has_quality = fields.flag(&["AudioTrackQualityEnable"]);
    let kilobits = fields.number("AudioBitrate").filter(|_| !has_quality)?;
    format!("{kilobits}k").parse().ok()
}

fn downmix(fields: &mut Fields<'_>, left_out: &mut LeftOut) -> Option<Downmix> {
    let word = fields.word("AudioMixdown")?;
    match word {
        "mono" | "left_only" | "right_only" => Some(Downmix::Mono),
        "stereo" => Some(Downmix::Stereo),
        "dpl1" | "dpl2" => {
            left_out.add(
                format!("AudioMixdown {word}"),
                "stereo is made without matrix encoding of the surround channels",
            );
            Some(Downmix::Stereo)
        }
        "5point1" => Some(Downmix::Surround),
        "6point1" | "7point1" | "5_2_lfe" => None,
        other => {
            left_out.add(format!("AudioMixdown {other}"), "the channels are kept");
            None
        }
    }
}

fn languages(names: &[&str], field: &str, left_out: &mut LeftOut) -> Vec<Language> {
    if names.contains(&"any") {
        return Vec::new();
    }
    let read = |name: &&str| {
        let language = name.parse();
        language
            .map_err(|_| left_out.add(format!("{field} {name}"), "it is no language"))
            .ok()
    };
    names.iter().filter_map(read).collect()
}

/// The track that is drawn into the picture.
pub(super) fn burn_in(fields: &mut Fields<'_>, left_out: &mut LeftOut) -> Option<BurnIn> {
    let searches = fields.flag(&["SubtitleAddForeignAudioSearch"]);
    let behavior = fields.text("SubtitleBurnBehavior");
    let selects_none = matches!(fields.text("SubtitleTrackSelectionBehavior"), "" | "none");
    let first = || -> BurnIn {
        let names = fields.texts("SubtitleLanguageList");
        let language = names.first().filter(|name| **name != "any");
        let language = language.and_then(|name| name.parse().ok());
        language.map_or(BurnIn::Track(1), BurnIn::Language)
    };
    match (behavior, searches) {
        ("foreign", true) => Some(BurnIn::Foreign),
        ("foreign_first", true) => {
            left_out.add(
                "SubtitleBurnBehavior foreign_first",
                "only the track for foreign scenes is burnt in",
            );
            Some(BurnIn::Foreign)
        }
        ("first" | "foreign_first", false) if selects_none => None,
        ("first" | "foreign_first", _) => {
            left_out.add(
                format!("SubtitleBurnBehavior {behavior}"),
                "a film that lacks the track is refused here, and encoded without it there",
            );
            Some({ first }())
        }
        (_, true) => {
            left_out.add(
                "SubtitleAddForeignAudioSearch",
                "the found track is burnt in or left: see --burn-in foreign",
            );
            None
        }
        _ => None,
    }
}

pub(super) fn subtitles(fields: &mut Fields<'_>, draft: &mut RecipeDraft, left_out: &mut LeftOut) {
    let names = fields.texts("SubtitleLanguageList");
    let behavior = fields.text("SubtitleTrackSelectionBehavior");
    let is_bitmap_burnt = fields.flag(&["SubtitleBurnBDSub", "SubtitleBurnDVDSub"]);
    if fields.flag(&["SubtitleAddCC"]) {
        draft.captions = Captions::Srt;
    }
    if fields.flag(&["SubtitleAddForeignAudioSubtitle"]) {
        left_out.add(
            "SubtitleAddForeignAudioSubtitle",
            "no track is added by the language of the audio",
        );
    }
    if matches!(behavior, "" | "none") {
        draft.subtitles = Subtitles::None;
        return;
    }
    draft.subtitle_tracks.languages = languages(&names, "SubtitleLanguageList", left_out);
    if behavior == "first" {
        left_out.add(
            "SubtitleTrackSelectionBehavior first",
            "every track of the languages is taken, and not the first of them only",
        );
    }
    if is_bitmap_burnt && draft.container != Container::Mkv {
        left_out.add(
            "SubtitleBurnBDSub, SubtitleBurnDVDSub",
            "pictures as subtitles are not burnt in on their own: see --burn-in",
        );
    }
}
