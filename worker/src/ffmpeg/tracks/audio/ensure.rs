//! Tracks that an output has in any case, such as one in stereo that every player plays.

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::{Downmix, EnsuredTrack};

use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::sound;
use crate::ffmpeg::sound::SoundTask;
use crate::ffmpeg::tracks::audio::commentary::is_commentary;
use crate::ffmpeg::tracks::audio::make::Maker;
use crate::ffmpeg::tracks::audio::select::has;
use crate::ffmpeg::tracks::{Track, TrackMethod, language};

/// Adds the ensured tracks that are missing. `kept` are the selected audio tracks, `sounds` all of the input.
pub(super) fn ensure(
    maker: &mut Maker<'_>,
    kept: &[&Stream],
    sounds: &[&Stream],
) -> Result<(), Failure> {
    let recipe = maker.recipe;
    for wanted in &recipe.audio_tracks.ensure {
        let Some(first) = kept.first().filter(|_| !sounds.is_empty()) else {
            continue;
        };
        let usual = language::tag(first).unwrap_or("und");
        let is_wanted = |sound: &Stream| match &wanted.language {
            Some(language) => has(sound, language, sounds),
            None => language::speaks(sound, usual),
        };
        let Some(best) = best(is_wanted, kept, sounds) else {
            let range = match &wanted.language {
                Some(language) => language.as_str(),
                None => usual,
            };
            let why = format!(
                "no audio track has it to make {} of",
                wanted.encoder.codec()
            );
            maker
                .changes
                .push(Change::lost(Kind::Language, None, range, why));
            continue;
        };
        // Channels that the source does not have cannot be made.
        let channels = u32::from(wanted.channels).min(best.channels);
        let is_like = |track: &Track| is_wanted(&track.source) && is_like(track, wanted, channels);
        if maker.list.iter().any(is_like) {
            continue;
        }
        let task = SoundTask {
            downmix: downmix(wanted, recipe.audio_tracks.downmix),
            ..maker.task(wanted.encoder, wanted.bitrate)
        };
        let is_such = best.codec == wanted.encoder.codec() && best.channels == channels;
        if is_such && task.loudness.is_none() && sound::can_copy(best, recipe.container) {
            maker.copy(best);
        } else {
            maker.encode(best, &task, None)?;
        }
    }
    Ok(())
}

/// Whether an output's track is what is wanted, apart from its language.
fn is_like(track: &Track, wanted: &EnsuredTrack, channels: u32) -> bool {
    let made = match (&track.by, &track.sound) {
        (TrackMethod::Audio(encoder), Some(sound)) => (encoder.codec(), sound.channels()),
        _ => (track.source.codec.as_str(), track.source.channels),
    };
    made == (wanted.encoder.codec(), channels) && !is_commentary(&track.source)
}

/// The best track in a language: no commentary, one that the output has, the one with the most channels, the first.
fn best<'a>(
    is_wanted: impl Fn(&Stream) -> bool,
    kept: &[&Stream],
    sounds: &[&'a Stream],
) -> Option<&'a Stream> {
    sounds
        .iter()
        .filter(|sound| !sound.codec.is_empty() && is_wanted(sound))
        .min_by_key(|sound| {
            let is_kept = kept.iter().any(|one| one.index == sound.index);
            (
                is_commentary(sound),
                !is_kept,
                std::cmp::Reverse(sound.channels),
            )
        })
        .copied()
}

/// How the channels become as few as wanted: by the recipe's downmix if it makes that number.
fn downmix(wanted: &EnsuredTrack, general: Option<Downmix>) -> Option<Downmix> {
    let usual = match wanted.channels {
        1 => Downmix::Mono,
        2 => Downmix::Stereo,
        _ => Downmix::Surround,
    };
    let fits = |downmix: &Downmix| downmix.channels() == usual.channels();
    Some(general.filter(fits).unwrap_or(usual))
}
