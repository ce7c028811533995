//! The rules that make the audio of a recipe sound.

use crate::recipe::audio::{Audio, AudioEncoder, AudioOutput, AudioRule, AudioTracks};
use crate::recipe::container::Container;

/// Audio that cannot be made of any input.
#[derive(Debug, thiserror::Error)]
pub enum AudioTracksError {
    /// The container cannot hold what a rule or an ensured track makes.
    #[error(
        "{container} cannot hold {codec} audio, which {by} makes: choose another encoder there, or another --container"
    )]
    Codec {
        /// The container asked for.
        container: Container,
        /// The codec that the encoder makes.
        codec: &'static str,
        /// What asks for it, e.g. `audio rule 2`.
        by: String,
    },
    /// A setting for encoded tracks, where every track is copied.
    #[error(
        "{0} changes encoded audio only, and here every track is copied: give --audio aac or another encoder, or leave {0} out"
    )]
    NothingEncoded(&'static str),
    /// A setting for tracks, where every track is left out.
    #[error(
        "{0} has no effect where --audio none leaves every track out: leave one of the two out"
    )]
    NoTrack(&'static str),
    /// A number of channels that cannot be made.
    #[error("an ensured track of {0} channels cannot be made: 1, 2 and 6 can")]
    Channels(u8),
    /// An encoder that takes fewer channels than are asked for.
    #[error("{} takes at most {most} channels, and {asked} are ensured: choose another encoder or fewer channels", encoder.name())]
    TooManyChannels {
        /// The encoder asked for.
        encoder: AudioEncoder,
        /// The most channels that it takes.
        most: u8,
        /// The channels asked for.
        asked: u8,
    },
    /// A rule behind one that every track matches.
    #[error(
        "audio rule {late} decides about no track, because every track matches audio rule {first}: put it first, or give rule {first} a property to match"
    )]
    Unreachable {
        /// The number of the rule that every track matches.
        first: usize,
        /// The number of the rule that is never reached.
        late: usize,
    },
    /// A title that is no single line.
    #[error("the title of audio rule {0} must be one line of at most 200 characters")]
    Title(usize),
}

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;

/// Refuses audio that cannot work with any input.
pub(in crate::recipe) fn check(
    audio: &Audio,
    tracks: &AudioTracks,
    container: Container,
) -> Result<(), AudioTracksError> {
    let holds = |encoder: &AudioEncoder, by: String| {
        let codec = encoder.codec();
        if container.holds_audio(codec) {
            return Ok(());
        }
        Err(AudioTracksError::Codec {
            container,
            codec,
            by,
        })
    };
    for (number, rule) in (1..).zip(&tracks.rules) {
        for output in &rule.outputs {
            if let AudioOutput::Encode { encoder, title, .. } = output {
                holds(encoder, format!("audio rule {number}"))?;
                let is_line = |title: &String| {
                    title.chars().count() <= LONGEST_TITLE && !title.chars().any(char::is_control)
                };
                if !title.as_ref().is_none_or(is_line) {
                    return Err(AudioTracksError::Title(number));
                }
            }
        }
    }
    for track in &tracks.ensure {
        holds(&track.encoder, format!("the ensured track {track}"))?;
        if !matches!(track.channels, 1 | 2 | 6) {
            return Err(AudioTracksError::Channels(track.channels));
        }
        if track.encoder == AudioEncoder::Libmp3lame && track.channels > 2 {
            return Err(AudioTracksError::TooManyChannels {
                encoder: track.encoder,
                most: 2,
                asked: track.channels,
            });
        }
    }
    let first = tracks.rules.iter().position(matches_all);
    if let Some(first) = first.filter(|first| first + 1 < tracks.rules.len()) {
        let (first, late) = (first + 1, first + 2);
        return Err(AudioTracksError::Unreachable { first, late });
    }
    has_effect(audio, tracks)
}

/// Whether every track matches a rule.
fn matches_all(rule: &AudioRule) -> bool {
    let outputs = rule.outputs.clone();
    *rule
        == AudioRule {
            outputs,
            ..AudioRule::default()
        }
}

