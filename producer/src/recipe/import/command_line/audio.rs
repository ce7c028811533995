//! The options of audio.

use common::recipe::{Audio, AudioEncoder, Bitrate, Downmix, Loudness, RecipeDraft};

use super::super::LeftOut;

/// What the options of audio say.
#[derive(Debug, Default)]
pub(super) struct AudioWords {
    pub is_none: bool,
    /// ffmpeg's name of an encoder, or `copy`.
    pub encoder: Option<String>,
    bitrate: Option<Bitrate>,
    downmix: Option<Downmix>,
    loudness: Option<Loudness>,
}

impl AudioWords {
    pub(super) fn read(
        &mut self,
        name: &str,
        specifier: &str,
        value: &str,
        left_out: &mut LeftOut,
    ) {
        let colon = if specifier.is_empty() { "" } else { ":" };
        let shown = format!("-{name}{colon}{specifier} {value}");
        if !matches!(specifier, "" | "a" | "a:0") {
            left_out.add(shown, "options of single tracks: see rules of audio_tracks");
            return;
        }
        match (name, value) {
            ("b" | "ab", _) => match value.parse() {
                Ok(bitrate) => self.bitrate = Some(bitrate),
                Err(_) => left_out.add(shown, "it is no bitrate"),
            },
            ("ac", "1") => self.downmix = Some(Downmix::Mono),
            ("ac", "2") => self.downmix = Some(Downmix::Stereo),
            ("ac", "6") => self.downmix = Some(Downmix::Surround),
            ("af" | "filter", _) => self.filters(value, left_out),
            ("ar", _) => left_out.add(shown, "the rate of the source is kept"),
            ("q" | "aq", _) => left_out.add(shown, "audio has a bitrate here, and no quality"),
            _ => left_out.add(shown, "there is no such choice here"),
        }
    }

    fn filters(&mut self, chain: &str, left_out: &mut LeftOut) {
        for filter in chain.split(',') {
            let (name, options) = filter.split_once('=').unwrap_or((filter, ""));
            let loudness = (name == "loudnorm").then(|| loudness(options)).flatten();
            match loudness {
                Some(loudness) => self.loudness = Some(loudness),
                None => left_out.add(
                    format!("-af {filter}"),
                    "audio filters: see --loudness and --downmix",
                ),
            }
        }
    }

    pub(super) fn apply(
        self,
        draft: &mut RecipeDraft,
        usual: AudioEncoder,
        left_out: &mut LeftOut,
    ) {
        if self.is_none {
            draft.audio = Audio::None;
            return;
        }
        let encoder = match self.encoder.as_deref() {
            Some("copy") => {
                draft.audio = Audio::Copy;
                if self.bitrate.is_some() || self.downmix.is_some() || self.loudness.is_some() {
                    left_out.add("-b:a, -ac, -af", "copied audio keeps its bits");
                }
                return;
            }
            Some(name) => name.parse().unwrap_or_else(|_| {
                left_out.add(
                    format!("-c:a {name}"),
                    &format!("the encoder is unknown here: {} is used", usual.name()),
                );
                usual
            }),
            None => usual,
        };
        draft.audio = Audio::Encode {
            encoder,
            bitrate: self.bitrate,
        };
        draft.audio_tracks.downmix = self.downmix;
        draft.audio_tracks.loudness = self.loudness;
    }
}

/// The targets of `loudnorm`; `None` if it has options that are no targets.
fn loudness(options: &str) -> Option<Loudness> {
    // The defaults of the filter.
    let mut read = [-24.0, 7.0, -2.0];
    for option in options.split(':').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=')?;
        let place = match name {
            "I" | "i" => 0,
            "LRA" | "lra" => 1,
            "TP" | "tp" => 2,
            "print_format" | "linear" | "dual_mono" => continue,
            _ => return None,
        };
        read[place] = value.parse().ok()?;
    }
    format!("{}/{}/{}", read[0], read[1], read[2]).parse().ok()
}