/// Refuses settings that change nothing, whatever the input.
fn has_effect(audio: &Audio, tracks: &AudioTracks) -> Result<(), AudioTracksError> {
    let outputs = || tracks.rules.iter().flat_map(|rule| &rule.outputs);
    let encodes = |output: &AudioOutput| matches!(output, AudioOutput::Encode { .. });
    let is_any_encoded = matches!(audio, Audio::Encode { .. } | Audio::CopyElse { .. })
        || outputs().any(encodes)
        || !tracks.ensure.is_empty();
    let is_any_kept =
        *audio != Audio::None || outputs().next().is_some() || !tracks.ensure.is_empty();
    let settings = [
        ("--downmix", tracks.downmix.is_some()),
        ("--loudness", tracks.loudness.is_some()),
    ];
    let given = settings.iter().find(|(_, is_given)| *is_given);
    if !is_any_kept {
        let languages = ("--audio-language", !tracks.languages.is_empty());
        let mut given = given.into_iter().chain([&languages]);
        return match given.find(|(_, is_given)| *is_given) {
            Some((setting, _)) => Err(AudioTracksError::NoTrack(setting)),
            None => Ok(()),
        };
    }
    match given {
        Some((setting, _)) if !is_any_encoded => Err(AudioTracksError::NothingEncoded(setting)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(audio: &str, container: Container, tracks: AudioTracks) -> String {
        let audio = audio.parse().expect("audio");
        check(&audio, &tracks, container).map_or_else(|error| error.to_string(), |()| String::new())
    }

    fn ensuring(track: &str) -> AudioTracks {
        AudioTracks {
            ensure: vec![track.parse().expect("a track")],
            ..AudioTracks::default()
        }
    }

    fn ruled(rules: &[&[AudioOutput]]) -> AudioTracks {
        let rules = rules.iter().map(|outputs| AudioRule {
            outputs: outputs.to_vec(),
            ..AudioRule::default()
        });
        AudioTracks {
            rules: rules.collect(),
            ..AudioTracks::default()
        }
    }

    fn flac(title: Option<&str>) -> AudioOutput {
        AudioOutput::Encode {
            encoder: AudioEncoder::Flac,
            bitrate: None,
            downmix: None,
            loudness: None,
            title: title.map(str::to_owned),
        }
    }

    #[test]
    fn what_cannot_be_made_is_refused_with_a_way_out() {
        let (mkv, mov) = (Container::Mkv, Container::Mov);
        let stereo = || AudioTracks {
            downmix: Some("stereo".parse().expect("a name")),
            ..AudioTracks::default()
        };
        let loud = || AudioTracks {
            loudness: Some("-23".parse().expect("a loudness")),
            ..AudioTracks::default()
        };
        let english = || AudioTracks {
            languages: vec!["eng".parse().expect("a language")],
            ..AudioTracks::default()
        };
        for (audio, container, tracks, words) in [
            (
                "copy",
                mkv,
                stereo(),
                "--downmix changes encoded audio only",
            ),
            ("copy", mkv, loud(), "give --audio aac"),
            ("none", mkv, stereo(), "--downmix has no effect"),
            ("none", mkv, english(), "--audio-language has no effect"),
            (
                "copy",
                Container::Webm,
                ensuring("aac:2"),
                "webm cannot hold aac",
            ),
            ("copy", mkv, ensuring("mp3:6"), "libmp3lame takes at most 2"),
            (
                "copy",
                mov,
                ruled(&[&[flac(None)]]),
                "which audio rule 1 makes",
            ),
            (
                "copy",
                mkv,
                ruled(&[&[], &[flac(None)]]),
                "audio rule 2 decides about no track",
            ),
            (
                "copy",
                mkv,
                ruled(&[&[flac(Some("two\nlines"))]]),
                "must be one line",
            ),
        ] {
            let refusal = refusal(audio, container, tracks);
            assert!(refusal.contains(words), "{words}: {refusal}");
        }
        for (audio, tracks) in [
            ("aac", stereo()),
            ("copy,else=aac", loud()),
            ("copy", english()),
            ("none", ensuring("aac:2")),
            ("none", ruled(&[&[flac(Some("5.1"))]])),
        ] {
            assert_eq!(refusal(audio, mkv, tracks), "", "{audio}");
        }
    }
}
